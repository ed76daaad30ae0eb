"""The gateway's clock: real time plus whatever a test has added."""

from __future__ import annotations

import time
from collections.abc import Callable

FURTHEST = 100 * 366 * 86_400.0
"""Seconds that a clock can be moved forward in all: a hundred years. Further on, dates and differences of times break."""


class Clock:
    """Seconds since the simulator began. Only tokens, payments and limits live by it; waiting is done in real time."""

    def __init__(self, real: Callable[[], float] = time.monotonic) -> None:
        self._real = real
        self._began = real()
        self._added = 0.0
        self.listeners: list[Callable[[], None]] = []
        """Called after each jump; for gateways that act by themselves when time has passed."""

    @property
    def ahead(self) -> float:
        """Seconds by which it was moved forward so far."""
        return self._added

    def now(self) -> float:
        return self._real() - self._began + self._added

    def advance(self, seconds: float) -> float:
        """Move the clock forward; returns the new time.

        Raises:
            ValueError: ``seconds`` is negative or not a number (time never runs backwards), or leads further than
                ``FURTHEST`` in all.
        """
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"the clock moves forward only, not by {seconds} seconds")
        if self._added + seconds > FURTHEST:
            raise ValueError(
                f"the clock moves forward by a hundred years in all at most, not by {seconds:g} seconds more"
            )
        self._added += seconds
        for listener in tuple(self.listeners):
            listener()
        return self.now()

    def age(self, moment: float) -> int:
        """Whole seconds since ``moment``: the family's servers compare times of one second's resolution."""
        return int(self.now() - moment)
