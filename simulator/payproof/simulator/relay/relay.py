"""The relay as a target: the real sandbox, watched like the simulator, and made to misbehave where it passes us."""

from __future__ import annotations

import random
from urllib.parse import urlsplit

from starlette.responses import Response

from payproof.contracts import money
from payproof.contracts.entries import Step
from payproof.contracts.events import AnyEvent, Confirmed, Settled
from payproof.contracts.journal import Journal
from payproof.contracts.profile import Profile
from payproof.contracts.reading.retry_after import seconds_asked
from payproof.contracts.redaction.secrets import mint
from payproof.contracts.run import Power
from payproof.simulator.books.records import SECRET_KEY, Merchant
from payproof.simulator.relay.forwarder import LEFT, Forwarder
from payproof.simulator.relay.mirrored_target import MirroredTarget
from payproof.simulator.relay.passages import Passage, Passages
from payproof.simulator.relay.rate_budget import Reservation
from payproof.simulator.relay.return_waiter import ReturnWaiter
from payproof.simulator.relay.sandbox_exchange import OnExchange, SandboxExchange
from payproof.simulator.relay.tampering import misreported
from payproof.simulator.relay.upstream import PATIENCE, Upstream
from payproof.simulator.target import TargetKind

_RANDOM = random.SystemRandom()


class Relay(MirroredTarget):
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
        real = upstream.sandbox.credentials
        for kind, value in real.items():
            journal.redactor.add(f"sandbox-{kind}", value, numbered=False)
        super().__init__(profile, journal, seed=seed, keys={} if own_credentials else real)
        self.upstream, self.probe, self.person = upstream, "", person
        self._own, self._on_exchange = own_credentials, on_exchange
        self.powers = self._powers()
        self._dead: dict[str, str] = {}
        self._noted = False
        self._share: Reservation | None = None
        self._revoked = False
        self.passages = Passages(journal.now)
        self.return_waiter = ReturnWaiter(profile, self._store)
        self._sent_to: set[str] = set()
        """Addresses that the sandbox sent somebody to."""
        self.app = self._way(Forwarder(upstream, profile, self, journal.now))

    def _powers(self) -> frozenset[Power]:
        found: set[Power] = {"answers", "tokens"}
        found |= {"credentials"} if self._own else set()
        found |= {"refusal"} if self.upstream.sandbox.refuses else set()
        found |= {"clock"} if self.upstream.sandbox.clock else set()
        return frozenset(found)

    # A target's verbs

    async def ready(self, probe: str = "") -> None:
        self.finished()
        # What an earlier probe began must not arrive in this one.
        await self.passages.drained(PATIENCE)
        self._share = await self.upstream.rate_budget.admit(probe)
        await self.passages.drained(PATIENCE)
        self.probe = probe
        self.passages.begin_probe_run()

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
        self._dead |= {token: _minted(token) for token in young}
        return len(young)

    def rotate_secret(self) -> Merchant:
        self.merchant = self._store.rotate(self.merchant.client_id, self._dialect.keys()[SECRET_KEY]).value()
        return self.merchant

    def revoke_secret(self) -> None:
        self._revoked = True

    async def aclose(self) -> None:
        self.return_waiter.end()
        await super().aclose()

    # What the forwarder asks

    @property
    def pairs(self) -> dict[str, str]:
        if not self._own or self._revoked:
            return {}
        return {self.merchant.credentials[name]: value for name, value in self.upstream.sandbox.credentials.items()}

    def bearer(self, value: str) -> str:
        return self._dead.get(value, value)

    def heard(self, passage: Passage, event: AnyEvent, answer: Response) -> Response:
        if answer.status_code == 429:
            self.passages.trouble(
                passage, "the sandbox itself answered 429, too many requests (somebody else's too?): lower sandbox.rate"
            )
            self.upstream.rate_budget.hold(_retry_after(answer))
        if hint := self._ledger_mirror.note(event, answer.status_code):
            self.upstream.hints[hint] = None
        if event.bearer in self._dead:
            return self._refused(answer)
        if not isinstance(event, Confirmed | Settled):
            return answer
        row = self._store.get(event.answered or event.payment or "")
        if row is None or (row.told_amount is None and row.told_currency is None):
            return answer
        real = money.parse(event.amount) or row.amount
        return misreported(answer, real, event.currency or row.currency, row.told_amount, row.told_currency)

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
        if not (arrived and url in self._sent_to):
            self._ledger_mirror.sent_back(path, url)
        self._sent_to.add(url)
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


def _minted(like: str) -> str:
    return mint(_RANDOM, max(len(like), 24))


def _retry_after(answer: Response) -> float:
    """Seconds; a whole minute where the answer does not say."""
    asked = seconds_asked(answer.headers.items())
    return 60.0 if asked is None else min(asked, 300.0)
