"""How long a start is waited for."""

from __future__ import annotations

from collections.abc import Callable

_MOST = 3
"""So many times the limit is given at most because the machine is busy."""


class StartLimit:
    """``seconds``: what the start itself may take. What the machine takes from it does not count: for how long it waited for a
    processor (``waited``), and for how long we were late ourselves. ``now``: a clock that only goes forwards."""

    def __init__(self, seconds: float, now: Callable[[], float], waited: Callable[[], float]) -> None:
        self._seconds, self._now, self._waited = seconds, now, waited
        self._end = now() + seconds
        self._given = 0.0

    def was_late(self, seconds: float) -> None:
        self._end += max(seconds, 0.0)

    @property
    def left(self) -> float:
        """Seconds that are left; how long it waited is asked when they are over."""
        if self._now() >= self._end + self._given:
            self._given = min(self._waited(), _MOST * self._seconds)
        return self._end + self._given - self._now()

    def __str__(self) -> str:
        more = (
            f" and {self._given:.0f} s more for which this machine had no processor for it" if self._given >= 1 else ""
        )
        return f"{self._seconds:g} s{more}"
