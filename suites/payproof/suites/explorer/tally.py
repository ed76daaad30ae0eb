"""How far a search is, and what it found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from payproof.suites.explorer.oracle import RULES, Truth
from payproof.suites.explorer.playing import Played


@dataclass(frozen=True, slots=True)
class Found:
    """A story that breaks a rule, played again on a fresh instance. ``after``: seconds until it was suspected."""

    rule: str
    played: Played
    after: float
    stories: int


@dataclass(slots=True)
class RuleTally:
    """How far the search is."""

    stories: int = 0
    steps: int = 0
    charges: int = 0
    shrinking: int = 0
    truths: Counter[Truth] = field(default_factory=Counter[Truth])
    reasons: Counter[str] = field(default_factory=Counter[str])
    found: list[Found] = field(default_factory=list[Found])
    unconfirmed: list[str] = field(default_factory=list[str])
    ended: str = ""
    """Why the search ended before its limits: the integration does not start again, say."""
    seconds: float = 0.0
    """Of playing, shrinking and confirming; without the control payment."""
    playing: float = 0.0
    """Of playing alone."""

    def add(self, played: Played) -> None:
        self.stories += 1
        self.steps += len(played.story.acts)
        self.charges += played.charges
        self.truths[played.truth] += 1
        if played.problem:
            self.reasons[played.problem] += 1
        for reason in {ruling.reason for ruling in played.rulings if ruling.truth is Truth.UNKNOWN}:
            self.reasons[reason] += 1


def rules_left(tally: RuleTally) -> tuple[str, ...]:
    """Rules that no story broke."""
    return tuple(rule for rule in RULES if rule not in {found.rule for found in tally.found})
