"""What an integration is pointed at: the simulator, a sandbox behind the relay, or a recording of one."""

from __future__ import annotations

from typing import Literal, TypeAlias

from starlette.types import ASGIApp

from payproof.contracts.model import PayproofError
from payproof.contracts.run import Power
from payproof.simulator.books.records import Merchant, PaymentView
from payproof.simulator.front import Front
from payproof.simulator.notices.outbox import Outbox
from payproof.simulator.simulator import Simulator

TargetKind: TypeAlias = Literal["simulator", "sandbox", "cassette"]


class Spoiled(PayproofError):
    """The gateway itself did not work while a probe ran, so that nothing in it speaks of the integration."""


class Target:
    """One gateway as a world sees it. What a target has no ``powers`` for, probes do not ask of it."""

    kind: TargetKind
    powers: frozenset[Power] = frozenset()
    merchant: Merchant
    """The credentials that the integration is told."""
    app: ASGIApp
    """Serves the integration's calls and the customer's hosted pages."""

    outbox: Outbox | None = None
    """What sends the gateway's notices; None where the real gateway does that itself. Needs ``notices``."""

    def __init__(self, front: Front) -> None:
        self.front, self.faults, self.journal = front, front.faults, front.journal

    async def ready(self, probe: str = "") -> None:
        """Wait until another probe may run here: a sandbox has a rate and a budget.

        Raises:
            BudgetSpent: the budget is spent.
        """

    def finished(self) -> None:
        """The probe run that ``ready`` admitted is over."""

    def complaint(self) -> str:
        """Why what happened since ``ready`` must not be held against the integration; empty when nothing did."""
        return ""

    # What only a target with the power for it can do

    async def advance(self, seconds: float) -> None:
        """Move the gateway's clock forward. Needs ``clock``."""
        raise self._powerless("clock")

    def expire_tokens(self) -> int:
        """Access tokens, however young, are refused as expired from now on; returns how many. Needs ``tokens``."""
        raise self._powerless("tokens")

    def rotate_secret(self) -> Merchant:
        """A new secret key; the old one is refused from now on. Needs ``credentials``."""
        raise self._powerless("credentials")

    def revoke_secret(self) -> None:
        """Token calls are refused from now on. Needs ``credentials``."""
        raise self._powerless("credentials")

    def give_back(self, payment_id: str) -> None:
        """All of a payment's money goes back, as if the merchant had said so in the gateway's dashboard. Needs ``notices``."""
        raise self._powerless("notices")

    def tamper(self, payment_id: str, *, amount: str | None = None, currency: str | None = None) -> None:
        """Status answers of this payment tell another amount or currency from now on. Needs ``answers``."""
        if "answers" not in self.powers:
            raise self._powerless("answers")
        self.front.tamper(payment_id, amount=amount, currency=currency)

    def _powerless(self, power: Power) -> PayproofError:
        return PayproofError(f"this gateway gives no power over its {power}", place=f"--target {self.kind}")

    # What every target knows

    def payment(self, payment_id: str) -> PaymentView | None:
        """What the gateway knows of a payment, as far as it was seen here."""
        return self.front.payment(payment_id)

    def payments(self) -> tuple[PaymentView, ...]:
        return self.front.payments()

    def payment_at(self, payment_url: str) -> str:
        """The payment that a ``payment_url`` opens; empty for any other address."""
        return self.front.store.at_page(self.front.profile.payment_of(payment_url))

    def forged_return(self, payment_id: str) -> str:
        """The success redirect that a customer could type by hand."""
        return self.front.forged_return(payment_id)

    async def aclose(self) -> None:
        """Release every call that is held, and end whatever the target does by itself."""
        await self.front.aclose()


class SimulatorTarget(Target):
    """The simulator with one merchant, as a target: it can do everything."""

    kind: TargetKind = "simulator"
    powers: frozenset[Power] = frozenset({"answers", "clock", "credentials", "refusal", "tokens"})

    def __init__(self, sim: Simulator, merchant: Merchant) -> None:
        super().__init__(sim)
        self.sim, self.merchant, self.app, self.outbox = sim, merchant, sim.app, sim.outbox
        if sim.profile.notices is not None:
            also: frozenset[Power] = frozenset({"notices"})
            self.powers |= also

    async def advance(self, seconds: float) -> None:
        self.sim.clock.advance(seconds)

    def expire_tokens(self) -> int:
        return self.sim.expire_tokens()

    def rotate_secret(self) -> Merchant:
        self.merchant = self.sim.rotate_secret(self.merchant)
        return self.merchant

    def revoke_secret(self) -> None:
        self.sim.revoke_secret(self.merchant)

    def give_back(self, payment_id: str) -> None:
        row = self.sim.store.payment(payment_id)
        self.sim.store.refund(row, row.amount - row.given_back)
