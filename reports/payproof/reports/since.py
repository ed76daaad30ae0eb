"""What changed since the last run: the one whose report.json lies in the folder that is about to be written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from payproof.contracts.model import Outcome, PayproofError, Result
from payproof.contracts.results import report_file
from payproof.contracts.results.run_comparison import Change, RunComparison, compare_results
from payproof.reports import facts
from payproof.reports.changes import TITLES

FILE = "report.json"
_SAME_RUN = ("started", "seed", "journal")


@dataclass(frozen=True, slots=True)
class Since:
    """``started``: when the last run began, as it says itself."""

    started: str
    comparison: RunComparison

    @property
    def parts(self) -> tuple[tuple[str, tuple[Change, ...]], ...]:
        """(title, what changed so), without the titles of which there is nothing."""
        compared = self.comparison
        partial = Outcome.PARTIAL in (compared.old, compared.new)
        listed = TITLES.items()
        parts = ((title, compared.of(kind)) for kind, title in listed if not (partial and kind == "unjudged"))
        return tuple((title, changes) for title, changes in parts if changes)


def since(folder: Path, result: Result) -> Since | None:
    """None: no report lies there, or none that can be read, or one of this very run, or of another integration."""
    if not (folder / FILE).is_file():
        return None
    try:
        old = report_file.read(folder / FILE).result
    except PayproofError:
        return None
    own = all(old.facts.get(name) == result.facts.get(name) for name in _SAME_RUN)
    other = any(old.facts.get(name) != result.facts.get(name) for name in ("name", "gateway"))
    return None if own or other else Since(facts.moment(facts.fact(old, "started")), compare_results(old, result))
