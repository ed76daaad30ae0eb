"""Lines of the ledger as they are noted; each becomes an entry when somebody reads the journal."""

from __future__ import annotations

from decimal import Decimal

from payproof.contracts.entries import Ledger, LedgerEvent
from payproof.contracts.pending import Pending
from payproof.contracts.profile import Money

_SIZE = 700
"""Bytes that a line takes besides its reference, about."""


class LedgerLine(Pending):
    """A line of the ledger about a payment, as it stood then."""

    __slots__ = ("_amount", "_currency", "_detail", "_event", "_money", "_payment", "_reference")

    def __init__(
        self,
        event: LedgerEvent,
        payment: str,
        reference: str,
        amount: Decimal,
        currency: str,
        detail: str,
        money: Money,
    ) -> None:
        self._event: LedgerEvent = event
        self._money = money
        self._payment, self._reference, self._amount = payment, reference, amount
        self._currency, self._detail = currency, detail

    def entry(self) -> Ledger:
        return Ledger(
            event=self._event, payment=self._payment, reference=self._reference,
            amount=self._money.text(self._amount, self._currency), currency=self._currency, detail=self._detail,
        )  # fmt: skip

    def size(self) -> int:
        return _SIZE + len(self._reference)


class Issued(Pending):
    """A line of the ledger about an access token."""

    __slots__ = ("_payment", "_value")

    def __init__(self, value: str, payment: str) -> None:
        self._value, self._payment = value, payment

    def entry(self) -> Ledger:
        placeholder = self.journal.redactor.placeholder(self._value)
        return Ledger(event="token_issued", payment=self._payment, detail=placeholder)

    def size(self) -> int:
        return _SIZE
