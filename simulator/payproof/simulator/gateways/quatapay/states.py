"""The states of a payment (gateway-facts 3.6, choices 3, 6, 13).

CREATED -> SUCCESS when the customer confirms; CREATED -> EXPIRED with time; CANCELLED where the profile has it, and
from there still -> SUCCESS, because an open tab can be paid.
"""

from __future__ import annotations

from payproof.contracts.profile import Payer
from payproof.simulator.books.records import Payment
from payproof.simulator.dialect import GatewayDeps

CREATED, SUCCESS, EXPIRED, CANCELLED = "CREATED", "SUCCESS", "EXPIRED", "CANCELLED"
TRANSACTION_LENGTH = 16


class States:
    def __init__(self, deps: GatewayDeps) -> None:
        self._deps = deps

    def too_old(self, row: Payment) -> bool:
        life = self._deps.knobs["payment_life"]
        return not row.paid and self._deps.clock.age(row.opened) > (life if isinstance(life, int) else 0)

    def touch(self, row: Payment) -> Payment:
        """Let time have its effect on a payment before anything else is said of it."""
        if row.status == CREATED and self.too_old(row):
            self._deps.store.expire(row, status=EXPIRED)
        return row

    def pay(self, row: Payment, payer: Payer) -> None:
        self._deps.store.charge(row, payer=payer, status=SUCCESS, transaction=self._deps.ids.mint(TRANSACTION_LENGTH))

    def cancel(self, row: Payment) -> None:
        keeps = row.status != CREATED or not self._deps.knobs["cancelled_state"]
        self._deps.store.cancel(row, status=None if keeps else CANCELLED)
