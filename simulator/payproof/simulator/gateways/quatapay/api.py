"""The family's three API calls (gateway-facts 2, 3.3 to 3.5, choices 4 to 7)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from starlette.responses import HTMLResponse, Response

from payproof.contracts.model import Json
from payproof.simulator.books.records import MerchantRow, Payment, Token
from payproof.simulator.dialect import GatewayDeps
from payproof.simulator.exchange import Exchange
from payproof.simulator.gateways.quatapay import magic
from payproof.simulator.gateways.quatapay.envelope import Envelope
from payproof.simulator.gateways.quatapay.fields import fields_of
from payproof.simulator.gateways.quatapay.states import CREATED, SUCCESS, States
from payproof.simulator.gateways.quatapay.validation import LARGEST, missing, number, problems

TOKEN_LENGTH, PAYMENT_LENGTH = 350, 60
LIVE = "/pay/api/"
_CENT = Decimal("0.01")


class Api:
    def __init__(self, deps: GatewayDeps, envelope: Envelope, states: States, pages: str) -> None:
        self._deps, self._envelope, self._states = deps, envelope, states
        self._knobs: Mapping[str, Json] = deps.knobs
        self._pages = pages

    # Token

    def token(self, exchange: Exchange, last: str) -> Response:
        fields = fields_of(exchange)
        merchant = self._merchant(fields, live=exchange.path.startswith(LIVE))
        if isinstance(merchant, Response):
            return merchant
        store = self._deps.store
        if self._knobs["purge"]:
            store.purge(_number(self._knobs["token_life"]))
        payment = self._deps.ids.mint(PAYMENT_LENGTH) if self._knobs["token_is_payment"] else ""
        token = store.issue(merchant, self._deps.ids.mint(TOKEN_LENGTH), payment=payment)
        return self._envelope.success(
            "SUCCESS", {"access_token": token.value, "expire_time": self._knobs["advertised_life"]}
        )

    def _merchant(self, fields: Mapping[str, Any], *, live: bool) -> MerchantRow | Response:
        """Whose credentials these are, or the answer that refuses them."""
        client_id, secret = fields.get("client_id"), fields.get("secret_id")
        rows = list(self._deps.store.merchants())
        wrong: list[str] = []
        # The family's databases look existence up without regard to letter case; the pair is compared exactly.
        if not isinstance(client_id, str) or not any(row.client_id.lower() == client_id.lower() for row in rows):
            wrong.append("client-id")
        if not isinstance(secret, str) or not any(
            row.secret_key.lower() == secret.lower() and not row.revoked for row in rows
        ):
            wrong.append("secret-id")
        if wrong:
            return self._envelope.error(*wrong)
        found = next((row for row in rows if row.client_id == client_id and row.secret_key == secret), None)
        if found is None or live:  # every key here is a sandbox key
            return self._envelope.error("credentials")
        return self._envelope.error("no-merchant") if found.gone else found

    # Create

    def create(self, exchange: Exchange, last: str) -> Response:
        token = self._bearer(exchange)
        if isinstance(token, Response):
            return token
        row = self._deps.store.find(token.payment) if token.payment else None
        if row is not None and row.paid:
            return self._envelope.error("paid-token")
        fields = fields_of(exchange)
        asked = number(fields.get("amount"))
        if wrong := problems(fields, asked, self._knobs, self._deps.profile.currencies):
            return self._envelope.error(*wrong)
        if token.merchant.gone:
            return self._envelope.error("merchant-row")
        if exchange.path.startswith(LIVE):
            return self._envelope.error("wrong-environment")
        if asked is None or asked >= LARGEST or (self._knobs["custom_required"] and "custom" not in fields):
            return self._envelope.error("create-storage")
        amount = asked.quantize(_CENT, rounding=ROUND_HALF_UP)
        wish, value = magic.directive(amount, fields.get("custom")) if self._knobs["magic_values"] else ("", "")
        if answer := self._magic(wish, value):
            return answer
        made = self._record(token, row, fields, amount)
        made.extra = {"wish": (wish, value)} if wish else {}
        site = f"{exchange.scope['scheme']}://{exchange.host}"
        address = f"{site}{self._pages}/user/authentication/form/{made.payment}"
        return self._envelope.success("CREATED", {"token": made.payment, "payment_url": address})

    def _record(self, token: Token, row: Payment | None, fields: Mapping[str, Any], amount: Decimal) -> Payment:
        """A new payment; on gateways where the token is the payment, a second create overwrites the first."""
        if row is not None:
            row.amount, row.currency, row.reference = amount, fields["currency"], fields.get("custom")
            row.return_url, row.cancel_url = fields["return_url"], fields.get("cancel_url")
            self._deps.store.updated(row)
            return row
        from_token = self._knobs["payment_life_from"] == "token"
        return self._deps.store.open(
            Payment(
                payment=token.payment or self._deps.ids.mint(PAYMENT_LENGTH), merchant=token.merchant, status=CREATED,
                amount=amount, currency=fields["currency"], reference=fields.get("custom"),
                return_url=fields["return_url"], cancel_url=fields.get("cancel_url"),
                opened=token.issued if from_token else self._deps.clock.now(),
            )
        )  # fmt: skip

    def _magic(self, wish: str, value: str) -> Response | None:
        if wish == "error" and value in self._deps.profile.errors:
            return self._envelope.error(value)
        status = magic.status(value)
        if wish == "html" and status:
            return HTMLResponse(f"<html><body><h1>{status}</h1></body></html>", status_code=status)
        if wish == "status" and status:
            return self._envelope.failure(status, ["Failed to create payment! Please try again"])
        return None

    def _bearer(self, exchange: Exchange) -> Token | Response:
        """The call's access token, or the answer that refuses it. A token of exactly its life's age is still good."""
        scheme, _, value = exchange.header(b"authorization").partition(" ")
        if scheme.lower() != "bearer" or not value.strip():
            return self._envelope.error("no-bearer", status=_number(self._knobs["no_bearer_status"]))
        token = self._deps.store.token(value.strip()) or self._earlier(value.strip())
        if token is None:
            return self._envelope.error("invalid-token", status=_number(self._knobs["unknown_token_status"]))
        if token.revoked or self._deps.clock.age(token.issued) > _number(self._knobs["token_life"]):
            if row := self._deps.store.find(token.payment):
                self._states.touch(row)
            return self._envelope.error("expired-token")
        return token

    def _earlier(self, value: str) -> Token | None:
        """A token from before this gateway began, known by its shape. One that is purged at the next token call is none any more."""
        store = self._deps.store
        if not store.had_earlier_tokens or len(value) != TOKEN_LENGTH or (self._knobs["purge"] and store.tokens()):
            return None
        return next((store.adopt(merchant, value) for merchant in store.merchants()), None)

    # Status

    def status(self, exchange: Exchange, last: str) -> Response:
        fields = fields_of(exchange)
        unnamed = exchange.scope["method"] == "POST" and b"authorization" not in exchange.head
        if unnamed and "client_id" in fields:
            asker: MerchantRow | Response = self._merchant(fields, live=exchange.path.startswith(LIVE))
        else:
            token = self._bearer(exchange)
            asker = token if isinstance(token, Response) else token.merchant
        if isinstance(asker, Response):
            return asker
        payment = last or fields.get("token")
        if missing(payment):
            return self._envelope.error("token-required")
        row = self._deps.store.find(payment) if isinstance(payment, str) else None
        if row is None or row.merchant is not asker:
            return self._envelope.error("unknown-payment")
        wish, value = row.extra.get("wish", ("", ""))
        if wish == "check" and (status := magic.status(value)):
            return self._envelope.failure(status, ["Something went wrong! Please try again"])
        return self.answer(self._states.touch(row))

    def answer(self, row: Payment) -> Response:
        payer: Json = {"username": "appdevs", "email": row.payer.login} if row.paid and row.payer else None
        return self._envelope.success(
            "SUCCESS",
            {
                "token": row.payment,
                "trx_id": row.transaction if row.paid else None,
                "payer": payer,
                "amount": row.told_amount or self._deps.profile.money.text(row.amount, row.currency),
                "currency": row.told_currency or row.currency,
                "custom": row.reference,
                "status": SUCCESS if row.paid else row.status,
                "paid": row.paid,
            },
        )


def _number(value: Json) -> int:
    return value if isinstance(value, int) else 0
