"""The HTML report's cards: one for each requirement, with everything that a person needs to mend it; the worst come first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from payproof.contracts.judging.requirements import Requirement, known_as
from payproof.contracts.model import Finding, Judgement, Result, Verdict
from payproof.contracts.run import Run
from payproof.reports import facts, reasons
from payproof.reports.chapters import Chapter, ChapterBuilder
from payproof.reports.recipes import Recipe, language, recipe
from payproof.reports.values import ExpectedActual, pointers, side_by_side

SHOWN, FOLDED = 3, 20
"""Findings of one requirement that are shown at once, and folded away; the JSON report has all."""

_OPEN = (Verdict.FAIL, Verdict.ERROR)
_WITH_CONTEXT = (Verdict.FAIL, Verdict.ERROR, Verdict.WARN, Verdict.NOT_EXERCISED)
_MENDED = (Verdict.FAIL, Verdict.WARN)

_TITLES: Mapping[Verdict, str] = {
    Verdict.FAIL: "Failed",
    Verdict.ERROR: "Could not be judged",
    Verdict.WARN: "Warned",
    Verdict.NOT_EXERCISED: "Not exercised",
    Verdict.ATTESTED: "Attested",
    Verdict.PASS: "Passed",
    Verdict.NOT_APPLICABLE: "Not applicable",
}
"""In the order of the page."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A finding made ready for the page. ``drawn``: the chapter whose diagram stands beside it."""

    finding: Finding
    pairs: tuple[ExpectedActual, ...]
    chapters: tuple[Chapter, ...]
    lost: int
    pointers: str
    drawn: Chapter | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A requirement made ready for the page."""

    judgement: Judgement
    items: tuple[facts.ItemRow, ...]
    """The checklist items and guidelines that it belongs to."""
    about: Requirement | None
    """Why it is required, how it is judged, how it is mended; None for one that this version does not know."""
    recipe: Recipe | None
    """Where something is to be mended, and the integration's language is known."""
    proofs: tuple[Proof, ...]
    folded: tuple[Proof, ...]
    more: int
    opened: bool
    waiting: tuple[str, ...]
    """Requirements that could not be judged because of this one."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Cards of one verdict that share a reason; ``reason`` is empty where each has its own."""

    reason: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """The cards of one verdict."""

    verdict: Verdict
    title: str
    shelves: tuple[Shelf, ...]

    @property
    def count(self) -> int:
        return sum(len(shelf.cards) for shelf in self.shelves)


def sections(result: Result, run: Run, builder: ChapterBuilder) -> tuple[Section, ...]:
    """Every requirement once, the worst first, musts before shoulds, else in the checklist's order."""
    maker = _Maker(result, run, builder)
    found: list[Section] = []
    for verdict, title in _TITLES.items():
        judgements = sorted(facts.of(result, verdict), key=lambda judgement: judgement.level)
        if judgements:
            found.append(Section(verdict, title, tuple(maker.shelves(verdict, judgements))))
    return tuple(found)


class _Maker:
    def __init__(self, result: Result, run: Run, builder: ChapterBuilder) -> None:
        self._builder = builder
        self._language = language(run)
        self._waiting = reasons.waiting(result)
        self._rows = (*facts.golive(result), *facts.guidelines(result))

    def shelves(self, verdict: Verdict, judgements: Sequence[Judgement]) -> Iterator[Shelf]:
        if verdict is not Verdict.NOT_EXERCISED:
            yield Shelf("", tuple(map(self._card, judgements)))
            return
        known = {judgement.requirement: judgement for judgement in judgements}
        for reason, names in reasons.by_reason(judgements).items():
            yield Shelf(reason, tuple(self._card(known[name]) for name in names))

    def _card(self, judgement: Judgement) -> Card:
        findings = facts.notable(judgement)
        proofs = tuple(self._proof(finding) for finding in findings[: SHOWN + FOLDED])
        name = judgement.requirement
        return Card(
            judgement=judgement,
            items=tuple(row for row in self._rows if name in row.item.requirements),
            about=known_as(name),
            recipe=recipe(name, self._language) if judgement.verdict in _MENDED else None,
            proofs=proofs[:SHOWN],
            folded=proofs[SHOWN:],
            more=len(findings[SHOWN + FOLDED :]),
            opened=judgement.verdict in _OPEN,
            waiting=self._waiting.get(name, ()),
        )

    def _proof(self, finding: Finding) -> Proof:
        chapters, lost = self._builder.chapters(finding.evidence, whole=finding.verdict in _WITH_CONTEXT)
        drawn = next((chapter for chapter in chapters if chapter.diagram), None)
        return Proof(finding, side_by_side(finding), chapters, lost, pointers(finding.evidence, limit=8), drawn)
