"""What happens on one connection of a gateway, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from typing import Literal, TypeAlias

from payproof.simulator.exchange import Wire
from payproof.simulator.listening.bounded_protocol import BoundedProtocol
from payproof.simulator.listening.http_connection import Served
from payproof.simulator.sockets.flow import unsent
from payproof.simulator.sockets.listening_port import ListeningPort
from payproof.simulator.sockets.socket_log import SocketLog

TurnedAway: TypeAlias = Literal["retired", "refused"]
_TURNS = 3
"""Turns of the event loop in which the end of TLS leaves: one to look for it, one to write it."""
_LONGEST_LINE = 8 * 1024
"""Bytes of a request's first line that are read before it is turned away."""


class Protocol(BoundedProtocol):
    """Puts the transport, and what becomes of the connection, into each request's ``scope["state"]``.

    Whether a request is turned away is decided when its first byte arrives, and never before: a connection on which nobody
    has asked yet is nobody's fault, however long it was open.
    """

    def __init__(self, served: Served, sock: socket.socket, log: SocketLog, port: ListeningPort) -> None:
        super().__init__(served)
        self.log = log
        self._sock, self._port = sock, port
        self._wire: Wire | None = None
        self._retired = self._retires = False
        self._fate: TurnedAway | None = None
        self._unserved = bytearray()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        secured: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        if secured is not None:
            self.log.shook_hands(secured.version() or "")
        self._wire = Wire(transport, self._sock, self.log)
        self.state = {"transport": transport, "wire": self._wire}

    def connection_lost(self, exc: Exception | None) -> None:
        if self._wire is not None and self._wire.lost is None:
            self._wire.lost = time.monotonic() if self._ended else self.log.left_at()
        self.log.close(by="gateway" if self._ended else "client")
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.log.spoke()
        if self._fate is None and (self._retired or self._port.state == "refusing") and self.idle:
            # A port that refuses does not read what was sent to it.
            self._fate = "refused" if self._port.state == "refusing" else "retired"
        if self._fate is None:
            super().data_received(data)
        else:
            self._turn_away(data, self._fate)

    def _turn_away(self, data: bytes, fate: TurnedAway) -> None:
        if self.transport.is_closing() or self._wire is None:
            return
        self._unserved += data
        asked, line_ended, _ = self._unserved.partition(b"\r\n")
        if not line_ended and len(asked) < _LONGEST_LINE:
            return
        self.log.close(fate, by="gateway", detail=asked[:_LONGEST_LINE].decode("latin-1").rsplit(" ", 1)[0])
        self._wire.reset()

    def refused(self, why: str) -> None:
        if self._wire is not None:
            self._wire.ending = "cut"
        self.log.close("malformed", by="gateway", detail=why)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._retires:
            self.retire()

    def idle_too_long(self) -> None:
        self.retire()

    @property
    def _ended(self) -> bool:
        """We closed first: on purpose, because it was idle for long, or because the last answer said so."""
        last = self.asked is not None and self.asked.response_complete and not self.asked.keep_alive
        return last or self._retired or self.given_up or (self._wire is not None and self._wire.ended)

    def retire(self) -> None:
        """Let the client see the end of the connection (FIN), so that it asks on another one; after the answer, when there
        is one on its way. A request that comes here all the same is turned away. Nothing happens on a connection that
        has not had its first request: its client is about to use it."""
        if self.transport.is_closing() or self._retired or self.asked is None:
            return
        if not self.idle:
            self._retires = True
            if not self.asked.response_complete and not self.asked.response_started:
                self.asked.keep_alive = False  # the answer says that it is the last one
        elif not unsent(self.transport):
            self._retired = True
            # The transport stays: it alone can tell us of a request that was on its way when the client had seen nothing yet.
            self._shut(_TURNS if self._ends_tls() else 0)

    def _ends_tls(self) -> bool:
        """Say the end of TLS, as servers do before they close: without it a connection was cut, and some clients fail at that."""
        secured: ssl.SSLObject | None = self.transport.get_extra_info("ssl_object")
        if secured is None or self.flow.read_paused:
            return False
        with contextlib.suppress(ssl.SSLError, OSError):
            secured.unwrap()  # wants to read the client's word, too
        self.transport.pause_reading()
        self.transport.resume_reading()  # a transport that looks for more to read sends what there is to send
        return True

    def _shut(self, turns: int) -> None:
        """Send FIN, after so many turns of the event loop."""
        if turns:
            asyncio.get_running_loop().call_soon(self._shut, turns - 1)
        else:
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_WR)

    def abandon(self) -> None:
        """The server ends: what is still open counts as held."""
        if self._wire is not None:
            self._wire.ending, self._wire.ended = "held", True
        self.log.close(by="gateway")
        self.transport.abort()
