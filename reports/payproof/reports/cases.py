"""The result as test cases, for every format that a CI server reads: decided and worded once.

A should never fails its case. What was not exercised, does not apply, is vouched for or accepted is skipped, with the reason. The
first suite holds one case for the outcome: a run that was not scored, or lacks a must, is never all green.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from payproof.contracts import __version__
from payproof.contracts.model import Judgement, Level, Outcome, Result, Verdict
from payproof.contracts.results.timeline import Span, timeline
from payproof.contracts.run import Run
from payproof.reports import facts, values

_SKIPPED = (Verdict.NOT_EXERCISED, Verdict.NOT_APPLICABLE, Verdict.ATTESTED)
_VALUE_LIMIT = 2_000
OUTCOME = "verdict"
"""Name of the outcome's case."""


class State(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    """Nobody could judge it: not the integration's fault."""
    SKIPPED = "skipped"


_STATES: Mapping[Outcome, State] = {
    Outcome.READY: State.PASSED,
    Outcome.NOT_READY: State.FAILED,
    Outcome.NOT_SCORED: State.ERROR,
    Outcome.PARTIAL: State.SKIPPED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """``verdict``, ``level``: payproof's own words; the outcome has no level. ``message``: one line. ``began``, ``ended``: seconds
    since the run began, from the first to the last of the probe runs that it was judged by; None: it was judged by none.
    ``seconds``: while at least one of them went on."""

    name: str
    state: State
    verdict: str
    level: str = ""
    message: str = ""
    text: tuple[str, ...] = ()
    began: float | None = None
    ended: float | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """``seconds``: while at least one probe run of its cases went on."""

    name: str
    cases: tuple[CaseResult, ...]
    began: float | None = None
    seconds: float = 0.0
    caveats: tuple[str, ...] = ()

    def count(self, state: State) -> int:
        return sum(case.state is state for case in self.cases)


def suites(result: Result, run: Run) -> tuple[Suite, ...]:
    """The outcome, then a suite for each checklist item with requirements of its own."""
    runs = _ProbeRuns(run)
    groups = (_suite(_name(row), judgements, result, runs) for row, judgements in facts.groups(result))
    return (Suite(name="payproof", cases=(_outcome(result),), seconds=duration(result)), *groups)


def state(judgement: Judgement) -> State:
    """A requirement's state as a CI server has it."""
    if judgement.verdict in _SKIPPED:
        return State.SKIPPED
    if judgement.verdict is Verdict.ERROR:
        return State.ERROR
    if judgement.verdict is Verdict.FAIL and judgement.level is Level.MUST:
        return State.SKIPPED if judgement.baseline else State.FAILED
    return State.PASSED


def warned(judgement: Judgement) -> bool:
    """A should that does not hold, and that nobody accepted."""
    broken = judgement.verdict in (Verdict.FAIL, Verdict.WARN) and not judgement.baseline
    return broken and state(judgement) is State.PASSED


def properties(result: Result, run: Run) -> dict[str, str]:
    """What repeats the run, and who judged it. What is unknown is left out."""
    found = {
        "name": facts.name_of(result),
        "outcome": result.outcome.value,
        "gateway": facts.line(run.gateway),
        "profile": facts.fact(result, "profile_version"),
        "target": facts.fact(result, "target"),
        "seed": facts.fact(result, "seed"),
        "payproof": __version__,
    }
    return {name: value for name, value in found.items() if value}


def started(result: Result, after: float = 0.0) -> datetime | None:
    """``after`` seconds from the run's begin; None when the run does not say when it began."""
    try:
        begin = datetime.fromisoformat(facts.fact(result, "started"))
        return begin + timedelta(seconds=after) if begin.tzinfo else None
    except (ValueError, OverflowError):
        return None


def duration(result: Result) -> float:
    """Seconds that the run took; 0 when it does not say."""
    seconds = result.facts.get("seconds")
    return float(seconds) if isinstance(seconds, int | float) and 0 <= seconds < 1e9 else 0.0


def _outcome(result: Result) -> CaseResult:
    sentences = (
        *result.reasons,
        *result.diagnosis,
        *(f"stale baseline entry: {name}" for name in result.stale_baseline),
    )
    return CaseResult(
        name=OUTCOME,
        state=_STATES[result.outcome],
        verdict=result.outcome.value,
        message=f"{facts.BANNERS[result.outcome]}: {facts.sentence(result)}",
        text=tuple(facts.line(line) for line in sentences),
        began=0.0,
        ended=duration(result),
        seconds=duration(result),
    )


def _name(row: facts.ItemRow | None) -> str:
    return f"{row.number} {row.item.id}" if row else "other"


def _suite(name: str, judgements: Sequence[Judgement], result: Result, runs: _ProbeRuns) -> Suite:
    known = {judgement.requirement for judgement in judgements}
    spans = [runs.of(judgement) for judgement in judgements]
    began = min((span.began for each in spans for span in each), default=None)
    return Suite(
        name=name,
        cases=tuple(_case(judgement, each) for judgement, each in zip(judgements, spans, strict=True)),
        began=began,
        seconds=_covered(span for each in spans for span in each),
        caveats=tuple(facts.line(each) for each in result.caveats if each.partition(":")[0] in known),
    )


def _case(judgement: Judgement, spans: Sequence[Span]) -> CaseResult:
    return CaseResult(
        name=judgement.requirement,
        state=state(judgement),
        verdict=judgement.verdict.value,
        level=judgement.level.value,
        message=_message(judgement),
        text=() if judgement.verdict is Verdict.PASS else tuple(_lines(judgement)),
        began=min((span.began for span in spans), default=None),
        ended=max((span.ended for span in spans), default=None),
        seconds=_covered(spans),
    )


def _message(judgement: Judgement) -> str:
    why = facts.reason(judgement) or facts.WORDS[judgement.verdict]
    if judgement.verdict in _SKIPPED:
        return f"{facts.WORDS[judgement.verdict]}: {why}"
    return f"accepted for now: {facts.line(judgement.baseline)} ({why})" if judgement.baseline else why


def _lines(judgement: Judgement) -> Iterator[str]:
    yield facts.clean(judgement.text)
    for finding in facts.notable(judgement):
        yield f"{finding.verdict.value}: {facts.clean(finding.title)}"
        if finding.expected is not None or finding.actual is not None:
            yield f"  expected: {values.one_line(finding.expected, _VALUE_LIMIT)}"
            yield f"  actual: {values.one_line(finding.actual, _VALUE_LIMIT)}"
        if finding.evidence:
            yield f"  evidence: {values.pointers(finding.evidence, limit=20)}"
        if finding.because:
            yield f"  because of {finding.because}"
    if judgement.contradiction:
        yield f"advice and gateway disagree: {facts.clean(judgement.contradiction)}"
    yield f"next: payproof explain {judgement.requirement}"


class _ProbeRuns:
    """Which probe runs a requirement was judged by."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._at = {(world.name, entry.n): entry.at for world in run.worlds for entry in world.entries}
        self._by_probe: dict[str, list[Span]] = {}
        self._by_world: dict[str, list[Span]] = {}
        for lane in timeline(run).lanes:
            probe_runs = [span for span in lane.spans if span.kind in ("control", "story", "settle")]
            self._by_world[lane.world] = probe_runs
            for span in probe_runs:
                self._by_probe.setdefault(span.name, []).append(span)

    def of(self, judgement: Judgement) -> list[Span]:
        """Those that provoke it, and those in which its evidence lies."""
        probes = self._run.provoked_by.get(judgement.requirement, ())
        found = [span for probe in probes for span in self._by_probe.get(probe, ())]
        for pointer in {pointer for finding in judgement.findings for pointer in finding.evidence}:
            at = self._at.get((pointer.world, pointer.entry), -1.0)
            found += [span for span in self._by_world.get(pointer.world, ()) if span.began <= at <= span.ended]
        return list(dict.fromkeys(found))


def _covered(spans: Iterable[Span]) -> float:
    """Seconds while at least one of the spans goes on: probe runs of different worlds overlap."""
    total, reached = 0.0, 0.0
    for span in sorted(spans, key=lambda span: span.began):
        total += max(span.ended - max(span.began, reached), 0.0)
        reached = max(reached, span.ended)
    return total
