"""One request on a connection and the answer to it: an ASGI application's ``receive`` and ``send`` as bytes of HTTP/1.1."""

from __future__ import annotations

import asyncio
import logging
import re
import traceback
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Scope

from payproof.simulator.sockets.flow import Flow

RawHeaders = list[tuple[bytes, bytes]]

_HEADER = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [^\x00-\x08\x0a-\x1f\x7f]*")
_BODILESS = (204, 304)


def _status_line(status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()


STATUS_LINES = {status: _status_line(status) for status in range(100, 600)}


class Asked:
    """``done`` is called when the answer is complete. ``last``: no request follows on the connection. ``expects``: the client wants to
    hear that its body is welcome before it sends it. ``body``, ``whole``: what has come of the request's body, and whether that is all."""

    __slots__ = (
        "_arrived", "_chunked", "_done", "_flow", "_headers", "_room", "_transport",
        "body", "disconnected", "expects", "keep_alive", "response_complete", "response_started", "scope", "whole",
    )  # fmt: skip

    def __init__(
        self,
        scope: Scope,
        transport: asyncio.Transport,
        flow: Flow,
        headers: RawHeaders,
        done: Callable[[], None],
        *,
        last: bool,
        expects: bool,
    ) -> None:
        self.scope = scope
        self._transport, self._flow, self._headers, self._done = transport, flow, headers, done
        self._arrived: asyncio.Event | None = None
        """What the application waits for, once it does."""
        self.body = bytearray()
        self.whole, self.expects = False, expects
        self._chunked = False
        self._room = 0
        """Bytes that the answer's length still allows."""
        self.keep_alive = not last
        self.disconnected = self.response_started = self.response_complete = False

    # What the connection tells

    def body_came(self, part: bytes) -> int:
        """Returns how many bytes now wait for the application."""
        self.body += part
        self._wake()
        return len(self.body)

    def body_ended(self) -> None:
        self.whole = True
        self._wake()

    def client_left(self) -> None:
        if not self.response_complete:
            self.disconnected = True
        self._wake()

    def _wake(self) -> None:
        if self._arrived is not None:
            self._arrived.set()

    # What the application is given

    async def run(self, app: ASGIApp) -> None:
        """What the application leaves undone, or fails at, is answered 500, or the connection ends where an answer has begun."""
        try:
            await app(self.scope, self.receive, self.send)
        except Exception as error:
            self.failed(error)
        else:
            if not self.response_complete and not self.disconnected:
                LOG.error("payproof left a request without a whole answer")
                self._fail()
        finally:
            self._done = _nothing

    def failed(self, error: Exception) -> None:
        """The application broke down on this request."""
        LOG.error("failed", exc_info=error)
        self._fail()

    def _fail(self) -> None:
        if self.response_started:
            self._transport.close()
        elif not self.disconnected:
            self.answer(PlainTextResponse("Internal Server Error", 500, {"connection": "close"}))

    async def receive(self) -> Message:
        if self.expects and not self._transport.is_closing():
            self.expects = False
            self._transport.write(STATUS_LINES[100] + b"\r\n")
        if not self.disconnected and not self.response_complete:
            self._flow.resume_reading()
            await self._news()
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        body, self.body = bytes(self.body), bytearray()
        return {"type": "http.request", "body": body, "more_body": not self.whole}

    async def _news(self) -> None:
        """Returns once something came, or the client has gone, or the answer is complete, since this was asked last."""
        if self._arrived is None:
            self._arrived = asyncio.Event()
            if self.body or self.whole:
                return
        await self._arrived.wait()
        self._arrived.clear()

    async def send(self, message: Message) -> None:
        """Raises:
        RuntimeError: not what may be sent now, a header that HTTP does not allow, or another length than was announced.
        """
        if self._flow.write_paused and not self.disconnected:
            await self._flow.room()
        if self.disconnected:
            return
        expected = "http.response.body" if self.response_started else "http.response.start"
        if self.response_complete or message["type"] != expected:
            raise RuntimeError(f"{message['type']} cannot be sent now")
        if self.response_started:
            more = message.get("more_body", False)
            self._write(self._part(message.get("body", b""), more=more), last=not more)
        else:
            self._transport.write(self._head(message["status"], message.get("headers", ())))

    def answer(self, response: Response) -> None:
        """A whole answer in one go, which one packet often holds.

        Raises:
        RuntimeError: as for ``send``.
        """
        head = self._head(response.status_code, response.raw_headers)
        self._write(head + self._part(bytes(response.body), more=False), last=True)

    # What is written

    def _head(self, status: int, headers: RawHeaders) -> bytes:
        length: int | None = None
        lines, close_written, chunked = [STATUS_LINES[status]], False, False
        for name, value in (*self._headers, *headers):
            name, line = _line(name, value)
            if name == b"content-length":
                length = int(value)
            elif name == b"transfer-encoding":
                chunked = value.lower() == b"chunked"
            elif name == b"connection" and _closes(value):
                self.keep_alive, close_written = False, True
            lines.append(line)
        has_body = self.scope["method"] != "HEAD" and status not in _BODILESS
        if not self.keep_alive and not close_written:
            lines.append(b"connection: close\r\n")
        if length is None and not chunked and has_body:
            chunked = True
            lines.append(b"transfer-encoding: chunked\r\n")
        self._chunked = chunked
        self._room = length or 0 if has_body and not chunked else 0
        lines.append(b"\r\n")
        self.response_started, self.expects = True, False
        return b"".join(lines)

    def _part(self, body: bytes, *, more: bool) -> bytes:
        if self.scope["method"] == "HEAD":
            return b""
        if self._chunked:
            return (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + (b"" if more else b"0\r\n\r\n")
        self._room -= len(body)
        if self._room < 0 or (self._room and not more):
            raise RuntimeError(
                f"a body is {abs(self._room)} bytes {'longer' if self._room < 0 else 'shorter'} than its content-length"
            )
        return body

    def _write(self, data: bytes, *, last: bool) -> None:
        self._transport.write(data)
        if last:
            self.response_complete = True
            self._wake()
            if not self.keep_alive:
                self._transport.close()
            self._done()


@lru_cache(maxsize=1024)
def _line(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """A header's name in lower case, and its line."""
    line = b"%b: %b" % (name.lower(), value)
    if not _HEADER.fullmatch(line):
        raise RuntimeError(f"HTTP allows no such header: {name!r}")
    return name.lower(), line + b"\r\n"


def _closes(connection: bytes) -> bool:
    return b"close" in (word.strip() for word in connection.lower().split(b","))


def _nothing() -> None:
    """An application that has ended asks for nothing more."""


class _InOneLine(logging.Filter):
    """What went wrong in us is told in a line, with its place, and no trace-back."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            last = traceback.extract_tb(error.__traceback__)[-1:]
            place = f" ({last[0].filename}:{last[0].lineno})" if last else ""
            record.msg, record.args = f"payproof failed on a request: {type(error).__name__}: {error}{place}", ()
            record.exc_info = record.exc_text = None
        return True


LOG = logging.getLogger("payproof.simulator.requests")
LOG.addFilter(_InOneLine())
