"""The gateway's books. Every change has a name here and a line in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import islice

from payproof.contracts.entries import LedgerEvent, Step
from payproof.contracts.journal import FORGOTTEN, Journal
from payproof.contracts.model import PayproofError
from payproof.contracts.money import parse
from payproof.contracts.profile import Money, Payer
from payproof.simulator.books.noted_ledger import Issued, LedgerLine
from payproof.simulator.books.records import SECRET_KEY, MerchantRow, Payment, PaymentView, Token
from payproof.simulator.books.rows import Rows
from payproof.simulator.clock import Clock

PAYMENTS_KEPT, TOKENS_KEPT = 1024 * 1024 * 1024, 256 * 1024 * 1024
"""Bytes of payments and of access tokens that are remembered; the oldest go first, so that a simulator can run for days."""


class Store:
    """``money``: how the gateway writes amounts."""

    def __init__(self, journal: Journal, clock: Clock, money: Money) -> None:
        self._journal, self._clock, self._money = journal, clock, money
        self._merchants: dict[str, MerchantRow] = {}
        self.on_forgetting: Callable[[str], None] = lambda text: None
        """Called once, with a sentence, when the first row of a kind is forgotten."""
        self._full: set[str] = set()
        self._tokens = Rows[Token](TOKENS_KEPT, self._forgot("tokens"))
        self._payments = Rows[Payment](PAYMENTS_KEPT, self._forgot("payments"))
        self.listeners: list[Callable[[LedgerEvent, Payment], None]] = []
        """Called for each thing that happens to a payment, once it stands in the ledger."""
        self.had_earlier_tokens = False
        """Whether a merchant may still hold a token that was issued before these books began."""

    # Merchants

    def add_merchant(self, name: str, credentials: Mapping[str, str]) -> MerchantRow:
        """Raises:
        PayproofError: another merchant has this client id.
        """
        row = MerchantRow(name, dict(credentials))
        if row.client_id in self._merchants:
            raise PayproofError(f'the client id of merchant "{name}" is already taken', remedy="leave client_id out")
        self._merchants[row.client_id] = row
        for kind, value in credentials.items():
            self._journal.redactor.add(kind, value)
        return row

    def merchant(self, client_id: str) -> MerchantRow:
        row = self._merchants.get(client_id)
        if row is None:
            raise PayproofError("there is no merchant with this client id", remedy="see the merchants that were added")
        return row

    def merchants(self) -> Iterator[MerchantRow]:
        return iter(tuple(self._merchants.values()))

    def rotate(self, client_id: str, value: str, *, credential: str = SECRET_KEY) -> MerchantRow:
        """Give a credential of a merchant a new value."""
        row = self.merchant(client_id)
        row.former.setdefault(credential, {})[row.credentials[credential]] = self._clock.now()
        row.credentials[credential] = value
        row.revoked = row.revoked and credential != SECRET_KEY
        self._journal.redactor.add(credential, value)
        return row

    # Access tokens

    def issue(self, merchant: MerchantRow, value: str, *, payment: str = "") -> Token:
        token = Token(value, merchant, self._clock.now(), payment)
        self._tokens.put(value, token)
        self._journal.redactor.minted("access-token", value)
        self._journal.note(Issued(value, payment))
        return token

    def adopt(self, merchant: MerchantRow, value: str) -> Token:
        """A token that this merchant was issued before these books began: it is known, and its life is over."""
        token = Token(value, merchant, self._clock.now(), "", revoked=True)
        self._tokens.put(value, token)
        self._journal.redactor.minted("access-token", value)
        return token

    def tokens(self) -> tuple[str, ...]:
        return tuple(self._tokens.all)

    def token(self, value: str) -> Token | None:
        return self._tokens.all.get(value)

    def revoke_tokens(self, client_id: str | None) -> int:
        """Make young tokens old; returns how many."""
        found = [t for t in self._tokens.all.values() if not t.revoked and client_id in (None, t.merchant.client_id)]
        for token in found:
            token.revoked = True
        return len(found)

    def misreport(self, payment_id: str, *, amount: str | None, currency: str | None) -> None:
        """Let status answers of this payment tell another amount or currency.

        Raises:
            PayproofError: no such payment, or ``amount`` is not a decimal text.
        """
        row = self.payment(payment_id)
        if amount is not None and parse(amount) is None:
            raise PayproofError(f'"{amount}" is not an amount', place="amount", remedy='write it like "1250.00"')
        row.told_amount = amount if amount is not None else row.told_amount
        row.told_currency = currency if currency is not None else row.told_currency

    def purge(self, age: int) -> None:
        """Forget every token, and payment, of that age in seconds or more."""
        for value, token in tuple(_while_old(self._tokens.all, self._clock, age)):
            self._tokens.remove(value)
            if found := self._payments.all.get(token.payment):
                found.purged = True

    # Payments

    def open(self, payment: Payment) -> Payment:
        self._payments.put(payment.payment, payment)
        self._record("opened", payment)
        return payment

    def updated(self, payment: Payment) -> None:
        self._record("updated", payment)

    def find(self, payment: str) -> Payment | None:
        row = self._payments.all.get(payment)
        return None if row is None or row.purged else row

    def charge(self, row: Payment, *, payer: Payer, status: str, transaction: str) -> None:
        row.payer, row.status, row.transaction = payer, status, transaction
        row.charged += 1
        self._record("charged", row, detail=transaction)

    def approve(self, row: Payment, *, payer: Payer, status: str) -> None:
        """The customer agrees to pay, and the integration may take the money."""
        row.payer, row.status = payer, status
        self._record("approved", row)

    def pend(self, row: Payment, *, payer: Payer, status: str) -> None:
        """The customer has done their part; whether the money comes shows later: ``charge`` or ``decline`` says it."""
        row.payer, row.status = payer, status
        self._record("pending", row)

    def refund(self, row: Payment, amount: Decimal, *, status: str | None = None) -> None:
        """Money goes back to the customer: ``amount`` of it."""
        row.status = status or row.status
        row.given_back += amount
        self._record("refunded", row, detail=self._money.text(amount, row.currency))

    def decline(self, row: Payment, why: str, *, status: str | None = None) -> None:
        """The integration tried to take the money, and did not get it."""
        row.status = status or row.status
        self._record("declined", row, detail=why)

    def refuse(self, row: Payment, why: str, *, status: str | None = None) -> None:
        row.status = status or row.status
        self._record("refused", row, detail=why)

    def cancel(self, row: Payment, *, status: str | None = None) -> None:
        row.status = status or row.status
        self._record("cancelled", row)

    def expire(self, row: Payment, *, status: str) -> None:
        row.status = status
        self._record("expired", row)

    def payments(self) -> Iterator[Payment]:
        """All of them, those that the gateway has purged included."""
        return iter(tuple(self._payments.all.values()))

    def at_page(self, name: str) -> str:
        """The payment whose hosted page is called so; the name itself where that is a payment's id, or nobody's."""
        if not name or name in self._payments.all:
            return name
        return next((row.payment for row in self._payments.all.values() if row.page == name), name)

    def get(self, payment: str) -> Payment | None:
        """A payment, also one that the gateway has purged."""
        return self._payments.all.get(payment)

    def view(self, payment: str) -> PaymentView | None:
        """A payment as it stands now; None where it was never seen."""
        row = self.get(payment)
        return row.view(self._money) if row else None

    def latest(self, most: int) -> tuple[PaymentView, ...]:
        """The payments that were opened last, the newest first."""
        return tuple(row.view(self._money) for row in islice(reversed(self._payments.all.values()), most))

    def views(self) -> tuple[PaymentView, ...]:
        return tuple(row.view(self._money) for row in self.payments())

    def payment(self, payment: str) -> Payment:
        row = self._payments.all.get(payment)
        if row is None:
            raise PayproofError("there is no such payment", place=payment[:12], remedy="see payments()")
        return row

    def clear(self) -> None:
        """Forget tokens and payments; merchants stay."""
        self._tokens.clear()
        self._payments.clear()

    def held(self) -> dict[str, int]:
        """How many ``payments`` and ``tokens`` are remembered."""
        return {"payments": len(self._payments.all), "tokens": len(self._tokens.all)}

    def forgotten(self) -> dict[str, int]:
        """How many ``payments`` and ``tokens`` were let go of because there were too many."""
        return {"payments": self._payments.forgotten, "tokens": self._tokens.forgotten}

    def _forgot(self, what: str) -> Callable[[int], None]:
        def note(count: int) -> None:
            text = f"the gateway's books are full: it has forgotten its oldest {what}, {count:,} of them"
            self._journal.put(Step(text=text, name=FORGOTTEN, facts={what: count}))
            if what not in self._full:
                self._full.add(what)
                self.on_forgetting(f"The gateway's books are full: from now on the oldest {what} are forgotten.")

        return note

    def _record(self, event: LedgerEvent, row: Payment, *, detail: str = "") -> None:
        reference, money = row.reference or "", self._money
        self._journal.note(LedgerLine(event, row.payment, reference, row.amount, row.currency, detail, money))
        for listener in tuple(self.listeners):
            listener(event, row)


def _while_old(tokens: dict[str, Token], clock: Clock, age: int) -> Iterator[tuple[str, Token]]:
    for value, token in tokens.items():  # in the order of their issue, so the first young one ends it
        if clock.age(token.issued) < age:
            return
        yield value, token
