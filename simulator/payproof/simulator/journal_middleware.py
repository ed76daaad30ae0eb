"""The outermost layer: reads each call whole, lets it through, and writes it into the journal when it is over."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeAlias

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payproof.contracts.entries import BODY_LIMIT, Call, Request, Response
from payproof.contracts.events import AnyEvent, Unknown
from payproof.contracts.journal import Journal
from payproof.contracts.profile import Profile
from payproof.simulator.exchange import KEY, Exchange

LARGEST_REQUEST = 8 * 1024 * 1024
"""Bytes of a request body that are kept; more is answered 413."""
LARGEST_CALL = 1024 * 1024
"""The same for a call of the API: what nginx takes as it comes. A hosted page may be sent a picture."""


IsPage: TypeAlias = Callable[[str, str], bool]
"""(host, path) -> whether that is a hosted page, and no call of the API."""


class JournalMiddleware:
    """``is_page`` tells hosted pages from API calls; only calls are journaled."""

    def __init__(self, app: ASGIApp, *, profile: Profile, journal: Journal, is_page: IsPage) -> None:
        self.app, self.profile, self.journal, self.is_page = app, profile, journal, is_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, b"", receive, self.journal.now(), self.is_page(_host(scope), scope["path"]))
        exchange.wire = scope.get("state", {}).get("wire")
        if exchange.wire is not None:
            exchange.nth = exchange.wire.log.asked(page=exchange.page)
        scope[KEY] = exchange
        tap = _Tap(exchange, receive, send, self)
        try:
            if not await tap.read_body():
                return
            largest = LARGEST_REQUEST if exchange.page else LARGEST_CALL
            app: ASGIApp = self.app
            if len(exchange.body) > largest:
                app, exchange.body = _TOO_LARGE, exchange.body[:BODY_LIMIT]  # nobody reads more of what was refused
            await app(scope, tap.receive, tap.send)
        finally:
            tap.finish()

    def write(self, exchange: Exchange, response: Response | None, *, whole: bool) -> None:
        """Add the call's entry. ``whole``: the answer left completely while the client was there."""
        now = self.journal.now()
        left = exchange.left()
        if exchange.wire is not None and left is not None and exchange.ending is None:
            exchange.ending = exchange.wire.ending
        request = exchange.request()
        self.journal.add(
            Call(
                began=exchange.began,
                ended=now if whole or left is None else now - (time.monotonic() - left),
                ending="answered" if whole else exchange.ending or ("hung_up" if left is not None else "cut"),
                secure=exchange.scope["scheme"] == "https",
                nth=exchange.nth,
                event=self._event(request, response),
                request=_cut_request(request),
                response=_cut_response(response),
                fault=exchange.fault,
            )
        )

    def _event(self, request: Request, response: Response | None) -> AnyEvent:
        """What was said; nothing where even the address cannot be read. The call itself is recorded in any case."""
        try:
            return self.profile.read(request, response)
        except (ValueError, RecursionError):
            return Unknown()


def _host(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")


class _Tap:
    """Stands between one call and its server: keeps the body, hears the answer."""

    __slots__ = ("chunks", "done", "exchange", "raw_receive", "raw_send", "recorder", "replayed", "start")

    def __init__(self, exchange: Exchange, receive: Receive, send: Send, recorder: JournalMiddleware) -> None:
        self.exchange, self.raw_receive, self.raw_send, self.recorder = exchange, receive, send, recorder
        self.replayed = self.done = False
        self.start: Message | None = None
        self.chunks: list[bytes] = []

    async def read_body(self) -> bool:
        """Reads the request to its end; false when the client left before."""
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self.raw_receive()
            if message["type"] == "http.disconnect":
                self.exchange.gone = time.monotonic()
                self.exchange.body = b"".join(parts)
                return False
            part = message.get("body", b"")
            if size <= LARGEST_REQUEST:
                parts.append(part)
            size += len(part)
            if not message.get("more_body", False):
                self.exchange.body = b"".join(parts)
                return True

    async def receive(self) -> Message:
        if not self.replayed:
            self.replayed = True
            return {"type": "http.request", "body": self.exchange.body, "more_body": False}
        message = await self.raw_receive()
        if message["type"] == "http.disconnect":
            self.exchange.gone = self.exchange.gone or time.monotonic()
        return message

    async def send(self, message: Message) -> None:
        if self.exchange.page:
            await self.raw_send(message)
            return
        if message["type"] == "http.response.start":
            self.start = message
        elif message["type"] == "http.response.body":
            self.chunks.append(message.get("body", b""))
        there = self.exchange.left() is None
        await self.raw_send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False) and there:
            self.finish(whole=True)

    def finish(self, *, whole: bool = False) -> None:
        if not self.done and not self.exchange.page:
            self.done = True
            self.recorder.write(self.exchange, self._response(), whole=whole or self.exchange.whole)

    def _response(self) -> Response | None:
        written = self.exchange.written
        if self.start is not None:
            body = b"".join(self.chunks)
            return _response(self.start["status"], self.start.get("headers", ()), body, len(body))
        if written is not None:
            return _response(written.answer.status_code, written.answer.raw_headers, written.body, written.size)
        return None


def _response(status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes, size: int) -> Response:
    return Response(
        status=status,
        headers=tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in headers),
        body=body.decode("utf-8", "replace"),
        size=size,
    )


def _cut_request(request: Request) -> Request:
    return request if len(request.body) <= BODY_LIMIT else replace(request, body=request.body[:BODY_LIMIT])


def _cut_response(response: Response | None) -> Response | None:
    if response is None or len(response.body) <= BODY_LIMIT:
        return response
    return replace(response, body=response.body[:BODY_LIMIT])


_TOO_LARGE = PlainTextResponse("Request Entity Too Large", status_code=413)
