"""When did a client do what is seen now? On a machine with too much to do the event loop stands still, and sees things late."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

TICK = 0.25
"""Seconds between two looks at the clock."""
_LATE = 0.25
"""Seconds by which a look has to be late for the loop to have stood still."""
_SOON = 0.5
"""Seconds within which the loop sees what happened while it stood still."""
_KEPT = 2_000
_INFO = struct.Struct("=B51xII")
"""Of Linux's TCP_INFO: the state, and the milliseconds since data came, and since anything came that acknowledges."""
_TICK_OF_THE_SYSTEM = 0.01
"""Seconds by which these may be too long: the system counts in ticks, a hundred a second or more."""
_LEFT = frozenset((7, 8, 9, 11))
"""States of a connection of which the other side has closed its half, or that it has reset: CLOSE, CLOSE_WAIT, LAST_ACK, CLOSING."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the system knows of a connection's other side. ``data``, ``anything``: seconds since data came, and since any packet came;
    it may be a little longer, and is not shorter."""

    left: bool
    data: float
    anything: float


class AcceptedSocket(socket.socket):
    """Remembers, when it is closed, what the system knew of the other side: under TLS a transport closes its socket before it says that
    the client has left."""

    __slots__ = ("_at_end",)

    def __init__(self, accepted: socket.socket) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        self._at_end: tuple[float, Heard] | None = None

    def close(self) -> None:
        if self.fileno() >= 0 and (found := heard(self)) is not None:
            self._at_end = time.monotonic(), found
        super().close()

    def heard_before(self) -> Heard | None:
        """What was known when it was closed, as seen from now; None where it is open, or nothing was known."""
        if self._at_end is None:
            return None
        closed, found = self._at_end
        since = time.monotonic() - closed
        return Heard(found.left, found.data + since, found.anything + since)


def heard(sock: socket.socket) -> Heard | None:
    """None where the system does not tell."""
    if sys.platform != "linux":
        return None
    if isinstance(sock, AcceptedSocket) and (before := sock.heard_before()) is not None:
        return before
    try:
        state, data, anything = _INFO.unpack(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size))
    except (OSError, struct.error):
        return None
    return Heard(state in _LEFT, *(max(each / 1000 - _TICK_OF_THE_SYSTEM, 0.0) for each in (data, anything)))


def has_left(sock: socket.socket) -> bool:
    """Whether the client has closed the connection, though nobody here may have seen it."""
    found = heard(sock)
    return found is not None and found.left


class LoopWatch:
    """Looks at the clock again and again while it is started. Times are seconds by ``now``."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._looked = now()
        self.stood: deque[tuple[float, float]] = deque(maxlen=_KEPT)
        """Since when, and until when, the loop stood still; the latest last."""
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        if self._timer is None:
            self._looked = self._now()
            self._timer = asyncio.get_running_loop().call_later(TICK, self._look)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        now = self._now()
        if now - self._looked > TICK + _LATE:
            self.stood.append((self._looked, now))
        self._looked = now
        self._timer = asyncio.get_running_loop().call_later(TICK, self._look)

    def left_at(self, sock: socket.socket) -> float:
        """When the client left, as that is seen now: at the earliest when the loop last ran, where it stood still until now."""
        now = self._now()
        stands_still = now - self._looked > TICK + _LATE
        since, until = (self._looked, now) if stands_still else self.stood[-1] if self.stood else (now, now)
        if self._timer is None or now - until > _SOON or since == until:
            return now
        found = heard(sock)
        return max(since, now - found.anything) if found is not None else since
