"""What happens on one connection: HTTP as uvicorn speaks it, or a request that is read and never answered.

uvicorn's protocol classes are not documented API: its minor version is pinned, and tests hold what is used here.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
import time
from collections.abc import Callable
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from payproof.simulator.exchange import Wire

_RST_ON_CLOSE = struct.pack("ii", 1, 0)
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r]*chunked", re.IGNORECASE)


def reset(sock: socket.socket, transport: asyncio.Transport) -> None:
    """End the connection with RST instead of FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
    transport.abort()


class Protocol(HttpToolsProtocol):
    """Puts the transport, and what becomes of the connection, into each request's ``scope["state"]``."""

    def __init__(self, config: Config, server_state: ServerState, sock: socket.socket) -> None:
        super().__init__(config, server_state, app_state={})
        self.access_log = False
        self._sock = sock
        self._wire: Wire | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wire = Wire(transport, self._sock)
        self.app_state = {"transport": transport, "wire": self._wire}

    def connection_lost(self, exc: Exception | None) -> None:
        if self._wire is not None and self._wire.lost is None:
            self._wire.lost = time.monotonic()
        super().connection_lost(exc)

    def retire(self) -> None:
        """Close the connection now when it is idle, so that nobody asks on it again; else after the answer."""
        cycle = cast("RequestResponseCycle | None", self.cycle)  # none before the first request
        if cycle is not None and not cycle.response_complete:
            cycle.keep_alive = False
            return
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)  # the event loop itself would close it a moment later only
        self.transport.abort()

    def abandon(self) -> None:
        """The server ends: what is still open counts as held."""
        self._unset_keepalive_if_required()
        if self._wire is not None:
            self._wire.ending = "held"
        self.transport.abort()


class Gatekeeper(asyncio.Protocol):
    """Reads one request whole, then ends the connection without a byte; ``report`` is told which request it was."""

    def __init__(
        self, sock: socket.socket, *, reset: bool, report: Callable[[Any, str], None], among: set[Gatekeeper]
    ) -> None:
        self._sock, self._reset, self._report, self._among = sock, reset, report, among
        self._read = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by inheritance
        self._among.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._among.discard(self)

    def data_received(self, data: bytes) -> None:
        self._read += data
        if _is_whole(bytes(self._read)):
            first = bytes(self._read).split(b"\r\n", 1)[0].decode("latin-1")
            self._report("reset" if self._reset else "closed_silent", first.rsplit(" ", 1)[0])
            self.end()

    def end(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._reset:
            reset(self._sock, self._transport)
        else:
            self._transport.close()


def _is_whole(read: bytes) -> bool:
    """Whether an HTTP/1.1 request has arrived to its end."""
    head, found, body = read.partition(b"\r\n\r\n")
    if not found:
        return False
    if _CHUNKED.search(head):
        return body.endswith(b"0\r\n\r\n")
    length = _LENGTH.search(head)
    return len(body) >= (int(length.group(1)) if length else 0)
