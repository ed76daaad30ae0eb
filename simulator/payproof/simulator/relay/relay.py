"""The relay as a target: the real sandbox, watched like the simulator, and made to misbehave where it passes us."""

from __future__ import annotations

import random
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.types import ASGIApp

from payproof.contracts import money
from payproof.contracts.entries import Step
from payproof.contracts.events import AnyEvent, Confirmed, Settled
from payproof.contracts.journal import Journal
from payproof.contracts.model import Json
from payproof.contracts.profile import Profile
from payproof.contracts.run import Power
from payproof.contracts.secrets import mint
from payproof.simulator import dialect
from payproof.simulator.clock import Clock
from payproof.simulator.faults.injector import FaultInjector
from payproof.simulator.faults.middleware import FaultMiddleware
from payproof.simulator.ids import Ids
from payproof.simulator.journal_middleware import JournalMiddleware
from payproof.simulator.relay.forwarder import LEFT, Forwarder
from payproof.simulator.relay.ledger_mirror import LedgerMirror
from payproof.simulator.relay.passages import Passage, Passages
from payproof.simulator.relay.rate_budget import Reservation
from payproof.simulator.relay.return_waiter import ReturnWaiter
from payproof.simulator.relay.sandbox_exchange import OnExchange, SandboxExchange
from payproof.simulator.relay.tampering import told_otherwise
from payproof.simulator.relay.upstream import PATIENCE, Upstream
from payproof.simulator.store import CLIENT_ID, SECRET_KEY, Merchant, PaymentView, Store
from payproof.simulator.target import TargetKind


