"""What the steps on which both sides agree say of the profile: a proposal that they contradict is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from payproof.contracts.catalogue import DriftCase
from payproof.contracts.drift import Touched
from payproof.contracts.model import Json
from payproof.suites.conformance.drift.attribute import Blame, Judge, Verdict, changed
from payproof.suites.conformance.drift.comparing import Raw
from payproof.suites.conformance.drift.observe import Observation


class Agreed:
    """``errors``: those of the profile that the gateway answers as the profile has them, each with the kind of body (a page says
    the same in other words than JSON); ``verdicts``: what was said of knobs."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.errors: set[tuple[str, Json]] = set()
        self.verdicts: list[Verdict] = []

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
