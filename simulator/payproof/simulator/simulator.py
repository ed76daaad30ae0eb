"""The simulator: one gateway in one process, as a value that tests hold in their hands."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import ASGIApp

from payproof.contracts.journal import Journal
from payproof.contracts.model import Json, PayproofError
from payproof.contracts.profile import Profile
from payproof.simulator.books.records import CLIENT_ID, SECRET_KEY, Merchant
from payproof.simulator.front import Front


class Simulator(Front):
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
        _refuse_unknown(profile, knobs or {})
        super().__init__(profile, journal if journal is not None else Journal(), seed=seed, knobs=knobs or {})
        self.seed = seed
        self.outbox.begin(self.dialect)
        is_page = self.dialect.is_page
        self.app: ASGIApp = self.way(self.dialect.app, lambda host, path: is_page(path))

    # Merchants

    def add_merchant(
        self,
        name: str = "shop",
        *,
        client_id: str | None = None,
        secret_key: str | None = None,
        others: Mapping[str, str] | None = None,
    ) -> Merchant:
        """A merchant with keys of its own; keys that are not given are minted. ``others``: further credentials, by their names."""
        given = {**(others or {}), CLIENT_ID: client_id, SECRET_KEY: secret_key}
        minted = self.dialect.keys()
        return self.store.add_merchant(name, {kind: given.get(kind) or minted[kind] for kind in minted}).value()

    def merchants(self) -> tuple[Merchant, ...]:
        return tuple(row.value() for row in self.store.merchants())

    def rotate_secret(self, merchant: Merchant) -> Merchant:
        """The merchant with a new secret key; the old one is refused from now on."""
        return self.store.rotate(merchant.client_id, self.dialect.keys()[SECRET_KEY]).value()

    def roll_notice_secret(self, merchant: Merchant) -> Merchant:
        """The merchant with a new secret for notices; the old one stays good as long as the profile says.

        Raises:
            PayproofError: this gateway has no such secret.
        """
        name = next((each.name for each in self.profile.credentials if each.kind == "webhook-secret"), "")
        if not name:
            raise PayproofError(f"{self.profile.title} has no secret for notices", place='key "gateway"')
        return self.store.rotate(merchant.client_id, self.dialect.keys()[name], credential=name).value()

    def revoke_secret(self, merchant: Merchant) -> None:
        """Token calls of this merchant are refused from now on."""
        self.store.merchant(merchant.client_id).revoked = True

    def expire_tokens(self, merchant: Merchant | None = None) -> int:
        """Access tokens, however young, are answered as expired from now on; returns how many."""
        return self.store.revoke_tokens(merchant.client_id if merchant else None)

    def forgotten(self) -> dict[str, int]:
        """How much was let go of because there was too much: ``entries`` of the journal, ``payments``, ``tokens``."""
        return {"entries": self.journal.forgotten, **self.store.forgotten()}

    def reset(self) -> None:
        """Forget faults, payments, tokens, notices and the journal. Merchants, knobs and the clock stay."""
        self.faults.clear()
        self.outbox.clear()
        self.store.clear()
        self.journal.clear()


def _refuse_unknown(profile: Profile, given: Mapping[str, Json]) -> None:
    if not given:
        return
    import difflib

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