class Relay:
    """``own_credentials``: the integration is given credentials made for this world, and the relay puts the sandbox's in
    their place; so they can be rotated and revoked, and the real ones never reach the integration. An integration
    that somebody else started has the real ones."""

    kind: TargetKind = "sandbox"

    def __init__(
        self,
        upstream: Upstream,
        profile: Profile,
        *,
        journal: Journal,
        seed: int,
        own_credentials: bool = True,
        on_exchange: OnExchange | None = None,
        person: bool = False,
    ) -> None:
        self.upstream, self.profile, self.journal = upstream, profile, journal
        self.story = ""
        self.person = person
        sandbox = upstream.sandbox
        journal.redactor.add("sandbox-client-id", sandbox.client_id, numbered=False)
        journal.redactor.add("sandbox-secret-key", sandbox.secret_key, numbered=False)
        self._rng = random.SystemRandom()
        knobs: Mapping[str, Json] = {name: fact.value for name, fact in profile.knobs.items()}
        self._store = Store(journal, Clock())
        # The dialect only lends the shapes of faults: what the gateway says, the gateway says itself.
        deps = dialect.GatewayDeps(profile, {**knobs, **profile.calm}, self._store, Clock(), Ids(), journal)
        self._dialect = dialect.load(deps)
        self._own = own_credentials
        keys = (self._minted(sandbox.client_id), self._minted(sandbox.secret_key)) if own_credentials else None
        client_id, secret_key = keys or (sandbox.client_id, sandbox.secret_key)
        row = self._store.add_merchant("shop", {CLIENT_ID: client_id, SECRET_KEY: secret_key})
        self._ledger_mirror = LedgerMirror(self._store, profile, row, opened="", paid=self._dialect.paid_status)
        self.merchant: Merchant = row.value()
        self.powers = self._powers()
        self.faults = FaultInjector(deps, self._dialect, seed=seed)
        self._on_exchange = on_exchange
        self._dead: dict[str, str] = {}
        self._noted = False
        self._share: Reservation | None = None
        self._revoked = False
        self.passages = Passages(journal.now)
        self.return_waiter = ReturnWaiter(profile, self._store)
        self._told: set[str] = set()
        """Addresses that the sandbox sent somebody to."""
        self.app: ASGIApp = JournalMiddleware(
            FaultMiddleware(Forwarder(upstream, profile, self, journal.now), self.faults),
            profile=profile,
            journal=journal,
            is_page=profile.is_page,
        )

    def _minted(self, like: str) -> str:
        return mint(self._rng, max(len(like), 24))

    def _powers(self) -> frozenset[Power]:
        found: set[Power] = {"answers", "tokens"}
        found |= {"credentials"} if self._own else set()
        found |= {"refusal"} if self.upstream.sandbox.refuses else set()
        found |= {"clock"} if self.upstream.sandbox.clock else set()
        return frozenset(found)

    # A target's verbs

    async def ready(self, story: str = "") -> None:
        self.finished()
        # What an earlier story began must not arrive in this one.
        await self.passages.drained(PATIENCE)
        self._share = await self.upstream.rate_budget.admit(story)
        await self.passages.drained(PATIENCE)
        self.story = story
        self.passages.begin_story()

    def finished(self) -> None:
        if self._share is not None:
            if complaint := self.complaint():
                self.upstream.unwell.append(complaint)
            self.upstream.rate_budget.release(self._share)
            self._share = None

    def complaint(self) -> str:
        """Why what happened since ``ready`` must not be held against the integration; empty when nothing did."""
        return self.journal.redactor.redact(self.passages.complaint())

    async def advance(self, seconds: float) -> None:
        await self.upstream.advance(seconds)

    def expire_tokens(self) -> int:
        """From now on these bearers are replaced by one that was never issued, so that the sandbox itself refuses them.
        Where it does not say 401 to that, we say it in its place, in the gateway's own words."""
        young = [token for token in self._store.tokens() if token not in self._dead]
        self._dead |= {token: self._minted(token) for token in young}
        return len(young)

    def rotate_secret(self) -> Merchant:
        self.merchant = self._store.rotate(self.merchant.client_id, self._minted(self.merchant.secret_key)).value()
        return self.merchant

    def revoke_secret(self) -> None:
        self._revoked = True

    def tamper(self, payment_id: str, *, amount: str | None = None, currency: str | None = None) -> None:
        self._store.tell(payment_id, amount=amount, currency=currency)

    def payment(self, payment_id: str) -> PaymentView | None:
        return self._store.view(payment_id)

    def payments(self) -> tuple[PaymentView, ...]:
        return self._store.views()

    def payment_at(self, payment_url: str) -> str:
        return self._ledger_mirror.payment_at(payment_url)

    def forged_return(self, payment_id: str) -> str:
        return self._store.payment(payment_id).forged(self.profile, self._dialect.transaction_id())

    async def aclose(self) -> None:
        self.faults.clear()
        self.return_waiter.end()
        await self._dialect.aclose()

    # What the forwarder asks

    @property
    def pairs(self) -> dict[str, str]:
        if not self._own or self._revoked:
            return {}
        sandbox = self.upstream.sandbox
        return {self.merchant.client_id: sandbox.client_id, self.merchant.secret_key: sandbox.secret_key}

    def bearer(self, value: str) -> str:
        return self._dead.get(value, value)

    def heard(self, passage: Passage, said: AnyEvent, answer: Response) -> Response:
        if answer.status_code == 429:
            self.passages.trouble(
                passage, "the sandbox itself answered 429, too many requests (somebody else's too?): lower sandbox.rate"
            )
            self.upstream.rate_budget.hold(_retry_after(answer))
        if hint := self._ledger_mirror.note(said):
            self.upstream.hints[hint] = None
        if said.bearer in self._dead:
            return self._refused(answer)
        if not isinstance(said, Confirmed | Settled):
            return answer
        row = self._store.get(said.answered or said.payment or "")
        if row is None or (row.told_amount is None and row.told_currency is None):
            return answer
        real = money.parse(said.amount) or row.amount
        return told_otherwise(answer, real, said.currency or row.currency, row.told_amount, row.told_currency)

    def _refused(self, answer: Response) -> Response:
        if answer.status_code == 401:
            return answer
        if not self._noted:
            self._noted = True
            self.journal.add(
                Step(
                    text=f"the sandbox answers {answer.status_code} to an access token that it does not know; "
                    "the relay answers in its place as this gateway does when a token has expired",
                    name="dead-bearer",
                    facts={"status": answer.status_code},
                )
            )
        return self._dialect.unauthorized()

    def sent_back(self, path: str, url: str) -> None:
        arrived = path.startswith(LEFT)
        if not (arrived and url in self._told):
            self._ledger_mirror.sent_back(path, url)
        self._told.add(url)
        if arrived or not self.person:
            self.return_waiter.note(url)

    def dead(self, bearer: str) -> bool:
        return bearer in self._dead

    async def go(self, passage: Passage) -> None:
        held = await self.upstream.rate_budget.go(lambda: self._share)
        if held > 0:
            self.passages.trouble(
                passage,
                f"payproof held {passage.what} back for {held:.1f} s, so that no minute has more than "
                f"{self.upstream.rate_budget.rate} requests: raise sandbox.rate if the gateway allows it",
            )

    def on_exchange(self, taped: SandboxExchange) -> None:
        if self._on_exchange is not None:
            self._on_exchange(taped)

    @property
    def shop_origins(self) -> tuple[str, ...]:
        if not self.person:
            return ()
        urls = [url for row in self._store.payments() for url in (row.return_url, row.cancel_url) if url]
        return tuple(dict.fromkeys("{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in urls))


def _retry_after(answer: Response) -> float:
    """Seconds; a whole minute where the answer does not say."""
    asked = answer.headers.get("retry-after", "")
    return float(min(int(asked), 300)) if asked.isdigit() else 60.0
