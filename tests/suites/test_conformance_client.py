"""The one client of drift and of the contract suite: its own hosts, one budget, the server's pauses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from payproof.contracts.profile import load
from payproof.simulator.relay.rate_budget import BudgetSpent, RateBudget
from payproof.simulator.relay.upstream import SandboxAddress
from payproof.simulator.testing import GatewayThread
from payproof.suites.conformance.client import Elsewhere, SandboxClient

QUATAPAY = load("quatapay")


class Waiting:
    """A client whose clock is moved by nothing but its own waiting. ``moments``: of each of its calls."""

    def __init__(self, url: str, *, rate: int, budget: int) -> None:
        self.now, self.moments = 0.0, list[float]()
        address = SandboxAddress(base_url=url, client_id="", secret_key="")
        self.client = SandboxClient(
            address, RateBudget(rate, budget, clock=lambda: self.now, sleep=self._sleep), patience=5
        )
        self._url = f"{url}/nothing"

    async def _sleep(self, seconds: float) -> None:
        self.now += seconds

    async def call(self) -> None:
        await self.client.call("GET", self._url, (), b"")
        self.moments.append(self.now)


def moments_of(ask: Callable[[Waiting], Awaitable[None]], *, rate: int = 0, budget: int = 9) -> list[float]:
    async def whole(url: str) -> list[float]:
        waiting = Waiting(url, rate=rate, budget=budget)
        try:
            await ask(waiting)
        finally:
            await waiting.client.aclose()
        return waiting.moments

    with GatewayThread(QUATAPAY) as gateway:
        return asyncio.run(whole(gateway.base_url))


def test_without_a_rate_nobody_waits_but_the_budget_holds() -> None:
    async def scenario(waiting: Waiting) -> None:
        for _ in range(3):
            await waiting.call()
        with pytest.raises(BudgetSpent):
            await waiting.call()

    assert moments_of(scenario, budget=3) == [0.0, 0.0, 0.0]


def test_a_rate_is_kept_over_every_minute() -> None:
    async def scenario(waiting: Waiting) -> None:
        for _ in range(5):
            await waiting.call()

    moments = moments_of(scenario, rate=2)
    assert moments[:2] == [0.0, 0.0]
    assert all(later - earlier >= 60 for earlier, later in zip(moments, moments[2:], strict=False))


def test_a_server_that_asks_to_wait_is_waited_for_but_not_for_ever() -> None:
    async def scenario(waiting: Waiting) -> None:
        for pause in (30, 86_400):
            waiting.client.hold(pause)
            await waiting.call()

    assert moments_of(scenario) == [30, 150]


def test_another_host_is_never_asked() -> None:
    async def scenario(waiting: Waiting) -> None:
        for ask in (waiting.client.call, waiting.client.page):
            with pytest.raises(Elsewhere, match=r"checkout\.elsewhere\.test, which is not the sandbox"):
                await ask("GET", "https://checkout.elsewhere.test/pay", (), b"")
        assert waiting.client.budget.sent == 0

    assert moments_of(scenario) == []
