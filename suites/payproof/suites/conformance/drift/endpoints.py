"""Who is asked: the simulator in this process, the sandbox over HTTPS, or a recording of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from payproof.contracts.catalogue import CaseRequest, DriftCase
from payproof.contracts.entries import Request, Response
from payproof.contracts.model import Json, PayproofError
from payproof.contracts.profile import Payer, Profile
from payproof.contracts.secrets import Redactor
from payproof.simulator.relay.rate_budget import BudgetSpent, RateBudget, Reservation
from payproof.simulator.relay.sandbox_exchange import OnExchange, SandboxExchange
from payproof.simulator.relay.upstream import SandboxAddress, Upstream
from payproof.simulator.simulator import Simulator
from payproof.suites.config.models import SandboxTable
from payproof.suites.conformance.drift.template import references

_HOST = "https://simulator.payproof.test"
PATIENCE = 30.0
"""Seconds that one answer may take."""
_LONGEST_PAUSE = 120


_UNPACKED = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers that speak of a body as it was packed."""


class Unanswered(PayproofError):
    """A request that got no answer; the rest of the case cannot be told."""


class Elsewhere(PayproofError):
    """An answer leads to a host that is not the sandbox's; the rest of the case cannot be told."""


class Side(Protocol):
    """One of those that are compared. ``base_url``: of its API; ``values``: what requests may refer to."""

    @property
    def name(self) -> str: ...
    @property
    def base_url(self) -> str: ...
    @property
    def values(self) -> Mapping[str, str]: ...
    @property
    def payers(self) -> Mapping[str, Payer]: ...
    @property
    def redactor(self) -> Redactor: ...

    def lacks(self, case: DriftCase) -> str:
        """Why the case cannot be told here; empty when it can."""
        ...

    async def begin(self, case: DriftCase) -> httpx.AsyncBaseTransport:
        """The way to this side for one case. Waits as long as manners ask."""
        ...

    async def advance(self, seconds: int) -> bool:
        """Move its clock on. False: it takes real time."""
        ...


def site_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class SimulatorEndpoint:
    """The simulator in this process, a new one for each case, so that no case sees another's limits and clock."""

    name = "simulator"

    def __init__(self, profile: Profile, knobs: Mapping[str, Json]) -> None:
        self._profile, self._knobs = profile, knobs
        self.base_url = _HOST + profile.base_path
        self.payers, self.redactor = profile.payers, Redactor()
        self._now = self._fresh()
        self.knobs = self._now.knobs

    def _fresh(self) -> Simulator:
        made = Simulator(self._profile, knobs=self._knobs)
        own, other = made.add_merchant(), made.add_merchant("other")
        self.values: Mapping[str, str] = _values(self.base_url, own.client_id, own.secret_key) | {
            "other_client_id": other.client_id,
            "other_secret_key": other.secret_key,
        }
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


class Sandboxed:
    """The gateway's sandbox, with manners. ``patience``: real seconds that may be waited for its clock.

    ``tape`` is told of every exchange.
    """

    name = "sandbox"

    def __init__(
        self, settings: SandboxTable, address: SandboxAddress, profile: Profile, *,
        patience: float, manners: RateBudget, on_exchange: OnExchange | None = None,
    ) -> None:  # fmt: skip
        self.base_url = address.base_url
        self.values: Mapping[str, str] = _values(self.base_url, settings.client_id, settings.secret_key)
        other = settings.other
        self._unset = other.missing if other else ()
        if other and not self._unset:
            self.values = {
                **self.values,
                "other_client_id": other.client_id,
                "other_secret_key": other.secret_key,
            }
        self.payers = _payers(settings, profile)
        self.redactor, self.manners, self._on_exchange = Redactor(), manners, on_exchange
        _hide(self.redactor, self.values)
        self._patience = patience
        self._share: Reservation | None = None
        self._upstream = Upstream(address, manners, patience=PATIENCE)

    def lacks(self, case: DriftCase) -> str:
        if missing := sorted(case.payers - set(self.payers)):
            return f"needs a payer who is {missing[0]}: [sandbox.payers.{missing[0]}]"
        asked = frozenset[str]().union(*(references(each.json) for each in case.steps if isinstance(each, CaseRequest)))
        if any(name.startswith("other_") for name in asked) and "other_client_id" not in self.values:
            unset = f", not set: {', '.join(self._unset)}" if self._unset else ""
            return f"needs the credentials of a second merchant: [sandbox.other]{unset}"
        if case.seconds and not self._upstream.sandbox.clock and case.seconds > self._patience:
            return f"needs the gateway's clock to move by {case.seconds} s: --patience {-(-case.seconds // 20) * 20}"
        return ""

    async def begin(self, case: DriftCase) -> httpx.AsyncBaseTransport:
        # One case is told at a time; what the last one did not use of its share is free again.
        if self._share is not None:
            self.manners.release(self._share)
        self._share = await self.manners.admit()
        return Guarded(self, case.id)

    async def advance(self, seconds: int) -> bool:
        if not self._upstream.sandbox.clock:
            return False
        await self._upstream.advance(seconds)
        return True

    async def send(self, request: httpx.Request) -> httpx.Response:
        """One request to the sandbox's own host."""
        url = str(request.url)
        if site_of(url) != site_of(self.base_url):
            raise Elsewhere(f"its answer leads to {urlsplit(url).netloc}, which is not the sandbox: not opened")
        is_call = url.startswith(self.base_url)
        body = await request.aread()
        asked = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
        if is_call:
            if self.manners.sent >= self.manners.budget:
                raise BudgetSpent(f"the budget of {self.manners.budget} requests is spent", place="sandbox.budget")
            await self.manners.go(lambda: self._share)
        try:
            answer = await self._upstream.send(request.method, str(request.url), asked, body)
        except (httpx.HTTPError, TimeoutError) as error:
            raise Unanswered(_unreached(error), place=site_of(url)) from None
        headers = [pair for pair in answer.headers.multi_items() if pair[0].lower() not in _UNPACKED]
        return httpx.Response(answer.status_code, headers=headers, content=answer.content, request=request)

    async def keep(self, request: httpx.Request, answer: httpx.Response, case: str) -> None:
        """Write an exchange on the tape."""
        if self._on_exchange:
            page = not str(request.url).startswith(self.base_url)
            self._on_exchange(_taped(request, await request.aread(), answer, case, page=page))

    async def aclose(self) -> None:
        await self._upstream.aclose()


