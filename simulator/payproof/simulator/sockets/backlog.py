"""A full backlog, and who waits outside it.

Linux drops the SYN of a client while the queue of accepted connections is full. Nothing of that reaches us: what a client does is
read off the system's table of sockets, where its attempt stands as SYN_SENT from the first SYN until it gives up.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import struct
import sys
import time
from dataclasses import dataclass
from typing import Protocol

from payproof.contracts.model import PayproofError
from payproof.simulator.sockets.connecting import connecting

LOOK_EVERY = 0.05
"""Seconds between two looks at the table: so much may a measured attempt be too short."""
_ARRIVES_WITHIN = 5.0
"""Seconds in which a connection over loopback is there, on the busiest machine, when there is room for it."""
_MOST_FILLERS = 64
_QUEUE = struct.Struct("24xII")
"""Where Linux's TCP_INFO of a listening socket says how many wait to be accepted, and how many may."""


def fill(listening: socket.socket) -> list[socket.socket]:
    """Own connections to a socket that nobody accepts from, until there is no room. They stand for as long as they are open.

    Raises:
        PayproofError: there is always room, or nobody tells who stands outside: this system does not do what Linux does.
    """
    fillers: list[socket.socket] = []
    while _looks_outside(listening) and len(fillers) < _MOST_FILLERS:
        waiting, room = _QUEUE.unpack(listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _QUEUE.size))
        if waiting > room:
            return fillers
        fillers.append(_filler(listening))
    for sock in fillers:
        sock.close()
    raise PayproofError("this system's backlogs cannot be filled", place='fault "backlog"', remedy="use it on Linux")


def _looks_outside(listening: socket.socket) -> bool:
    """Whether this system says who is trying to connect."""
    if sys.platform != "linux":
        return False
    with contextlib.suppress(OSError):
        connecting(listening.getsockname()[1])
        return True
    return False


def _filler(listening: socket.socket) -> socket.socket:
    sock = socket.socket(listening.family, socket.SOCK_STREAM)
    sock.setblocking(False)
    sock.connect_ex(listening.getsockname())
    select.select((), (sock,), (), _ARRIVES_WITHIN)
    return sock


@dataclass(slots=True)
class Attempt:
    """``began``: of its first SYN, as nearly as it is known; ``seen``: when it was last there. Both time.monotonic()."""

    began: float
    seen: float

    @property
    def seconds(self) -> float:
        """How long it lasted at least: on a busy machine it may have been longer, and was never shorter."""
        return round(self.seen - self.began, 4)


class Watcher(Protocol):
    """Who is told of attempts to connect."""

    def attempt_began(self, attempt: Attempt) -> None: ...

    def attempt_ended(self, attempt: Attempt, *, gave_up: bool) -> None:
        """``gave_up``: by the client; else it was still there at the end of the watch."""
        ...


class Attempts:
    """Watches who tries to connect to a port."""

    def __init__(self, port: int, watcher: Watcher) -> None:
        self._port, self._watcher = port, watcher
        self._known: dict[tuple[bytes, int], Attempt] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        self._look()

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._compare()
        for attempt in self._known.values():
            self._watcher.attempt_ended(attempt, gave_up=False)
        self._known.clear()

    def _look(self) -> None:
        self._compare()
        self._timer = asyncio.get_running_loop().call_later(LOOK_EVERY, self._look)

    def _compare(self) -> None:
        now = {each.local: each.age for each in connecting(self._port)}
        at = time.monotonic()
        for local in [local for local in self._known if local not in now]:
            self._watcher.attempt_ended(self._known.pop(local), gave_up=True)
        for local, age in now.items():
            if local in self._known:
                self._known[local].seen = at
            else:
                self._known[local] = Attempt(at - age, at)
                self._watcher.attempt_began(self._known[local])
