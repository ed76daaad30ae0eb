"""One call on its way through the simulator, shared by journal, faults, dialect and listener."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from starlette.responses import Response as Answer
from starlette.types import Message, Receive, Scope, Send

from payproof.contracts.entries import BODY_LIMIT, Headers, Request
from payproof.contracts.events import AnyEvent
from payproof.simulator.sockets.flow import unsent
from payproof.simulator.sockets.loop_watch import has_left, heard
from payproof.simulator.sockets.socket_log import SocketLog

KEY = "payproof.exchange"
LARGEST_REQUEST = 8 * 1024 * 1024
"""Bytes of a request body; more is answered 413, as the family's servers are set up to do."""
LARGEST_ANSWER = 8 * 1024 * 1024
"""Bytes of an answer that are kept for the journal; the rest is counted."""

_RST_ON_CLOSE = struct.pack("ii", 1, 0)

Ending: TypeAlias = Literal["hung_up", "cut", "held"]


class Wire:
    """The connection that a call came in on. ``lost``: time.monotonic() of its end. ``ended``: by us."""

    __slots__ = ("ended", "ending", "log", "lost", "sock", "transport")

    def __init__(self, transport: asyncio.Transport, sock: socket.socket, log: SocketLog) -> None:
        self.transport, self.sock, self.log = transport, sock, log
        self.lost: float | None = None
        self.ended = False
        self.ending: Ending = "hung_up"

    def left(self) -> bool:
        """Whether the client has closed it, though that may not have been seen."""
        return self.lost is not None or has_left(self.sock)

    async def close(self) -> None:
        """End the connection in order. The end of TLS is told and not waited for, as most servers do."""
        self.ended = True
        self.transport.close()
        if self.transport.get_extra_info("ssl_object") is not None:
            await asyncio.sleep(0)  # some event loops write when nothing else is to be done
            with contextlib.suppress(OSError):
                if not unsent(self.transport):
                    self.sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """End the connection with RST instead of FIN."""
        self.ended = True
        reset_on_close(self.sock)
        self.transport.abort()


