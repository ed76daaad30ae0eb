"""What a written story tells: the rule, the sentences, and the journal that shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from payproof.contracts.entries import Entry


@dataclass(frozen=True, slots=True)
class BrokenStep:
    """A rule that the story breaks, about one of its orders."""

    rule: str
    text: str
    order: int
    expected: str
    actual: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A story that breaks a rule. ``sentences``: one for each step, in order; ``replay``: the command that repeats it."""

    name: str
    gateway: str
    broken: tuple[BrokenStep, ...]
    sentences: tuple[str, ...]
    entries: tuple[Entry, ...]
    replay: str
    facts: Mapping[str, str]
    """Label -> value, for the head of the page."""
