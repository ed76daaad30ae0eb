"""A guest's manners at somebody else's sandbox: a rate below its limit, and a budget for the whole run."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from payproof.contracts.model import PayproofError

WINDOW = 60.0
"""Seconds that the rate is counted over."""
RESERVE = 14
"""API requests that one story may need; it begins when so many fit into the rate, and is then never held up."""
_LOOK_AGAIN = 0.5


class BudgetSpent(PayproofError):
    """No further story may be told: the run's budget of API requests is spent."""


class Share:
    """What is left of the requests that one story was promised."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left


class Politeness:
    """One for all worlds of a run. ``rate``: API requests a minute; ``budget``: API requests altogether.

    Waiting happens between stories, never within a call: an integration must not be blamed for our manners.
    """

    def __init__(self, rate: int, budget: int, *, note: Callable[[str], None] = lambda text: None) -> None:
        self.rate, self.budget, self.note = rate, budget, note
        self.sent = 0
        self.waited = 0.0
        self.busiest = 0
        """Most API requests in one minute."""
        self._recent: deque[float] = deque()
        self._shares: list[Share] = []
        self._turn = asyncio.Lock()
        self._held_until = 0.0

    async def admit(self) -> Share:
        """Wait until a story's requests fit into the rate.

        Raises:
            BudgetSpent: they do not fit into the budget.
        """
        async with self._turn:
            self._check_budget()
            reserve = min(RESERVE, self.rate)
            told = False
            began = time.monotonic()
            while (wait := self._wait_for(reserve)) > 0:
                if wait > _LOOK_AGAIN and not told:
                    told = True
                    self.note(f"{self.account()}; up to {wait:.0f} s of waiting to stay below {self.rate} a minute")
                await asyncio.sleep(min(wait, _LOOK_AGAIN))
            now = time.monotonic()
            self.waited += now - began
            share = Share(reserve)
            self._shares.append(share)
            return share

    def _check_budget(self) -> None:
        if self.sent >= self.budget:
            raise BudgetSpent(
                f"the run's budget of {self.budget} requests to the sandbox is spent",
                place="sandbox.budget",
                remedy="raise it, or choose fewer requirements with --only or --quick",
            )

    def _wait_for(self, reserve: int) -> float:
        """Seconds until ``reserve`` more requests fit into the last minute, beside those promised to others."""
        now = time.monotonic()
        self._forget(now)
        surplus = len(self._recent) + sum(share.left for share in self._shares) + reserve - self.rate
        if now < self._held_until:
            return self._held_until - now
        if surplus <= 0:
            return 0.0
        if surplus > len(self._recent):
            return _LOOK_AGAIN  # other stories' shares stand in the way
        return max(self._recent[surplus - 1] + WINDOW - now, 0.05)

    def spend(self, share: Share | None = None) -> None:
        """One API request goes out, of a story's share if it has one."""
        now = time.monotonic()
        self.sent += 1
        if share is not None and share.left > 0:
            share.left -= 1
        self._recent.append(now)
        self._forget(now)
        self.busiest = max(self.busiest, len(self._recent))

    def _forget(self, now: float) -> None:
        while self._recent and self._recent[0] <= now - WINDOW:
            self._recent.popleft()
        self._shares = [share for share in self._shares if share.left > 0]

    def hold(self, seconds: float) -> None:
        """The sandbox itself asks for a pause: no story begins before it is over."""
        self._held_until = max(self._held_until, time.monotonic() + seconds)

    def release(self, share: Share) -> None:
        """The story is over, and what it did not use is free again."""
        share.left = 0

    def account(self) -> str:
        self._forget(time.monotonic())
        return f"sandbox: {self.sent} of {self.budget} requests, {len(self._recent)} in the last minute"
