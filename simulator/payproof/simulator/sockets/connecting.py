"""Who is trying to connect to a port of this machine, as Linux's table of sockets tells (sock_diag, which `ss` asks, too)."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_SOCK_DIAG, _BY_FAMILY, _REQUEST_DUMP, _ERROR, _DONE = 4, 20, 0x301, 2, 3
_HEADER = struct.Struct("=IHHII")
"""Length, type, flags, sequence, port of a netlink message."""
_REQUEST = struct.Struct("=BBBxI 2x2s 16x16x 4x8x")
"""Family, protocol, extensions, states, and the remote port of the sockets that are asked for."""
_SOCKET = struct.Struct("=BBBB 2s2x 16s16x 4x8x I 16x")
"""Family, state, timer, how often it ran out, local port and address, milliseconds that it still runs."""
_NUMBER = struct.Struct("=i")
_SYN_SENT = 2
_SECOND_SYN = 1.0
"""Seconds between the first SYN and the second; those that follow are as far apart at least."""
_TICK = 0.01
"""Seconds by which a timer may seem to have run for longer than it has: the system counts in ticks, a hundred a second or more."""
_ENOUGH = 65536


@dataclass(frozen=True, slots=True)
class Connecting:
    """A socket whose SYN nobody has answered. ``age``: seconds since the first one at least, as its timer tells."""

    local: tuple[bytes, int]
    age: float


def connecting(port: int) -> tuple[Connecting, ...]:
    """Every socket of this machine that is trying to connect to this port, at whatever address.

    Raises:
        OSError: this system does not tell.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as asking:
        return tuple(found for family in (socket.AF_INET, socket.AF_INET6) for found in _of(asking, family, port))


def _of(asking: socket.socket, family: int, port: int) -> Iterator[Connecting]:
    request = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 1 << _SYN_SENT, port.to_bytes(2, "big"))
    asking.send(_HEADER.pack(_HEADER.size + len(request), _BY_FAMILY, _REQUEST_DUMP, 0, 0) + request)
    while True:
        for kind, message in _messages(asking.recv(_ENOUGH)):
            if kind == _DONE:
                return
            if kind == _ERROR:
                raise OSError(-_NUMBER.unpack_from(message)[0], "the table of sockets cannot be read")
            yield _socket(message)


def _messages(text: bytes) -> Iterator[tuple[int, bytes]]:
    while len(text) >= _HEADER.size:
        length, kind, *_ = _HEADER.unpack_from(text)
        yield kind, text[_HEADER.size : length]
        text = text[(length + 3) & ~3 :]


def _socket(message: bytes) -> Connecting:
    _, _, _, runs, port, address, left = _SOCKET.unpack_from(message)
    age = max(runs * _SECOND_SYN + max(_SECOND_SYN - left / 1000, 0.0) - _TICK, 0.0)
    return Connecting((address, int.from_bytes(port, "big")), age)
