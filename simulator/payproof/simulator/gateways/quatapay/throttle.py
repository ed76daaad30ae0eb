"""So many requests a minute for each caller's address, in fixed windows of the gateway's clock."""

from __future__ import annotations

from dataclasses import dataclass

from payproof.simulator.clock import Clock

WINDOW = 60


@dataclass(frozen=True, slots=True)
class Allowance:
    limit: int
    remaining: int
    retry_after: int
    """Seconds to wait; 0 while calls are allowed."""


class Throttle:
    def __init__(self, clock: Clock, limit: int) -> None:
        self._clock, self.limit = clock, limit
        self._windows: dict[str, tuple[float, int]] = {}

    def take(self, caller: str) -> Allowance:
        """Count one call of this caller."""
        now = self._clock.now()
        began, used = self._windows.get(caller, (now, 0))
        if now - began >= WINDOW:
            began, used = now, 0
        if used >= self.limit:
            return Allowance(self.limit, 0, max(1, round(began + WINDOW - now)))
        self._windows[caller] = (began, used + 1)
        return Allowance(self.limit, self.limit - used - 1, 0)
