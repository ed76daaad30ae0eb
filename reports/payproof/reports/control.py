"""The control payment that came to nothing: its diagnosis, and what happened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from payproof.contracts.entries import Call, Page, ProbeMark
from payproof.contracts.model import Outcome, Pointer, Result
from payproof.contracts.run import RecordedWorld, Run
from payproof.reports.chapters import Chapter, ChapterBuilder, anchor

CONTROL = "control"


@dataclass(frozen=True, slots=True)
class DiagnosisLine:
    """A sentence of the diagnosis, the lines of the integration that stand below it, and the entry that it speaks of: its anchor,
    and how it is called (both empty: none)."""

    text: str
    lines: str = ""
    anchor: str = ""
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class Control:
    """``diagnosis``: the likeliest first; ``chapters``: what happened, entry by entry."""

    diagnosis: tuple[DiagnosisLine, ...] = ()
    chapters: tuple[Chapter, ...] = ()


def control(result: Result, run: Run, builder: ChapterBuilder) -> Control:
    """Of a run that was not scored; empty for any other."""
    if result.outcome is not Outcome.NOT_SCORED:
        return Control()
    exchanges = list(_exchanges(run))
    diagnosis = tuple(_diagnosis_line(text, exchanges) for text in result.diagnosis)
    meant = [pointer for pointer, _ in exchanges if any(each.anchor == anchor(pointer) for each in diagnosis)]
    chapters, _ = builder.chapters(meant or [pointer for pointer, _ in exchanges[:1]], whole=True)
    return Control(diagnosis, chapters)


def _exchanges(run: Run) -> Iterator[tuple[Pointer, Call | Page]]:
    """Those of the control payment, in every world that had one."""
    for world in (*run.worlds, *run.given_up):
        within = False
        for entry in world.entries:
            if isinstance(entry, ProbeMark) and entry.probe == CONTROL:
                within = entry.event == "begin"
            elif within and isinstance(entry, Call | Page):
                yield _pointer(world, entry), entry


def _pointer(world: RecordedWorld, entry: Call | Page) -> Pointer:
    return Pointer(world.name, entry.n)


def _diagnosis_line(text: str, exchanges: list[tuple[Pointer, Call | Page]]) -> DiagnosisLine:
    """The last exchange that the sentence names: by method and address, or a call by its operation."""
    sentence, _, lines = text.partition("\n")
    for pointer, exchange in reversed(exchanges):
        asked = f"{exchange.request.method} {exchange.request.url.partition('?')[0]}"
        operation = exchange.event.operation if isinstance(exchange, Call) else ""
        if asked in text or (operation and text.startswith(f"Its {operation} call")):
            return DiagnosisLine(sentence, lines, anchor(pointer), str(pointer))
    return DiagnosisLine(sentence, lines)
