"""Compares what two sides answered at the same step. Pure: from looks to raw differences and counts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from payproof.contracts.model import Json
from payproof.suites.conformance.drift.observe import REDACTED, Observation

_ONLY_TOGETHER = ("json.", "redirect.brackets")
"""How something is spelled: nothing to compare where only one side wrote it."""


class Absent:
    """What is not there; one value, ``ABSENT``."""

    def __repr__(self) -> str:
        return "not there"


ABSENT = Absent()


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """One difference, before anybody knows which fact it touches. ``path``: ``answer`` when the answers as a whole differ."""

    path: str
    simulator: Observation
    gateway: Observation

    @property
    def values(self) -> tuple[Json | Absent, Json | Absent]:
        return self.simulator.facts.get(self.path, ABSENT), self.gateway.facts.get(self.path, ABSENT)

    @property
    def told(self) -> tuple[str, str]:
        """Both values in words."""
        if self.path in ("answer", "status", "body") and "asked" not in self.simulator.facts:
            return summary(self.simulator), summary(self.gateway)
        one, other = (
            "an object"
            if isinstance(value, Absent) and any(path.startswith(f"{self.path}.") for path in look.facts)
            else shown(value)
            for value, look in zip(self.values, (self.simulator, self.gateway), strict=True)
        )
        return one, other


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


def pairs(
    simulator: Iterable[Observation], gateway: Iterable[Observation]
) -> Iterator[tuple[Observation, Observation]]:
    """The looks at the same steps, as far as both sides got."""
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
    paths = [
        path for path in dict.fromkeys((*simulator.facts, *gateway.facts)) if _comparable(path, simulator, gateway)
    ]
    differing: list[str] = []
    for path in paths:
        agrees = same(simulator.facts.get(path, ABSENT), gateway.facts.get(path, ABSENT))
        tally.note(simulator.operation, simulator.label, path, agrees=agrees)
        if not agrees:
            differing.append(path)
    whole = _whole(simulator, gateway, differing)
    if whole:
        yield Raw(path=whole, simulator=simulator, gateway=gateway)
    for path in differing:
        if not (_within(path, differing) or (whole and _part_of(path, simulator, gateway))):
            yield Raw(path=path, simulator=simulator, gateway=gateway)


def same(one: Json | Absent, other: Json | Absent) -> bool:
    """Equal in value and in type: 1 is not true, and "1" is not 1."""
    return type(one) is type(other) and json.dumps(one, default=str) == json.dumps(other, default=str)


def _comparable(path: str, simulator: Observation, gateway: Observation) -> bool:
    asked = simulator.facts.get("asked"), gateway.facts.get("asked")
    if asked[0] != asked[1]:
        return path == "asked"
    if any(REDACTED in json.dumps(look.facts.get(path)) for look in (simulator, gateway)):
        return False
    if path.startswith("headers."):
        return "status" in simulator.facts and "status" in gateway.facts
    return not path.startswith(_ONLY_TOGETHER) or (path in simulator.facts and path in gateway.facts)


def _whole(simulator: Observation, gateway: Observation, differing: list[str]) -> str:
    """The path under which the answers as a whole differ; empty when only parts of them do."""
    if "asked" in differing or not any(_is_main(path) for path in differing):
        return ""
    if simulator.answer != gateway.answer or (simulator.answer.startswith("HTTP") and simulator.texts != gateway.texts):
        return "answer"
    if "status" in differing:
        return "status"
    return "body" if "body" in differing else ""


def _is_main(path: str) -> bool:
    return path in ("status", "body", "page") or path.startswith(("body.", "page.", "redirect.query."))


def _part_of(path: str, simulator: Observation, gateway: Observation) -> bool:
    """Whether a difference is only the consequence of the whole answer's."""
    kind = simulator.facts.get("body") != gateway.facts.get("body")
    # An answer that nobody has a name for comes from somewhere else, with headers of its own.
    foreign = gateway.answer.startswith("HTTP") and simulator.answer != gateway.answer and kind
    return _is_main(path) or (path == "headers.content-type" and kind) or (path.startswith("headers.") and foreign)


def _within(path: str, differing: list[str]) -> bool:
    """Whether a difference is only a part of another one: a field of an object that is not there, an id's length."""
    return any(path.startswith((f"{other}.", f"{other} ")) for other in differing if other not in ("body", "page"))


def summary(look: Observation) -> str:
    """An answer on one line."""
    status, body = look.facts.get("status"), look.facts.get("body", "")
    if body or (isinstance(status, int) and status >= 400):
        kind = "" if body in ("JSON object", "empty", "") else f" ({body})"
        return f"{status} {'; '.join(look.texts) or look.answer}{kind}"
    return look.answer


def shown(value: Json | Absent) -> str:
    """A value for people: texts plain, the rest as JSON."""
    if isinstance(value, Absent):
        return "not there"
    return json.dumps(value, ensure_ascii=False)
