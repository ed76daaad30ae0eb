"""A target whose gateway is not ours: its ledger is a mirror of what passes."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from payproof.contracts.journal import Journal
from payproof.contracts.profile import Profile
from payproof.simulator.books.records import Merchant
from payproof.simulator.exchange import exchange_of
from payproof.simulator.front import Front
from payproof.simulator.relay.ledger_mirror import LedgerMirror
from payproof.simulator.target import Target


class MirroredTarget(Target):
    """``keys``: credentials of its one merchant, by their names; those that are not given are minted in the gateway's own
    shape. Its limits are its own, and its dialect only lends the shapes of faults: what the gateway says, it says itself."""

    def __init__(self, profile: Profile, journal: Journal, *, seed: int, keys: Mapping[str, str]) -> None:
        super().__init__(Front(profile, journal, seed=seed, knobs=profile.calm))
        self.profile = profile
        self._store, self._dialect = self.front.store, self.front.dialect
        row = self._store.add_merchant("shop", {**self._dialect.keys(), **keys})
        self._ledger_mirror = LedgerMirror(self._store, profile, row, paid=self._dialect.paid_status)
        self.merchant: Merchant = row.value()

    def _way(self, answers: ASGIApp) -> ASGIApp:
        return self.front.way(_addressed(answers), self.profile.is_page)

    def payment_at(self, payment_url: str) -> str:
        return self._ledger_mirror.payment_at(payment_url)


_NO_ADDRESS = PlainTextResponse("The Host header is none.\n", status_code=400)


def _addressed(answers: ASGIApp) -> ASGIApp:
    """Answers what has an address; a Host that is none is refused, as web servers do."""

    async def addressed(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            urlsplit(exchange_of(scope).request().url)
        except ValueError:
            await _NO_ADDRESS(scope, receive, send)
        else:
            await answers(scope, receive, send)

    return addressed
