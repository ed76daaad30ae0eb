"""The family's gateway put together: routes, limits, and the framework's own errors."""

from __future__ import annotations

import math
import shlex

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from payproof.contracts.events import Role
from payproof.simulator.books.records import CLIENT_ID, SECRET_KEY, Payment
from payproof.simulator.calls import Calls, Operation, Row, routes
from payproof.simulator.dialect import Dialect, GatewayDeps
from payproof.simulator.exchange import Exchange
from payproof.simulator.gateways.quatapay.api import LIVE, PAYMENT_LENGTH, Api
from payproof.simulator.gateways.quatapay.envelope import Envelope
from payproof.simulator.gateways.quatapay.hosted import Hosted
from payproof.simulator.gateways.quatapay.states import SUCCESS, TRANSACTION_LENGTH, States
from payproof.simulator.gateways.quatapay.throttle import Allowance, Throttle

PAGES = ("/pay/sandbox/v1", "/pay/v1")
_UNDER_PAGES = tuple(f"{base}/" for base in PAGES)
KEY_LENGTH = 100
_ICONS = ("/favicon.ico", "/apple-touch-icon.png", "/.well-known/appspecific/com.chrome.devtools.json")


def dialect(deps: GatewayDeps) -> Dialect:
    return QuataPay(deps)


