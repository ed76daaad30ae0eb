"""The control application: what a test or a person can do to the gateway, over HTTP, on a port of its own.

Every request carries the token, as ``Authorization: Bearer`` or ``X-Payproof-Token``; the inspector's pages, below ``/inspector``, have a
door of their own. Errors are ``{"error": ..., "remedy": ...}``.
"""

from __future__ import annotations

import hmac

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from payproof.simulator.control.answering import endpoint, not_there, refusal
from payproof.simulator.control.bounded_body import LARGEST_BODY, bounded, replayed
from payproof.simulator.control.operations import OPERATIONS
from payproof.simulator.simulator import Simulator

INSPECTOR = "/inspector"


def control(sim: Simulator, token: str, inspector: ASGIApp | None = None) -> ASGIApp:
    """The application, which answers 401 to whoever does not know ``token``. ``inspector``: serves what lies below ``INSPECTOR``."""
    routes = [Route(path, endpoint(sim, operation), methods=[method]) for method, path, operation in OPERATIONS]
    return _Guard(Starlette(routes=routes, exception_handlers={HTTPException: not_there}), token, inspector)


class _Guard:
    def __init__(self, app: ASGIApp, token: str, inspector: ASGIApp | None) -> None:
        self._app, self._token, self._inspector = app, token.encode(), inspector

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if self._inspector is not None and f"{scope['path']}/".startswith(f"{INSPECTOR}/"):
            await self._inspector(scope, receive, send)
            return
        headers = dict(scope["headers"])
        bearer: bytes = headers.get(b"authorization", b"")
        given = bearer[7:].strip() if bearer[:7].lower() == b"bearer " else headers.get(b"x-payproof-token", b"")
        if not hmac.compare_digest(given, self._token):
            await refusal(401, "the control token is missing or wrong", "send it as Authorization: Bearer TOKEN")(
                scope, receive, send
            )
            return
        body = await bounded(receive)
        if body is None:
            await refusal(413, f"the body is longer than {LARGEST_BODY} bytes", "see GET /")(scope, receive, send)
        else:
            await self._app(scope, replayed(body, receive), send)
