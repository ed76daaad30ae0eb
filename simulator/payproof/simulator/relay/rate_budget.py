"""A guest's manners at somebody else's sandbox: a rate below its limit, and a budget for the whole run."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping

from payproof.contracts.model import PayproofError

WINDOW = 60.0
"""Seconds that the rate is counted over."""
RESERVE = 14
"""API requests that a probe may need of which nothing else is known; it begins when so many fit into the rate."""
_ON_THE_WAY = 1.0
"""Seconds by which requests may come closer together on their way to the sandbox, which counts them as they arrive."""
_LOOK_AGAIN = 0.5


class BudgetSpent(PayproofError):
    """No further probe may run: the run's budget of API requests is spent."""


class Reservation:
    """What is left of the requests that one probe run was promised, and how many it made."""

    __slots__ = ("left", "probe", "used")

    def __init__(self, left: int, probe: str = "") -> None:
        self.left, self.probe = left, probe
        self.used = 0


class RateBudget:
    """One for all worlds of a run. ``rate``: API requests in any minute, 0: as many as there are; ``budget``: API requests altogether.

    Waiting happens between probe runs: an integration must not be blamed for our manners. Each probe run is promised what it
    needs before it begins. One that needs more is held back within a call, so that the rate holds in any case; it
    counts for nothing then, and the next time so many are set aside for it. ``needs``: what is known beforehand, by probe.
    """

    def __init__(
        self,
        rate: int,
        budget: int,
        *,
        needs: Mapping[str, int] | None = None,
        note: Callable[[str], None] = lambda text: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.rate, self.budget, self.note = rate, budget, note
        self.sent = 0
        self.waited = 0.0
        self.busiest = 0
        """Most API requests in one minute."""
        self._needs = dict(needs or {})
        self._clock, self._sleep = clock, sleep
        self._recent: deque[float] = deque()
        self._shares: list[Reservation] = []
        self._turn = asyncio.Lock()
        self._held_until = 0.0

    async def admit(self, probe: str = "") -> Reservation:
        """Wait until a probe's requests fit into the rate.

        Raises:
            BudgetSpent: they do not fit into the budget.
        """
        async with self._turn:
            reserve = min(self._needs.get(probe, RESERVE), self.rate)
            await self._until_room(reserve)
            share = Reservation(reserve, probe)
            self._shares.append(share)
            return share

    async def ask(self) -> None:
        """One request of our own goes out, as soon as rate and server allow.

        Raises:
            BudgetSpent: no further one may.
        """
        await self._until_room(1)
        self.spend()

    async def _until_room(self, requests: int) -> None:
        self._check_budget()
        noted = False
        began = self._clock()
        while (wait := self._wait_for(requests)) > 0:
            if wait > _LOOK_AGAIN and not noted:
                noted = True
                self.note(f"{self.account()}; up to {wait:.0f} s of waiting to stay below {self.rate} a minute")
            await self._sleep(min(wait, _LOOK_AGAIN))
        self.waited += self._clock() - began

    def _check_budget(self) -> None:
        if self.sent >= self.budget:
            raise BudgetSpent(
                f"the run's budget of {self.budget} requests to the sandbox is spent",
                place="sandbox.budget",
                remedy="raise it, or choose fewer requirements with --only or --quick",
            )

    def _wait_for(self, reserve: int) -> float:
        """Seconds until a probe may begin that needs ``reserve`` more requests."""
        now = self._clock()
        return self._held_until - now if now < self._held_until else self._room_in(reserve)

    def _room_in(self, requests: int) -> float:
        """Seconds until so many more requests fit into the last minute, beside those promised to others."""
        if not self.rate:
            return 0.0
        now = self._clock()
        self._forget(now)
        surplus = len(self._recent) + sum(share.left for share in self._shares) + requests - self.rate
        if surplus <= 0:
            return 0.0
        if surplus > len(self._recent):
            return _LOOK_AGAIN  # other probe runs' shares stand in the way
        return max(self._recent[surplus - 1] + WINDOW + _ON_THE_WAY - now, 0.05)

    async def go(self, share: Callable[[], Reservation | None] = lambda: None) -> float:
        """One API request goes out, of a probe run's share if there is one and something is left of it, and as soon as the rate
        allows where not. Returns the seconds that it was held back."""
        held, began = False, self._clock()
        while (wait := self._held_back(share())) > 0:
            held = True
            await self._sleep(min(wait, _LOOK_AGAIN))
        self.spend(share())
        return self._clock() - began if held else 0.0

    def _held_back(self, share: Reservation | None) -> float:
        return 0.0 if share is not None and share.left > 0 else self._room_in(1)

    def spend(self, share: Reservation | None = None) -> None:
        """One API request is gone, of a probe run's share if it has one."""
        now = self._clock()
        self.sent += 1
        if share is not None:
            share.used += 1
            share.left = max(share.left - 1, 0)
        self._recent.append(now)
        self._forget(now)
        self.busiest = max(self.busiest, len(self._recent))

    def _forget(self, now: float) -> None:
        while self._recent and self._recent[0] < now - WINDOW - _ON_THE_WAY:
            self._recent.popleft()

    def hold(self, seconds: float) -> None:
        """The sandbox itself asks for a pause: no probe begins before it is over."""
        self._held_until = max(self._held_until, self._clock() + seconds)

    def release(self, share: Reservation) -> None:
        """The probe run is over: what it did not use is free again, and what it needed is remembered."""
        self._shares = [each for each in self._shares if each is not share]
        if share.probe:
            self._needs[share.probe] = max(self._needs.get(share.probe, RESERVE), share.used)
        share.left = 0

    def account(self) -> str:
        self._forget(self._clock())
        return f"sandbox: {self.sent} of {self.budget} requests, {len(self._recent)} in the last minute"
