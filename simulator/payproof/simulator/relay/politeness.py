"""A guest's manners at somebody else's sandbox: a rate below its limit, and a budget for the whole run."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from payproof.contracts.model import PayproofError

WINDOW = 60.0
"""Seconds that the rate is counted over."""
RESERVE = 12
"""API requests that one story may need; it begins when so many fit into the rate, and is then never held up."""


class BudgetSpent(PayproofError):
    """No further story may be told: the run's budget of API requests is spent."""


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
        self._promised: deque[float] = deque()
        self._turn = asyncio.Lock()

    async def admit(self) -> None:
        """Wait until a story's requests fit into the rate.

        Raises:
            BudgetSpent: they do not fit into the budget.
        """
        if self.sent >= self.budget:
            raise BudgetSpent(
                f"the run's budget of {self.budget} requests to the sandbox is spent",
                place="sandbox.budget",
                remedy="raise it, or choose fewer requirements with --only or --quick",
            )
        async with self._turn:
            reserve = min(RESERVE, self.rate)
            while (wait := self._wait_for(reserve)) > 0:
                if wait > 1:
                    self.note(f"{self.account()}; waiting {wait:.0f} s to stay below {self.rate} a minute")
                self.waited += wait
                await asyncio.sleep(wait)
            self._promised.append(time.monotonic())

    def _wait_for(self, reserve: int) -> float:
        """Seconds until ``reserve`` more requests fit into the last minute, what was just promised included."""
        now = time.monotonic()
        self._forget(now)
        taken = sorted((*self._recent, *(moment for moment in self._promised for _ in range(reserve))))
        surplus = len(taken) + reserve - self.rate
        return 0.0 if surplus <= 0 else max(taken[surplus - 1] + WINDOW - now, 0.05)

    def spend(self) -> None:
        """One API request goes out; it takes the place of one that was promised to a story."""
        now = time.monotonic()
        self.sent += 1
        self._recent.append(now)
        self._forget(now)
        self.busiest = max(self.busiest, len(self._recent))

    def _forget(self, now: float) -> None:
        while self._recent and self._recent[0] <= now - WINDOW:
            self._recent.popleft()
        # A story that has begun shows its requests within seconds: the promise is only to stop a crowd from starting.
        while self._promised and self._promised[0] <= now - 2.0:
            self._promised.popleft()

    def account(self) -> str:
        self._forget(time.monotonic())
        return f"sandbox: {self.sent} of {self.budget} requests, {len(self._recent)} in the last minute"
