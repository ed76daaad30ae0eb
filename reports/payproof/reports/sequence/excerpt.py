"""A probe run as a diagram beside a finding: as much of it as leads to what the finding points at."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from markupsafe import Markup

from payproof.contracts.entries import Entry
from payproof.reports.sequence.arrows import Arrow, Line, SequencePart, lines
from payproof.reports.sequence.svg import svg

LONGEST = 32
"""Lines of a diagram."""
_BEFORE = 14
"""Lines before the first that is pointed at, where not all are shown."""


def excerpt(entries: Sequence[Entry], pointed: Collection[int]) -> Markup | None:
    """The diagram, with what a finding points at marked; None where nobody says anything to anybody."""
    found = lines(entries, every_step=True)
    if not any(isinstance(each, Arrow) for each in found):
        return None
    return svg(_window(found, pointed), pointed)


def _window(found: Sequence[Line], pointed: Collection[int]) -> Sequence[Line]:
    if len(found) <= LONGEST:
        return found
    first = next((place for place, each in enumerate(found) if each.n in pointed), 0)
    start = min(max(first - _BEFORE, 0), len(found) - LONGEST)
    before, after = start, len(found) - start - LONGEST
    shown = list(found[start : start + LONGEST])
    if before:
        shown.insert(0, SequencePart(None, f"{before} lines before this are not shown"))
    if after:
        shown.append(SequencePart(None, f"{after} more lines are not shown"))
    return shown
