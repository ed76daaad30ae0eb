"""Quay on the wire."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qsl

from harbor.dialect import Harbor
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from payproof.contracts import money
from payproof.contracts.profile import Payer
from payproof.simulator.books.records import Payment, Token
from payproof.simulator.dialect import Dialect, GatewayDeps
from payproof.simulator.exchange import exchange_of
from quay.profile import LATER

FORM = """<!doctype html><title>Quay</title><h1>Pay {amount}</h1><form class="pay" method="post" action="/p/{page}">
<input name="who"><input name="pin" type="password"><button>Pay</button></form>{way}"""


def dialect(deps: GatewayDeps) -> Dialect:
    return Quay(deps)


class Quay(Harbor):
    def __init__(self, deps: GatewayDeps) -> None:
        super().__init__(deps)
        deps.clock.listeners.append(self._decide)
        self.app = Starlette(
            routes=[
                Route("/orders", self.order, methods=["POST"]),
                Route("/orders/{id}", self.look, methods=["GET"]),
                Route("/orders/{id}/receipt", self.receipt, methods=["GET"]),
                Route("/p/{id}", self.page, methods=["GET", "POST"]),
            ]
        )

    def _token(self, request: Request) -> Token | Response:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        key = base64.b64decode(key).decode().partition(":")[0] if scheme == "Basic" else key
        row = next((row for row in self.store.merchants() if row.secret_key == key and not row.revoked), None)
        return Token("", row, 0.0, "") if row else self.error("no-token")

    async def order(self, request: Request) -> Response:
        token = self._token(request)
        if isinstance(token, Response):
            return token
        try:
            plain = request.headers.get("content-type", "").startswith("application/json")
            asked: Any = json.loads(exchange_of(request.scope).body) if plain else None
            total, ref, back = asked["order"]["total"], str(asked["order"]["ref"]), str(asked["back"])
            code, whole, abort = str(total["code"]), total["minor"], str(asked.get("abort") or "") or None
        except (ValueError, KeyError, TypeError):
            return self.error("missing")
        if code != "eur":
            return self.error("currency")
        whole = int(whole) if isinstance(whole, float) and whole.is_integer() else whole
        if not isinstance(whole, int) or isinstance(whole, bool) or not 0 < whole <= 10**9:
            return self.error("total")
        amount, key = money.parse(whole), request.headers.get("harbor-key", "")
        assert amount is not None
        row = next((row for row in self.store.payments() if key and row.extra.get("key") == key), None)
        if row is not None and (row.reference, row.amount) != (ref, amount.scaleb(-2)):
            return self.error("other-order")
        row = row or self.store.open(
            Payment(
                payment=self.payment_id(), merchant=token.merchant, status="new", amount=amount.scaleb(-2), currency="EUR",
                reference=ref, return_url=back, cancel_url=abort, opened=self.deps.clock.now(),
                page=self.deps.ids.mint(12), extra={"key": key},
            )
        )  # fmt: skip
        links = [{"rel": "pay", "href": f"{self.deps.origin(request, 'checkout')}/p/{row.page}"}]
        return JSONResponse({**self._plain(row), "links": links}, 201)

    async def receipt(self, request: Request) -> Response:
        row = self._row(request)
        if isinstance(row, Response):
            return row
        return JSONResponse(self._plain(row)) if row.paid else self.error("unknown-order")

    def _plain(self, row: Payment) -> dict[str, Any]:
        order = super()._plain(row)
        return order | {"total": {**order["total"], "code": order["total"]["code"].lower()}}

    async def page(self, request: Request) -> Response:
        row = next((row for row in self.store.payments() if row.page == request.path_params["id"]), None)
        if row is None or row.paid or row.status != "new" or self.deps.clock.age(row.opened) > 3600:
            return self._ended(row)
        if request.method == "POST":
            sent = dict(parse_qsl(exchange_of(request.scope).body.decode()))
            for payer in self.deps.profile.payers.values():
                if (payer.login, payer.password) == (sent.get("who"), sent.get("pin")):
                    return self._tried(row, payer)
        way = f'<a class="abort" href="{row.cancel_url}">Abort</a>' if row.cancel_url else ""
        return HTMLResponse(FORM.format(page=row.page, amount=f"{row.amount} {row.currency}", way=way))

    def _tried(self, row: Payment, payer: Payer) -> Response:
        if payer.outcome in ("refused", "insufficient"):
            self.store.refuse(row, payer.outcome, status="gone")
            return self._ended(row)
        if payer.outcome in ("pending", "unsettled"):
            row.extra = {**row.extra, "due": self.deps.clock.now() + LATER}
            self.store.pend(row, payer=payer, status="waiting")
        else:
            self.store.charge(row, payer=payer, status=self.paid_status, transaction=self.transaction_id())
        return RedirectResponse(self.deps.profile.filled(row.return_url, row.payment), 303)

    def _decide(self) -> None:
        for row in self.store.payments():
            if row.status == "waiting" and row.payer is not None and self.deps.clock.now() >= row.extra["due"]:
                if row.payer.outcome == "unsettled":
                    self.store.decline(row, "the money never came", status="gone")
                else:
                    self.store.charge(row, payer=row.payer, status=self.paid_status, transaction=self.transaction_id())

    def _ended(self, row: Payment | None) -> Response:
        way = f'<a href="{row.cancel_url}">Back</a>' if row and row.cancel_url else ""
        return HTMLResponse(f'<p class="ended">This does not go on. {way}</p>')

    def keys(self) -> dict[str, str]:
        mint = self.deps.ids.mint
        return {"secret-key": f"quay_test_{mint(40)}", "page-key": f"quay_page_{mint(20)}", "notice-secret": mint(40)}

    def unauthorized(self, canary: str = "") -> Response:
        return self.error("no-token", canary)

    def limited(self, seconds: int, canary: str = "") -> Response:
        return self.error("too-many", canary)

    def notices(self, payment: Payment, event: str) -> tuple[tuple[str, bytes], ...]:
        """Quay tells of customers who have done their part, of money that came, and of money that did not."""
        kinds = {
            "pending": "order.waiting",
            "charged": "order.taken",
            "declined": "order.failed",
            "expired": "order.ended",
        }
        told: list[dict[str, Any]] = [{"kind": kinds[event], "order": self._plain(payment)}] if event in kinds else []
        if event == "charged":  # and it tells of the money itself, which has an id of its own
            told.insert(0, {"kind": "money.arrived", "order": {**self._plain(payment), "id": payment.transaction}})
        numbered = [{**each, "nr": self.deps.ids.mint(20)} for each in told]
        return tuple((each["nr"], json.dumps(each).encode()) for each in numbered)
