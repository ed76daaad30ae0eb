"""Where a run's time went: for each world its launch, its probe runs and its long waits, in seconds since the run began."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

from payproof.contracts.entries import Call, Entry, Page, ProbeMark, Process
from payproof.contracts.model import Pointer
from payproof.contracts.run import RecordedWorld, Run

SHORTEST_WAIT = 1.0
"""Seconds without an entry that count as waiting."""

SpanKind: TypeAlias = Literal["launch", "control", "story", "settle", "idle"]
"""``launch``: from the start of the process until it answers. ``control``: the payment that everything rests on. ``settle``: the
last look at each order. ``idle``: between its probe runs, and while it waits to be ended."""
_NAMED: dict[str, SpanKind] = {"control": "control", "settle": "settle"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of a world's time. ``params``: of a probe run, ``operation=create, fault=cut``. ``pointer``: its first entry."""

    kind: SpanKind
    began: float
    ended: float
    name: str = ""
    params: str = ""
    pointer: Pointer

    @property
    def seconds(self) -> float:
        return self.ended - self.began


@dataclass(frozen=True, slots=True, kw_only=True)
class LongWait:
    """A long stretch in which nothing was journaled. ``open``: the gateway's name of the call that was open meanwhile; ``page``
    where the customer waited for the shop; empty for a pause of our own. ``fault``: what held the call."""

    began: float
    ended: float
    open: str = ""
    fault: str = ""
    pointer: Pointer

    @property
    def seconds(self) -> float:
        return self.ended - self.began


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One world. Its spans follow each other without a gap; ``waits`` lie within them."""

    world: str
    spans: tuple[Span, ...]
    waits: tuple[LongWait, ...]

    @property
    def began(self) -> float:
        return self.spans[0].began

    @property
    def ended(self) -> float:
        return self.spans[-1].ended

    def seconds(self, *kinds: SpanKind) -> float:
        """Time spent in spans of these kinds."""
        return sum(span.seconds for span in self.spans if span.kind in kinds)


@dataclass(frozen=True, slots=True)
class Timeline:
    """``seconds``: from the run's begin to the last thing that happened in it."""

    seconds: float
    lanes: tuple[Lane, ...]

    @property
    def longest(self) -> tuple[Lane, LongWait] | None:
        """The longest wait of all."""
        waits = ((lane, wait) for lane in self.lanes for wait in lane.waits)
        return max(waits, key=lambda found: found[1].seconds, default=None)


def timeline(run: Run) -> Timeline:
    """The worlds in which something was performed, in the order in which they began."""
    lanes = [lane for world in (*run.given_up, *run.worlds) if (lane := _lane(world)) is not None]
    lasted = run.facts.get("seconds")
    end = float(lasted) if isinstance(lasted, int | float) else 0.0
    lanes.sort(key=lambda lane: lane.began)
    return Timeline(max((end, *(lane.ended for lane in lanes))), tuple(lanes))


def _lane(world: RecordedWorld) -> Lane | None:
    marks = [entry for entry in world.entries if isinstance(entry, ProbeMark | Process)]
    if not marks:
        return None
    spans = tuple(_with_idle(world, tuple(_busy(world, marks))))
    return Lane(world=world.name, spans=spans, waits=tuple(_waits(world, spans))) if spans else None


def _busy(world: RecordedWorld, marks: Sequence[ProbeMark | Process]) -> Iterator[Span]:
    """Launches and probe runs. What had no end when the run was broken off lasts until the last entry."""
    last = world.entries[-1].at
    launch: Process | None = None
    begin: ProbeMark | None = None
    for mark in marks:
        if isinstance(mark, ProbeMark):
            if begin is not None:
                yield _span(world, begin, mark.at)
            begin = mark if mark.event == "begin" else None
        elif begin is None and mark.event == "started":
            launch = mark
        elif launch is not None and mark.event in ("ready", "exited"):
            yield Span(kind="launch", began=launch.at, ended=mark.at, pointer=Pointer(world.name, launch.n))
            launch = None
    if begin is not None:
        yield _span(world, begin, last)


def _span(world: RecordedWorld, begin: ProbeMark, ended: float) -> Span:
    kind = _NAMED.get(begin.probe, "story")
    params = ", ".join(f"{name}={value}" for name, value in begin.params.items())
    pointer = Pointer(world.name, begin.n)
    return Span(kind=kind, began=begin.at, ended=ended, name=begin.probe, params=params, pointer=pointer)


def _with_idle(world: RecordedWorld, busy: Sequence[Span]) -> Iterator[Span]:
    """The spans with what lies between them and after them."""
    for before, after in pairwise((None, *busy, None)):
        if before is not None:
            yield before
        began = before.ended if before else after.began if after else 0.0
        ended = after.began if after else world.entries[-1].at
        if before is not None and ended > began:
            yield Span(kind="idle", began=began, ended=ended, pointer=before.pointer)


def _waits(world: RecordedWorld, spans: Sequence[Span]) -> Iterator[LongWait]:
    busy = [(span.began, span.ended) for span in spans if span.kind not in ("idle", "launch")]
    for before, after in pairwise(world.entries):
        if after.at - before.at >= SHORTEST_WAIT and any(began <= before.at < ended for began, ended in busy):
            yield _wait(world, before, after)


def _wait(world: RecordedWorld, before: Entry, after: Entry) -> LongWait:
    """What was open for at least nine tenths of the time is what was waited for: a call before a page, for that is why."""
    most = 0.9 * (after.at - before.at)

    def open_meanwhile(entry: Call | Page) -> bool:
        return min(entry.ended, after.at) - max(entry.began, before.at) >= most

    call = next((call for call in world.of(Call) if open_meanwhile(call)), None)
    page = next((page for page in world.of(Page) if page.where == "integration" and open_meanwhile(page)), None)
    found: Entry = call or page or before
    name = (call.event.operation or "unknown") if call else "page" if page else ""
    return LongWait(
        began=before.at,
        ended=after.at,
        open=name,
        fault=call.fault if call else "",
        pointer=Pointer(world.name, found.n),
    )
