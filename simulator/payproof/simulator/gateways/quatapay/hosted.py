"""The hosted checkout: log in, confirm, one-time code when it is on, and the way back (gateway-facts 3.7, 3.8)."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from payproof.contracts.gateways.quatapay import wire
from payproof.contracts.profile import Payer
from payproof.simulator.books.records import Payment
from payproof.simulator.dialect import GatewayDeps
from payproof.simulator.exchange import exchange_of
from payproof.simulator.gateways.quatapay.envelope import Envelope
from payproof.simulator.gateways.quatapay.fields import pairs_of
from payproof.simulator.gateways.quatapay.sessions import LoginSession, Sessions
from payproof.simulator.gateways.quatapay.states import States

if TYPE_CHECKING:
    from jinja2 import Environment

CODE = "123456"
SLOW_SECONDS = 2.0
TYPES = (
    ("WALLET", "Wallet balance", "Pay with the money in your wallet"),
    ("VIRTUAL-CARD", "Virtual card", "The virtual card of your account"),
    ("MASTER-CARD", "Mastercard", "A Mastercard that you have saved"),
)
INVALID, EXPIRED = "Payment request is invalid!", "Session Expired!"
UNAUTHENTICATED, POOR, GONE = "Authentication Failed!", "Insufficient balance!", "Payment gateway no longer available"
ADVICE = {
    INVALID: "It was paid already, or it never existed. Nothing was charged just now.",
    EXPIRED: "The time to pay has passed. Nothing was charged; the shop can open a new payment.",
    UNAUTHENTICATED: "Please start again from the shop and log in.",
    POOR: "Your account does not hold enough for this payment. Nothing was charged.",
    GONE: "This shop can no longer take payments here.",
}


@cache
def _pages() -> Environment:
    from jinja2 import Environment, FileSystemLoader  # here: who only calls the API does not wait for it

    return Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)


Step: TypeAlias = Callable[[Request, Payment, LoginSession], Awaitable[Response]]


class Hosted:
    def __init__(self, deps: GatewayDeps, envelope: Envelope, states: States, base: str) -> None:
        self._deps, self._envelope, self._states, self._base = deps, envelope, states, base
        self._sessions = Sessions(deps.ids)

    def routes(self) -> list[Route]:
        sign, pay = "/user/authentication/form", "/user/payment/preview"
        mail = "/user/authentication/mail/verify"
        steps: list[tuple[str, str, Step]] = [
            ("GET", sign, self.login), ("POST", f"{sign}/submit", self.log_in),
            ("GET", pay, self.preview), ("POST", f"{pay}/submit", self.confirm),
            ("GET", mail, self.code), ("POST", f"{mail}/submit", self.enter_code),
            ("GET", "/user/payment/cancel", self.cancel),
        ]  # fmt: skip
        return [
            Route(f"{self._base}{path}/{{token}}", self._guarded(step), methods=[method])
            for method, path, step in steps
        ]

    def _guarded(self, step: Step) -> Callable[[Request], Awaitable[Response]]:
        """What holds for each page: the CSRF word, a payment that can go on, the session's cookie."""

        async def endpoint(request: Request) -> Response:
            session = self._sessions.of(request)
            if request.method == "POST" and self._deps.knobs["csrf"]:
                sent = dict(pairs_of(exchange_of(request.scope))).get("_token", "")
                if not hmac.compare_digest(sent.encode(), session.csrf.encode()):
                    return self._envelope.page(419, "Page Expired")
            row = self._deps.store.find(request.path_params["token"])
            if row is None:
                return self._problem(None, INVALID)
            leaving = step == self.cancel
            if not leaving and (title := self._hindrance(row)):
                return self._problem(row, title)
            return self._sessions.keep(request, session, await step(request, row, session))

        return endpoint

    def _hindrance(self, row: Payment) -> str:
        if row.paid:
            return INVALID
        if self._states.too_old(self._states.touch(row)):
            return EXPIRED
        return GONE if row.merchant.gone else ""

    # Log in

    async def login(self, request: Request, row: Payment, session: LoginSession) -> Response:
        if row.payment in session.payers:
            return self._to("/user/payment/preview", row)
        return self._login_page(row, session)

    async def log_in(self, request: Request, row: Payment, session: LoginSession) -> Response:
        sent = dict(pairs_of(exchange_of(request.scope)))
        email, password = sent.get("email", "").strip().lower(), sent.get("password", "")
        for payer in self._deps.profile.payers.values():
            if (payer.login.lower(), payer.password) == (email, password):
                session.payers[row.payment] = payer
                return self._to("/user/payment/preview", row)
        return self._login_page(row, session, problem="Credentials didn't match.", email=sent.get("email", ""))

    def _login_page(self, row: Payment, session: LoginSession, **more: str) -> Response:
        return self._page("login.html", row, session, payers=self._deps.profile.payers, step=1, **more)

    # Confirm

    async def preview(self, request: Request, row: Payment, session: LoginSession) -> Response:
        if row.payment not in session.payers:
            return self._to("/user/authentication/form", row)
        return self._preview_page(row, session)

    async def confirm(self, request: Request, row: Payment, session: LoginSession) -> Response:
        payer = session.payers.get(row.payment)
        if payer is None:
            return self._problem(row, UNAUTHENTICATED)
        if dict(pairs_of(exchange_of(request.scope))).get("trx_type") not in [name for name, _, _ in TYPES]:
            return self._preview_page(row, session, problem="The selected trx type is invalid.")
        if self._deps.knobs["otp"]:
            session.confirmed.add(row.payment)
            return self._to("/user/authentication/mail/verify", row)
        return await self._pay(row, payer)

    def _preview_page(self, row: Payment, session: LoginSession, **more: str) -> Response:
        return self._page(
            "confirm.html", row, session, payer=session.payers[row.payment], types=TYPES, step=2,
            balance=self._deps.profile.money.show("1000", row.currency), **more,
        )  # fmt: skip

    # One-time code

    async def code(self, request: Request, row: Payment, session: LoginSession) -> Response:
        if row.payment not in session.confirmed:
            return self._to("/user/payment/preview", row)
        return self._code_page(row, session)

    async def enter_code(self, request: Request, row: Payment, session: LoginSession) -> Response:
        payer = session.payers.get(row.payment)
        if payer is None or row.payment not in session.confirmed:
            return self._problem(row, UNAUTHENTICATED)
        entered = "".join(value for name, value in pairs_of(exchange_of(request.scope)) if name in ("code[]", "code"))
        if entered != CODE:
            return self._code_page(row, session, problem="The verification code does not match")
        session.confirmed.discard(row.payment)
        return await self._pay(row, payer)

    def _code_page(self, row: Payment, session: LoginSession, **more: str) -> Response:
        return self._page("code.html", row, session, payer=session.payers[row.payment], step=3, **more)

    # The way back

    async def cancel(self, request: Request, row: Payment, session: LoginSession) -> Response:
        if not row.paid:
            self._states.cancel(self._states.touch(row))
        if not row.cancel_url:
            return self._page("cancelled.html", row, session, step=0)
        return RedirectResponse(wire.join(row.cancel_url, wire.encode([("token", row.payment)]), raw=self._raw), 302)

    async def _pay(self, row: Payment, payer: Payer) -> Response:
        wish, value = row.extra.get("wish", ("", ""))
        outcome = value if wish == "pay" else payer.outcome
        if outcome == "slow":
            await asyncio.sleep(SLOW_SECONDS)
            if title := self._hindrance(row):
                return self._problem(row, title)
        if outcome == "insufficient":
            self._deps.store.refuse(row, "insufficient balance")
            return self._problem(row, POOR)
        if outcome == "refused":
            self._deps.store.refuse(row, "refused")
            return RedirectResponse(wire.join(row.return_url, wire.failure_query(), raw=self._raw), 302)
        self._states.pay(row, payer)
        names = self._deps.knobs["return_fields"]
        fields = names if isinstance(names, list) else []
        query = wire.success_query(
            payment=row.payment, transaction=row.transaction, amount=row.amount if "amount" in fields else None,
            reference=row.reference if "custom" in fields else None, payer="appdevs", email=payer.login,
        )  # fmt: skip
        return RedirectResponse(wire.join(row.return_url, query), 302)

    # Pages

    @property
    def _raw(self) -> bool:
        return bool(self._deps.knobs["raw_join"])

    def _to(self, path: str, row: Payment) -> Response:
        return RedirectResponse(f"{self._base}{path}/{row.payment}", 302)

    def _page(self, template: str, row: Payment, session: LoginSession, **values: Any) -> Response:
        return HTMLResponse(
            _pages().get_template(template).render(
                base=self._base, row=row, csrf=session.csrf, amount=self._deps.profile.money.show(row.amount, row.currency),
                total=f"{row.amount:,.2f}", otp=self._deps.knobs["otp"], **values,
            ),
            headers={"Cache-Control": "no-store"},
        )  # fmt: skip

    def _problem(self, row: Payment | None, title: str) -> Response:
        """The family's Process Error: HTTP 200, a title, one link to the bare cancel URL."""
        back = row.cancel_url if row is not None else None
        page = (
            _pages()
            .get_template("problem.html")
            .render(title=title, back=back, row=row, total=f"{row.amount:,.2f}" if row else "", advice=ADVICE[title])
        )
        return HTMLResponse(page, headers={"Cache-Control": "no-store"})
