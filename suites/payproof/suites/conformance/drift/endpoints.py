"""Who is asked: the simulator in this process, the sandbox over HTTPS, or a recording of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal, Protocol
from urllib.parse import urlsplit

import httpx

from payproof.contracts.comparing.catalogue import CaseRequest, DriftCase
from payproof.contracts.model import Json, PayproofError
from payproof.contracts.profile import Payer, Profile
from payproof.contracts.reading.retry_after import seconds_asked
from payproof.contracts.redaction.secrets import Redactor
from payproof.simulator.cassettes import RecordedExchange
from payproof.simulator.relay.sandbox_exchange import OnExchange, SandboxExchange, request_of, response_of
from payproof.simulator.simulator import Simulator
from payproof.suites.config.gateway_tables import SandboxTable
from payproof.suites.conformance.client import SandboxClient
from payproof.suites.conformance.drift.recording import DriftRecording
from payproof.suites.conformance.template import needed

_HOST = "https://simulator.payproof.test"
PATIENCE = 30.0
"""Seconds that one answer may take."""
_LONGEST_PAUSE = 120


class Unanswered(PayproofError):
    """A request that got no answer; the rest of the case cannot be asked."""


class Side(Protocol):
    """One of those that are compared. ``base_url``: of its API; ``values``: what requests may refer to."""

    @property
    def base_url(self) -> str: ...
    @property
    def values(self) -> Mapping[str, str]: ...
    @property
    def payers(self) -> Mapping[str, Payer]: ...
    @property
    def redactor(self) -> Redactor: ...

    def lacks(self, case: DriftCase) -> str:
        """Why the case cannot be asked here; empty when it can."""
        ...

    async def begin(self, case: DriftCase) -> httpx.AsyncBaseTransport:
        """The way to this side for one case. Waits as long as manners ask."""
        ...

    async def advance(self, seconds: int) -> bool:
        """Move its clock on. False: it takes real time."""
        ...


class GatewaySide(Side, Protocol):
    """The gateway's side. ``where``: its host; ``observed``: the day of its answers (ISO); ``is_live``: it is asked now;
    ``account``: how it was treated, for the report."""

    @property
    def where(self) -> str: ...
    @property
    def observed(self) -> str: ...
    @property
    def is_live(self) -> bool: ...
    @property
    def account(self) -> Mapping[str, Json]: ...


class SimulatorEndpoint:
    """The simulator in this process, a new one for each case, so that no case sees another's limits and clock."""

    def __init__(self, profile: Profile, knobs: Mapping[str, Json]) -> None:
        self._profile, self._knobs = profile, knobs
        self.base_url = _HOST + profile.base_path
        self.payers, self.redactor = profile.payers, Redactor()
        self._now = self._fresh()
        self.knobs = self._now.knobs

    def _fresh(self) -> Simulator:
        made = Simulator(self._profile, knobs=self._knobs)
        own, other = made.add_merchant(), made.add_merchant("other")
        self.values: Mapping[str, str] = _values(
            _HOST,
            self._profile.site(_HOST, "checkout"),
            own.client_id,
            own.secret_key,
            other.client_id,
            other.secret_key,
        )
        _hide(self.redactor, self.values)
        return made

    def lacks(self, case: DriftCase) -> str:
        missing = sorted(case.payers - set(self.payers))
        return f"the simulator has no payer {missing[0]}" if missing else ""

    async def begin(self, case: DriftCase) -> httpx.AsyncBaseTransport:
        self._now = self._fresh()
        return httpx.ASGITransport(app=self._now.app, raise_app_exceptions=False)

    async def advance(self, seconds: int) -> bool:
        self._now.clock.advance(seconds)
        return True


class SandboxEndpoint:
    """The gateway's sandbox, with manners. ``patience``: real seconds that may be waited for its clock.

    ``on_exchange`` is told of every exchange.
    """

    is_live = True

    def __init__(
        self, settings: SandboxTable, client: SandboxClient, profile: Profile, *,
        patience: float, on_exchange: OnExchange | None = None,
    ) -> None:  # fmt: skip
        self.client, self.on_exchange = client, on_exchange
        self.base_url = client.address.base_url
        self.where, self.observed = urlsplit(self.base_url).netloc, date.today().isoformat()
        other = settings.other
        self._unset = other.missing if other else ()
        second = (other.client_id, other.secret_key) if other and not self._unset else ()
        address = client.address
        self.values = _values(address.origin, address.checkout, settings.client_id, settings.secret_key, *second)
        self.payers = _payers(settings, profile)
        self.redactor = Redactor()
        _hide(self.redactor, self.values)
        self._patience = patience

    @property
    def account(self) -> Mapping[str, Json]:
        budget = self.client.budget
        return {"requests": budget.sent, "budget": budget.budget, "rate": budget.rate, "busiest": budget.busiest}

    def lacks(self, case: DriftCase) -> str:
        if missing := sorted(case.payers - set(self.payers)):
            return f"needs a payer who is {missing[0]}: [sandbox.payers.{missing[0]}]"
        asked = frozenset[str]().union(*(needed(each) for each in case.steps if isinstance(each, CaseRequest)))
        if any(name.startswith("other_") for name in asked) and "other_client_id" not in self.values:
            unset = f", not set: {', '.join(self._unset)}" if self._unset else ""
            return f"needs the credentials of a second merchant: [sandbox.other]{unset}"
        if case.seconds and not self.client.address.clock and case.seconds > self._patience:
            return f"needs the gateway's clock to move by {case.seconds} s: --patience {-(-case.seconds // 20) * 20}"
        return ""

    async def begin(self, case: DriftCase) -> httpx.AsyncBaseTransport:
        await self.client.begin()
        return _Live(self, case.id)

    async def advance(self, seconds: int) -> bool:
        return await self.client.advance(seconds)


