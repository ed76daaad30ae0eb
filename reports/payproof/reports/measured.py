"""All that was measured, ready for a page: behaviour, coverage, where the time went."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from payproof.contracts.behaviour import behaviour
from payproof.contracts.model import Pointer, Result
from payproof.contracts.results.timeline import Timeline, timeline
from payproof.contracts.run import Run
from payproof.reports.behaviour import FigureRow, FigureTable, facts_of, tables
from payproof.reports.coverage import CoverageMap, coverage_map
from payproof.reports.timeline import LaneDrawing, Tick, drawing, summary, ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """``summary``: where the time went, in a sentence."""

    tables: tuple[FigureTable, ...]
    facts: tuple[FigureRow, ...]
    coverage: CoverageMap
    timeline: Timeline
    lanes: tuple[LaneDrawing, ...]
    ticks: tuple[Tick, ...]
    summary: str

    @property
    def pointers(self) -> Iterator[Pointer]:
        """Every entry that a figure or a square leads to."""
        rows = (*(row for table in self.tables for row in table.rows), *self.facts)
        for row in rows:
            for figure in row.figures:
                yield from figure.evidence
        yield from (each.pointer for each in self.coverage.squares if each.pointer)


def measured(result: Result, run: Run) -> Measured:
    spans, found = timeline(run), behaviour(run)
    return Measured(
        tables=tables(found),
        facts=facts_of(found),
        coverage=coverage_map(result, run),
        timeline=spans,
        lanes=tuple(drawing(lane, spans.seconds) for lane in spans.lanes),
        ticks=ticks(spans.seconds),
        summary=summary(spans),
    )
