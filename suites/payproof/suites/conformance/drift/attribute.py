"""Which fact of the profile a difference touches, and what the fact should be instead."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from payproof.contracts.comparing.catalogue import Catalogue, Decides, DriftCase
from payproof.contracts.comparing.comparison import ABSENT, Absent
from payproof.contracts.comparing.drift import Kind, Touched
from payproof.contracts.model import Json
from payproof.contracts.profile import Profile
from payproof.suites.conformance.drift.comparing import Raw
from payproof.suites.conformance.drift.observe import Observation

_SILENT = Absent()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnobReading:
    """What one step says of a knob: its value, or whether it has this member."""

    knob: str
    value: Json
    member: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """``change``: ``current -> proposed`` of the fact named; empty where a person must decide."""

    fact: Touched
    change: str = ""
    kind: Kind = "difference"
    verdict: KnobReading | None = None
    """What the change says of a knob."""


@dataclass(frozen=True, slots=True)
class Judge:
    """``knobs``: as the simulator plays them now."""

    profile: Profile
    catalogue: Catalogue
    knobs: Mapping[str, Json]

    def blame(self, raw: Raw, case: DriftCase) -> Blame:
        """The fact that this difference touches: a knob that the case decides, one of the profile's errors, or the contract."""
        touched: list[Decides] = []
        for decides in self._deciding(raw, case):
            value = self._value(decides, raw)
            if isinstance(value, Absent) or _equal(value, self.knobs[decides.knob]):
                continue
            if value is not None:
                return self._knob(decides, f"{self.knobs[decides.knob]!r} -> {value!r}", self._verdict(decides, value))
            touched.append(decides)
        error = self._error(raw) if raw.is_whole else None
        if touched and not (error and error.change):
            return self._knob(touched[0])
        return error or Blame(fact=self.place(raw))

    def verdicts(self, simulator: Observation, gateway: Observation, case: DriftCase) -> Iterator[KnobReading]:
        """What a step says of knobs whether the sides differ or not. A knob that any step may show by its answer is not read
        off a step that was made for something else."""
        for decides in self._rules(case):
            anywhere = not decides.at and decides.path == "answer"
            if anywhere or decides.at not in ("", gateway.label):
                continue
            if decides.path != "answer" and decides.path not in gateway.facts:
                continue
            value = self._value(decides, Raw(path=decides.path, simulator=simulator, gateway=gateway))
            if value is not None and not isinstance(value, Absent):
                yield self._verdict(decides, value)

    def _verdict(self, decides: Decides, value: Json) -> KnobReading:
        there = isinstance(value, list) and decides.member in value
        return KnobReading(knob=decides.knob, value=there if decides.member else value, member=decides.member)

    def _rules(self, case: DriftCase) -> Iterator[Decides]:
        yield from case.decides
        yield from self.catalogue.decides
        yield from (
            decides for other in self.catalogue.cases if other is not case for decides in other.decides if decides.at
        )

    @property
    def configured(self) -> frozenset[str]:
        """Observed paths that show a knob which the configuration has set otherwise than the profile."""
        changed = {name for name, value in self.knobs.items() if not _equal(value, self.profile.knobs[name].value)}
        return frozenset(decides.path for decides in self.catalogue.decides if decides.knob in changed)

    def _deciding(self, raw: Raw, case: DriftCase) -> Iterator[Decides]:
        paths = {"status": ("status", "answer"), "answer": ("answer", "status")}.get(raw.path, (raw.path,))
        for path in paths:
            for decides in (*case.decides, *self.catalogue.decides):
                if decides.path == path and decides.at in ("", raw.gateway.label):
                    yield decides
            yield from (
                decides for other in self.catalogue.cases if other is not case for decides in other.decides
                if decides.path == path and decides.at == raw.gateway.label
            )  # fmt: skip

    def _value(self, decides: Decides, raw: Raw) -> Json | Absent:
        """The knob's value by what the gateway did; None when it is this knob and no value can be told; ``_SILENT`` when it
        is another matter."""
        look = raw.gateway
        seen: Json | Absent = look.answer if decides.path == "answer" else look.facts.get(decides.path, ABSENT)
        if decides.member:
            there = look.answer == "ok" if decides.path == "answer" else not isinstance(seen, Absent)
            return changed(self.knobs[decides.knob], decides.member, there=there)
        if isinstance(seen, Absent) and decides.absent is not None:
            return decides.absent
        if decides.values is None:
            return _SILENT if isinstance(seen, Absent) else seen
        key = seen if isinstance(seen, str) else "" if isinstance(seen, Absent) else json.dumps(seen)
        if key in decides.values:
            return decides.values[key]
        other = "*" in decides.values and (decides.path != "answer" or (key != "ok" and self._refuses(look)))
        return decides.values["*"] if other else _SILENT

    def _refuses(self, look: Observation) -> bool:
        """Whether an answer is the gateway's refusal of what was asked: not a redirect, not a failure of the gateway's own, and
        not a route that it does not have."""
        status = look.facts.get("status")
        if self._errors(look.answer) or not isinstance(status, int):
            return True
        return 400 <= status < 500 and not self._is_outside(look)

    def _is_outside(self, look: Observation) -> bool:
        """Whether an answer comes from the framework in front of the operations: nothing of that name, no such method."""
        statuses = {
            error.status for error in self.profile.errors.values() if not error.envelope and not error.operations
        }
        return look.answer.startswith("HTTP") and look.facts.get("status") in statuses

    def _knob(self, decides: Decides, change: str = "", verdict: KnobReading | None = None) -> Blame:
        fact = self.profile.knobs[decides.knob]
        name = f'knobs["{decides.knob}"]'
        return Blame(
            fact=Touched(name=name, provenance=fact.provenance, source=fact.source, note=fact.note),
            change=change,
            kind="assumption" if fact.provenance in _GUESSED else "difference",
            verdict=verdict,
        )

    def _error(self, raw: Raw) -> Blame | None:
        """The profile's error that either side answered."""
        names = [name for name in (raw.simulator.answer, raw.gateway.answer) if self._errors(name)]
        if not names or (raw.path != "body" and self._is_elsewhere(raw)):
            return None
        changes = tuple(self._changes(names[0], raw)) if names[0] == raw.simulator.answer else ()
        found = [self.profile.errors[each] for each in self._errors(names[0])]
        label = ", ".join(f'errors["{each}"]' for each in self._errors(names[0]))
        whole = Touched(name=label, provenance=found[0].provenance, source=found[0].source)
        if len(found) > 1:
            return Blame(fact=whole)
        if len(changes) != 1:
            return Blame(fact=whole, change="; ".join(f".{part}: {change}" for part, change in changes))
        part, change = changes[0]
        ours = part == "texts" and all(each.provenance in _CHOSEN for each in found)
        named = Touched(name=f"{label}.{part}", provenance=whole.provenance, source=whole.source)
        return Blame(fact=named, change=change, kind="assumption" if ours else "difference")

    def _is_elsewhere(self, raw: Raw) -> bool:
        """Whether the gateway's answer is none to this question: another status, from before the operation."""
        status = raw.gateway.facts.get("status")
        redirects = isinstance(status, int) and not 400 <= status < 500 and raw.gateway.answer.startswith("HTTP")
        moved = self._is_outside(raw.gateway) and status != raw.simulator.facts.get("status")
        return redirects or (moved and _shape(raw.gateway) != _shape(raw.simulator))

    def _errors(self, answer: str) -> list[str]:
        names = answer.split("+")
        return names if all(name in self.profile.errors for name in names) else []

    def _changes(self, name: str, raw: Raw) -> Iterator[tuple[str, str]]:
        """What of this error is otherwise at the gateway, when the gateway refuses too, in words of its own."""
        simulator, gateway = raw.simulator, raw.gateway
        if gateway.answer == "ok" or not gateway.texts or (gateway.answer != name and self._errors(gateway.answer)):
            return
        before, after = simulator.facts.get("status"), gateway.facts.get("status")
        if before != after:
            yield "status", f"{before} -> {after}"
        if simulator.texts != gateway.texts:
            yield "texts", f"{list(simulator.texts)!r} -> {list(gateway.texts)!r}"
        if "body" in simulator.facts and _shape(simulator) != _shape(gateway) and name in self.profile.errors:
            envelope = self.profile.errors[name].envelope
            yield "envelope", f"{envelope!r} -> {not envelope!r}"

    def place(self, raw: Raw) -> Touched:
        """No knob and no error: a place of the contract."""
        operation = self.catalogue.operations.get(raw.simulator.operation, raw.simulator.operation)
        status = raw.gateway.facts.get("status", "") if raw.path.startswith("body.") else ""
        return Touched(name=" ".join(str(part) for part in ("openapi", operation, status, raw.path) if part != ""))


