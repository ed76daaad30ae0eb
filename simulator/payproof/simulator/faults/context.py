"""A call that a fault has hit: what a misbehaviour can do with it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal, TypeAlias

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payproof.contracts.faults import FaultSpec
from payproof.simulator.dialect import Dialect, GatewayDeps
from payproof.simulator.exchange import Exchange, Written
from payproof.simulator.sockets.flow import unsent

Then: TypeAlias = Literal["close", "reset", "hold"]
"""How a connection ends on which an answer was broken off: FIN, RST, or silence until the client hangs up."""
_CONGESTED = 64 * 1024
"""Bytes that may wait to be sent."""
_READ_FIRST = 0.05
"""Seconds in which a client can read what was sent, before a reset takes it away."""
_SEEN_WITHIN = 1.0
"""Seconds within which it is seen that a client has closed its connection."""


def head(response: Response, framing: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Status line and headers as they go over the wire."""
    status = HTTPStatus(response.status_code)
    kept = [pair for pair in response.raw_headers if pair[0] not in (b"content-length", b"transfer-encoding")]
    lines = [b"%s: %s\r\n" % pair for pair in (*kept, *framing)]
    return b"HTTP/1.1 %d %s\r\n" % (status, status.phrase.encode()) + b"".join(lines) + b"\r\n"


def chunk(data: bytes) -> bytes:
    """A chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def framed(response: Response) -> Response:
    """The response as HTTP allows it: 204, 205 and 304 have no body, and a server breaks off who sends one."""
    return Response(status_code=response.status_code) if response.status_code in (204, 205, 304) else response


@dataclass(slots=True)
class FaultContext:
    spec: FaultSpec
    deps: GatewayDeps
    dialect: Dialect
    exchange: Exchange
    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send
    released: asyncio.Event
    """Set when the fault is cleared."""
    _answer: Response | None = None

    async def real(self) -> Response:
        """The gateway's real answer, its effect included, not yet sent. The effect happens once."""
        if self._answer is None:
            self._answer = await self._run()
        return self._answer

    async def _run(self) -> Response:
        status = 500
        headers: list[tuple[bytes, bytes]] = []
        chunks: list[bytes] = []

        async def keep(message: Message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], list(message.get("headers", ()))
            else:
                chunks.append(message.get("body", b""))

        await self.app(self.scope, self.receive, keep)
        answer = Response(b"".join(chunks), status_code=status)
        length = (b"content-length", str(len(answer.body)).encode())
        answer.raw_headers = [pair for pair in headers if pair[0] != b"content-length"] + [length]
        return answer

    async def answer(self, response: Response) -> None:
        """Send it; a status that allows no body goes without one."""
        await framed(response)(self.scope, self.receive, self.send)

    async def begin(self, response: Response) -> None:
        """Send the status and headers of ``response``, and nothing of its body yet."""
        start: Message = {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": response.raw_headers,
        }
        await self.send(start)

    async def write(self, data: bytes) -> None:
        """Put bytes on the wire as they are: what they say of their own length is the fault's affair. After that the connection
        cannot go on, and has to be closed or reset."""
        wire = self.exchange.wire
        if wire is None:
            raise ConnectionResetError("the simulated gateway has no connection of its own to write on")
        if not wire.transport.is_closing():
            wire.transport.write(data)
            await asyncio.sleep(0)  # some event loops write when nothing else is to be done

    @property
    def congested(self) -> bool:
        """The client does not read as fast as we write."""
        wire = self.exchange.wire
        return wire is not None and unsent(wire.transport) > _CONGESTED

    async def begin_raw(self, response: Response, *framing: tuple[bytes, bytes]) -> None:
        """Write the status and headers of ``response``, with this ``framing`` in place of its own."""
        await self.write(head(response, framing))
        self.exchange.written = Written(response)

    async def body_raw(self, data: bytes, framed: bytes | None = None) -> None:
        """Write a part of the body; ``framed``: as it is on the wire."""
        await self.write(data if framed is None else framed)
        if self.exchange.written is not None:
            self.exchange.written.more(data)

    async def finish(self, then: Then = "close") -> None:
        """End the connection: in order, with RST once the client could read what came, or when it has had enough itself."""
        if then == "hold":
            await self.hold()
        elif then == "reset":
            await self.hold(_READ_FIRST)
            await self.reset()
        await self.hang_up()

    async def hold(self, seconds: float | None = None) -> bool:
        """Wait in real time. True: the time is up. False: the client has gone, or the fault was cleared."""
        self.exchange.waits()
        waiting: set[asyncio.Future[Any]] = {
            asyncio.ensure_future(self.exchange.until_gone()),
            asyncio.ensure_future(self.released.wait()),
        }
        try:
            done, _ = await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        return not done

    async def hang_up(self) -> None:
        """Close the connection without another byte, unless the client has already done so."""
        if await self._has_left():
            return
        self.exchange.break_off()
        if self.exchange.wire is None:
            raise ConnectionResetError("the simulated gateway closed the connection")
        await self.exchange.wire.close()
        # The listener answers 500 for an application that returns before it has seen the end of the connection.
        try:
            await asyncio.wait_for(self.exchange.until_gone(), 2.0)
        except TimeoutError:  # a client that does not answer the end of TLS
            self.exchange.wire.transport.abort()
            await self.exchange.until_gone()

    async def reset(self) -> None:
        """End the connection with RST, unless the client has already closed it."""
        if await self._has_left():
            return
        self.exchange.break_off()
        if self.exchange.wire is None:
            raise ConnectionResetError("the simulated gateway reset the connection")
        self.exchange.wire.reset()
        await self.exchange.until_gone()

    async def _has_left(self) -> bool:
        """Whether the client closed the connection before us. What the system knows of it may not have been seen yet."""
        wire = self.exchange.wire
        if self.exchange.left() is None and wire is not None and not wire.ended and wire.left():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.exchange.until_gone(), _SEEN_WITHIN)
        return self.exchange.left() is not None