class Guarded(httpx.AsyncBaseTransport):
    """The way to the sandbox for one case. When the gateway asks to wait, it is asked again after that: a call that it
    did not let in had no effect. When it fails, it is asked once more: what it then says is its answer."""

    def __init__(self, side: Sandboxed, case: str) -> None:
        self._side, self._case = side, case

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._side.send(request)
        if answer.status_code == 429:
            answer = await self._later(request, answer)
        elif answer.status_code >= 500 and _may_be_repeated(request):
            answer = await self._side.send(request)
        await self._side.keep(request, answer, self._case)
        return answer

    async def _later(self, request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        pause = answer.headers.get("retry-after", "")
        if not pause.isdigit() or int(pause) > _LONGEST_PAUSE:
            asked = f"and asks to wait {pause} s" if pause else "and does not say how long to wait"
            raise Unanswered(f"the sandbox answers 429, too many requests, {asked}", place="sandbox.rate")
        self._side.manners.note(f"the sandbox asks to wait {pause} s")
        await asyncio.sleep(int(pause))
        answer = await self._side.send(request)
        if answer.status_code == 429:
            raise Unanswered(
                f"the sandbox answers 429, too many requests, also after the {pause} s that it asked to wait",
                place="sandbox.rate",
            )
        return answer


def _may_be_repeated(request: httpx.Request) -> bool:
    """Not what a customer sends off at the hosted checkout, which may have been booked."""
    return request.method == "GET" or "authorization" in request.headers or "json" in request.headers.get("accept", "")


class Recorded:
    """A recording of the sandbox: each case is answered by its own exchanges, in their order."""

    name = "cassette"

    def __init__(
        self,
        exchanges: Mapping[str, list[SandboxExchange]],
        base_url: str,
        profile: Profile,
        settings: SandboxTable | None,
    ) -> None:
        self.base_url, self.redactor = base_url, Redactor()
        self.values: Mapping[str, str] = _values(base_url, "recorded-client-id", "recorded-secret-key")
        self.values = {**self.values, "other_client_id": "other-client-id", "other_secret_key": "other-secret-key"}
        self.payers = _payers(settings, profile) if settings else profile.payers
        self._exchanges = exchanges

    def lacks(self, case: DriftCase) -> str:
        return "" if case.id in self._exchanges else "is not in the cassette"

    async def begin(self, case: DriftCase) -> httpx.AsyncBaseTransport:
        return _Replay(list(self._exchanges[case.id]))

    async def advance(self, seconds: int) -> bool:
        return True


class _Replay(httpx.AsyncBaseTransport):
    def __init__(self, exchanges: list[SandboxExchange]) -> None:
        self._left = exchanges

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self._left or self._left[0].request.method != request.method:
            raise Unanswered(f"the cassette has no answer to this {request.method} request")
        told = self._left.pop(0).response
        headers = [(name, value) for name, value in told.headers if name.lower() != "content-length"]
        return httpx.Response(told.status, headers=headers, content=told.body.encode(), request=request)


def _values(base_url: str, client_id: str, secret_key: str) -> dict[str, str]:
    return {"site": site_of(base_url), "client_id": client_id, "secret_key": secret_key}


def _hide(redactor: Redactor, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        if name != "site":
            for text in (value, value.swapcase()):
                redactor.add(name.replace("_", "-"), text)


def _payers(settings: SandboxTable, profile: Profile) -> dict[str, Payer]:
    """The configured payers; the one who pays is the family's published one unless the configuration names another."""
    found = {"paid": profile.payers["paid"]} if "paid" in profile.payers else dict[str, Payer]()
    for name, each in settings.payers.items():
        found[name] = Payer(each.login, each.password, name, otp=each.otp)
    return found


def _unreached(error: Exception) -> str:
    return f"no answer from the sandbox ({type(error).__name__}: {error or 'it hung up'})"


def _taped(request: httpx.Request, sent: bytes, answer: httpx.Response, case: str, *, page: bool) -> SandboxExchange:
    text = answer.text
    return SandboxExchange(
        kind="page" if page else "api", story=case, at=0.0,
        request=Request(
            method=request.method, url=str(request.url), headers=tuple(request.headers.multi_items()),
            body=sent.decode("utf-8", "replace"),
        ),
        response=Response(
            status=answer.status_code, headers=tuple(answer.headers.multi_items()), body=text, size=len(answer.content)
        ),
    )  # fmt: skip
