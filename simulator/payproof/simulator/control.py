"""The control application: what a test or a person can do to the gateway, over HTTP, on a port of its own.

Every request carries the token, as ``Authorization: Bearer`` or ``X-Payproof-Token``. Errors are
``{"error": ..., "remedy": ...}``.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payproof.contracts.model import PayproofError
from payproof.simulator.operations import OPERATIONS, Operation
from payproof.simulator.simulator import Simulator

LARGEST_BODY = 1024 * 1024
"""Bytes of a request body; nothing that the control application takes is longer."""


def control(sim: Simulator, token: str) -> ASGIApp:
    """The application, which answers 401 to whoever does not know ``token``."""

    def endpoint(operation: Operation) -> Callable[[Request], Awaitable[Response]]:
        async def run(request: Request) -> Response:
            try:
                answer = await operation(sim, request)
                return answer if isinstance(answer, Response) else JSONResponse(answer)
            except PayproofError as error:
                return _refusal(400, error.message, error.remedy, error.place)
            except ValidationError as error:
                first = error.errors()[0]
                return _refusal(422, first["msg"], "see GET /", ".".join(map(str, first["loc"])))
            except RecursionError:
                return _refusal(422, "the body is nested too deeply", "see GET /")
            except (ValueError, TypeError, OverflowError) as error:
                return _refusal(422, str(error), "see GET /")

        return run

    routes = [Route(path, endpoint(operation), methods=[method]) for method, path, operation in OPERATIONS]
    return _Guard(Starlette(routes=routes, exception_handlers={HTTPException: _http_error}), token)


class _Guard:
    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        bearer: bytes = headers.get(b"authorization", b"")
        given = bearer[7:].strip() if bearer[:7].lower() == b"bearer " else headers.get(b"x-payproof-token", b"")
        if not hmac.compare_digest(given, self._token):
            refusal = _refusal(401, "the control token is missing or wrong", "send it as Authorization: Bearer TOKEN")
            await refusal(scope, receive, send)
            return
        body = await _bounded(receive)
        if body is None:
            await _refusal(413, f"the body is longer than {LARGEST_BODY} bytes", "see GET /")(scope, receive, send)
        else:
            await self._app(scope, _replayed(body, receive), send)


async def _bounded(receive: Receive) -> bytes | None:
    """The request's body; None as soon as it is too long. What a client that left had sent is what it sent."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """``receive`` once more from the body on."""
    told = False

    async def again() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _refusal(status, "there is no such operation", "see GET /", f"{request.method} {request.url.path}")


def _refusal(status: int, error: str, remedy: str, place: str = "") -> Response:
    said = {"error": error, "remedy": remedy} | ({"place": place} if place else {})
    # What a stranger sent is quoted, and may hold what no UTF-8 text can.
    readable = {name: text.encode("utf-8", "replace").decode() for name, text in said.items()}
    return JSONResponse(readable, status_code=status)