_GUESSED = ("inferred", "memory")
"""What nobody has seen: a gateway that does otherwise answers an open question."""
_CHOSEN = ("assumed", "framework", *_GUESSED)
"""Weights of errors whose literal texts are not the gateway's own."""


def _shape(look: Observation) -> frozenset[str]:
    return frozenset(path for path in look.facts if path.startswith("body"))


def changed(current: Json, member: str, *, there: bool) -> Json:
    """A list that has this member, or has it no more."""
    rest = [each for each in current if each != member] if isinstance(current, list) else list[Json]()
    if not there:
        return rest
    return current if isinstance(current, list) and member in current else [*rest, member]


def _equal(one: Json | Absent, other: Json) -> bool:
    return type(one) is type(other) and one == other


# What the steps on which both sides agree say of the profile: a proposal that they contradict is none


class Agreed:
    """``errors``: those of the profile that the gateway answers as the profile has them, each with the kind of body (a page says
    the same in other words than JSON); ``verdicts``: what was found of knobs."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.errors: set[tuple[str, Json]] = set()
        self.verdicts: list[KnobReading] = []

    def note(self, simulator: Observation, gateway: Observation, case: DriftCase) -> None:
        """A step at which both gave the same answer."""
        if gateway.answer in self._judge.profile.errors and gateway.answer == simulator.answer:
            self.errors.add((gateway.answer, gateway.facts.get("body")))
        self.verdicts += self._judge.verdicts(simulator, gateway, case)

    def contradict(self, blame: Blame, raw: Raw) -> bool:
        """Whether what this would change is at another step as it is."""
        if blame.verdict is None:
            body = raw.simulator.facts.get("body")
            known = any(f'errors["{name}"]' in blame.fact.name and kind == body for name, kind in self.errors)
            return known and bool(blame.change)
        return any(
            each.knob == blame.verdict.knob
            and each.member == blame.verdict.member
            and each.value != blame.verdict.value
            for each in self.verdicts
        )


def combined(blames: Iterable[Blame], knobs: Mapping[str, Json]) -> list[Blame]:
    """Members that come to one list, or go from it, are one change of that list."""
    found = list(blames)
    for knob in dict.fromkeys(each.verdict.knob for each in found if each.verdict and each.verdict.member):
        value = knobs[knob]
        for each in found:
            if each.verdict and each.verdict.knob == knob and each.verdict.member and each.change:
                value = changed(value, each.verdict.member, there=bool(each.verdict.value))
        text = f"{knobs[knob]!r} -> {value!r}"
        found = [
            replace(each, change=text)
            if each.verdict and each.verdict.knob == knob and each.verdict.member and each.change
            else each
            for each in found
        ]
    return found


def unsaid(blame: Blame, place: Touched) -> Blame:
    """The same difference without a proposal: a person must see which fact it is."""
    return replace(blame, fact=place, change="", kind="difference", verdict=None)
