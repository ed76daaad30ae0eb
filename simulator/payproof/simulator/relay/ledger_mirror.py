"""The sandbox's books as far as the relay can see them: written from what passes, in the simulator's own ledger."""

from __future__ import annotations

from decimal import Decimal

from payproof.contracts import money
from payproof.contracts.events import AnyEvent, Authenticated, Confirmed, Opened, Refunded, Settled
from payproof.contracts.profile import Payer, Profile
from payproof.simulator.books.records import MerchantRow, Payment
from payproof.simulator.books.store import Store

_SOMEBODY = Payer("", "", "paid")
_NOT_LOOKED_AT = (401, 403, 404, 408, 425, 429)
"""Answers to a capture that say nothing of the payer's money."""


class LedgerMirror:
    def __init__(self, store: Store, profile: Profile, merchant: MerchantRow, *, paid: str) -> None:
        self._store, self._profile, self._merchant = store, profile, merchant
        self._paid = paid
        self._urls: dict[str, str] = {}
        self._made_by: dict[str, str] = {}
        """Access token -> the payment that it made last."""
        self._refunds: set[str] = set()

    def note(self, event: AnyEvent, status: int) -> str:
        """Write down what an answer of the sandbox's API says; returns what is odd about it, if anything is. ``status``: its HTTP status."""
        hint = self._hint(event)
        if isinstance(event, Opened) and event.ok and event.payment:
            self._made_by[event.bearer] = event.payment
        self._write(event)
        if isinstance(event, Settled) and event.problems and 400 <= status < 500 and status not in _NOT_LOOKED_AT:
            self._declined(event)
        return hint

    def _hint(self, event: AnyEvent) -> str:
        """Does the sandbox take an access token for a payment, where the profile says that it does not?"""
        before = self._store.get(self._made_by.get(event.bearer, "")) if event.bearer else None
        if self._profile.traits.token_is_payment or not isinstance(event, Opened) or before is None:
            return ""
        same = event.ok and event.payment == before.payment and event.reference != before.reference
        refused = not event.ok and bool(event.problems) and before.paid
        if not (same or refused):
            return ""
        return (
            "At this sandbox an access token seems to be a payment, which the profile "
            f'"{self._profile.name}" does not say: `payproof drift` shows how they differ, and another gateway may fit.'
        )

    def _write(self, event: AnyEvent) -> None:
        if not event.ok:
            return
        if isinstance(event, Authenticated) and event.issued:
            self._store.issue(self._merchant, event.issued)
        elif isinstance(event, Opened) and event.payment:
            self._created(event)
        elif (
            isinstance(event, Confirmed | Settled)
            and event.paid
            and (row := self._store.get(event.answered or event.payment or ""))
        ):
            self._take(row, event.transaction or "")
        elif isinstance(event, Refunded):
            self._given_back(event)

    def _declined(self, event: Settled) -> None:
        row = self._store.get(event.payment or "")
        if row is not None and row.payer is not None and not row.paid:
            self._store.decline(row, event.texts[0])

    def _given_back(self, event: Refunded) -> None:
        """Once for each refund's id: a used idempotency key is answered like the first time."""
        row = self._store.get(event.payment or "") or next(
            (row for row in self._store.payments() if row.transaction and row.transaction == event.payment), None
        )
        if row is None or (event.refund and event.refund in self._refunds):
            return
        self._refunds.add(event.refund or "")
        self._store.refund(row, money.parse(event.amount) or row.amount - row.given_back)

    def _created(self, event: Opened) -> None:
        assert event.payment
        self._urls[event.payment_url or ""] = event.payment
        amount = money.parse(event.amount) or Decimal(0)
        row = self._store.get(event.payment)
        if row is not None:
            row.amount, row.currency, row.reference = amount, event.currency or "", event.reference
            row.return_url, row.cancel_url = event.return_url or "", event.cancel_url
            self._store.updated(row)
            return
        self._store.open(
            Payment(
                payment=event.payment,
                merchant=self._merchant,
                status="",
                amount=amount,
                currency=event.currency or "",
                reference=event.reference,
                return_url=event.return_url or "",
                cancel_url=event.cancel_url,
                opened=0.0,
            )
        )

    def sent_back(self, page_path: str, url: str) -> None:
        """The hosted checkout sends the customer back to the shop: a paid or refused payment shows here first."""
        outcome, payment, transaction = self._profile.read_return(url)
        row = self._store.get(payment) or next(
            (row for row in self._store.payments() if row.payment in page_path), None
        )
        if row is None:
            return
        if outcome == "paid":
            self._take(row, transaction)
        elif outcome == "refused":
            self._store.refuse(row, "the gateway sent the customer back with an error")
        elif self._profile.traits.settles and row.payer is None and _agreed(row, url):
            self._store.approve(row, payer=_SOMEBODY, status=row.status)

    def _take(self, row: Payment, transaction: str) -> None:
        if not row.paid:
            self._store.charge(row, payer=_SOMEBODY, status=self._paid, transaction=transaction)

    def payment_at(self, payment_url: str) -> str:
        return self._urls.get(payment_url, "") or self._profile.payment_of(payment_url)


def _agreed(row: Payment, url: str) -> bool:
    """Whether the customer was sent to return_url, and not to a cancel_url that begins like it."""
    ways = [way for way in (row.return_url, row.cancel_url) if way and url.startswith(way)]
    return bool(ways) and max(ways, key=len) == row.return_url
