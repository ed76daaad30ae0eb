"""Why requirements were not judged: what shares a reason, and what waits for one failure, stands once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from payproof.contracts.model import Judgement, Result, Verdict
from payproof.contracts.run import Run
from payproof.reports import facts


def by_reason(judgements: Iterable[Judgement]) -> dict[str, list[str]]:
    """Reason -> the requirements that share it, in their order. What waits for the same requirement has one reason."""
    listed = tuple(judgements)
    causes = Counter(because(judgement) for judgement in listed)
    found: dict[str, list[str]] = {}
    for judgement in listed:
        cause = because(judgement)
        shared = f"{cause} failed: mend that first" if cause and causes[cause] > 1 else facts.why(judgement)
        found.setdefault(shared, []).append(judgement.requirement)
    return found


def because(judgement: Judgement) -> str:
    """The requirement whose failure kept this one from being judged; empty where there is none."""
    finding = facts.lead(judgement)
    return finding.because if finding and judgement.verdict is Verdict.NOT_EXERCISED else ""


def waiting(result: Result) -> dict[str, tuple[str, ...]]:
    """Requirement that failed -> those that could not be judged because of it."""
    found: dict[str, tuple[str, ...]] = {}
    for judgement in result.judgements:
        if cause := because(judgement):
            found[cause] = (*found.get(cause, ()), judgement.requirement)
    return found


def alike(judgements: Iterable[Judgement]) -> tuple[tuple[Judgement, ...], ...]:
    """Judgements that failed in one way, together: the words before the colon, what was expected and what came are the same."""
    found: dict[object, list[Judgement]] = {}
    for judgement in judgements:
        finding = facts.lead(judgement)
        head, colon, _ = finding.title.partition(": ") if finding else ("", "", "")
        same = finding and colon and not judgement.baseline
        way = (
            (judgement.level, head, repr(finding.expected), repr(finding.actual))
            if finding and same
            else judgement.requirement
        )
        found.setdefault(way, []).append(judgement)
    return tuple(tuple(group) for group in found.values())


def left_out(run: Run) -> tuple[str, ...]:
    """The probes that could have judged what was asked for and were left out all the same."""
    wanted = {probe for name in run.selected for probe in run.provoked_by.get(name, ())}
    return tuple(name for name in run.left_out if not run.selected or name in wanted)
