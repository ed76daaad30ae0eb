"""How long the probe ``stalled`` holds a call that is never answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from payproof.contracts.profile import load
from payproof.suites.probes.timeout import stalled, unconnected


class Watched:
    """What the probe asks of a world. The shop answers its customer by itself and lets go of the gateway's call later."""

    def __init__(self, *, called: bool) -> None:
        self.called = called
        self.armed: tuple[str, dict[str, Any]] = ("", {})
        self.journal = SimpleNamespace(next=1, entries=[])
        self.hung_up_while_held: bool | None = None
        self._given_up: list[Any] = []
        self._socket: asyncio.Task[None] | None = None
        self.profile = load("quatapay")
        self.target = SimpleNamespace(powers=(), faults=SimpleNamespace(fired=self._fired))
        self.shared = SimpleNamespace(page_patience=60.0, patience=5.0)

    def _fired(self, number: int) -> int:
        return int(self._socket is not None)

    def new_order(self, *, role: str = "main") -> str:
        return role

    def customer(self, patience: float = 0.0) -> str:
        return "customer"

    @asynccontextmanager
    async def fault(self, name: str, **filters: Any) -> AsyncGenerator[int]:
        self.armed = (name, filters)
        yield 1
        self.hung_up_while_held = bool(self._given_up)

    async def checkout_until(self, met: Callable[[], object], order: str, customer: str) -> None:
        if self.called:
            self._socket = asyncio.create_task(self._let_go())

    async def _let_go(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        self._given_up.append(SimpleNamespace(fault="never-answer"))

    async def until(self, met: Callable[[], bool], seconds: float) -> bool:
        for _ in range(200):
            if met():
                return True
            await asyncio.sleep(0)
        return False

    def calls(self, operation: str) -> list[Any]:
        return self._given_up

    def step(self, text: str, name: str) -> None: ...

    async def look(self, order: str, customer: str) -> None: ...

    async def recover(self) -> None: ...


@pytest.mark.parametrize("operation", ["token", "create"])
def test_a_customer_who_is_answered_first_does_not_end_the_call(operation: str) -> None:
    world = Watched(called=True)
    asyncio.run(stalled(world, operation))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert world.hung_up_while_held is True


def test_a_checkout_without_the_call_is_not_waited_for() -> None:
    world = Watched(called=False)
    asyncio.run(stalled(world, "token"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert world.hung_up_while_held is False


@pytest.mark.parametrize(("how", "filters"), [("backlog", {}), ("silent", {}), ("tls-silence", {"keep": 0.5})])
def test_a_handshake_stops_half_way_where_the_other_ways_answer_nothing(how: str, filters: dict[str, float]) -> None:
    world = Watched(called=False)
    asyncio.run(unconnected(world, how))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert world.armed == (how, filters)


class Late(Watched):
    """A machine with too much to do: the return is on its way for long before the status check begins."""

    def __init__(self) -> None:
        super().__init__(called=True)
        self.turns = 0

    async def pay_and_stay(self, order: str, customer: str) -> Any:
        return SimpleNamespace(url="https://shop.test/return")

    async def come_back(self, url: str, customer: str, order: str) -> None:
        for _ in range(50):
            await asyncio.sleep(0)
        self._socket = asyncio.create_task(self._let_go())
        await self._socket

    async def until(self, met: Callable[[], bool], seconds: float) -> bool:
        for _ in range(20 if seconds < 10 else 200):
            if met():
                return True
            await asyncio.sleep(0)
        return False

    async def mended(self, order: str, customer: str, url: str) -> None: ...


def test_a_status_check_that_comes_late_is_held_like_any_other() -> None:
    world = Late()
    asyncio.run(stalled(world, "status"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert world.hung_up_while_held is True


class AskedWhenLookedAt(Watched):
    """A shop whose return page is somebody else's: it asks the gateway when the order's page is opened, and lets go later."""

    async def pay_and_stay(self, order: str, customer: str) -> Any:
        return SimpleNamespace(url="https://app.shop.test/back")

    async def come_back(self, url: str, customer: str, order: str) -> None: ...

    async def look(self, order: str, customer: str) -> None:
        await self.checkout_until(bool, order, customer)
        assert self._socket
        await self._socket

    async def mended(self, order: str, customer: str, url: str) -> None: ...

    async def until(self, met: Callable[[], bool], seconds: float) -> bool:
        for _ in range(
            int(seconds * 4)
        ):  # here the call is let go later than the five seconds of a look that asks nobody
            if met():
                return True
            await asyncio.sleep(0)
        return False


def test_a_status_check_that_the_orders_page_makes_is_waited_for_too() -> None:
    world = AskedWhenLookedAt(called=True)
    asyncio.run(stalled(world, "status"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert world.hung_up_while_held is True


class Abandoned(Watched):
    """A shop that answers its customer and leaves the socket open, on which nobody answers the end of TLS any more."""

    noted_by_the_end: bool | None = None

    @asynccontextmanager
    async def fault(self, name: str, **filters: Any) -> AsyncGenerator[int]:
        yield 1
        self._socket = asyncio.create_task(self._let_go())

    async def checkout_until(self, met: Callable[[], object], order: str, customer: str) -> None:
        self._socket = asyncio.create_task(asyncio.sleep(0))

    async def recover(self) -> None:
        self.noted_by_the_end = bool(self._given_up)


@pytest.mark.parametrize("operation", ["token", "create"])
def test_a_call_whose_socket_was_left_open_belongs_to_its_probe_run(operation: str) -> None:
    world = Abandoned(called=True)
    asyncio.run(stalled(world, operation))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert world.noted_by_the_end is True
