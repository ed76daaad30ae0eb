"""One call on its way through the simulator, shared by recorder, faults and listener."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import Literal

from starlette.responses import Response as Answer
from starlette.types import Receive, Scope

from payproof.contracts.entries import BODY_LIMIT, Headers, Request
from payproof.contracts.events import AnyEvent
from payproof.simulator.socket_log import SocketLog

KEY = "payproof.exchange"


_RST_ON_CLOSE = struct.pack("ii", 1, 0)


class Wire:
    """The connection that a call came in on. ``lost``: time.monotonic() of its end. ``ended``: by us."""

    __slots__ = ("ended", "ending", "log", "lost", "sock", "transport")

    def __init__(self, transport: asyncio.Transport, sock: socket.socket, log: SocketLog) -> None:
        self.transport, self.sock, self.log = transport, sock, log
        self.lost: float | None = None
        self.ended = False
        self.ending: Literal["hung_up", "cut", "held"] = "hung_up"

    async def close(self) -> None:
        """End the connection in order. The end of TLS is told and not waited for, as most servers do."""
        self.ended = True
        self.transport.close()
        if self.transport.get_extra_info("ssl_object") is not None:
            await asyncio.sleep(0)  # some event loops write when nothing else is to be done
            with contextlib.suppress(OSError):
                if not self.transport.get_write_buffer_size():
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


@dataclass(slots=True)
class Exchange:
    """``receive`` comes after the body: all that it can still tell is that the client has gone."""

    scope: Scope
    body: bytes
    receive: Receive
    began: float
    page: bool
    fault: str = ""
    ending: Literal["hung_up", "cut", "held"] | None = None
    gone: float | None = None
    """time.monotonic() when the client was seen to have gone, for servers that are not ours."""
    wire: Wire | None = None
    nth: int = 0
    """Which call on its connection."""
    written: Written | None = None
    """An answer that a fault wrote to the wire by itself."""
    whole: bool = False
    """It wrote the answer to its end, in a correct frame."""
    asked: AnyEvent | None = None
    headers: Headers = field(default=())

    @property
    def path(self) -> str:
        return str(self.scope["path"])

    def request(self) -> Request:
        """The request as the client wrote it: absolute address, whole body."""
        scope = self.scope
        if not self.headers:
            self.headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"])
        host = next((v for k, v in self.headers if k == "host"), "") or "%s:%s" % (scope.get("server") or ("", ""))
        query = scope["query_string"]
        raw = (scope.get("raw_path") or scope["path"].encode()).split(b"?", 1)[0].decode("latin-1")
        url = f"{scope['scheme']}://{host}{raw}{'?' + query.decode('latin-1') if query else ''}"
        return Request(method=scope["method"], url=url, headers=self.headers, body=self.body.decode("utf-8", "replace"))

    def left(self) -> float | None:
        """time.monotonic() when the client had gone, None while it is there."""
        return self.wire.lost if self.wire is not None and self.wire.lost is not None else self.gone

    async def until_gone(self) -> None:
        """Returns when the client has closed its connection."""
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                self.gone = self.gone or time.monotonic()
                return


def exchange_of(scope: Scope) -> Exchange:
    found: Exchange = scope[KEY]
    return found
