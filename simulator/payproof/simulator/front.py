"""The front of a gateway: what the simulator, the relay and the player of a recording are all made of."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import ASGIApp

from payproof.contracts.journal import Journal
from payproof.contracts.model import Json
from payproof.contracts.profile import Profile
from payproof.simulator import dialect
from payproof.simulator.books.records import PaymentView
from payproof.simulator.books.store import Store
from payproof.simulator.clock import Clock
from payproof.simulator.faults.injector import FaultInjector
from payproof.simulator.faults.middleware import FaultMiddleware
from payproof.simulator.ids import Ids
from payproof.simulator.journal_middleware import IsPage, JournalMiddleware
from payproof.simulator.notices.outbox import Outbox


class Front:
    """A ledger, a clock, the gateway's words, and faults; ``way`` leads a call through them to whoever answers it.

    ``knobs`` override the profile's. ``seed`` decides which calls a fault with a share hits.
    """

    def __init__(self, profile: Profile, journal: Journal, *, seed: int, knobs: Mapping[str, Json]) -> None:
        self.profile, self.journal = profile, journal
        self.knobs: dict[str, Json] = {name: fact.value for name, fact in profile.knobs.items()} | dict(knobs)
        self.clock = Clock()
        self.store = Store(journal, self.clock, profile.money)
        self.outbox = Outbox(profile, self.store, self.clock, journal)
        deps = dialect.GatewayDeps(profile, self.knobs, self.store, self.clock, Ids(), journal, self.outbox)
        self.dialect = dialect.load(deps)
        self.faults = FaultInjector(deps, self.dialect, seed=seed)

    def way(self, answers: ASGIApp, is_page: IsPage) -> ASGIApp:
        """``is_page`` tells hosted pages from API calls, by their host and path."""
        faulty = FaultMiddleware(answers, self.faults)
        return JournalMiddleware(faulty, profile=self.profile, journal=self.journal, is_page=is_page)

    def payments(self) -> tuple[PaymentView, ...]:
        return self.store.views()

    def payment(self, payment_id: str) -> PaymentView | None:
        """What the gateway knows of a payment, as far as it was seen here."""
        return self.store.view(payment_id)

    def forged_return(self, payment_id: str) -> str:
        """The success redirect that a customer could type by hand, for a payment that nobody paid."""
        return self.store.payment(payment_id).forged(self.profile, self.dialect.transaction_id())

    def tamper(self, payment_id: str, *, amount: str | None = None, currency: str | None = None) -> None:
        """Status answers of this payment tell another amount or currency from now on.

        Raises:
            PayproofError: no such payment, or ``amount`` is not a decimal text.
        """
        self.store.misreport(payment_id, amount=amount, currency=currency)

    async def aclose(self) -> None:
        """Release every call that a fault holds, and end whatever the gateway does by itself."""
        self.faults.clear()
        await self.outbox.aclose()
        await self.dialect.aclose()
