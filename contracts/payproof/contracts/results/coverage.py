"""What a run tried to break: which fault met which call, in which phase, and what then happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from payproof.contracts.behaviour.connections import (
    CERTIFICATES,
    UNKNOWN_AUTHORITY,
    UNKNOWN_CERTIFICATE,
    of_unknown_certificate,
)
from payproof.contracts.entries import Call, Connection, Entry, FaultSet, OrderSeen, Page
from payproof.contracts.judging.probe_runs import ProbeRun, probe_runs
from payproof.contracts.model import Pointer
from payproof.contracts.reading.pages import broken
from payproof.contracts.run import Run

Phase: TypeAlias = Literal["before", "after", "connection"]
"""``before``: the gateway has not done what the call asks for. ``after``: it has, and the integration does not hear of it.
``connection``: no request was read."""
_UNSEEN = "refuse"
"""A port that refuses connections: nobody sees those that come."""
ALWAYS_AFTER = frozenset(
    (
        "chunk-broken", "chunk-cut", "cut", "drip", "drip-headers", "endless", "gather", "length-too-long", "length-too-short",
        "oversized", "reset-in-body", "reset-in-headers", "stall", "wrong-content-type",
    )
)  # fmt: skip
"""Faults that damage the gateway's real answer, so that its work is done in any case."""

Shown: TypeAlias = Literal["page", "broken", "no answer", ""]
"""What a customer had at the end of their wait: a page for people, one that nobody wrote for people, nothing; empty: nobody
waited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """One probe run in which the fault struck. ``first``, ``last``: the numbers of its entries."""

    world: str
    probe: str
    first: int
    last: int
    hits: tuple[int, ...]
    """The calls that the fault struck, or the connections; where nobody can see them, the entry that armed it."""
    shown: Shown
    status: int = 0
    """HTTP status of that page."""
    waited: float | None = None
    """Seconds that the customer waited for it; None: nobody did."""
    paid: bool | None = None
    """Whether the shop called its order paid when the probe run ended; None: it was not asked, or could not be read."""

    @property
    def pointer(self) -> Pointer:
        """The first entry that was struck."""
        return Pointer(self.world, self.hits[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One operation, one fault, one phase. ``operation``: the gateway's own name; empty at the connection."""

    operation: str
    fault: str
    phase: Phase
    exercises: tuple[Exercise, ...]
    missed: int = 0
    """Probe runs in which the fault was armed and no such call was made."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """``untried``: faults that this version knows and that this run armed nowhere, where the run tells what it knew."""

    operations: tuple[str, ...]
    faults: tuple[str, ...]
    cells: Mapping[tuple[str, str, Phase], Cell]
    untried: tuple[str, ...] = ()
    about: Mapping[str, str] = field(default_factory=dict[str, str])
    """What a fault does, in a sentence, where the run tells it."""

    def cell(self, operation: str, fault: str, phase: Phase) -> Cell | None:
        return self.cells.get((operation, fault, phase))


def coverage(run: Run, operations: Sequence[str]) -> Coverage:
    """``operations``: the gateway's own names of its calls, in the order of a payment; others that were struck follow them."""
    found: dict[tuple[str, str, Phase], list[Exercise]] = {}
    missed: dict[tuple[str, str, Phase], int] = {}
    for probe_run in probe_runs(run):
        for key, exercise in _exercises(probe_run, operations):
            found.setdefault(key, []).append(exercise)
        for key in _missed(probe_run, operations):
            missed[key] = missed.get(key, 0) + 1
    cells = {
        key: Cell(
            operation=key[0],
            fault=key[1],
            phase=key[2],
            exercises=tuple(found.get(key, ())),
            missed=missed.get(key, 0),
        )
        for key in (*found, *(key for key in missed if key not in found))
    }
    faults = tuple(sorted({fault for _, fault, _ in cells}))
    others = sorted({operation for operation, _, _ in cells} - {*operations, ""})
    about = _known(run)
    untried = tuple(name for name in about if name not in faults)
    return Coverage((*operations, *others), faults, cells, untried, about)


