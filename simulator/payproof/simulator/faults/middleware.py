"""Between recorder and dialect: lets an armed fault answer in the gateway's place."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payproof.simulator.exchange import Exchange, exchange_of
from payproof.simulator.faults.context import FaultContext
from payproof.simulator.faults.injector import FaultInjector


class FaultMiddleware:
    def __init__(self, app: ASGIApp, book: FaultInjector) -> None:
        self.app, self.book = app, book
        self._at_once: Callable[[Exchange], Response | None] | None = getattr(app, "at_once", None)

    def at_once(self, exchange: Exchange) -> Response | None:
        """What the gateway answers without waiting; None while a fault is armed, or where it has to wait."""
        if self._at_once is None or self.book.any:
            return None
        if exchange.wire is not None:
            exchange.fault = exchange.wire.log.fault
        return self._at_once(exchange)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        book = self.book
        exchange = exchange_of(scope)
        matched = book.match(exchange) if book.any else None
        if matched is None:
            if exchange.wire is not None:
                exchange.fault = exchange.wire.log.fault
            await self.app(scope, receive, send)
            return
        armed, fault = matched
        exchange.fault = armed.spec.name
        context = FaultContext(
            spec=armed.spec, deps=book.deps, dialect=book.dialect, exchange=exchange, app=self.app, scope=scope,
            receive=_again(exchange.body), send=send, released=armed.released,
        )  # fmt: skip
        if armed.spec.after_effect:
            await context.real()
        await fault.act(context)


def _again(body: bytes) -> Receive:
    """The request once more, for the real application."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
