"""How late payproof itself is: on a machine with too much to do, the gateway that it plays answers late, and nobody is to blame for what
an integration gives up then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from payproof.contracts.entries import Call, Connection, Entry
from payproof.simulator.sockets.loop_watch import TICK, LoopWatch

_LATE = 0.5
"""Seconds of delay from which on one is counted."""
TOO_LATE = 1.0
"""Seconds of delay within one call from which on it is not the integration that gave up early."""


class Lateness(LoopWatch):
    """What comes late is remembered."""

    def _moments(self) -> Iterator[tuple[float, float]]:
        """Since when something was due, and when it was done."""
        return ((since + TICK, till) for since, till in self.stood if till - since >= TICK + _LATE)

    @property
    def worst(self) -> float:
        """The longest delay that is remembered, in seconds."""
        return max((till - since for since, till in self._moments()), default=0.0)

    def between(self, began: float, ended: float) -> float:
        """Seconds in which nothing was done between two moments."""
        return sum(max(min(ended, till) - max(began, since), 0.0) for since, till in self._moments())

    def given_up(self, entries: Iterable[Entry]) -> str:
        """Which call of the integration was given up because payproof was late; empty when none was. What a fault met is no such call."""
        for entry in entries:
            if isinstance(entry, Call) and entry.ending == "hung_up" and not entry.fault:
                what, began, ended = (
                    f"the {entry.event.operation or entry.request.method} call",
                    entry.began,
                    entry.ended,
                )
            elif (
                isinstance(entry, Connection)
                and entry.event in ("handshake_failed", "unused")
                and (entry.began is not None and entry.seconds is not None)
                and entry.ended_by == "client"
                and not entry.fault
            ):
                what, began, ended = "a connection", entry.began, entry.began + entry.seconds
            else:
                continue
            # A client that left while we were late may be gone before its request is read: then all of it seems to take no time.
            if (late := self.between(began - TOO_LATE, ended)) >= TOO_LATE:
                return f"{what} waited {late:.1f} s for payproof itself, on a machine that has too much to do"
        return ""
