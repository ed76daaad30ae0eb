"""When does the integration hang up? Seconds at the socket, from the call's first byte until the client closed its connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, TypeVar

from payproof.contracts.behaviour.waiting import PageWaits
from payproof.contracts.behaviour.why import missed, why_not
from payproof.contracts.entries import Call, Connection, Page
from payproof.contracts.judging.probe_runs import probe_runs
from payproof.contracts.model import Pointer
from payproof.contracts.profile import Limits
from payproof.contracts.run import RecordedWorld, Run

Stall: TypeAlias = Literal["connect", "tls", "first-byte", "body", "drip", "longest"]
"""Where a call stands still: the connection is not accepted; its handshake is not answered; not a byte of the answer comes; its
headers come, and no body; it comes a byte at a time, or without an end. ``longest``: whatever held any call of the run."""

STALLS: Mapping[Stall, tuple[str, ...]] = {
    "connect": ("backlog",),
    "tls": ("silent", "tls-silence"),
    "first-byte": ("never-answer",),
    "body": ("stall",),
    "drip": ("drip", "drip-headers", "endless"),
}
"""Names of the faults that make each."""
AT_THE_CONNECTION: frozenset[Stall] = frozenset(("connect", "tls"))
REQUIREMENTS: Mapping[Stall, str] = {
    "connect": "timeout.connect",
    "tls": "timeout.connect",
    "first-byte": "timeout.response",
    "body": "timeout.response",
    "drip": "timeout.drip",
}
"""What judges each, and tells whether its probe was part of the run."""

_EARLIER = 0.5
"""Seconds by which a customer must be answered before the call ends, for the two to have different limits."""
_AS_LONG = 0.9
_AT_ONCE = 0.1
"""Seconds by which the end of one try may be noted after the next one has begun."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long one kind of call was waited for. One of ``seconds``, ``watched`` and ``unmeasured`` is set.

    ``seconds``: until the client hung up. ``watched``: it had not when we stopped looking, after so many seconds. ``answered``:
    seconds after which the customer had an answer while the call stayed open.
    """

    stall: Stall
    operation: str
    limit: float
    seconds: float | None = None
    watched: float | None = None
    answered: float | None = None
    attempts: int = 1
    """Calls, or attempts to connect, that were held so; the figure is that of the longest."""
    unmeasured: str = ""
    evidence: tuple[Pointer, ...] = ()


def patience(run: Run, operations: Sequence[str], limits: Limits) -> tuple[Patience, ...]:
    """Every stall at every operation, in this order."""
    held = [(world, call) for world in run.worlds for call in world.of(Call)]
    waiting = {world.name: PageWaits(world) for world in run.worlds}
    found: list[Patience] = []
    if not operations:
        return ()
    for stall, faults in STALLS.items():
        if stall in AT_THE_CONNECTION:
            figure = Patience(stall=stall, operation="", limit=_limit(stall, limits))
            found += connecting(run, figure, operations, waiting)
            continue
        for operation in operations:
            calls = [(world, call) for world, call in held if call.fault in faults and _is(call, operation)]
            figure = Patience(stall=stall, operation=operation, limit=_limit(stall, limits))
            found.append(_measured(figure, calls, waiting) if calls else _unmeasured(figure, run, faults))
    for operation in operations:
        calls = [(world, call) for world, call in held if _is(call, operation)]
        found.append(_longest(operation, calls, limits))
    return tuple(found)


def connecting(
    run: Run, figure: Patience, operations: Sequence[str], waiting: Mapping[str, PageWaits]
) -> list[Patience]:
    """A stall before a request is read. Which call would have been made is known where the probe says so; else there is one
    figure, for all of them."""
    faults = STALLS[figure.stall]
    met: dict[str, list[_Held]] = {}
    for probe_run in probe_runs(run):
        named = str(probe_run.params.get("operation", ""))
        operation = named if named in operations else ""
        held_up = tuple(
            each
            for each in probe_run.of(Connection)
            if each.fault in faults
            and each.seconds is not None
            and _waits(each, figure.stall, secure=run.settings.secure)
        )
        met.setdefault(operation, []).extend(_Held(probe_run.world, each, held_up) for each in held_up)
    if not any(met.values()) and figure.stall == "tls" and not run.settings.secure:
        return [replace(figure, unmeasured="this run was over plain HTTP")]
    if not any(met.values()):
        return [_unmeasured(figure, run, faults)]
    return [
        _attempted(replace(figure, operation=operation), met[operation], waiting)
        for operation in ("", *operations)
        if met.get(operation)
    ]


@dataclass(frozen=True, slots=True)
class _Held:
    """A connection that got no further, and all of its probe run that did not."""

    world: RecordedWorld
    entry: Connection
    together: tuple[Connection, ...]

    @property
    def given_up(self) -> bool:
        return self.entry.ended_by == "client"


def _waits(each: Connection, stall: Stall, *, secure: bool) -> bool:
    """Whether the client waited for what does not come: for a handshake only who has begun one."""
    return stall != "tls" or (secure and each.first_byte is not None)


def _attempted(figure: Patience, met: Sequence[_Held], waiting: Mapping[str, PageWaits]) -> Patience:
    """The longest of them, and how many there were in its probe run."""
    longest = max(met, key=lambda found: found.entry.seconds or 0.0)
    if not longest.given_up and (longest.entry.seconds or 0.0) <= figure.limit:
        lasted, given_up = longest.entry.seconds or 0.0, [each for each in met if each.given_up]
        began = longest.entry.began if longest.entry.began is not None else longest.entry.at
        ends = [(each.entry.began or each.entry.at) + (each.entry.seconds or 0.0) for each in given_up]
        left = _left_behind(waiting[longest.world.name].at(began), began, began + lasted, ends)
        ended = ((each, each.entry.seconds or 0.0) for each in given_up)
        longest = _ended_before(longest, lasted, ended, left_behind=left)
    world, entry = longest.world, longest.entry
    lasted = round(entry.seconds or 0.0, 3)
    began = entry.began if entry.began is not None else entry.at
    page = _answered_early(waiting[world.name].at(began), began + lasted)
    return replace(
        figure,
        seconds=lasted if longest.given_up else None,
        watched=None if longest.given_up else lasted,
        attempts=len(longest.together),
        answered=round(page.ended - began, 3) if page else None,
        evidence=world.point(entry, page),
    )


def _answered_early(page: Page | None, ended: float) -> Page | None:
    """The page, where it was answered well before what it led to had ended."""
    return page if page is not None and page.response is not None and page.ended < ended - _EARLIER else None


def _is(call: Call, operation: str) -> bool:
    return call.event.operation == operation


def _limit(stall: Stall, limits: Limits) -> float:
    return {"connect": limits.connect, "tls": limits.connect, "drip": limits.whole}.get(stall, limits.call)


def _measured(
    figure: Patience, calls: Sequence[tuple[RecordedWorld, Call]], waiting: Mapping[str, PageWaits]
) -> Patience:
    found = max(calls, key=lambda each: each[1].seconds)
    if found[1].ending != "hung_up" and found[1].seconds <= figure.limit:
        given_up = [each for each in calls if each[1].ending == "hung_up"]
        page, ends = waiting[found[0].name].page(found[1]), [call.ended for _, call in given_up]
        left = _left_behind(page, found[1].began, found[1].ended, ends)
        found = _ended_before(found, found[1].seconds, ((each, each[1].seconds) for each in given_up), left_behind=left)
    world, longest = found
    page = _answered_early(waiting[world.name].page(longest), longest.ended)
    return replace(
        figure,
        seconds=round(longest.seconds, 3) if longest.ending == "hung_up" else None,
        watched=round(longest.seconds, 3) if longest.ending != "hung_up" else None,
        attempts=len(calls),
        answered=round(page.ended - longest.began, 3) if page else None,
        evidence=world.point(longest, page),
    )


def _left_behind(page: Page | None, began: float, broken_off: float, given_up: Iterable[float]) -> bool:
    """Whether a try that followed another (``given_up``: when these ended) was broken off by us when the customer had an answer: some
    clients forget a socket when they try again."""
    if page is None or page.response is None or page.ended >= broken_off:
        return False
    return any(ended < began + _AT_ONCE for ended in given_up)


def _ended_before(broken_off: T, lasted: float, given_up: Iterable[tuple[T, float]], *, left_behind: bool) -> T:
    """What we broke off after ``lasted`` seconds; or what the client gave up before, where that had lasted about as long, and so has
    the same limit, or where nobody cared for the other any more (``left_behind``)."""
    found = max(given_up, key=lambda each: each[1], default=(broken_off, 0.0))
    return found[0] if found[1] >= lasted * _AS_LONG or (left_behind and found[1]) else broken_off


def _longest(operation: str, calls: Sequence[tuple[RecordedWorld, Call]], limits: Limits) -> Patience:
    if not calls:
        why = f"no {operation} call was made"
        return Patience(stall="longest", operation=operation, limit=limits.whole, unmeasured=why)
    world, call = max(calls, key=lambda found: found[1].seconds)
    return Patience(
        stall="longest",
        operation=operation,
        limit=limits.whole,
        seconds=round(call.seconds, 3),
        evidence=world.point(call),
    )


def _unmeasured(figure: Patience, run: Run, faults: Iterable[str]) -> Patience:
    call = f"{figure.operation} call" if figure.operation else "connection"
    why = why_not(run, REQUIREMENTS[figure.stall]) or missed(run, call, tuple(faults))
    return replace(figure, unmeasured=why)