class QuataPay:
    paid_status = SUCCESS

    def __init__(self, deps: GatewayDeps) -> None:
        self._deps = deps
        self._envelope = Envelope(deps)
        states = States(deps)
        self._api = Api(deps, self._envelope, states, PAGES[0])
        self._hosted = Hosted(deps, self._envelope, states, PAGES[0])
        limit = deps.knobs["rate_limit"]
        self._throttle = Throttle(deps.clock, limit if isinstance(limit, int) else 0)
        framework = {404: self._framework_error, 405: self._framework_error, Exception: self._broken}
        table = self._table()
        inner = Starlette(routes=[*routes(table), *self._hosted.routes()], exception_handlers=framework)
        inner.router.redirect_slashes = False
        self.app: ASGIApp = Calls(
            table, _Trimmed(inner), lambda exchange: self._server_error(exchange.header(b"accept"))
        )

    def _table(self) -> list[Row]:
        base = self._deps.profile.base_path
        paths = self._deps.knobs["status_routes"]
        status = [str(path) for path in paths] if isinstance(paths, list) else []
        calls: list[Row] = [
            (("POST",), "/authentication/token", self._api.token),
            (("POST",), "/payment/create", self._api.create),
            *((("GET",) if "{" in path else ("GET", "POST"), path, self._api.status) for path in status),
        ]
        return [
            (methods, root + path, self._limited(operation))
            for root in (base, LIVE.rstrip("/") + "/v1")
            for methods, path, operation in calls
        ]

    def _limited(self, operation: Operation) -> Operation:
        if self._throttle.limit <= 0:
            return operation

        def within(exchange: Exchange, last: str) -> Response:
            client = exchange.scope.get("client")
            allowance = self._throttle.take(client[0] if client else "")
            if allowance.retry_after:
                return self._framework(exchange.header(b"accept"), 429, "Too Many Attempts.", self._wait(allowance))
            response = operation(exchange, last)
            response.headers["X-RateLimit-Limit"] = str(allowance.limit)
            response.headers["X-RateLimit-Remaining"] = str(allowance.remaining)
            return response

        return within

    def _wait(self, allowance: Allowance) -> dict[str, str]:
        return {
            "Retry-After": str(allowance.retry_after),
            "X-RateLimit-Limit": str(allowance.limit),
            "X-RateLimit-Remaining": str(allowance.remaining),
            "X-RateLimit-Reset": str(math.ceil(self._deps.clock.now()) + allowance.retry_after),
        }

    # The framework's own errors

    def _framework(
        self, accept: str, status: int, text: str, headers: dict[str, str] | None = None, *, spoken: str = ""
    ) -> Response:
        """JSON, or a page where the knob says so and the caller did not ask for JSON. ``spoken``: the framework's own words."""
        wants_json = "/json" in accept or "+json" in accept
        if self._deps.knobs["framework_errors"] and not wants_json:
            return self._envelope.page(status, text, headers)
        own = self._deps.knobs["framework_errors"] and spoken
        return self._envelope.plain(status, spoken if own else text, headers)

    async def _framework_error(self, request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        known = self._deps.profile.errors["method" if status == 405 else "not-found"]
        headers = dict(error.headers or {}) if isinstance(error, HTTPException) else None
        if self.is_page(request.scope["path"]):
            return self._envelope.page(status, known.texts[0], headers)
        spoken = _spoken(request, status, headers or {})
        return self._framework(request.headers.get("accept", ""), status, known.texts[0], headers, spoken=spoken)

    async def _broken(self, request: Request, error: Exception) -> Response:
        return self._server_error(request.headers.get("accept", ""))

    def _server_error(self, accept: str) -> Response:
        return self._framework(accept, 500, "Server Error")

    # What the core asks

    def keys(self) -> dict[str, str]:
        return {name: self._deps.ids.mint(KEY_LENGTH) for name in (CLIENT_ID, SECRET_KEY)}

    def payment_id(self) -> str:
        return self._deps.ids.mint(PAYMENT_LENGTH)

    def transaction_id(self) -> str:
        return self._deps.ids.mint(TRANSACTION_LENGTH)

    async def aclose(self) -> None:
        """Nothing happens here without a request."""

    def is_page(self, path: str) -> bool:
        return path.startswith(_UNDER_PAGES) or path in _ICONS

    def error(self, name: str, canary: str = "") -> Response:
        return self._envelope.error(name, canary=canary)

    def unauthorized(self, canary: str = "") -> Response:
        return self.error("expired-token", canary)

    def limited(self, seconds: int, canary: str = "") -> Response:
        text = f"{self._deps.profile.errors['rate-limit'].texts[0]} {canary}".rstrip()
        return self._envelope.plain(429, text, self._wait(Allowance(60, 0, seconds)))

    def envelope(self, status: int, text: str) -> Response:
        if status < 400:
            return self._envelope.success(text, {}, status)
        return self._envelope.failure(status, [text])

    def outside(self, status: int, text: str) -> Response:
        return self._envelope.plain(status, text)

    def status_answer(self, payment: Payment, role: Role) -> Response:
        return self._api.answer(payment)

    def notices(self, payment: Payment, event: str) -> tuple[tuple[str, bytes], ...]:
        """This generation sends none."""
        return ()

    def example(self, base_url: str, client_id: str, secret_key: str) -> tuple[str, ...]:
        keys = f"-d client_id={shlex.quote(client_id)} -d secret_id={shlex.quote(secret_key)}"
        token = f"curl -s {base_url}/authentication/token {keys}"
        fields = {
            "amount": "5000.00",
            "currency": self._deps.profile.default_currency,
            "return_url": "https://shop.example/return",
            "cancel_url": "https://shop.example/cancel",
            "custom": "order-1",
        }
        data = " ".join(f"-d {name}={shlex.quote(value)}" for name, value in fields.items())
        pick = r"""sed 's/.*"access_token":"\([^"]*\)".*/\1/'"""
        return token, f'curl -s {base_url}/payment/create -H "Authorization: Bearer $({token} | {pick})" {data}'


def _spoken(request: Request, status: int, headers: dict[str, str]) -> str:
    """What Laravel says of a path or a method that no route has."""
    path = request.scope["path"].strip("/") or "/"
    if status == 405:
        methods = ", ".join(sorted(part.strip() for part in headers.get("Allow", "").split(",")))
        return f"The {request.method} method is not supported for route {path}. Supported methods: {methods}."
    return f"The route {path} could not be found." if status == 404 else ""


class _Trimmed:
    """Accepts a trailing slash on every route."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if len(path) > 1 and path.endswith("/"):
            scope = {**scope, "path": path.rstrip("/") or "/"}
        await self.app(scope, receive, send)