class _Live(httpx.AsyncBaseTransport):
    """The way to the sandbox for one case. When the gateway asks to wait, it is asked again after that: a call that it
    did not let in had no effect. When it fails, it is asked once more: what it then says is its answer."""

    def __init__(self, side: SandboxEndpoint, case: str) -> None:
        self._side, self._client, self._case = side, side.client, case

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        answer = await self._send(request)
        if answer.status_code == 429:
            answer = await self._later(request, answer)
        elif answer.status_code >= 500 and _may_be_repeated(request):
            answer = await self._send(request)
        if self._side.on_exchange:
            kind: Literal["api", "page"] = "api" if self._is_call(request) else "page"
            asked, answered = request_of(request), response_of(answer)
            self._side.on_exchange(
                SandboxExchange(kind=kind, probe=self._case, at=0.0, request=asked, response=answered)
            )
        return answer

    def _is_call(self, request: httpx.Request) -> bool:
        return str(request.url).startswith(self._side.base_url)

    async def _send(self, request: httpx.Request) -> httpx.Response:
        send = self._client.call if self._is_call(request) else self._client.page
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
        try:
            answer = await send(request.method, request.url, headers, request.content)
        except (httpx.HTTPError, TimeoutError) as error:
            why = f"no answer from the sandbox ({type(error).__name__}: {error or 'it hung up'})"
            raise Unanswered(why, place=self._client.address.origin) from None
        return _unpacked(answer.status_code, answer.headers.multi_items(), answer.content, request)

    async def _later(self, request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        pause = seconds_asked(answer.headers.items())
        if pause is None or pause > _LONGEST_PAUSE:
            asked = "and does not say how long to wait" if pause is None else f"and asks to wait {pause:g} s"
            raise Unanswered(f"the sandbox answers 429, too many requests, {asked}", place="sandbox.rate")
        self._client.budget.note(f"the sandbox asks to wait {pause:g} s")
        await asyncio.sleep(pause)
        answer = await self._send(request)
        if answer.status_code == 429:
            raise Unanswered(
                f"the sandbox answers 429, too many requests, also after the {pause:g} s that it asked to wait",
                place="sandbox.rate",
            )
        return answer


def _may_be_repeated(request: httpx.Request) -> bool:
    """Not what a customer sends off at the hosted checkout, which may have been booked."""
    return request.method == "GET" or "authorization" in request.headers or "json" in request.headers.get("accept", "")


class RecordedEndpoint:
    """A recording of the sandbox: each case is answered by its own exchanges, in their order."""

    is_live = False
    account: Mapping[str, Json] = {}

    def __init__(self, recording: DriftRecording, profile: Profile, settings: SandboxTable | None) -> None:
        self.base_url, self.where, self.observed = recording.base_url, recording.where, recording.observed
        self.redactor = Redactor()
        keys = (f"{whose}-{what}" for whose in ("recorded", "other") for what in ("client-id", "secret-key"))
        self.values = _values(recording.site, recording.checkout, *keys)
        self.payers = _payers(settings, profile) if settings else profile.payers
        self._exchanges = recording.exchanges

    def lacks(self, case: DriftCase) -> str:
        return "" if case.id in self._exchanges else "is not in the cassette"

    async def begin(self, case: DriftCase) -> httpx.AsyncBaseTransport:
        return _Replay(self._exchanges[case.id])

    async def advance(self, seconds: int) -> bool:
        return True


class _Replay(httpx.AsyncBaseTransport):
    def __init__(self, exchanges: Sequence[RecordedExchange]) -> None:
        self._left = list(exchanges)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self._left or self._left[0].request.method != request.method:
            raise Unanswered(f"the cassette has no answer to this {request.method} request")
        recorded = self._left.pop(0).response
        return _unpacked(recorded.status, recorded.headers, recorded.body.encode(), request)


def _unpacked(
    status: int, headers: Sequence[tuple[str, str]], content: bytes, request: httpx.Request
) -> httpx.Response:
    """An answer in memory, without the headers that speak of its body as it was packed."""
    packed = ("content-encoding", "content-length", "transfer-encoding")
    kept = [pair for pair in headers if pair[0].lower() not in packed]
    return httpx.Response(status, headers=kept, content=content, request=request)


def _values(site: str, checkout: str, *keys: str) -> Mapping[str, str]:
    """``checkout``: empty where it is the site's. ``keys``: client id and secret key of a merchant; of a second one too, where there is
    one."""
    names = ("client_id", "secret_key", "other_client_id", "other_secret_key")
    return {"site": site, "checkout": checkout or site} | dict(zip(names, keys, strict=False))


def _hide(redactor: Redactor, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        if name not in ("site", "checkout"):
            for text in (value, value.swapcase()):
                redactor.add(name.replace("_", "-"), text)


def _payers(settings: SandboxTable, profile: Profile) -> dict[str, Payer]:
    """The configured payers; the one who pays is the family's published one unless the configuration names another."""
    found = {"paid": profile.payers["paid"]} if "paid" in profile.payers else dict[str, Payer]()
    for name, each in settings.payers.items():
        found[name] = Payer(each.login, each.password, name, otp=each.otp)
    return found
