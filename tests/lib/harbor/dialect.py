"""Harbor on the wire."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from harbor.profile import MONEY, forged_return, minor
from payproof.contracts import money
from payproof.contracts.events import Role
from payproof.simulator.books.records import Payment, Token
from payproof.simulator.dialect import Dialect, GatewayDeps
from payproof.simulator.exchange import exchange_of

FORM = """<!doctype html><title>Harbor</title><h1>Pay {amount}</h1><form method="post" action="/p/{id}">
<input name="who"><input name="pin" type="password"><button>Pay</button></form><a class="abort" href="/p/{id}/abort">Abort</a>"""


def dialect(deps: GatewayDeps) -> Dialect:
    return Harbor(deps)


class Harbor:
    paid_status = "taken"

    def __init__(self, deps: GatewayDeps) -> None:
        self.deps, self.store = deps, deps.store
        self.app = Starlette(
            routes=[
                Route("/oauth/token", self.grant, methods=["POST"]),
                Route("/orders", self.order, methods=["POST"]),
                Route("/orders/{id}", self.look, methods=["GET"]),
                Route("/orders/{id}/taking", self.take, methods=["POST"]),
                Route("/orders/{id}/returns", self.give_back, methods=["POST"]),
                Route("/p/{id}", self.page, methods=["GET", "POST"]),
                Route("/p/{id}/abort", self.abort, methods=["GET"]),
            ]
        )

    # The API

    async def grant(self, request: Request) -> Response:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        try:
            name, _, secret = base64.b64decode(value).decode().partition(":")
        except ValueError:
            return self.error("bad-client")
        for row in self.store.merchants():
            if scheme == "Basic" and (row.client_id, row.secret_key) == (name, secret) and not row.revoked:
                token = self.store.issue(row, self.deps.ids.mint(64))
                return JSONResponse({"access_token": token.value, "expires_in": self.deps.knobs["life"]})
        return self.error("bad-client")

    def _token(self, request: Request) -> Token | Response:
        token = self.store.token(request.headers.get("authorization", "").removeprefix("Bearer "))
        if token is None:
            return self.error("no-token")
        ended = token.revoked or self.deps.clock.age(token.issued) > self.deps.profile.token_life
        return self.unauthorized() if ended else token

    async def order(self, request: Request) -> Response:
        token = self._token(request)
        if isinstance(token, Response):
            return token
        try:
            plain = request.headers.get("content-type", "").startswith("application/json")
            asked: Any = json.loads(exchange_of(request.scope).body) if plain else None
            total, ref, back = asked["order"]["total"], str(asked["order"]["ref"]), str(asked["back"])
            code, whole = str(total["code"]), total["minor"]
        except (ValueError, KeyError, TypeError):
            return self.error("missing")
        whole = int(whole) if isinstance(whole, float) and whole.is_integer() else whole
        if code not in self.deps.profile.currencies:
            return self.error("currency")
        if not isinstance(whole, int) or isinstance(whole, bool) or not 0 < whole <= 10**9:
            return self.error("total")
        amount = money.parse(whole)
        assert amount is not None
        key = request.headers.get("harbor-key", "")
        row = next((row for row in self.store.payments() if key and row.extra.get("key") == key), None)
        row = row or self.store.open(
            Payment(
                payment=self.payment_id(), merchant=token.merchant, status="new", amount=amount.scaleb(-MONEY.exponent(code)),
                currency=code, reference=ref, return_url=back, cancel_url=asked.get("abort"), opened=self.deps.clock.now(),
                extra={"key": key},
            )
        )  # fmt: skip
        links = [{"rel": "pay", "href": f"{self.deps.origin(request, 'checkout')}/p/{row.payment}"}]
        return JSONResponse({**self._plain(row), "links": links}, 201)

    async def look(self, request: Request) -> Response:
        row = self._row(request)
        return row if isinstance(row, Response) else self.status_answer(row, "confirm")

    async def take(self, request: Request) -> Response:
        row = self._row(request)
        if isinstance(row, Response):
            return row
        if row.status == "approved" and row.payer is not None:
            if row.payer.outcome in ("refused", "insufficient"):
                self.store.decline(row, row.payer.outcome, status="new")
                return self.error("funds")
            self.store.charge(row, payer=row.payer, status=self.paid_status, transaction=self.transaction_id())
        return self.status_answer(row, "settle") if row.paid else self.error("not-approved")

    async def give_back(self, request: Request) -> Response:
        """Money goes back once for each key: what was answered is answered again."""
        row, key = self._row(request), request.headers.get("harbor-key", "")
        if isinstance(row, Response) or not row.paid:
            return row if isinstance(row, Response) else self.error("total")
        made: dict[str, str] = row.extra.get("returns", {})
        if key not in made:
            minor_ = money.parse(json.loads(exchange_of(request.scope).body)["total"]["minor"])
            assert minor_ is not None
            row.extra = {**row.extra, "returns": {**made, key: self.transaction_id()}}
            self.store.refund(row, minor_.scaleb(-MONEY.exponent(row.currency)))
        return JSONResponse({"return": row.extra["returns"][key], "state": "returned"}, 201)

    def _row(self, request: Request) -> Payment | Response:
        token = self._token(request)
        if isinstance(token, Response):
            return token
        row = self.store.find(request.path_params["id"])
        if row is None or row.merchant is not token.merchant:
            return self.error("unknown-order")
        if not row.paid and self.deps.clock.age(row.opened) > self.deps.profile.payment_life and row.status != "gone":
            self.store.expire(row, status="gone")
        return row

    def _plain(self, row: Payment) -> dict[str, Any]:
        amount = money.parse(row.told_amount) if row.told_amount else row.amount
        code = row.told_currency or row.currency
        assert amount is not None
        state = "returned" if row.given_back >= row.amount else row.status
        taking = {"id": row.transaction, "state": state} if row.paid else None
        total = {"minor": minor(amount, code), "code": code}
        return {"id": row.payment, "state": state, "ref": row.reference, "total": total, "taking": taking}

    # The hosted page

    async def page(self, request: Request) -> Response:
        row = self.store.find(request.path_params["id"])
        if row is None or row.paid or row.status == "gone":
            return HTMLResponse(
                f'<p class="ended">This order has ended. <a href="{row.cancel_url if row else "/"}">Back</a></p>'
            )
        if request.method == "POST":
            sent = dict(parse_qsl(exchange_of(request.scope).body.decode()))
            for payer in self.deps.profile.payers.values():
                if (payer.login, payer.password) == (sent.get("who"), sent.get("pin")):
                    self.store.approve(row, payer=payer, status="approved")
                    return RedirectResponse(forged_return(return_url=row.return_url, payment=row.payment), 303)
        return HTMLResponse(FORM.format(id=row.payment, amount=f"{row.amount} {row.currency}"))

    async def abort(self, request: Request) -> Response:
        row = self.store.find(request.path_params["id"])
        if row is None:
            return HTMLResponse("<p class='ended'>This order has ended. <a href='/'>Back</a></p>")
        if not row.paid:
            self.store.cancel(row)
        return RedirectResponse(row.cancel_url or row.return_url, 303)

    # What the core asks

    def keys(self) -> dict[str, str]:
        mint = self.deps.ids.mint
        return {"client-id": mint(20), "secret-key": mint(40), "notice-secret": mint(40)}

    def payment_id(self) -> str:
        return self.deps.ids.mint(26)

    def transaction_id(self) -> str:
        return self.deps.ids.mint(18)

    def is_page(self, path: str) -> bool:
        return path.startswith("/p/")

    def error(self, name: str, canary: str = "") -> Response:
        known = self.deps.profile.errors[name]
        return self._fault(known.status, known.name, f"{known.texts[0]} {canary}".rstrip(), known.field)

    def _fault(self, status: int, code: str, note: str, at: str = "", **headers: str) -> Response:
        named = {"Harbor-Call": self.deps.ids.mint(16), **headers}
        return JSONResponse({"fault": {"code": code, "at": at, "note": note}}, status, named)

    def unauthorized(self, canary: str = "") -> Response:
        return self.error("token-ended", canary)

    def limited(self, seconds: int, canary: str = "") -> Response:
        known = self.deps.profile.errors["too-many"]
        return self._fault(429, known.name, f"{known.texts[0]} {canary}".rstrip(), **{"Retry-After": str(seconds)})

    def envelope(self, status: int, text: str) -> Response:
        return self._fault(status, "other", text)

    def outside(self, status: int, text: str) -> Response:
        return Response(text, status, media_type="text/plain")

    def status_answer(self, payment: Payment, role: Role) -> Response:
        return JSONResponse(self._plain(payment), 201 if role == "settle" else 200)

    def notices(self, payment: Payment, event: str) -> tuple[tuple[str, bytes], ...]:
        """Harbor tells of customers who agreed to pay, of money that it took or gave back, and of orders that were aborted."""
        kinds = {"approved": "approved", "charged": "taken", "cancelled": "aborted", "refunded": "returned"}
        kind = f"order.{kinds[event]}" if event in kinds else ""
        number = self.deps.ids.mint(20)
        body = {"kind": kind, "nr": number, "trial": True, "order": self._plain(payment)}
        return ((number, json.dumps(body).encode()),) if kind else ()

    def example(self, base_url: str, client_id: str, secret_key: str) -> tuple[str, ...]:
        return (f"curl -s -u {client_id}:{secret_key} -X POST {base_url}/oauth/token",)

    async def aclose(self) -> None:
        """Nothing happens here without a request."""
