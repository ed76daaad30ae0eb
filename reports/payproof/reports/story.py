"""Evidence as a story: the entries around what a finding points at, in their order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from payproof.contracts.entries import Entry, FaultSet, ProbeMark, Step
from payproof.contracts.model import Pointer
from payproof.contracts.run import RecordedWorld, Run
from payproof.reports.render_entry import Scene, scene
from payproof.reports.sequence.excerpt import excerpt

WHOLE = 30
"""A story of so many entries is told whole; of a longer one, what is near the evidence."""
NEAR = 4
POINTED_LIMIT, LIMIT, BRIEF_LIMIT = 4_000, 1_500, 600
"""Characters of a body: in an entry that is evidence, in any other of its story, and in one that a figure leads to."""
CHAPTERS = 8
BETWEEN = "between the stories"


@dataclass(frozen=True, slots=True)
class Gap:
    """Entries that are not shown."""

    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One story of one world. ``told`` is the anchor of the chapter where the same story stands whole."""

    anchor: str
    world: str
    title: str
    parts: tuple[Scene | Gap, ...]
    told: str = ""
    diagram: Markup | None = None
    """Who said what to whom; only where the story is told whole, and somebody said something."""


def anchor(pointer: Pointer) -> str:
    """Where an entry stands on the page."""
    return f"entry-{re.sub(r'[^A-Za-z0-9.-]', '_', pointer.world)}-{pointer.entry}"


class Teller:
    """Tells evidence of one run. A story is told whole once; after that only what is pointed at, with a link."""

    def __init__(self, run: Run) -> None:
        self._shelves = {world.name: _Shelf(world) for world in (*run.worlds, *run.given_up)}
        self._told: dict[tuple[str, int], str] = {}
        self._anchored: set[Pointer] = set()
        self._count = 0

    def chapters(self, evidence: Iterable[Pointer], *, whole: bool) -> tuple[tuple[Chapter, ...], int]:
        """The chapters, and how many pointers they leave out (not in a journal, or too many chapters).

        ``whole``: with what happened around the evidence; otherwise the pointed entries alone.
        """
        wanted: dict[tuple[str, int, int], set[int]] = {}
        lost = 0
        for pointer in dict.fromkeys(evidence):
            shelf = self._shelves.get(pointer.world)
            place = shelf.places.get(pointer.entry) if shelf else None
            span = (pointer.world, *shelf.spans[place]) if shelf and place is not None else None
            if span is None or place is None or (span not in wanted and len(wanted) == CHAPTERS):
                lost += 1
                continue
            wanted.setdefault(span, set()).add(place)
        return tuple(self._chapter(span, places, whole=whole) for span, places in wanted.items()), lost

    def entries(self, evidence: Iterable[Pointer]) -> tuple[Chapter, ...]:
        """Those of the entries that no chapter has shown yet, by world and number; what no journal holds is left out."""
        wanted: dict[str, set[int]] = {}
        for pointer in evidence:
            shelf = self._shelves.get(pointer.world)
            if shelf is not None and pointer not in self._anchored and pointer.entry in shelf.places:
                wanted.setdefault(pointer.world, set()).add(shelf.places[pointer.entry])
        return tuple(self._plain(name, sorted(places)) for name, places in wanted.items())

    def _plain(self, name: str, places: Sequence[int]) -> Chapter:
        parts = self._anchor(name, self._shelves[name].scenes(places, BRIEF_LIMIT))
        return Chapter(anchor=f"entries-{name}", world=name, title="", parts=parts)

    def _anchor(self, name: str, parts: Iterable[Scene | Gap]) -> tuple[Scene | Gap, ...]:
        """The parts, with the anchor of each entry that is shown for the first time."""
        return tuple(self._anchored_scene(name, part) if isinstance(part, Scene) else part for part in parts)

    def _anchored_scene(self, name: str, part: Scene) -> Scene:
        pointer = Pointer(name, part.n)
        if pointer in self._anchored:
            return part
        self._anchored.add(pointer)
        return replace(part, anchor=anchor(pointer))

    def _chapter(self, span: tuple[str, int, int], places: set[int], *, whole: bool) -> Chapter:
        name, first, last = span
        shelf = self._shelves[name]
        told = self._told.get((name, first), "")
        around = whole and not told
        self._count += 1
        anchor = f"story-{self._count}"
        if around:
            self._told[name, first] = anchor
        kept = shelf.near(first, last, places) if around else sorted(places)
        opening = shelf.entries[first]
        parts = self._anchor(name, shelf.parts(kept, places))
        title = opening.probe if isinstance(opening, ProbeMark) else ""
        numbers = {shelf.entries[place].n for place in places}
        diagram = excerpt(shelf.entries[first : last + 1], numbers) if around and title else None
        return Chapter(anchor=anchor, world=name, title=title or BETWEEN, parts=parts, told=told, diagram=diagram)


class _Shelf:
    """A world's entries with their places and the stories they belong to."""

    def __init__(self, world: RecordedWorld) -> None:
        self.name = world.name
        self.entries: Sequence[Entry] = world.entries
        self.places = {entry.n: place for place, entry in enumerate(world.entries)}
        self.spans = _spans(world.entries)

    def near(self, first: int, last: int, places: set[int]) -> list[int]:
        if last - first < WHOLE:
            return list(range(first, last + 1))
        spine = (Step, ProbeMark, FaultSet)
        return [
            place
            for place in range(first, last + 1)
            if isinstance(self.entries[place], spine) or any(abs(place - pointed) <= NEAR for pointed in places)
        ]

    def parts(self, kept: Sequence[int], places: set[int]) -> Iterator[Scene | Gap]:
        before: int | None = None
        for place in kept:
            if before is not None and place > before + 1:
                yield Gap(place - before - 1)
            before = place
            entry, pointed = self.entries[place], place in places
            limit = POINTED_LIMIT if pointed else LIMIT
            yield scene(entry, world=self.name, pointed=pointed, limit=limit)

    def scenes(self, places: Iterable[int], limit: int) -> Iterator[Scene]:
        """These entries alone."""
        return (scene(self.entries[place], world=self.name, pointed=False, limit=limit) for place in places)


def _spans(entries: Sequence[Entry]) -> list[tuple[int, int]]:
    """For each entry the first and last place of the innermost story around it, or of the stretch between stories."""
    spans: dict[int, tuple[int, int]] = {}
    for first, last in (*_stories(entries), *_stretches(entries)):
        for place in range(first, last + 1):
            spans.setdefault(place, (first, last))
    return [spans[place] for place in range(len(entries))]


def _stories(entries: Sequence[Entry]) -> Iterator[tuple[int, int]]:
    """Inner stories before outer ones; a story without an end lasts to the end of the journal."""
    opened: list[tuple[str, int]] = []
    for place, entry in enumerate(entries):
        if not isinstance(entry, ProbeMark):
            continue
        if entry.event == "begin":
            opened.append((entry.probe, place))
            continue
        same = [index for index, (probe, _) in enumerate(opened) if probe == entry.probe]
        if same:
            yield opened.pop(same[-1])[1], place
    for _, first in reversed(opened):
        yield first, len(entries) - 1


def _stretches(entries: Sequence[Entry]) -> Iterator[tuple[int, int]]:
    held = [False] * len(entries)
    for first, last in _stories(entries):
        held[first : last + 1] = [True] * (last + 1 - first)
    first = 0
    for place, story in enumerate((*held, True)):
        if story:
            if place > first:
                yield first, place - 1
            first = place + 1
