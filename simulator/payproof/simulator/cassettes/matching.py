"""Which recorded exchange answers a request: by its meaning first, then by the order within the recording."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from payproof.contracts.comparing import fields
from payproof.contracts.entries import Request, header
from payproof.contracts.events import AnyEvent, Opened
from payproof.simulator.cassettes.reading import RecordedExchange, Recording


@dataclass(frozen=True, slots=True)
class CassetteMatch:
    """``repeated``: it was played before. ``late``: what followed it in its probe run was played before it."""

    exchange: RecordedExchange
    repeated: bool = False
    late: bool = False


def _pages(recording: Recording) -> Iterator[tuple[str, str]]:
    """(what the hosted page of a payment is called, the payment), on gateways where that is not the payment's id."""
    profile = recording.profile
    opened = [each.event for each in recording.exchanges if isinstance(each.event, Opened)] if profile else []
    for event in opened:
        if profile and event.payment and event.payment_url and (name := profile.payment_of(event.payment_url)):
            yield name, event.payment


class CassetteIndex:
    """The exchanges of a recording, and which of them were played."""

    def __init__(self, recording: Recording) -> None:
        self.exchanges = recording.exchanges
        assert recording.stamp
        self._sites = tuple(filter(None, (recording.stamp.upstream, recording.stamp.checkout)))
        payments = [p for each in self.exchanges if each.event.operation and (p := each.event.payment)]
        self._names = {payment: payment for payment in payments} | dict(_pages(recording))
        self._acts = tuple(each for each in self.exchanges if self._is_act(each))
        self._played: set[int] = set()
        self._furthest: dict[str, int] = {}
        self._keys: dict[str, RecordedExchange] = {}

    def payment_in(self, exchange: RecordedExchange) -> str:
        """The payment that an exchange is about; empty when none can be known."""
        return exchange.event.payment or self._named_in(exchange.request)

    def _named_in(self, request: Request) -> str:
        """The payment that a page's path, query or form names."""
        parts = urlsplit(request.url)
        asked = (parts.path, parts.query, request.body)
        return next((payment for text in asked for name, payment in self._names.items() if name in text), "")

    # Calls of the integration

    def call(self, asked: AnyEvent, request: Request, probe: str) -> CassetteMatch | None:
        """The exchange that answers a call; None when nothing like it was recorded."""
        alike = [each for each in self.exchanges if each.kind == "api" and each.operation == asked.operation]
        if not asked.operation:
            alike = [each for each in alike if _path(each.request) == _path(request)]
        if asked.payment:
            return self._about_payment([e for e in alike if e.event.payment == asked.payment], probe)
        if isinstance(asked, Opened) and (asked.amount is not None or asked.reference is not None):
            return self._opening(alike, asked, probe)
        return self._first(alike, probe, again=asked.operation != "" or request.method == "GET")

    def _about_payment(self, alike: list[RecordedExchange], probe: str) -> CassetteMatch | None:
        """Only what was answered between the same two acts of the customer: before paying, nobody is told of a payment."""
        if not alike:
            return None
        payment = self.payment_in(alike[0])
        acts = [each.n for each in self._acts if self.payment_in(each) == payment]
        done = max((n for n in acts if n in self._played), default=0)
        following = min((n for n in acts if n > done), default=len(self.exchanges) + 1)
        return self._first([each for each in alike if done < each.n < following], probe, again=True)

    def _opening(self, alike: list[RecordedExchange], asked: Opened, probe: str) -> CassetteMatch | None:
        if asked.idempotency_key and (known := self._keys.get(asked.idempotency_key)):
            return CassetteMatch(known, repeated=True)
        here = [each for each in alike if each.n not in self._played and each.probe == probe]
        elsewhere = [
            each
            for each in alike
            if each.n not in self._played and each.probe != probe and _reference(each.event) == asked.reference
        ]
        best = max(here or elsewhere, key=lambda each: (_likeness(each.event, asked), -each.n), default=None)
        if best is None:
            return None
        if asked.idempotency_key:
            self._keys[asked.idempotency_key] = best
        return self._play(best)

    # Pages that the customer asks for

    def page(self, request: Request, probe: str) -> CassetteMatch | None:
        """``request``: with the sandbox's own address."""
        alike = [
            each
            for each in self.exchanges
            if each.kind == "page"
            and each.request.method == request.method
            and _path(each.request) == _path(request)
            and fields.of_query(each.request.url).keys() == fields.of_query(request.url).keys()
        ]
        if payment := self._named_in(request):
            alike = [each for each in alike if self.payment_in(each) in ("", payment)]
        return self._first(alike, probe, again=request.method in ("GET", "HEAD"))

    def _is_act(self, exchange: RecordedExchange) -> bool:
        """A page that may change what the gateway knows of a payment: it leads away from the gateway, or is a form's last."""
        if exchange.kind != "page":
            return False
        location = header(exchange.response.headers, "location")
        if "://" in location and not location.startswith(self._sites):
            return True
        if exchange.request.method in ("GET", "HEAD"):
            return False
        payment = self.payment_in(exchange)
        return not any(
            later.kind == "page" and later.n > exchange.n and later.probe == exchange.probe
            for later in self.exchanges[exchange.n :]
            if payment and self.payment_in(later) == payment
        )

    # Playing

    def _first(self, alike: list[RecordedExchange], probe: str, *, again: bool) -> CassetteMatch | None:
        """The next one of this probe that was not played, else of another; else, where asking again changes nothing, the last."""
        fresh = [each for each in alike if each.n not in self._played]
        chosen = next((each for each in fresh if each.probe == probe), None)
        if chosen is None and (played := [e for e in alike if e.n in self._played and e.probe == probe]) and again:
            return CassetteMatch(played[-1], repeated=True)
        chosen = chosen or next(iter(fresh), None)
        if chosen is not None:
            return self._play(chosen)
        return CassetteMatch(alike[-1], repeated=True) if alike and again else None

    def _play(self, exchange: RecordedExchange) -> CassetteMatch:
        self._played.add(exchange.n)
        if exchange.kind != "api":
            return CassetteMatch(exchange)
        furthest = self._furthest.get(exchange.probe, 0)
        self._furthest[exchange.probe] = max(furthest, exchange.n)
        return CassetteMatch(exchange, late=exchange.n < furthest)

    def left(self, performed: Callable[[str], bool]) -> Iterable[RecordedExchange]:
        """What was not played, of the probes that were performed."""
        return (each for each in self.exchanges if each.n not in self._played and performed(each.probe))

    @property
    def started(self) -> bool:
        return bool(self._played)


def _reference(event: AnyEvent) -> str | None:
    return event.reference if isinstance(event, Opened) else None


def _likeness(recorded: AnyEvent, asked: Opened) -> tuple[bool, bool]:
    return (
        _reference(recorded) is not None and _reference(recorded) == asked.reference,
        isinstance(recorded, Opened) and (recorded.amount, recorded.currency) == (asked.amount, asked.currency),
    )


def _path(request: Request) -> str:
    return urlsplit(request.url).path.rstrip("/")
