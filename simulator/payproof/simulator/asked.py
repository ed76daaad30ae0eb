"""One request on a connection and the answer to it: an ASGI application's ``receive`` and ``send`` as bytes of HTTP/1.1."""

from __future__ import annotations

import asyncio
import logging
import re
import traceback
from collections.abc import Callable
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Scope

from payproof.simulator.flow import Flow

RawHeaders = list[tuple[bytes, bytes]]

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
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
    hear that its body is welcome before it sends it."""

    __slots__ = (
        "_arrived", "_body", "_chunked", "_done", "_expects", "_flow", "_headers", "_more", "_room", "_transport",
        "disconnected", "keep_alive", "response_complete", "response_started", "scope",
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
        self._arrived = asyncio.Event()
        self._body = bytearray()
        self._more, self._expects = True, expects
        self._chunked = False
        self._room = 0
        """Bytes that the answer's length still allows."""
        self.keep_alive = not last
        self.disconnected = self.response_started = self.response_complete = False

    # What the connection tells

    def body_came(self, part: bytes) -> int:
        """Returns how many bytes now wait for the application."""
        self._body += part
        self._arrived.set()
        return len(self._body)

    def body_ended(self) -> None:
        self._more = False
        self._arrived.set()

    def client_left(self) -> None:
        if not self.response_complete:
            self.disconnected = True
        self._arrived.set()

    # What the application is given

    async def run(self, app: ASGIApp) -> None:
        """What the application leaves undone, or fails at, is answered 500, or the connection ends where an answer has begun."""
        try:
            await app(self.scope, self.receive, self.send)
        except Exception as error:
            LOG.error("failed", exc_info=error)
            await self._fail()
        else:
            if not self.response_complete and not self.disconnected:
                LOG.error("payproof left a request without a whole answer")
                await self._fail()
        finally:
            self._done = _nothing

    async def _fail(self) -> None:
        if self.response_started:
            self._transport.close()
            return
        text = b"Internal Server Error"
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(text))]
        await self.send(
            {"type": "http.response.start", "status": 500, "headers": [*headers, (b"connection", b"close")]}
        )
        await self.send({"type": "http.response.body", "body": text})

    async def receive(self) -> Message:
        if self._expects and not self._transport.is_closing():
            self._expects = False
            self._transport.write(STATUS_LINES[100] + b"\r\n")
        if not self.disconnected and not self.response_complete:
            self._flow.resume_reading()
            await self._arrived.wait()
            self._arrived.clear()
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        body, self._body = bytes(self._body), bytearray()
        return {"type": "http.request", "body": body, "more_body": self._more}

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
            self._write_body(message.get("body", b""), more=message.get("more_body", False))
        else:
            self._write_head(message["status"], message.get("headers", ()))

    # What is written

    def _write_head(self, status: int, headers: RawHeaders) -> None:
        length: int | None = None
        lines, told, chunked = [STATUS_LINES[status]], False, False
        for name, value in (*self._headers, *headers):
            if not _NAME.fullmatch(name) or _CONTROL.search(value):
                raise RuntimeError(f"HTTP allows no such header: {name!r}")
            name = name.lower()
            if name == b"content-length":
                length = int(value)
            elif name == b"transfer-encoding":
                chunked = value.lower() == b"chunked"
            elif name == b"connection" and _closes(value):
                self.keep_alive, told = False, True
            lines += (name, b": ", value, b"\r\n")
        has_body = self.scope["method"] != "HEAD" and status not in _BODILESS
        if not self.keep_alive and not told:
            lines.append(b"connection: close\r\n")
        if length is None and not chunked and has_body:
            chunked = True
            lines.append(b"transfer-encoding: chunked\r\n")
        self._chunked = chunked
        self._room = length or 0 if has_body and not chunked else 0
        lines.append(b"\r\n")
        self.response_started, self._expects = True, False
        self._transport.write(b"".join(lines))

    def _write_body(self, body: bytes, *, more: bool) -> None:
        if self.scope["method"] == "HEAD":
            body = b""
        elif self._chunked:
            body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + (b"" if more else b"0\r\n\r\n")
        else:
            self._room -= len(body)
            if self._room < 0 or (self._room and not more):
                raise RuntimeError(
                    f"a body is {abs(self._room)} bytes {'longer' if self._room < 0 else 'shorter'} than its content-length"
                )
        self._transport.write(body)
        if not more:
            self.response_complete = True
            self._arrived.set()
            if not self.keep_alive:
                self._transport.close()
            self._done()


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
