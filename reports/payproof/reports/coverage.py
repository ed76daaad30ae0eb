"""The coverage map: which fault met which call, and what the findings say of it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from payproof.contracts.behaviour import operations_of
from payproof.contracts.model import Pointer, Result, Verdict
from payproof.contracts.results.coverage import Cell, Coverage, Exercise, Phase, coverage
from payproof.contracts.run import Run
from payproof.reports import facts
from payproof.reports.behaviour import count, seconds

_PHASES: Mapping[Phase, str] = {
    "before": "before the effect",
    "after": "after the effect",
    "connection": "at the connection",
}
_WORST_FIRST = (Verdict.FAIL, Verdict.ERROR, Verdict.WARN, Verdict.PASS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """A cell of the map. ``verdict``: the worst of the findings about its probe runs; None: it was tried, and no finding is about
    it; ``not_exercised``: it was to be tried, and no such call was made. ``failed``: the requirements behind a failure."""

    cell: Cell
    verdict: Verdict | None
    failed: tuple[str, ...]
    text: str

    @property
    def pointer(self) -> Pointer | None:
        """The first call that met the fault."""
        return self.cell.exercises[0].pointer if self.cell.exercises else None


@dataclass(frozen=True, slots=True)
class MapRow:
    """One fault. ``squares``: for each operation one for each phase; a single one where nobody knows for which call it was."""

    fault: str
    about: str
    squares: tuple[tuple[Square | None, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MapPart:
    """The faults that act on calls, or those that act before a call is read."""

    title: str
    phases: tuple[Phase, ...]
    rows: tuple[MapRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageMap:
    operations: tuple[str, ...]
    parts: tuple[MapPart, ...]
    untried: tuple[str, ...]
    exercised: int
    """Cells that were tried."""

    @property
    def squares(self) -> Iterator[Square]:
        """Those that have anything to say, row by row."""
        rows = (row for part in self.parts for row in part.rows)
        return (each for row in rows for squares in row.squares for each in squares if each is not None)

    @property
    def wide(self) -> int:
        """Columns of the whole map: two for each operation."""
        return 2 * len(self.operations)


def coverage_map(result: Result, run: Run) -> CoverageMap:
    found = coverage(run, operations_of(run))
    judged = _Findings(result, run)
    squares = {key: _square(cell, judged) for key, cell in found.cells.items()}
    return CoverageMap(
        operations=found.operations,
        parts=tuple(_parts(found, squares)),
        untried=found.untried,
        exercised=sum(bool(cell.exercises) for cell in found.cells.values()),
    )


_PARTS: Mapping[str, tuple[Phase, ...]] = {"before a call is read": ("connection",), "at a call": ("before", "after")}


def _parts(found: Coverage, squares: Mapping[tuple[str, str, Phase], Square]) -> Iterator[MapPart]:
    for title, phases in _PARTS.items():
        here = {key: square for key, square in squares.items() if key[2] in phases}
        if not here:
            continue
        faults = [fault for fault in found.faults if any(fault == each for _, each, _ in here)]
        rows = tuple(row for fault in faults for row in _rows(found, here, fault, phases))
        yield MapPart(title=title, phases=phases, rows=rows)


def _rows(
    found: Coverage, here: Mapping[tuple[str, str, Phase], Square], fault: str, phases: Sequence[Phase]
) -> Iterator[MapRow]:
    about = found.about.get(fault, "")
    if any(each == fault and name for name, each, _ in here):
        yield MapRow(fault, about, tuple(_row(here, fault, name, phases) for name in found.operations))
    if any(each == fault and not name for name, each, _ in here):
        yield MapRow(fault, about, (_row(here, fault, "", phases),))


def _row(
    here: Mapping[tuple[str, str, Phase], Square], fault: str, operation: str, phases: Sequence[Phase]
) -> tuple[Square | None, ...]:
    return tuple(here.get((operation, fault, phase)) for phase in phases)


def _square(cell: Cell, judged: _Findings) -> Square:
    judgements = [(verdict, name) for exercise in cell.exercises for verdict, name in judged.about(exercise)]
    if not cell.exercises:
        return Square(cell=cell, verdict=Verdict.NOT_EXERCISED, failed=(), text=_missed(cell))
    worst = next((verdict for verdict in _WORST_FIRST if any(verdict is each for each, _ in judgements)), None)
    bad = worst in (Verdict.FAIL, Verdict.ERROR, Verdict.WARN)
    failed = tuple(dict.fromkeys(name for verdict, name in judgements if verdict is worst)) if bad else ()
    return Square(cell=cell, verdict=worst, failed=failed, text=_text(cell, worst, failed))


def _missed(cell: Cell) -> str:
    return f"{cell.fault} was ready for {cell.operation} and no such call was made"


def _text(cell: Cell, worst: Verdict | None, failed: tuple[str, ...]) -> str:
    """All that a square says: what was tried how often, what the customer had, what was found."""
    often = len(cell.exercises)
    verdict = facts.WORDS[worst] if worst else "tried, no finding is about it"
    found = f"{verdict}: {', '.join(failed)}" if failed else verdict
    where = f"{cell.fault} at {cell.operation or 'any call'}, {_PHASES[cell.phase]}"
    return f"{where}: {found}. {count(often, 'probe run')}; {_shown(_worst(cell))}."


def _worst(cell: Cell) -> Exercise:
    """The probe run that was worst for the customer."""
    order = ("no answer", "broken", "page", "")
    return min(cell.exercises, key=lambda each: (order.index(each.shown), -(each.waited or 0.0)))


def _shown(exercise: Exercise) -> str:
    if exercise.waited is None:
        return "no customer waited"
    named = {"no answer": "no answer", "broken": f"a crash (HTTP {exercise.status})"}
    shown = named.get(exercise.shown, f"HTTP {exercise.status}")
    paid = "" if exercise.paid is None else f", the order {'paid' if exercise.paid else 'unpaid'} in the end"
    return f"the customer had {shown} after {seconds(exercise.waited)}{paid}"


class _Findings:
    """Findings by where their evidence lies, for the requirements that a probe lets judge."""

    def __init__(self, result: Result, run: Run) -> None:
        self._run = run
        found: dict[str, list[tuple[int, Verdict, str]]] = {}
        for judgement in result.judgements:
            for finding in judgement.findings:
                for pointer in finding.evidence:
                    at = (pointer.entry, finding.verdict, judgement.requirement)
                    found.setdefault(pointer.world, []).append(at)
        self._found = {world: sorted(listed, key=lambda each: each[0]) for world, listed in found.items()}

    def about(self, exercise: Exercise) -> Iterator[tuple[Verdict, str]]:
        """(verdict, requirement) of each finding whose evidence lies in this probe run."""
        found = self._found.get(exercise.world, [])
        first = bisect_left(found, exercise.first, key=lambda each: each[0])
        last = bisect_right(found, exercise.last, key=lambda each: each[0])
        for _, verdict, requirement in found[first:last]:
            if exercise.probe in self._run.provoked_by.get(requirement, ()):
                yield verdict, requirement