def reset_on_close(sock: socket.socket) -> None:
    """Whoever closes it now sends RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)


@dataclass(slots=True)
class Written:
    """An answer of which so much of the body was written: ``size`` bytes, of which ``body`` keeps the first."""

    answer: Answer
    body: bytes = b""
    size: int = 0

    def more(self, data: bytes) -> None:
        self.body += data[: BODY_LIMIT - len(self.body)]
        self.size += len(data)


class Exchange:
    """A request, read whole, and what leaves in answer to it.

    ``receive`` and ``send`` are those of the application that answers. ``page``: a hosted page, which is not journaled. ``over``: told
    once, when a call is over; its second argument is whether the answer left completely while the client was there.
    """

    __slots__ = (
        "_client_send",
        "_done",
        "_receive",
        "_replayed",
        "_texts",
        "asked",
        "began",
        "body",
        "broken_off",
        "came",
        "chunks",
        "ending",
        "fault",
        "gone",
        "head",
        "nth",
        "over",
        "page",
        "scope",
        "size",
        "start",
        "whole",
        "wire",
        "written",
    )  # fmt: skip

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, began: float, over: Callable[[Exchange, bool], None]
    ) -> None:
        self.scope, self._receive, self._client_send = scope, receive, send
        self.began, self.over = began, over
        self.head: dict[bytes, bytes] = dict(reversed(scope["headers"]))
        """Header in lower case -> its first value."""
        self.body = b""
        self.page = self._replayed = self._done = False
        self.fault = ""
        self.ending: Ending | None = None
        self.broken_off: float | None = None
        """time.monotonic() when we ended it; many a client closes its own end much later."""
        self.gone: float | None = None
        """time.monotonic() when the client was seen to have gone, for servers that are not ours."""
        self.came: float | None = None
        """time.monotonic() when its last bytes came, of a call that is kept waiting."""
        self.wire: Wire | None = scope["state"].get("wire") if "state" in scope else None
        self.nth = 0
        """Which call on its connection."""
        self.written: Written | None = None
        """An answer that a fault wrote to the wire by itself."""
        self.whole = False
        """It wrote the answer to its end, in a correct frame."""
        self.asked: AnyEvent | None = None
        """What the request says, where somebody had to know before it was answered."""
        self._texts: Headers = ()
        self.start: Message | None = None
        self.chunks: list[bytes] = []
        self.size = 0
        """Bytes of the answer's body so far."""

    # What came

    @property
    def path(self) -> str:
        return str(self.scope["path"])

    @property
    def host(self) -> str:
        return self.head.get(b"host", b"").decode("latin-1")

    @property
    def headers(self) -> Headers:
        if not self._texts:
            self._texts = texts_of(self.scope["headers"])
        return self._texts

    def header(self, name: bytes) -> str:
        """The first value of a header, empty where there is none. ``name``: in lower case."""
        return self.head.get(name, b"").decode("latin-1")

    def request(self) -> Request:
        """The request as the client wrote it: absolute address, whole body."""
        return Request(
            method=self.scope["method"], url=url_of(*address_of(self)), headers=self.headers,
            body=self.body.decode("utf-8", "replace"),
        )  # fmt: skip

    async def read_body(self) -> bool:
        """Reads the request to its end; false when the client left before."""
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.gone = time.monotonic()
                self.body = b"".join(parts)
                return False
            part = message.get("body", b"")
            if size <= LARGEST_REQUEST:
                parts.append(part)
            size += len(part)
            if not message.get("more_body", False):
                self.body = part if len(parts) == 1 else b"".join(parts)
                return True

    async def receive(self) -> Message:
        """The body, and then all that can still be told: that the client has gone."""
        if not self._replayed:
            self._replayed = True
            return {"type": "http.request", "body": self.body, "more_body": False}
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.gone = self.gone or time.monotonic()
        return message

    def waits(self) -> None:
        """It is kept waiting from now on: since when is asked of the system, for it may have been read late."""
        if self.came is None and self.wire is not None and (found := heard(self.wire.sock)) is not None:
            self.came = time.monotonic() - found.data

    def left(self) -> float | None:
        """time.monotonic() when the client had gone, None while it is there."""
        return self.wire.lost if self.wire is not None and self.wire.lost is not None else self.gone

    def break_off(self) -> None:
        """We end it now."""
        self.ending, self.broken_off = "cut", time.monotonic()

    async def until_gone(self) -> None:
        """Returns when the client has closed its connection."""
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.gone = self.gone or time.monotonic()
                return

    # What leaves

    async def send(self, message: Message) -> None:
        if self.page:
            await self._client_send(message)
            return
        last = False
        if message["type"] == "http.response.start":
            self.start = message
        elif message["type"] == "http.response.body":
            self._keep(message.get("body", b""))
            last = not message.get("more_body", False) and self.left() is None
        await self._client_send(message)
        if last:
            self.finish(whole=True)

    def leaves(self, response: Answer) -> None:
        """The whole answer leaves in one go."""
        self.start = {"status": response.status_code, "headers": response.raw_headers}
        self._keep(bytes(response.body))

    def _keep(self, chunk: bytes) -> None:
        if self.size + len(chunk) <= LARGEST_ANSWER:
            self.chunks.append(chunk)
        self.size += len(chunk)

    def finish(self, *, whole: bool = False) -> None:
        if not self._done and not self.page:
            self._done = True
            self.over(self, whole or self.whole)


Address: TypeAlias = tuple[str, bytes, bytes, bytes]
"""(scheme, host, path, query) as they were written."""


def address_of(exchange: Exchange) -> Address:
    scope = exchange.scope
    host = exchange.head.get(b"host") or ("%s:%s" % (scope.get("server") or ("", ""))).encode()
    raw = (scope.get("raw_path") or scope["path"].encode()).split(b"?", 1)[0]
    return scope["scheme"], host, raw, scope["query_string"]


def url_of(scheme: str, host: bytes, path: bytes, query: bytes) -> str:
    return (
        f"{scheme}://{host.decode('latin-1')}{path.decode('latin-1')}{'?' + query.decode('latin-1') if query else ''}"
    )


def texts_of(headers: list[tuple[bytes, bytes]]) -> Headers:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)


def exchange_of(scope: Scope) -> Exchange:
    found: Exchange = scope[KEY]
    return found
