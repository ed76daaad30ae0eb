"""The gateway's clock: real time plus whatever a test has added."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """Seconds since the simulator began. Only tokens, payments and limits live by it; waiting is done in real time."""

    def __init__(self, real: Callable[[], float] = time.monotonic) -> None:
        self._real = real
        self._began = real()
        self._added = 0.0
        self.listeners: list[Callable[[], None]] = []
        """Told after each jump; for gateways that act by themselves when time has passed."""

    def now(self) -> float:
        return self._real() - self._began + self._added

    def advance(self, seconds: float) -> float:
        """Move the clock forward; returns the new time.

        Raises:
            ValueError: ``seconds`` is negative or not a number; time never runs backwards.
        """
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"the clock moves forward only, not by {seconds} seconds")
        self._added += seconds
        for listener in tuple(self.listeners):
            listener()
        return self.now()

    def age(self, moment: float) -> int:
        """Whole seconds since ``moment``: the family's servers compare times of one second's resolution."""
        return int(self.now() - moment)
