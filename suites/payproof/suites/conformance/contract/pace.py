"""How many requests the suite may send, and how fast."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

WINDOW = 60.0
"""Seconds that the rate is counted over."""
_ON_THE_WAY = 1.0
"""Seconds by which requests may come closer together on their way to the server, which counts them as they arrive."""
LONGEST_HOLD = 120.0
"""Seconds that the server can have us wait by one answer."""


class Spent(KeyboardInterrupt):
    """The part of the budget that is at hand is used up. Interrupts the generator that wants to send more."""


class Pace:
    """``budget``: requests altogether. ``rate``: requests a minute, 0: no limit."""

    def __init__(
        self,
        budget: int,
        rate: int,
        *,
        note: Callable[[str], None] = lambda text: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.budget, self.rate = budget, rate
        self.sent = 0
        self.limit = budget
        """How many may have been sent before this part of the run is over."""
        self._note, self._clock, self._sleep = note, clock, sleep
        self._recent: deque[float] = deque()
        self._held_until = 0.0

    def part(self, requests: int) -> None:
        """From now on so many more requests may be sent, and never more than the budget."""
        self.limit = min(self.budget, self.sent + max(0, requests))

    @property
    def left(self) -> int:
        return self.limit - self.sent

    def hold(self, seconds: float) -> None:
        """The server has asked us to wait."""
        self._held_until = max(self._held_until, self._clock() + min(seconds, LONGEST_HOLD))

    def spend(self) -> None:
        """Wait until one more request may go out, and count it.

        Raises:
            Spent: no more may.
        """
        if self.sent >= self.limit:
            raise Spent
        while (wait := self._wait()) > 0:
            if wait > 1:
                self._note(f"waiting {wait:.0f} s to stay below {self.rate} requests a minute")
            self._sleep(wait)
        self.sent += 1
        self._recent.append(self._clock())

    def _wait(self) -> float:
        now = self._clock()
        while self._recent and self._recent[0] <= now - WINDOW - _ON_THE_WAY:
            self._recent.popleft()
        full = self.rate and len(self._recent) >= self.rate
        return max(self._held_until - now, self._recent[0] + WINDOW + _ON_THE_WAY - now if full else 0.0, 0.0)
