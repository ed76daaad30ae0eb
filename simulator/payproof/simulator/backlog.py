"""A full backlog, and who waits outside it.

Linux drops the SYN of a client while the queue of accepted connections is full. Nothing of that reaches us: what a client does is
read off the system's table of sockets, where its attempt stands as SYN_SENT from the first SYN until it gives up.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Protocol, TypeAlias

import psutil

from payproof.contracts.model import PayproofError

LOOK_EVERY = 0.05
"""Seconds between two looks at the table: so much may a measured attempt be too long."""
_ARRIVES_WITHIN = 0.05
"""Seconds in which a connection over loopback is there, when there is room for it. One that is slower takes its place later."""
_MOST_FILLERS = 64

_TABLES = (Path("/proc/self/net/tcp"), Path("/proc/self/net/tcp6"))
_SYN_SENT = "02"
_SECOND_SYN = 1.0
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100

Local: TypeAlias = tuple[str, int]


def fill(listening: socket.socket) -> list[socket.socket]:
    """Own connections to a socket that nobody accepts from, until one finds no room. They stand for as long as they are open.

    Raises:
        PayproofError: there is always room: this system does not do what Linux does.
    """
    fillers: list[socket.socket] = []
    for _ in range(_MOST_FILLERS):
        sock = socket.socket(listening.family, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.connect_ex(listening.getsockname())
        fillers.append(sock)
        if not select.select((), (sock,), (), _ARRIVES_WITHIN)[1]:
            return fillers
    for sock in fillers:
        sock.close()
    raise PayproofError(
        "this system takes connections beyond any backlog", place='fault "backlog"', remedy="use it on Linux"
    )


@dataclass(frozen=True, slots=True)
class Attempt:
    """``began``: time.monotonic() of its first SYN, as nearly as it is known. ``local``: the client's address."""

    local: Local
    began: float

    @property
    def seconds(self) -> float:
        return round(time.monotonic() - self.began, 4)


class Watcher(Protocol):
    """Who is told of attempts to connect."""

    def attempt_began(self, attempt: Attempt) -> None: ...

    def attempt_ended(self, attempt: Attempt, *, gave_up: bool) -> None:
        """``gave_up``: by the client; else it was still there at the end of the watch."""
        ...


class Attempts:
    """Watches who tries to connect to a port, but for our own ``fillers``."""

    def __init__(self, host: str, port: int, fillers: Iterable[socket.socket], watcher: Watcher) -> None:
        self._host, self._port, self._watcher = host, port, watcher
        self._ours: set[Local] = {sock.getsockname()[:2] for sock in fillers}
        self._known: dict[Local, Attempt] = {}
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
        now = dict(connecting(self._host, self._port))
        for local in [local for local in self._known if local not in now]:
            self._watcher.attempt_ended(self._known.pop(local), gave_up=True)
        for local, age in now.items():
            if local not in self._known and local not in self._ours:
                self._known[local] = Attempt(local, time.monotonic() - age)
                self._watcher.attempt_began(self._known[local])


def connecting(host: str, port: int) -> Iterator[tuple[Local, float]]:
    """The local addresses of all sockets that are trying to connect to this one, and for how many seconds at least."""
    wanted = ip_address("127.0.0.1" if host == "localhost" else host)
    for local, remote, age in _trying():
        if remote[1] == port and _plain(remote[0]) == wanted:
            yield local, age


def _trying() -> Iterator[tuple[Local, Local, float]]:
    tables = [table for table in _TABLES if table.exists()]
    if tables:
        for table in tables:
            yield from _listed(table.read_text())
        return
    with contextlib.suppress(psutil.AccessDenied):
        for each in psutil.net_connections("tcp"):
            if each.status == psutil.CONN_SYN_SENT and each.laddr and each.raddr:
                yield (each.laddr.ip, each.laddr.port), (each.raddr.ip, each.raddr.port), 0.0


def _listed(table: str) -> Iterator[tuple[Local, Local, float]]:
    """Lines such as ``0: 0100007F:CF08 0100007F:0016 02 00000001:00000000 01:00000062 00000000 ...``."""
    for line in table.splitlines()[1:]:
        _, local, remote, state, _, timer, resent, *_ = line.split()
        if state == _SYN_SENT:
            yield _address(local), _address(remote), _age(timer, resent)


def _age(timer: str, resent: str) -> float:
    """The system sends the second SYN a second after the first: how long the timer still runs tells how long it has run."""
    return max(_SECOND_SYN - int(timer.partition(":")[2], 16) / _TICKS, 0.0) if int(resent, 16) == 0 else 0.0


def _address(text: str) -> Local:
    """The system writes an address as words of 32 bits in its own byte order."""
    address, _, port = text.partition(":")
    words = bytes.fromhex(address)
    step = -1 if sys.byteorder == "little" else 1
    packed = b"".join(words[at : at + 4][::step] for at in range(0, len(words), 4))
    return str(_plain(str(ip_address(packed)))), int(port, 16)


def _plain(host: str) -> IPv4Address | IPv6Address:
    address = ip_address(host)
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
