"""Evidence in chapters, one for each probe run: the entries around what a finding points at, in their order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from payproof.contracts.entries import Entry, FaultSet, Log, ProbeMark, Step
from payproof.contracts.model import Pointer
from payproof.contracts.run import RecordedWorld, Run
from payproof.reports.log_blocks import Block, blocks, log_scene
from payproof.reports.order_of_cause import caused, in_order
from payproof.reports.render_entry import scene
from payproof.reports.scenes import Scene
from payproof.reports.sequence.excerpt import excerpt
from payproof.reports.situation import particulars, situation

WHOLE = 30
"""A probe run of so many entries is shown whole; of a longer one, what is near the evidence."""
NEAR = 4
POINTED_LIMIT, LIMIT, BRIEF_LIMIT = 4_000, 1_500, 600
"""Characters of a body: in an entry that is evidence, in any other of its probe run, and in one that a figure leads to."""
CHAPTERS = 8
POINTERS = 60
"""Entries that one finding points at; the JSON report and run.jsonl have all."""
BETWEEN = "Between the probe runs"


@dataclass(frozen=True, slots=True)
class Gap:
    """Entries that are not shown."""

    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One probe run of one world. ``title`` says in words what it is about, ``probe`` how it is called and with which parameters.
    ``whole_at`` is the anchor of the chapter where the same probe run stands whole."""

    anchor: str
    world: str
    title: str
    probe: str = ""
    parts: tuple[Scene | Gap, ...]
    whole_at: str = ""
    diagram: Markup | None = None
    """Who said what to whom, with what the finding points at marked; None where nobody said anything, and where the same diagram
    was shown before."""


def anchor(pointer: Pointer) -> str:
    """Where an entry stands on the page."""
    return f"entry-{re.sub(r'[^A-Za-z0-9.-]', '_', pointer.world)}-{pointer.entry}"


