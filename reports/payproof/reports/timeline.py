"""Where a run's time went, in words and shares of the whole: what every format draws from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from payproof.contracts.results.timeline import Lane, LongWait, Span, Timeline
from payproof.reports.behaviour import count, seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A piece of a lane. ``left``, ``wide``: per cent of the run's time."""

    kind: str
    left: float
    wide: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneDrawing:
    name: str
    took: str
    about: str
    bars: tuple[Bar, ...]
    spans: tuple[Span, ...]
    """Its probe runs, the longest first."""


def drawing(lane: Lane, whole: float) -> LaneDrawing:
    probe_runs = [span for span in lane.spans if span.kind in ("control", "story", "settle")]
    waited = sum(wait.seconds for wait in lane.waits)
    about = [count(len(probe_runs), "probe run")]
    about += [f"{seconds(waited)} of waiting"] if lane.waits else []
    return LaneDrawing(
        name=lane.world,
        took=seconds(lane.ended - lane.began),
        about=", ".join(about),
        bars=tuple(_bars(lane, whole)),
        spans=tuple(sorted(probe_runs, key=lambda span: -span.seconds)),
    )


def _bars(lane: Lane, whole: float) -> Iterator[Bar]:
    def bar(kind: str, began: float, ended: float, text: str) -> Bar:
        share = 100 / whole if whole else 0.0
        return Bar(kind=kind, left=round(began * share, 3), wide=round((ended - began) * share, 3), text=text)

    for span in lane.spans:
        if span.kind != "idle" or span.seconds >= whole / 500:
            yield bar(span.kind, span.began, span.ended, f"{title(span)}: {seconds(span.seconds)}")
    for wait in lane.waits:
        yield bar("wait", wait.began, wait.ended, f"{waiting(wait)}: {seconds(wait.seconds)}")


def title(span: Span) -> str:
    named = {"launch": "launch", "idle": "nothing to do"}.get(span.kind, span.name)
    return f"{named} ({span.params})" if span.params else named


def waiting(wait: LongWait) -> str:
    """What was waited for."""
    if not wait.open:
        return "a pause of the probe"
    if wait.open == "page":
        return "waiting for the shop's page"
    held = f", held by {wait.fault}" if wait.fault else ""
    return f"waiting for the end of a {wait.open} call{held}"


def summary(found: Timeline) -> str:
    """One sentence: how long the run took, and what its longest wait was for."""
    text = f"{seconds(found.seconds)} in all, {count(len(found.lanes), 'world')}."
    if (longest := found.longest) is None:
        return text
    lane, wait = longest
    return f"{text} The longest wait: {seconds(wait.seconds)} in {lane.world}, {waiting(wait)}."


_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)


@dataclass(frozen=True, slots=True)
class Tick:
    left: float
    text: str


def ticks(whole: float) -> tuple[Tick, ...]:
    """Round seconds along the run, seven at most."""
    step = next((step for step in _STEPS if whole / step <= 6), max(whole / 6, 1))
    marks = [step * place for place in range(int(whole // step) + 1)]
    # What stands too near to the end would be cut.
    return tuple(Tick(round(100 * mark / whole, 3), f"{mark:g} s") for mark in marks if whole and mark <= whole * 0.97)
