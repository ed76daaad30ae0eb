"""What happens on one connection: HTTP as uvicorn speaks it, and what a gate that is not open does to a request.

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
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from payproof.simulator.exchange import Wire
from payproof.simulator.one_write import OneWrite

GateMode: TypeAlias = Literal["open", "refuse", "close", "reset"]
TurnedAway: TypeAlias = Literal["retired", "refused", "closed_silent", "reset"]
_EVENTS: dict[GateMode, TurnedAway] = {
    "open": "retired",
    "refuse": "refused",
    "close": "closed_silent",
    "reset": "reset",
}
_AT_ONCE = frozenset({"retired", "refused"})
"""A closed port does not read what was sent to it."""
_RST_ON_CLOSE = struct.pack("ii", 1, 0)
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r]*chunked", re.IGNORECASE)
_LONGEST = 8 * 1024 * 1024
"""Bytes of a request that are read before it counts as whole."""


@dataclass(slots=True)
class Gate:
    """What requests meet from now on. ``report`` is told of each one that is not served, and which it was."""

    report: Callable[[TurnedAway, str], None]
    mode: GateMode = "open"


def reset(sock: socket.socket, transport: asyncio.Transport) -> None:
    """End the connection with RST instead of FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
    transport.abort()


class Protocol(HttpToolsProtocol):
    """Puts the transport, and what becomes of the connection, into each request's ``scope["state"]``.

    What the gate does to a request is decided when its first byte arrives, and never before: a connection on which nobody
    has asked yet is nobody's fault, however long it was open.
    """

    def __init__(self, config: Config, server_state: ServerState, sock: socket.socket, gate: Gate) -> None:
        super().__init__(config, server_state, app_state={})
        self.access_log = False
        self._sock, self._gate = sock, gate
        self._wire: Wire | None = None
        self._within = False
        self._retired = self._retires = False
        self._fate: TurnedAway | None = None
        self._unserved = bytearray()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        joined = OneWrite(transport)
        self.transport = cast("asyncio.Transport", joined)
        self._wire = Wire(transport, self._sock, joined.join)
        self.app_state = {"transport": transport, "wire": self._wire}

    def connection_lost(self, exc: Exception | None) -> None:
        if self._wire is not None and self._wire.lost is None:
            self._wire.lost = time.monotonic()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._fate is None and self._idle and (self._retired or self._gate.mode != "open"):
            self._fate = _EVENTS[self._gate.mode]
        if self._fate is None:
            super().data_received(data)
        else:
            self._turn_away(data, self._fate)

    def _turn_away(self, data: bytes, fate: TurnedAway) -> None:
        if self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        self._unserved += data
        asked, line_ended, _ = self._unserved.partition(b"\r\n")
        if not line_ended or (fate not in _AT_ONCE and not _is_whole(self._unserved)):
            return
        self._gate.report(fate, asked.decode("latin-1").rsplit(" ", 1)[0])
        if fate == "closed_silent":
            self.transport.close()
        else:
            reset(self._sock, self.transport)

    def on_message_begin(self) -> None:
        self._within = True
        super().on_message_begin()

    def on_message_complete(self) -> None:
        self._within = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._retires:
            self.retire()

    def timeout_keep_alive_handler(self) -> None:
        self.retire()

    @property
    def _idle(self) -> bool:
        """No request is on its way here, and no answer on its way back."""
        return not self._within and (self._asked is None or self._asked.response_complete)

    @property
    def _asked(self) -> RequestResponseCycle | None:
        return cast("RequestResponseCycle | None", self.cycle)  # none before the first request

    def retire(self) -> None:
        """Let the client see the end of the connection (FIN), so that it asks on another one; after the answer, when there
        is one on its way. A request that comes here all the same is told to the gate. Nothing happens on a connection that
        has not had its first request: its client is about to use it."""
        if self.transport.is_closing() or self._retired or self._asked is None:
            return
        if not self._idle:
            self._retires = True
            if not self._asked.response_complete and not self._asked.response_started:
                self._asked.keep_alive = False  # the answer says that it is the last one
        elif not self.transport.get_write_buffer_size():
            self._retired = True
            # The transport stays: it alone can tell us of a request that was on its way when the client had seen nothing yet.
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_WR)

    def abandon(self) -> None:
        """The server ends: what is still open counts as held."""
        self._unset_keepalive_if_required()
        if self._wire is not None:
            self._wire.ending = "held"
        self.transport.abort()


def _is_whole(read: bytearray) -> bool:
    """Whether an HTTP/1.1 request has arrived to its end, or is longer than anybody reads."""
    if len(read) > _LONGEST:
        return True
    head, found, body = read.partition(b"\r\n\r\n")
    if not found:
        return False
    if _CHUNKED.search(head):
        return body.endswith(b"0\r\n\r\n")
    length = _LENGTH.search(head)
    return len(body) >= (int(length.group(1)) if length else 0)
