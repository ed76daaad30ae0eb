"""Why requirements were not judged: what shares a reason, and what waits for one failure, is told once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from payproof.contracts.model import Judgement, Result, Verdict
from payproof.reports import facts


def by_reason(judgements: Iterable[Judgement]) -> dict[str, list[str]]:
    """Reason -> the requirements that share it, in their order. What waits for the same requirement has one reason."""
    listed = tuple(judgements)
    causes = Counter(because(judgement) for judgement in listed)
    found: dict[str, list[str]] = {}
    for judgement in listed:
        cause = because(judgement)
        told = f"{cause} failed: mend that first" if cause and causes[cause] > 1 else facts.why(judgement)
        found.setdefault(told, []).append(judgement.requirement)
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
