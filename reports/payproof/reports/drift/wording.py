"""What every drift report says, worded once."""

from __future__ import annotations

import re
from collections.abc import Iterable

from payproof.contracts.comparing.drift import Drift, DriftDifference, Fidelity


def counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def heading(drift: Drift) -> tuple[str, ...]:
    """Where it was observed, and at what cost."""
    facts = drift.facts
    parts = [f"{drift.target} {drift.where}", f"observed {drift.observed}", counted(drift.cases, "case", "cases")]
    if "requests" in facts:
        parts.append(
            f"{facts['requests']} of {facts['budget']} API requests, at most {facts['rate']} a minute "
            f"({facts['busiest']} in the busiest)"
        )
    parts.append(f"{facts.get('seconds', 0)} s")
    return tuple(parts)


def agreed(fidelity: Fidelity) -> str:
    """``41 of 46 facts agree, 89.1 %``"""
    if fidelity.percent is None:
        return "nothing compared"
    return f"{fidelity.agreed} of {fidelity.compared} facts agree, {fidelity.percent:g} %"


_WHOLE = ("answer", "status", "body", "asked", "page")
_PREFIX = re.compile(r"^(headers|body|json|redirect|header)[. ]")


def where(difference: DriftDifference) -> str:
    """The place in an answer, the step, and how many other steps show the same."""
    path = "" if difference.path in _WHOLE else f"{_PREFIX.sub('', difference.path)}: "
    others = len(difference.labels) - 1
    return f"{path}{difference.what}{f' (and {others} more)' if others > 0 else ''}"


def weight(difference: DriftDifference) -> str:
    """``documented, Q3; choice 8``"""
    return ", ".join(part for part in (difference.fact.provenance, difference.fact.source) if part)


def by_fact(differences: Iterable[DriftDifference]) -> dict[tuple[str, str, str], list[DriftDifference]]:
    """(fact, known from, changes) -> what touches it, in the order of the differences."""
    facts: dict[str, list[DriftDifference]] = {}
    for each in differences:
        facts.setdefault(each.fact.name, []).append(each)
    found: dict[tuple[str, str, str], list[DriftDifference]] = {}
    for name, listed in facts.items():
        changes = dict.fromkeys(each.change for each in listed if each.change)
        found[(name, weight(listed[0]), " or ".join(changes))] = listed
    return found


def facts_touched(differences: Iterable[DriftDifference]) -> int:
    return len({difference.fact.name for difference in differences})


def verdict(drift: Drift) -> tuple[str, str]:
    """(banner, sentence)"""
    found, ours = drift.of("difference"), drift.of("assumption")
    rest = f"; {counted(len(ours), 'assumption of ours', 'assumptions of ours')} answered" if ours else ""
    left = f"; {counted(len(drift.left), 'case', 'cases')} not compared, or not wholly" if drift.left else ""
    if not found:
        return "NO DRIFT", f"simulator and {drift.target} agree in all that was compared{rest}{left}"
    touched = counted(facts_touched(found), "fact", "facts")
    return "DRIFT", f"{counted(len(found), 'difference touches', 'differences touch')} {touched}{rest}{left}"


def reasons(drift: Drift) -> dict[str, list[str]]:
    """Why cases were not compared -> which."""
    found: dict[str, list[str]] = {}
    for left in drift.left:
        found.setdefault(left.reason, []).append(left.case)
    return found
