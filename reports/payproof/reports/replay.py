"""What a run with a recording says of itself: how old the recording is, and where the replay differs from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from payproof.contracts.entries import ReplayDifference
from payproof.contracts.model import Json, Pointer
from payproof.contracts.run import Run
from payproof.reports import facts, values
from payproof.reports.render_entry import differing

SHOWN = 25
"""Groups of differences that a page lists; the JSON report has each of them."""


@dataclass(frozen=True, slots=True)
class ReplayGroup:
    """Differences of one sort: ``text`` describes the first of them."""

    text: str
    pointers: tuple[Pointer, ...]

    @property
    def line(self) -> str:
        """The whole group on one line."""
        more = f" ({len(self.pointers)} times)" if len(self.pointers) > 1 else ""
        return f"{self.text}{more}, {values.pointers(self.pointers, limit=4)}"


@dataclass(frozen=True, slots=True)
class Replay:
    """``about``: which recording, and what that means. ``warning``: it is too old; empty when it is not."""

    about: str
    warning: str
    number: int
    groups: tuple[ReplayGroup, ...]

    @property
    def title(self) -> str:
        if not self.number:
            return "Replay of a recording: as recorded"
        return f"Replay of a recording: {self.number} difference{'' if self.number == 1 else 's'}"


def replay(run: Run) -> Replay | None:
    """None for a run that did not replay anything."""
    cassette = run.facts.get("cassette")
    if not isinstance(cassette, dict):
        return None
    found = list(_differences(run))
    about = (
        f"This run replayed {_fact(cassette, 'path')}, recorded from {_fact(cassette, 'upstream')} at {_fact(cassette, 'recorded_at')} "
        f"({_fact(cassette, 'age')} ago). It says nothing about the sandbox of today."
    )
    stale = f"The recording is older than {_fact(cassette, 'max_age')}: record again." if cassette.get("stale") else ""
    return Replay(about, stale, len(found), tuple(_grouped(found)))


def document(run: Run) -> dict[str, Any]:
    """The same as plain data, for the JSON report."""
    cassette = run.facts.get("cassette")
    listed = [
        {
            "pointer": str(pointer),
            "what": entry.what,
            "story": entry.story,
            "operation": entry.operation,
            "name": entry.name,
            "recorded": entry.recorded,
            "actual": entry.actual,
        }
        for pointer, entry in _differences(run)
    ]
    return {"cassette": cassette if isinstance(cassette, dict) else {}, "differences": listed}


def _fact(cassette: dict[str, Json], name: str) -> str:
    return facts.line(str(cassette.get(name, "")))


def _differences(run: Run) -> Iterable[tuple[Pointer, ReplayDifference]]:
    return ((Pointer(world.name, entry.n), entry) for world in run.worlds for entry in world.of(ReplayDifference))


def _grouped(found: Iterable[tuple[Pointer, ReplayDifference]]) -> Iterable[ReplayGroup]:
    """What nobody expected first; in each sort, in the order of the run."""
    groups: dict[tuple[str, str, str], list[tuple[Pointer, ReplayDifference]]] = {}
    for pointer, entry in found:
        groups.setdefault((entry.what, entry.operation, entry.name), []).append((pointer, entry))
    order = ("unexpected", "missing", "changed", "order", "repeated")
    for key in sorted(groups, key=lambda key: order.index(key[0])):
        first = groups[key][0][1]
        where = f"{first.story}: " if first.story else ""
        yield ReplayGroup(f"{where}{differing(first)}", tuple(pointer for pointer, _ in groups[key]))
