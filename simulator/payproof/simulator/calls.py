"""The operations of a gateway's API, as a table that is looked up by method and path: the framework's layers are for everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from payproof.simulator.exchange import Exchange, exchange_of
from payproof.simulator.listening.asked import LOG

Operation: TypeAlias = Callable[[Exchange, str], Response]
"""(call, the last part of its path where the route leaves that open) -> the answer."""
Row: TypeAlias = tuple[tuple[str, ...], str, Operation]
"""(methods, path, operation); ``{...}`` stands for the last part of a path."""


class Answer(Response):
    """A response whose body and headers are ready."""

    def __init__(self, status: int, body: bytes, media_type: bytes) -> None:
        self.status_code, self.body, self.background = status, body, None
        self.raw_headers = [(b"content-length", b"%d" % len(body)), (b"content-type", media_type)]


class Calls:
    """Answers what the table has; ``others`` answers the rest: pages, paths and methods that no route has."""

    def __init__(self, table: Iterable[Row], others: ASGIApp, broken: Callable[[Exchange], Response]) -> None:
        self._others, self._broken = others, broken
        self._whole: dict[tuple[str, str], Operation] = {}
        self._open: dict[tuple[str, str], Operation] = {}
        for methods, path, operation in table:
            begin, brace, _ = path.partition("{")
            for method in methods:
                (self._open if brace else self._whole)[method, begin] = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = self.at_once(exchange_of(scope))
        if response is None:
            await self._others(scope, receive, send)
        else:
            await response(scope, receive, send)

    def at_once(self, exchange: Exchange) -> Response | None:
        """The answer to what the table has; None to anything else."""
        method, path = exchange.scope["method"], exchange.scope["path"]
        last = ""
        operation = self._whole.get((method, path))
        if operation is None:
            end = path.rfind("/") + 1
            last = path[end:]
            operation = self._open.get((method, path[:end])) if last else None
        if operation is None:
            return None
        try:
            return operation(exchange, last)
        except Exception as error:
            LOG.error("failed", exc_info=error)
            return self._broken(exchange)


def routes(table: Iterable[Row]) -> list[Route]:
    """The same operations for the framework, which knows what a method or a path is that nobody has."""
    return [Route(path, _endpoint(operation), methods=list(methods)) for methods, path, operation in table]


def _endpoint(operation: Operation) -> Callable[[Request], object]:
    async def endpoint(request: Request) -> Response:
        return operation(exchange_of(request.scope), next(iter(request.path_params.values()), ""))

    return endpoint