def _known(run: Run) -> dict[str, str]:
    """The faults that the run knew, each with a sentence about it."""
    known = run.facts.get("faults")
    return {name: str(text) for name, text in known.items()} if isinstance(known, dict) else {}


def _exercises(probe_run: ProbeRun, operations: Sequence[str]) -> Iterator[tuple[tuple[str, str, Phase], Exercise]]:
    struck: dict[tuple[str, str, Phase], list[Call | Connection | FaultSet]] = {}
    meant = str(probe_run.params.get("operation", ""))
    for each in _struck(probe_run):
        if isinstance(each, Call) and each.fault not in CERTIFICATES:
            key: tuple[str, str, Phase] = (each.event.operation, each.fault, _phase(probe_run, each))
        else:
            fault = each.name if isinstance(each, FaultSet) else each.fault
            key = (meant if meant in operations else "", fault, "connection")
        struck.setdefault(key, []).append(each)
    if probe_run.probe == UNKNOWN_CERTIFICATE:
        struck["", UNKNOWN_AUTHORITY, "connection"] = list(of_unknown_certificate(probe_run))
    for key, entries in struck.items():
        if entries:
            yield key, _exercise(probe_run, entries)


def _struck(probe_run: ProbeRun) -> Iterator[Call | Connection | FaultSet]:
    """What met a fault in a probe run; a call or connection that was left open is journaled when it ends, perhaps later."""
    first, last = probe_run.entries[0], probe_run.entries[-1]
    for each in probe_run.world.entries:
        if isinstance(each, Call | Connection):
            began = each.at if each.began is None else each.began
            if each.fault and each.n > first.n and first.at <= began <= last.at:
                yield each
    yield from (each for each in probe_run.of(FaultSet) if each.event == "armed" and each.name == _UNSEEN)


def _phase(probe_run: ProbeRun, call: Call) -> Phase:
    armed = [
        each for each in probe_run.of(FaultSet) if each.event == "armed" and each.name == call.fault and each.n < call.n
    ]
    late = call.fault in ALWAYS_AFTER or bool(armed and armed[-1].detail.get("after_effect"))
    return "after" if late else "before"


def _exercise(probe_run: ProbeRun, struck: Sequence[Call | Connection | FaultSet]) -> Exercise:
    page = next((page for page in probe_run.pages() for each in struck if _within(each, page)), None)
    return Exercise(
        world=probe_run.world.name,
        probe=probe_run.probe,
        first=probe_run.entries[0].n,
        last=max(probe_run.entries[-1].n, *(each.n for each in struck)),
        hits=tuple(each.n for each in struck),
        shown=_shown(page),
        status=page.response.status if page and page.response else 0,
        waited=round(page.ended - page.began, 3) if page else None,
        paid=_paid(probe_run),
    )


def _within(each: Call | Connection | FaultSet, page: Page) -> bool:
    """Whether a customer waited for this page when the fault struck; a port that refuses is met by the next page."""
    if isinstance(each, FaultSet):
        return page.began >= each.at
    began = each.at if each.began is None else each.began
    return page.began <= began <= page.ended


def _shown(page: Page | None) -> Shown:
    if page is None:
        return ""
    if page.response is None:
        return "no answer"
    return "broken" if broken(page.response) else "page"


def _paid(probe_run: ProbeRun) -> bool | None:
    names = (probe_run.order("unverified"), probe_run.order())
    seen: list[Entry] = [
        each for each in probe_run.of(OrderSeen) if each.paid is not None and each.order and each.order in names
    ]
    return seen[-1].paid if seen and isinstance(seen[-1], OrderSeen) else None


def _missed(probe_run: ProbeRun, operations: Sequence[str]) -> Iterator[tuple[str, str, Phase]]:
    """Faults that were armed for one kind of call, and cleared without having struck any."""
    late = [each.detail.get("id") for each in probe_run.of(FaultSet) if each.detail.get("after_effect")]
    for each in probe_run.of(FaultSet):
        if (
            each.event == "cleared"
            and each.detail.get("fired") == 0
            and each.operation in operations
            and each.name != _UNSEEN
        ):
            after = each.name in ALWAYS_AFTER or each.detail.get("id") in late
            yield each.operation, each.name, "after" if after else "before"
