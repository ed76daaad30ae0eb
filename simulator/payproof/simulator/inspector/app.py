"""The inspector as an application: its page, its parts, its events and its switches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payproof.contracts.entries import Call, Delivery
from payproof.contracts.model import PayproofError
from payproof.contracts.run import Settings
from payproof.simulator.control.answering import endpoint, not_there, refusal
from payproof.simulator.control.bounded_body import LARGEST_BODY, bounded, replayed
from payproof.simulator.control.control_values import ControlBody, body_of
from payproof.simulator.control.operations import OPERATIONS, revoke_first, rotate_first
from payproof.simulator.inspector.access import HEADERS, PATH, Access
from payproof.simulator.inspector.parts import Parts
from payproof.simulator.inspector.stream import WINDOW, events
from payproof.simulator.inspector.view import detail, lines, switches
from payproof.simulator.simulator import Simulator
from payproof.simulator.watching import entries_after

if TYPE_CHECKING:
    pass

_ASSETS = {"inspector.css": "text/css", "inspector.js": "text/javascript", "icon.svg": "image/svg+xml"}
_STATIC = Path(__file__).parent / "static"


class Inspector:
    """``known``: what checks may know of the integration. ``exports``: lines for a shell by which it is told of the gateway, with its keys as
    they are now."""

    def __init__(self, sim: Simulator, access: Access, known: Settings, *, exports: Callable[[], str]) -> None:
        self._sim, self.parts, self._exports = sim, Parts(sim, known), exports
        app = Starlette(routes=self._routes(access), exception_handlers={HTTPException: not_there})
        self.app: ASGIApp = _Door(app, access, self._shut_out)

    def close(self) -> None:
        """End every stream."""
        self.parts.closed = True

    def _routes(self, access: Access) -> list[Route]:
        acts = [
            Route(f"{PATH}/api{path}", endpoint(self._sim, act), methods=[method])
            for method, path, act in (
                *_SHARED,
                ("POST", "/rotate", rotate_first),
                ("POST", "/revoke", revoke_first),
                ("POST", "/pay", self._pay),
            )
        ]

        async def login(request: Request) -> Response:
            cookie = access.enter(request.query_params.get("code", ""), request.headers)
            answer = RedirectResponse(PATH, 303)
            if cookie is not None:
                answer.headers["set-cookie"] = cookie
            return answer

        async def settings(request: Request) -> Response:
            return Response(self._exports(), media_type="text/plain")

        return [
            Route(PATH, self._page),
            Route(f"{PATH}/login", login),
            Route(f"{PATH}/events", self._events),
            Route(f"{PATH}/exchange/{{n:int}}", self._exchange),
            Route(f"{PATH}/assets/{{name}}", _asset),
            Route(f"{PATH}/api/settings", settings, methods=["POST"]),
            *acts,
        ]

    # -- pages -----------------------------------------------------------------------------------------------------------

    async def _page(self, request: Request) -> Response:
        before = request.query_params.get("before", "")
        kept = await self._sim.journal.read()
        if before.isdecimal() and len(before) < 16:
            kept = [entry for entry in kept if entry.n < int(before)]
        shown = kept[-WINDOW:]
        self.parts.remember(kept[-WINDOW * 10 :])
        profile, journal = self._sim.profile, self._sim.journal
        return self._html(
            "page.html.j2", profile=profile, after=journal.next - 1, lines=lines(shown, journal, profile), live=not before,
            earlier=shown[0].n if len(kept) > len(shown) else 0, switches=switches(profile), window=WINDOW,
        )  # fmt: skip

    async def _exchange(self, request: Request) -> Response:
        number = request.path_params["n"]
        found, _ = await entries_after(self._sim.journal, 0, self._sim.journal.next)
        entry = next((each for each in reversed(found) if each.n == number), None)
        if not isinstance(entry, Call | Delivery):
            return self._html("gone.html.j2", status=404)
        return self._html("exchange.html.j2", it=detail(entry))

    async def _events(self, request: Request) -> Response:
        after = request.headers.get("last-event-id") or request.query_params.get("after", "0")
        number = int(after) if after.isdecimal() and len(after) < 16 else 0
        return StreamingResponse(events(self.parts, number), media_type="text/event-stream")

    async def _shut_out(self, status: int, why: str) -> Response:
        return self._html("shut.html.j2", status=status, why=why)

    def _html(self, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
        return HTMLResponse(self.parts.render(template, **values), status)

    async def _pay(self, sim: Simulator, request: Request) -> Any:
        """Pay at the hosted checkout as one of the payers; the answer says where the customer is sent then."""
        from payproof.simulator import browser  # here, because a browser takes a quarter of a second to import

        body = await body_of(request, PayerChoice)
        address = self.parts.address_of(body.handle)
        if address is None:
            raise PayproofError("this payment cannot be paid from here", remedy="open its hosted checkout")
        back = await asyncio.to_thread(browser.pay, address, sim.profile, body.payer)
        return {"url": back if back.startswith(("http://", "https://")) else ""}


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _ASSETS:
        raise HTTPException(404)
    return Response((_STATIC / name).read_bytes(), media_type=_ASSETS[name])


# -- switches: the control port's own operations, and some that need no keys -------------------------------------------------

_ALLOWED = frozenset(
    {
        ("POST", "/reset"), ("POST", "/clock"), ("POST", "/faults"), ("DELETE", "/faults"), ("DELETE", "/faults/{id:int}"),
        ("POST", "/tokens/expire"), ("POST", "/notices/hold"), ("POST", "/notices/lose"), ("POST", "/notices/release"),
    }
)  # fmt: skip
_SHARED = tuple(row for row in OPERATIONS if row[:2] in _ALLOWED)


class PayerChoice(ControlBody):
    """Who pays which payment."""

    handle: str
    payer: str


# -- the door ----------------------------------------------------------------------------------------------------------------


class _Door:
    """Lets in who may come in, and puts the headers of safety on every answer."""

    def __init__(self, app: ASGIApp, access: Access, shut_out: Callable[[int, str], Any]) -> None:
        self._app, self._access, self._shut_out = app, access, shut_out

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", ()), *own]}
            await send(message)

        why = self._access.refused(scope)
        path = scope["path"]
        open_to_all = path == f"{PATH}/login" or path.startswith(f"{PATH}/assets/")
        if why and not (why == "session" and open_to_all and scope["method"] == "GET"):
            answer = await self._shut_out(421 if why == "host" else 403 if why == "origin" else 401, why)
            await answer(scope, receive, safely)
            return
        body = await bounded(receive)
        if body is None:
            await refusal(413, f"the body is longer than {LARGEST_BODY} bytes", "see GET /")(scope, receive, safely)
        else:
            await self._app(scope, replayed(body, receive), safely)
