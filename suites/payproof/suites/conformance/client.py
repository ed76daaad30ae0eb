"""The one client of a server that is held to something: to its own hosts, and within one rate budget."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import httpx

from payproof.contracts.model import PayproofError
from payproof.contracts.reading import addresses
from payproof.simulator.relay.rate_budget import BudgetSpent, RateBudget, Reservation
from payproof.simulator.relay.upstream import SandboxAddress, Upstream

_ADDED = (("Accept", "*/*"), ("User-Agent", "payproof"))
_LONGEST_HOLD = 120.0
"""Seconds that the server can have us wait by one answer."""

Headers = Sequence[tuple[str, str]]


class Elsewhere(PayproofError):
    """An address leads to a host that is not the server's: it is not asked."""


class SandboxClient:
    """``patience``: seconds that one answer may take. ``limited``: how often in a row it answered 429, too many requests."""

    def __init__(self, address: SandboxAddress, budget: RateBudget, *, patience: float) -> None:
        self.address, self.budget, self.limited = address, budget, 0
        self._upstream = Upstream(address, budget, patience=patience)
        self._share: Reservation | None = None

    async def begin(self) -> None:
        """A case begins, as soon as what it may need fits into the rate; what the last one did not use is free again.

        Raises:
            BudgetSpent: no further request may be made.
        """
        if self._share is not None:
            self.budget.release(self._share)
        self._share = await self.budget.admit()

    async def call(self, method: str, url: str | httpx.URL, headers: Headers, body: bytes) -> httpx.Response:
        """A call of the API, which counts.

        Raises:
            BudgetSpent: the budget does not allow it.
            Elsewhere: to another host.
            httpx.HTTPError, TimeoutError: no whole answer.
        """
        self._refuse_elsewhere(url)
        if self.budget.sent >= self.budget.budget:
            raise BudgetSpent(f"the budget of {self.budget.budget} requests is spent", place="sandbox.budget")
        if self._share is None:
            await self.budget.ask()
        else:
            await self.budget.go(lambda: self._share)
        given = {name.lower() for name, _ in headers}
        added = [pair for pair in _ADDED if pair[0].lower() not in given]
        answer = await self._upstream.send(method, url, [*headers, *added], body)
        self.limited = self.limited + 1 if answer.status_code == 429 else 0
        return answer

    async def page(self, method: str, url: str | httpx.URL, headers: Headers, body: bytes) -> httpx.Response:
        """A page of the hosted checkout; errors as ``call``."""
        self._refuse_elsewhere(url)
        return await self._upstream.send(method, url, headers, body)

    def _refuse_elsewhere(self, url: str | httpx.URL) -> None:
        if addresses.origin(str(url)) not in map(addresses.origin, self.address.origins):
            raise Elsewhere(f"its answer leads to {urlsplit(str(url)).netloc}, which is not the sandbox: not opened")

    def hold(self, seconds: float) -> None:
        """The server asks for a pause: the next call is made after it."""
        self.budget.hold(min(seconds, _LONGEST_HOLD))

    async def advance(self, seconds: int) -> bool:
        """Move the server's clock on. False: it takes real time."""
        if not self.address.clock:
            return False
        await self._upstream.advance(seconds)
        return True

    async def aclose(self) -> None:
        await self._upstream.aclose()
