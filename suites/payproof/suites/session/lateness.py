"""How late payproof itself is: on a machine with too much to do, the gateway that it plays answers late, and nobody is to blame for what
an integration gives up then."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from payproof.contracts.entries import Call, Connection, Entry

_TICK, _LATE = 0.25, 0.5
"""Seconds between two looks at the clock, and from which delay on one is remembered."""
TOO_LATE = 1.0
"""Seconds of delay within one call from which on it is not the integration that gave up early."""
_KEPT = 2_000


class Lateness:
    """Looks at the clock again and again; what comes late is remembered. Times are seconds by ``now``."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._moments: deque[tuple[float, float]] = deque(maxlen=_KEPT)
        self._watch: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._watch is None:
            self._watch = asyncio.create_task(self._look())

    def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    async def _look(self) -> None:
        while True:
            due = self._now() + _TICK
            await asyncio.sleep(_TICK)
            self.looked(due)

    def looked(self, due: float) -> None:
        """A look that should have been at ``due`` is now."""
        if (now := self._now()) - due >= _LATE:
            self._moments.append((due, now))

    @property
    def worst(self) -> float:
        """The longest delay that is remembered, in seconds."""
        return max((till - since for since, till in self._moments), default=0.0)

    def between(self, began: float, ended: float) -> float:
        """Seconds in which nothing was done between two moments."""
        return sum(max(min(ended, till) - max(began, since), 0.0) for since, till in self._moments)

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
