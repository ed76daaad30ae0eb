"""What differs between two observations of one step. Pure: from observations to raw differences and counts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from payproof.contracts.comparing.catalogue import CaseRequest, Catalogue
from payproof.contracts.comparing.comparison import ABSENT, Absent, pairs, shown
from payproof.suites.conformance.drift.observe import REDACTED, Observation

_ONLY_TOGETHER = ("json.", "redirect.brackets")
"""How something is spelled: nothing to compare where only one side wrote it."""
WHOLE = ("answer", "status", "body")
"""Paths under which answers as a whole differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """One difference, before anybody knows which fact it touches. ``path``: ``answer`` when the answers as a whole differ."""

    path: str
    simulator: Observation
    gateway: Observation

    @property
    def is_whole(self) -> bool:
        return self.path in WHOLE

    @property
    def in_words(self) -> tuple[str, str]:
        """Both values in words."""
        if self.is_whole and "asked" not in self.simulator.facts:
            return self.simulator.summary, self.gateway.summary
        return self._value(self.simulator), self._value(self.gateway)

    def _value(self, side: Observation) -> str:
        value = side.facts.get(self.path, ABSENT)
        within = isinstance(value, Absent) and any(path.startswith(f"{self.path}.") for path in side.facts)
        return "an object" if within else shown(value)


Step: TypeAlias = tuple[Observation, Observation]
"""What the simulator and the gateway answered at one step."""


@dataclass(slots=True)
class DifferenceTally:
    """What was compared: (operation, label, path) -> whether it agreed everywhere. The same step counts once."""

    facts: dict[tuple[str, str, str], bool] = field(default_factory=dict[tuple[str, str, str], bool])

    def note(self, operation: str, label: str, path: str, *, agrees: bool) -> None:
        key = operation, label, path
        self.facts[key] = self.facts.get(key, True) and agrees

    def of(self, operation: str) -> tuple[int, int]:
        """(compared, agreed)"""
        found = [agrees for (each, _, _), agrees in self.facts.items() if each == operation]
        return len(found), sum(found)


def steps(simulator: Iterable[Observation], gateway: Iterable[Observation]) -> Iterator[Step]:
    """The observations of the same steps, as far as both sides got."""
    there = dict(_numbered(gateway))
    for key, look in _numbered(simulator):
        if key in there:
            yield look, there[key]


def _numbered(looks: Iterable[Observation]) -> Iterator[tuple[tuple[str, int], Observation]]:
    seen: dict[str, int] = {}
    for look in looks:
        seen[look.label] = seen.get(look.label, 0) + 1
        yield (look.label, seen[look.label]), look


def differences(simulator: Observation, gateway: Observation, tally: DifferenceTally) -> Iterator[Raw]:
    """What differs between two looks at one step. An answer that is another one altogether is one difference, not many."""
    differing: list[str] = []
    for pair in pairs(simulator.facts, gateway.facts):
        if not _comparable(pair.path, simulator, gateway):
            continue
        tally.note(simulator.operation, simulator.label, pair.path, agrees=pair.agrees)
        differing += [] if pair.agrees else [pair.path]
    whole = _whole(simulator, gateway, differing)
    if whole:
        yield Raw(path=whole, simulator=simulator, gateway=gateway)
    for path in differing:
        if not (_within(path, differing) or (whole and _part_of(path, simulator, gateway))):
            yield Raw(path=path, simulator=simulator, gateway=gateway)


def _comparable(path: str, simulator: Observation, gateway: Observation) -> bool:
    sides = (simulator.facts, gateway.facts)
    if sides[0].get("asked") != sides[1].get("asked"):
        return path == "asked"
    if any(REDACTED in json.dumps(each.get(path)) for each in sides):
        return False
    if path.startswith("headers."):
        return all("status" in each for each in sides)
    return not path.startswith(_ONLY_TOGETHER) or all(path in each for each in sides)


def _whole(simulator: Observation, gateway: Observation, differing: list[str]) -> str:
    """The path under which the answers as a whole differ; empty when only parts of them do."""
    if "asked" in differing or not any(_is_main(path) for path in differing):
        return ""
    if simulator.answer != gateway.answer or (not simulator.is_named and simulator.texts != gateway.texts):
        return "answer"
    return next((path for path in ("status", "body") if path in differing), "")


def _is_main(path: str) -> bool:
    return path in ("status", "body", "page") or path.startswith(("body.", "page.", "redirect.query."))


def _part_of(path: str, simulator: Observation, gateway: Observation) -> bool:
    """Whether a difference is only the consequence of the whole answer's."""
    kind = simulator.facts.get("body") != gateway.facts.get("body")
    # An answer that nobody has a name for comes from somewhere else, with headers of its own.
    foreign = not gateway.is_named and simulator.answer != gateway.answer and kind
    return _is_main(path) or (path == "headers.content-type" and kind) or (path.startswith("headers.") and foreign)


def _within(path: str, differing: list[str]) -> bool:
    """Whether a difference is only a part of another one: a field of an object that is not there, an id's length."""
    return any(path.startswith((f"{other}.", f"{other} ")) for other in differing if other not in ("body", "page"))


# What an operation's plain request already meets at the gateway: it explains every other answer that says the same


def labels_of(catalogue: Catalogue) -> Mapping[str, str]:
    """Operation -> label of its plain request: the one that most cases are made of."""
    asked = Counter(
        (each.operation, each.label) for case in catalogue.cases for each in case.steps if isinstance(each, CaseRequest)
    )
    found: dict[str, str] = {}
    for (operation, label), _ in asked.most_common():
        found.setdefault(operation, label)
    return found


def refusals(steps: Iterable[Step], labels: Mapping[str, str]) -> Mapping[str, Step]:
    """Operation -> its plain step, where the simulator takes it and the gateway does not."""
    plain: dict[str, Step] = {}
    for simulator, gateway in steps:
        if simulator.answer == "ok" and gateway.label == labels.get(gateway.operation):
            plain.setdefault(gateway.operation, (simulator, gateway))
    return {operation: pair for operation, pair in plain.items() if pair[1].answer != "ok"}


def explained(look: Observation, plain: Observation) -> bool:
    """Whether the gateway says to a request what it says to the plain one as well, perhaps among other things."""
    if look.operation != plain.operation or look.answer == "ok":
        return False
    if plain.texts:
        return set(plain.texts) <= set(look.texts)
    return look.texts == plain.texts and look.facts.get("status") == plain.facts.get("status")
