"""What follows when a call fails: how often it is sent again and when, and how long the customer waits for what answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias, get_args

from payproof.contracts.behaviour.connections import CERTIFICATES
from payproof.contracts.behaviour.waiting import PageWaits
from payproof.contracts.entries import Call, Page
from payproof.contracts.events import VERIFYING
from payproof.contracts.model import Pointer
from payproof.contracts.reading.naming import refers
from payproof.contracts.reading.retry_after import EARLY, seconds_asked
from payproof.contracts.run import RecordedWorld, Run

Failing: TypeAlias = Literal["late", "lost", "unauthorized", "limited", "broken", "refused", "unreadable", "slow"]
"""What the integration met: no end of an answer for seconds; a connection that ended without one; 401; 429; 5xx; another 4xx; a
2xx whose body was not the gateway's; the gateway's own answer, after seconds."""
FAILINGS: tuple[Failing, ...] = get_args(Failing)

_NO_FAILURE = frozenset(("gather", *CERTIFICATES))
"""Faults with which a call succeeds: answers that come at the same moment, certificates that somebody takes."""
_LATE, _SLOW = 5.0, 1.0
"""Seconds: a connection that ends without an answer after so long was not simply lost; an answer that takes so long is slow."""
_EARLIER = 0.5
"""Seconds by which a customer must be answered before a call ends, not to have waited for its end."""
_PAUSE, _QUICK = 1.0, 0.2
"""Seconds within which a call without a customer belongs to the one before; of a background job's next look, the shorter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The worst that one way of failing led to, at one operation.

    ``attempts``: how often one original request was sent, at most; ``gaps``: seconds between the end of each of these attempts
    and the next; ``went_through``: the last one met no fault. ``waited``: seconds that a customer waited for the shop's answer, at
    most, and ``status`` that answer's HTTP status, 0 where there was none; None: nobody waited. ``let_go``: it came only because the
    gateway ended the call that it had held.
    """

    failing: Failing
    operation: str
    requests: int
    """Original requests that failed so."""
    attempts: int
    gaps: tuple[float, ...]
    went_through: bool = False
    waited: float | None
    status: int
    let_go: bool = False
    evidence: tuple[Pointer, ...]
    """The attempts, and the page that was waited for longest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryAfter:
    """A 429 that said when to come again. ``after``: seconds until the same call came again by itself; None: it did not, in its
    probe run, or a customer asked for it first."""

    operation: str
    asked: float
    after: float | None
    evidence: tuple[Pointer, ...]

    @property
    def obeyed(self) -> bool:
        return self.after is None or self.after >= self.asked - EARLY


@dataclass(frozen=True, slots=True)
class Series:
    """One original request that met a failure: its attempts in their order, and the page that waited for it."""

    world: RecordedWorld
    attempts: tuple[Call, ...]
    page: Page | None


def failures(run: Run, operations: Sequence[str]) -> tuple[Failure, ...]:
    """Every way of failing that an operation met, in the order of ``FAILINGS`` and ``operations``."""
    found: dict[tuple[Failing, str], list[Series]] = {}
    for world in run.worlds:
        for series in _series(world):
            first = series.attempts[0]
            if (failing := _failing(first)) is not None:
                found.setdefault((failing, first.event.operation), []).append(series)
    return tuple(
        _failure(failing, operation, found[failing, operation])
        for failing in FAILINGS
        for operation in operations
        if (failing, operation) in found
    )


def _failure(failing: Failing, operation: str, found: Sequence[Series]) -> Failure:
    most = max(found, key=lambda series: len(series.attempts))
    waits = [(page.ended - page.began, series, page) for series in found if (page := series.page) is not None]
    waited, longest, page = max(waits, key=lambda wait: wait[0], default=(None, most, None))
    return Failure(
        failing=failing,
        operation=operation,
        requests=len(found),
        attempts=len(most.attempts),
        gaps=tuple(round(max(after.began - before.ended, 0.0), 3) for before, after in pairwise(most.attempts)),
        went_through=not most.attempts[-1].fault,
        waited=None if waited is None else round(waited, 3),
        status=page.response.status if page and page.response else 0,
        let_go=page is not None and any(_let_go(call, page) for call in longest.attempts),
        evidence=(*most.world.point(*most.attempts[:3]), *longest.world.point(page)),
    )


def _let_go(call: Call, page: Page) -> bool:
    """Whether it was held for long, until we ended it, and the page was waited for as long."""
    return call.ending in ("cut", "held") and _failing(call) == "late" and page.ended > call.ended - _EARLIER


def _series(world: RecordedWorld) -> Iterator[Series]:
    """Original requests that met a fault. What one page waits for is one request's doing; without a customer, what follows
    without a pause is."""
    waiting = PageWaits(world)
    calls = sorted(world.of(Call), key=lambda call: call.began)
    unasked = any(call.role in VERIFYING and waiting.page(call) is None for call in calls)
    taken: set[int] = set()
    for place, first in enumerate(calls):
        if not first.fault or first.fault in _NO_FAILURE or first.n in taken:
            continue
        page = waiting.page(first)
        pause = _QUICK if unasked and first.role in VERIFYING else _PAUSE
        attempts = list(_attempts(calls[place:], page, pause))
        taken |= {call.n for call in attempts}
        yield Series(world, tuple(attempts), page)


def _attempts(calls: Sequence[Call], page: Page | None, pause: float) -> Iterator[Call]:
    """The first of these calls, and those of the others that were sent again for the same purpose."""
    last = calls[0].ended
    for call in calls:
        if call.began > (page.ended if page else last + pause):
            break
        if _same(call, calls[0], page.order if page else ""):
            last = max(last, call.ended)
            yield call
            if _failing(calls[0]) == "late" and call.ending in ("cut", "held"):
                break  # what follows is sent because we ended the call, and not because it took long


def _same(call: Call, first: Call, order: str = "") -> bool:
    """The same call about the same payment or order; token calls are about neither. ``order``: that of the page that waits, which each
    attempt may refer to in its own way."""
    if call.event.operation != first.event.operation:
        return False
    if first.role == "open":
        asked, before = call.opened.reference or "", first.opened.reference or ""
        return asked == before or (refers(asked, order) and refers(before, order))
    return first.role == "authenticate" or call.event.payment == first.event.payment


def _failing(call: Call) -> Failing | None:
    if call.ending != "answered" or call.response is None:
        return "late" if call.ending == "hung_up" or call.seconds >= _LATE else "lost"
    status = call.response.status
    if status >= 400:
        named: dict[int, Failing] = {401: "unauthorized", 429: "limited"}
        return named.get(status, "broken" if status >= 500 else "refused")
    return "slow" if call.seconds >= _SLOW else "unreadable"


def retry_after(run: Run) -> tuple[RetryAfter, ...]:
    """Every 429 whose Retry-After can be read."""
    return tuple(found for world in run.worlds for found in _retries(world))


def _retries(world: RecordedWorld) -> Iterator[RetryAfter]:
    calls = sorted(world.of(Call), key=lambda call: call.began)
    pages = [page.began for page in world.of(Page) if page.where == "integration"]
    for call in calls:
        if call.response is None or call.response.status != 429:
            continue
        wait = seconds_asked(call.response.headers)
        if wait is None:
            continue
        again = next((each for each in calls if each.began > call.ended and _same(each, call)), None)
        if again is not None and any(call.ended < began <= again.began for began in pages):
            again = None
        yield RetryAfter(
            operation=call.event.operation,
            asked=wait,
            after=round(again.began - call.ended, 3) if again else None,
            evidence=world.point(call, again),
        )
