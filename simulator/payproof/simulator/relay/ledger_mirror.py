"""The sandbox's books as far as the relay can see them: written from what passes, in the simulator's own ledger."""

from __future__ import annotations

from decimal import Decimal

from payproof.contracts import money
from payproof.contracts.events import AnyEvent, Authenticated, Confirmed, Opened, Settled
from payproof.contracts.profile import Payer, Profile
from payproof.simulator.records import MerchantRow, Payment
from payproof.simulator.store import Store

_SOMEBODY = Payer("", "", "paid")


class LedgerMirror:
    def __init__(self, store: Store, profile: Profile, merchant: MerchantRow, *, paid: str) -> None:
        self._store, self._profile, self._merchant = store, profile, merchant
        self._paid = paid
        self._urls: dict[str, str] = {}
        self._made_by: dict[str, str] = {}
        """Access token -> the payment that it made last."""

    def note(self, said: AnyEvent) -> str:
        """Write down what an answer of the sandbox's API says; returns what is odd about it, if anything is."""
        hint = self._hint(said)
        if isinstance(said, Opened) and said.ok and said.payment:
            self._made_by[said.bearer] = said.payment
        self._write(said)
        return hint

    def _hint(self, said: AnyEvent) -> str:
        """Does the sandbox take an access token for a payment, where the profile says that it does not?"""
        before = self._store.get(self._made_by.get(said.bearer, "")) if said.bearer else None
        if self._profile.traits.token_is_payment or not isinstance(said, Opened) or before is None:
            return ""
        same = said.ok and said.payment == before.payment and said.reference != before.reference
        refused = not said.ok and bool(said.problems) and before.paid
        if not (same or refused):
            return ""
        return (
            "At this sandbox an access token seems to be a payment, which the profile "
            f'"{self._profile.name}" does not say: `payproof drift` shows how they differ, and another gateway may fit.'
        )

    def _write(self, said: AnyEvent) -> None:
        if not said.ok:
            return
        if isinstance(said, Authenticated) and said.issued:
            self._store.issue(self._merchant, said.issued)
        elif isinstance(said, Opened) and said.payment:
            self._created(said)
        elif (
            isinstance(said, Confirmed | Settled)
            and said.paid
            and (row := self._store.get(said.answered or said.payment or ""))
        ):
            self._take(row, said.transaction or "")

    def _created(self, said: Opened) -> None:
        assert said.payment
        self._urls[said.payment_url or ""] = said.payment
        amount = money.parse(said.amount) or Decimal(0)
        row = self._store.get(said.payment)
        if row is not None:
            row.amount, row.currency, row.reference = amount, said.currency or "", said.reference
            row.return_url, row.cancel_url = said.return_url or "", said.cancel_url
            self._store.updated(row)
            return
        self._store.open(
            Payment(
                payment=said.payment,
                merchant=self._merchant,
                status="",
                amount=amount,
                currency=said.currency or "",
                reference=said.reference,
                return_url=said.return_url or "",
                cancel_url=said.cancel_url,
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

    def _take(self, row: Payment, transaction: str) -> None:
        if not row.paid:
            self._store.charge(row, payer=_SOMEBODY, status=self._paid, transaction=transaction)

    def payment_at(self, payment_url: str) -> str:
        return self._urls.get(payment_url, "") or self._profile.payment_of(payment_url)