class ChapterBuilder:
    """Makes chapters of one run's evidence. A probe run is shown whole once; after that only what is pointed at, with a link."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._shelves = {world.name: _Shelf(world) for world in (*run.worlds, *run.given_up)}
        self._whole: dict[tuple[str, int], str] = {}
        self._drawn: set[tuple[str, int, frozenset[int]]] = set()
        self._anchored: set[Pointer] = set()
        self._count = 0

    def chapters(self, evidence: Iterable[Pointer], *, whole: bool) -> tuple[tuple[Chapter, ...], int]:
        """The chapters, and how many pointers they leave out (not in a journal, or too many).

        ``whole``: with what happened around the evidence; otherwise the pointed entries alone.
        """
        wanted: dict[tuple[str, int, int], set[int]] = {}
        lost = 0
        for number, pointer in enumerate(dict.fromkeys(evidence)):
            shelf = self._shelves.get(pointer.world)
            place = shelf.places.get(pointer.entry) if shelf else None
            span = (pointer.world, *shelf.spans[place]) if shelf and place is not None else None
            if span is None or place is None or number >= POINTERS or (span not in wanted and len(wanted) == CHAPTERS):
                lost += 1
                continue
            wanted.setdefault(span, set()).add(pointer.entry)
        return tuple(self._chapter(span, numbers, whole=whole) for span, numbers in wanted.items()), lost

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
        lines = tuple(replace(each, anchor=self._new_anchor(Pointer(name, each.n))) for each in part.lines)
        return replace(part, lines=lines) if lines else replace(part, anchor=self._new_anchor(Pointer(name, part.n)))

    def _new_anchor(self, pointer: Pointer) -> str:
        if pointer in self._anchored:
            return ""
        self._anchored.add(pointer)
        return anchor(pointer)

    def _chapter(self, span: tuple[str, int, int], numbers: set[int], *, whole: bool) -> Chapter:
        name, first, last = span
        shelf = self._shelves[name]
        whole_at = self._whole.get((name, first), "")
        around = whole and not whole_at
        self._count += 1
        anchor = f"chapter-{self._count}"
        if around:
            self._whole[name, first] = anchor
        opening = shelf.entries[first]
        mark = opening if isinstance(opening, ProbeMark) else None
        return Chapter(
            anchor=anchor,
            world=name,
            title=situation(self._run, mark) if mark else BETWEEN,
            probe=particulars(mark) if mark else "",
            parts=self._anchor(name, shelf.parts(first, last, numbers, around=around)),
            whole_at=whole_at,
            diagram=self._diagram(span, numbers) if whole and mark else None,
        )

    def _diagram(self, span: tuple[str, int, int], numbers: set[int]) -> Markup | None:
        name, first, last = span
        key = (name, first, frozenset(numbers))
        if key in self._drawn:
            return None
        self._drawn.add(key)
        return excerpt(self._shelves[name].entries[first : last + 1], numbers)


class _Shelf:
    """A world's entries with their places and the probe runs they belong to."""

    def __init__(self, world: RecordedWorld) -> None:
        self.name = world.name
        self.entries: Sequence[Entry] = world.entries
        self.places = {entry.n: place for place, entry in enumerate(world.entries)}
        self.spans = _spans(world.entries)
        self._ordered: dict[int, tuple[Block, ...]] = {}

    def parts(self, first: int, last: int, pointed: set[int], *, around: bool) -> Iterator[Scene | Gap]:
        """A probe run in the order of cause: whole, or near what is pointed at; else (not ``around``) what is pointed at alone."""
        ordered = self._blocks(first, last)
        kept = _kept(ordered, pointed, around=around, short=last - first < WHOLE)
        depths = caused([entry for block in ordered for entry in block])
        left_out = 0
        for place, block in enumerate(ordered):
            if place not in kept:
                left_out += len(block)
                continue
            if left_out and around:
                yield Gap(left_out)
            left_out = 0
            yield self._scene(block, pointed, caused=block[0].n in depths)
        if left_out and around:
            yield Gap(left_out)

    def scenes(self, places: Iterable[int], limit: int) -> Iterator[Scene]:
        """These entries alone."""
        return (scene(self.entries[place], world=self.name, pointed=False, limit=limit) for place in places)

    def _blocks(self, first: int, last: int) -> tuple[Block, ...]:
        if first not in self._ordered:
            self._ordered[first] = blocks(in_order(self.entries[first : last + 1]))
        return self._ordered[first]

    def _scene(self, block: Block, pointed: set[int], *, caused: bool) -> Scene:
        logs = [entry for entry in block if isinstance(entry, Log)]
        if logs:
            return log_scene(logs, world=self.name, pointed=pointed, caused=caused)
        (entry,) = block
        meant = entry.n in pointed
        shown = scene(entry, world=self.name, pointed=meant, limit=POINTED_LIMIT if meant else LIMIT)
        return replace(shown, caused=caused)


def _kept(ordered: Sequence[Block], pointed: set[int], *, around: bool, short: bool) -> set[int]:
    """Places of the blocks that are shown."""
    meant = {place for place, block in enumerate(ordered) if any(entry.n in pointed for entry in block)}
    if not around:
        return meant
    if short:
        return set(range(len(ordered)))
    spine = (Step, ProbeMark, FaultSet)
    near = {place + by for place in meant for by in range(-NEAR, NEAR + 1)}
    return {place for place, block in enumerate(ordered) if place in near or isinstance(block[0], spine)}


def _spans(entries: Sequence[Entry]) -> list[tuple[int, int]]:
    """For each entry the first and last place of the innermost probe run around it, or of the stretch between probe runs."""
    spans: dict[int, tuple[int, int]] = {}
    for first, last in (*_probe_runs(entries), *_stretches(entries)):
        for place in range(first, last + 1):
            spans.setdefault(place, (first, last))
    return [spans[place] for place in range(len(entries))]


def _probe_runs(entries: Sequence[Entry]) -> Iterator[tuple[int, int]]:
    """Inner probe runs before outer ones; one without an end lasts to the end of the journal."""
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
    for first, last in _probe_runs(entries):
        held[first : last + 1] = [True] * (last + 1 - first)
    first = 0
    for place, within in enumerate((*held, True)):
        if within:
            if place > first:
                yield first, place - 1
            first = place + 1
