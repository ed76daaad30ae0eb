"""The outermost layer: reads each call whole, lets it through, and notes it in the journal when it is over."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payproof.contracts.entries import BODY_LIMIT
from payproof.contracts.journal import Journal
from payproof.contracts.profile import Profile
from payproof.simulator.exchange import KEY, LARGEST_REQUEST, Exchange
from payproof.simulator.faults.middleware import FaultMiddleware
from payproof.simulator.noted_call import NotedCall

LARGEST_CALL = 1024 * 1024
"""Bytes of the body of an API call that are kept; more is answered 413: what nginx takes as it comes. A hosted page may be sent a picture."""


IsPage: TypeAlias = Callable[[str, str], bool]
"""(host, path) -> whether that is a hosted page, and no call of the API."""


class JournalMiddleware:
    """``is_page`` tells hosted pages from API calls; only calls are journaled."""

    def __init__(self, app: FaultMiddleware, *, profile: Profile, journal: Journal, is_page: IsPage) -> None:
        self.app, self.profile, self.journal, self.is_page = app, profile, journal, is_page

    def at_once(self, scope: Scope, body: bytes, send: Callable[[Response], None]) -> bool:
        """Answer a call that the gateway can answer without waiting, and note it; False, and nothing has happened, for any other."""
        exchange = Exchange(scope, _nothing, _nowhere, self.journal.now(), self.write)
        if len(body) > LARGEST_CALL or self.is_page(exchange.host, scope["path"]):
            return False
        exchange.body = body
        response = self.app.at_once(exchange)
        if response is None:
            return False
        if exchange.wire is not None:
            exchange.nth = exchange.wire.log.asked(page=False)
        exchange.leaves(response)
        whole = False
        try:
            send(response)
            whole = True
        finally:
            exchange.finish(whole=whole)
        return True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, receive, send, self.journal.now(), self.write)
        exchange.page = self.is_page(exchange.host, scope["path"])
        if exchange.wire is not None:
            exchange.nth = exchange.wire.log.asked(page=exchange.page)
        scope[KEY] = exchange
        try:
            if not await exchange.read_body():
                return
            largest = LARGEST_REQUEST if exchange.page else LARGEST_CALL
            app: ASGIApp = self.app
            if len(exchange.body) > largest:
                app, exchange.body = _TOO_LARGE, exchange.body[:BODY_LIMIT]  # nobody reads more of what was refused
            await app(scope, exchange.receive, exchange.send)
        finally:
            exchange.finish()
            del scope[KEY]  # they hold each other

    def write(self, exchange: Exchange, whole: bool) -> None:
        """Note the call. ``whole``: the answer left completely while the client was there."""
        now = self.journal.now()
        if whole:
            self.journal.note(NotedCall(exchange, self.profile, now, "answered"))
            return
        left = exchange.left()
        if exchange.wire is not None and left is not None and exchange.ending is None:
            exchange.ending = exchange.wire.ending
        at = time.monotonic()
        over = left if exchange.broken_off is None else exchange.broken_off
        ended = now if over is None else now - (at - over)
        if exchange.came is not None:
            exchange.began = min(exchange.began, now - (at - exchange.came))
        ending = exchange.ending or ("hung_up" if left is not None else "cut")
        self.journal.note(NotedCall(exchange, self.profile, ended, ending))


async def _nothing() -> Message:
    raise RuntimeError("whoever answers in one go has the whole request")


async def _nowhere(message: Message) -> None:
    raise RuntimeError("whoever answers in one go does not send by parts")


_TOO_LARGE = PlainTextResponse("Request Entity Too Large", status_code=413)
