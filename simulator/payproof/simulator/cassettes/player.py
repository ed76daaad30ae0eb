"""A cassette as a target: the recorded sandbox, answered from a file, with every difference written down."""

from __future__ import annotations

import json
import random
from datetime import timedelta

from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from payproof.contracts import entries
from payproof.contracts.entries import Request, header
from payproof.contracts.events import AnyEvent, Authenticated, Opened, Unknown
from payproof.contracts.journal import Journal
from payproof.contracts.model import PayproofError
from payproof.contracts.redaction.secrets import mint
from payproof.simulator.books.records import CLIENT_ID, SECRET_KEY
from payproof.simulator.cassettes.matching import CassetteIndex
from payproof.simulator.cassettes.reading import RecordedExchange, Recording, event_of, theirs
from payproof.simulator.cassettes.replay_audit import ReplayAudit
from payproof.simulator.cassettes.stamp import Stamp
from payproof.simulator.cassettes.values import Chosen, Values, headers_for_client, origin_of
from payproof.simulator.exchange import Exchange as Passing
from payproof.simulator.exchange import exchange_of
from payproof.simulator.relay import rewrite
from payproof.simulator.relay.mirrored_target import MirroredTarget
from payproof.simulator.target import TargetKind

MARK = "X-Payproof-Cassette"
"""Header of an answer that nobody recorded."""


class Cassette(MirroredTarget):
    """Serves a recording. It can do nothing that was not recorded: its only power is a refusal, where there is one.

    ``client_id`` and ``secret_key``: for an integration that knows them already; else they are minted.
    """

    kind: TargetKind = "cassette"

    def __init__(
        self,
        recording: Recording,
        *,
        journal: Journal,
        seed: int = 0,
        client_id: str | None = None,
        secret_key: str | None = None,
    ) -> None:
        if recording.stamp is None or recording.profile is None:
            raise unstamped(recording)
        self.recording, self.stamp = recording, recording.stamp
        own = {each.name for each in recording.profile.credentials}
        given = {name: value for name, value in ((CLIENT_ID, client_id), (SECRET_KEY, secret_key)) if name in own}
        keys = {name: value or _minted(self.stamp, name) for name, value in given.items()}
        super().__init__(recording.profile, journal, seed=seed, keys=keys)
        self._age: timedelta = self.stamp.age()
        self._reel = CassetteIndex(recording)
        self._values = Values(self.merchant, self.stamp.redacted, journal)
        self._chosen: dict[str, Chosen] = {}
        self._audit = ReplayAudit(journal, self._values)
        self._closed = False
        self.powers = frozenset({"refusal"} if self._refuses() else ())
        self.app = self._way(self._serve)

    def _refuses(self) -> bool:
        """A refusal shows in a redirect, or else is what its probe was recorded for."""
        if not self.profile.traits.returns_after_failure:
            return "refused" in self.stamp.stories
        return any(
            self.profile.read_return(header(each.response.headers, "location"))[0] == "refused"
            for each in self.recording.exchanges
            if each.kind == "page"
        )

    # Answering

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        passing = exchange_of(scope)
        answer = self._page(passing) if passing.page else self._call(passing)
        await answer(scope, receive, send)

    def _call(self, passing: Passing) -> Response:
        asked, event, sites = passing.request(), self._read(passing.request(), None), self._sites(passing)
        meant = self._values.meant(event)
        recorded = self._as_recorded(asked, sites)
        match = self._reel.call(event, recorded, self._audit.probe)
        if match is None:
            self._audit.unexpected(event.operation, asked)
            return _nothing_recorded(passing, asked)
        exchange = match.exchange
        self._audit.compare(match, recorded, meant)
        was = exchange.event
        if isinstance(was, Opened) and isinstance(event, Opened) and was.payment:
            self._chosen[was.payment] = Chosen(was, event, self.profile.filled)
        if match.repeated and isinstance(was, Authenticated):
            self._values.renew(was.issued or "")
        answer = self._answer(exchange, sites)
        self._ledger_mirror.note(self._read(asked, answer), answer.status_code)
        return answer

    def _page(self, passing: Passing) -> Response:
        asked, sites = passing.request(), self._sites(passing)
        recorded = self._as_recorded(asked, sites)
        match = self._reel.page(recorded, self._audit.probe)
        if match is None:
            self._audit.unexpected("page", asked)
            return _nothing_recorded(passing, asked)
        self._audit.compare(match, recorded, Unknown())
        answer = self._answer(match.exchange, sites)
        location = answer.headers.get("location", "")
        if "://" in location and origin_of(location) not in dict(sites):
            self._ledger_mirror.sent_back(passing.path, location)
        return answer

    def _sites(self, passing: Passing) -> rewrite.Sites:
        here = origin_of(passing.request().url)
        return rewrite.sites(self.profile, here, self.stamp.upstream, self.stamp.checkout)

    def _read(self, request: Request, answer: Response | None) -> AnyEvent:
        response = None
        if answer is not None:
            headers = tuple(answer.headers.items())
            body = bytes(answer.body).decode("utf-8", "replace")
            response = entries.Response(status=answer.status_code, headers=headers, body=body)
        return event_of(self.profile, request, response, self.profile.base_path)

    def _as_recorded(self, asked: Request, sites: rewrite.Sites) -> Request:
        """The request as it would stand in the recording."""
        return theirs(self.profile, self._values.recorded(asked, sites), self.stamp.base_path)

    def _answer(self, exchange: RecordedExchange, sites: rewrite.Sites) -> Response:
        recorded = exchange.response
        chosen = self._chosen.get(self._reel.payment_in(exchange))
        body, headers = recorded.body, headers_for_client(recorded.headers, sites, self._age)
        if rewrite.is_text(header(recorded.headers, "content-type")):
            body = rewrite.to_ours(body, sites)
        if chosen is not None:
            body = chosen.put(body)
            headers = [(name, chosen.put(value) if name.lower() == "location" else value) for name, value in headers]
        content = self._values.to_client(body).encode("utf-8", "replace")
        answer = Response(content, status_code=recorded.status)
        answer.raw_headers = [
            (name.encode("latin-1", "replace"), self._values.to_client(value).encode("latin-1", "replace"))
            for name, value in headers
        ]
        if recorded.status not in (204, 304):
            answer.raw_headers.append((b"content-length", str(len(content)).encode()))
        return answer

    async def aclose(self) -> None:
        """The run is over: what is missing is written down now."""
        await super().aclose()
        if not self._closed:
            self._closed = True
            self._audit.missing(self._reel)


def unstamped(recording: Recording) -> PayproofError:
    return PayproofError(
        "this cassette has no stamp of payproof's, so nobody knows its gateway, its seed and its probes: it can be "
        "inspected, and pytest-recording can replay it, but it cannot be a target",
        place=str(recording.path),
        remedy="record one with `payproof record`",
    )


def _minted(stamp: Stamp, kind: str) -> str:
    redacted = stamp.redacted.get(kind)
    return mint(random.SystemRandom(), max(redacted.length if redacted else 0, 24))


def _nothing_recorded(passing: Passing, asked: Request) -> Response:
    """Nobody knows what the sandbox would have said, so nobody says it."""
    text = f"This is a recording, and it holds no answer to {asked.method} here now."
    headers = {MARK: "unexpected"}
    if passing.page:
        return HTMLResponse(f"<!doctype html><title>Not recorded</title><p>{text}", status_code=501, headers=headers)
    body = json.dumps({"payproof": "cassette", "problem": "unexpected", "text": text})
    return Response(body, status_code=501, headers={**headers, "Content-Type": "application/json"})
