"""Answers that are wrong from the first byte. With ``after_effect`` the gateway has done its work all the same."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from starlette.responses import HTMLResponse, Response

from payproof.contracts.profile import Payer
from payproof.simulator.books.records import MerchantRow, Payment
from payproof.simulator.faults.context import FaultContext
from payproof.simulator.faults.parameters import HttpStatus, Text
from payproof.simulator.faults.registry import fault

_PAGE = """<html>
<head><title>{title}</title></head>
<body>
<center><h1>{words}</h1></center>
<hr><center>nginx</center>
</body>
</html>
"""


def with_canary(text: str, canary: str) -> str:
    return f"{text} {canary}".rstrip()


@fault("error")
@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorAnswer:
    """One of the profile's own errors, to the letter. ``error``: its name; ``canary``: a text added to each message."""

    error: str
    canary: Text = ""

    async def act(self, context: FaultContext) -> None:
        await context.answer(context.dialect.error(self.error, self.canary))


@fault("status")
@dataclass(frozen=True, slots=True, kw_only=True)
class StatusAnswer:
    """Any HTTP ``status`` and ``text`` in the gateway's own error envelope."""

    status: HttpStatus = 500
    text: Text = "Something went wrong! Please try again"
    canary: Text = ""

    async def act(self, context: FaultContext) -> None:
        await context.answer(context.dialect.envelope(self.status, with_canary(self.text, self.canary)))


@fault("plain-error")
@dataclass(frozen=True, slots=True, kw_only=True)
class PlainError(StatusAnswer):
    """An error in the shape of the framework behind the gateway, outside its envelope: a message that is plain text."""

    text: Text = "Server Error"

    async def act(self, context: FaultContext) -> None:
        await context.answer(context.dialect.outside(self.status, with_canary(self.text, self.canary)))


@fault("html")
@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlAnswer:
    """A page for people where JSON was asked for, as proxies send it (502)."""

    status: HttpStatus = 502
    text: Text = "Bad Gateway"
    canary: Text = ""

    async def act(self, context: FaultContext) -> None:
        words = with_canary(self.text, self.canary)
        page = _PAGE.format(title=f"{self.status} {self.text}", words=f"{self.status} {words}")
        await context.answer(HTMLResponse(page, status_code=self.status))


@fault("not-json")
@dataclass(frozen=True, slots=True, kw_only=True)
class NotJson:
    """200 with prose that no parser takes, under a JSON content type."""

    text: Text = "We are carrying out maintenance and will be back shortly."
    canary: Text = ""

    async def act(self, context: FaultContext) -> None:
        await context.answer(Response(with_canary(self.text, self.canary), media_type="application/json"))


@fault("empty")
@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyAnswer:
    """200 (or another ``status``) without a body."""

    status: HttpStatus = 200

    async def act(self, context: FaultContext) -> None:
        await context.answer(Response(b"", status_code=self.status, media_type="application/json"))


@fault("unauthorized")
@dataclass(frozen=True, slots=True, kw_only=True)
class Unauthorized:
    """Tells the client that its access token, or its key, is good no more, however fresh it is: 401 for good."""

    canary: Text = ""

    async def act(self, context: FaultContext) -> None:
        await context.answer(context.dialect.unauthorized(self.canary))


@fault("other-payment")
@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPayment:
    """A status check is answered with another, paid payment: ``answer``, or a made-up one of the same amount where there is none."""

    answer: str = ""

    async def act(self, context: FaultContext) -> None:
        asked = context.exchange.asked
        await context.answer(
            context.dialect.status_answer(
                self._other(context), "settle" if asked and asked.role == "settle" else "confirm"
            )
        )

    def _other(self, context: FaultContext) -> Payment:
        if self.answer and (named := context.deps.store.get(self.answer)):
            return named
        profile, dialect = context.deps.profile, context.dialect
        asked = context.exchange.asked
        row = context.deps.store.get(asked.payment) if asked and asked.payment else None
        return Payment(
            payment=dialect.payment_id(), merchant=row.merchant if row else MerchantRow("other", {}),
            status=dialect.paid_status, amount=row.amount if row else Decimal("1.00"),
            currency=row.currency if row else profile.default_currency, reference="some-other-order",
            return_url="", cancel_url=None, opened=context.deps.clock.now(), charged=1,
            transaction=dialect.transaction_id(),
            payer=next((p for p in profile.payers.values() if p.outcome == "paid"), Payer("", "", "paid")),
        )  # fmt: skip
