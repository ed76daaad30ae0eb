"""The simulator: one gateway in one process, as a value that tests hold in their hands."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from starlette.types import ASGIApp

from payproof.contracts.journal import Journal
from payproof.contracts.model import Json, PayproofError
from payproof.contracts.profile import Profile
from payproof.simulator import dialect
from payproof.simulator.clock import Clock
from payproof.simulator.control import control
from payproof.simulator.faults.injector import FaultInjector
from payproof.simulator.faults.middleware import FaultMiddleware
from payproof.simulator.ids import Ids
from payproof.simulator.journal_middleware import JournalMiddleware
from payproof.simulator.store import CLIENT_ID, SECRET_KEY, Merchant, PaymentView, Store


class Simulator:
    """A gateway. ``app`` is its API and hosted checkout as one ASGI application.

    ``knobs`` override the profile's. ``seed`` decides which calls a fault with a share hits; ids and keys are fresh
    each time, so that a value which turns up elsewhere is always a leak.

    Raises:
        PayproofError: a knob that the profile does not have.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        journal: Journal | None = None,
        seed: int = 0,
        knobs: Mapping[str, Json] | None = None,
    ) -> None:
        self.profile, self.seed = profile, seed
        self.journal = journal if journal is not None else Journal()
        self.knobs = _knobs(profile, knobs or {})
        self.clock = Clock()
        self._store = Store(self.journal, self.clock)
        deps = dialect.GatewayDeps(profile, self.knobs, self._store, self.clock, Ids(), self.journal)
        self.dialect = dialect.load(deps)
        self.faults = FaultInjector(deps, self.dialect, seed=seed)
        self.app: ASGIApp = JournalMiddleware(
            FaultMiddleware(self.dialect.app, self.faults),
            profile=profile, journal=self.journal, is_page=lambda host, path: self.dialect.is_page(path),
        )  # fmt: skip

    def control(self, token: str) -> ASGIApp:
        """The control application, to be served on a port of its own. Every request must carry ``token``."""
        return control(self, token)

    # Merchants

    def add_merchant(
        self, name: str = "shop", *, client_id: str | None = None, secret_key: str | None = None
    ) -> Merchant:
        """A merchant with keys of its own; keys that are not given are minted."""
        given = {CLIENT_ID: client_id, SECRET_KEY: secret_key}
        minted = self.dialect.keys()
        return self._store.add_merchant(name, {kind: given.get(kind) or minted[kind] for kind in minted}).value()

    def merchants(self) -> tuple[Merchant, ...]:
        return tuple(row.value() for row in self._store.merchants())

    def rotate_secret(self, merchant: Merchant) -> Merchant:
        """The merchant with a new secret key; the old one is refused from now on."""
        return self._store.rotate(merchant.client_id, self.dialect.keys()[SECRET_KEY]).value()

    def revoke_secret(self, merchant: Merchant) -> None:
        """Token calls of this merchant are refused from now on."""
        self._store.merchant(merchant.client_id).revoked = True

    def remove_merchant(self, merchant: Merchant) -> None:
        """The keys stay, the merchant behind them is gone."""
        self._store.merchant(merchant.client_id).gone = True

    def expire_tokens(self, merchant: Merchant | None = None) -> int:
        """Access tokens, however young, are answered as expired from now on; returns how many."""
        return self._store.revoke_tokens(merchant.client_id if merchant else None)

    # Payments

    def payments(self) -> tuple[PaymentView, ...]:
        return self._store.views()

    def payment(self, payment_id: str) -> PaymentView | None:
        return self._store.view(payment_id)

    def forged_return(self, payment_id: str) -> str:
        """The success redirect that a customer could type by hand, for a payment that nobody paid."""
        return self._store.payment(payment_id).forged(self.profile, self.dialect.transaction_id())

    def tamper(self, payment_id: str, *, amount: str | None = None, currency: str | None = None) -> None:
        """Status answers of this payment tell another amount or currency from now on.

        Raises:
            PayproofError: no such payment, or ``amount`` is not a decimal text.
        """
        self._store.tell(payment_id, amount=amount, currency=currency)

    def reset(self) -> None:
        """Forget faults, payments, tokens and the journal. Merchants, knobs and the clock stay."""
        self.faults.clear()
        self._store.clear()
        self.journal.clear()

    async def aclose(self) -> None:
        """Release every call that a fault holds, and end whatever the gateway does by itself."""
        self.faults.clear()
        await self.dialect.aclose()


def _knobs(profile: Profile, given: Mapping[str, Json]) -> dict[str, Json]:
    for name in given:
        if name not in profile.knobs:
            close = difflib.get_close_matches(name, profile.knobs, n=1)
            raise PayproofError(
                f'the profile "{profile.name}" has no knob "{name}"',
                place=f'knob "{name}"',
                remedy=f'did you mean "{close[0]}"?' if close else f"it has: {', '.join(sorted(profile.knobs))}",
            )
        default = profile.knobs[name].value
        if type(given[name]) is not type(default):
            wanted = type(default).__name__
            raise PayproofError(
                f"this knob takes a value of type {wanted}", place=f'knob "{name}"', remedy=f"default: {default}"
            )
    return {name: fact.value for name, fact in profile.knobs.items()} | dict(given)
