"""The one comparer of exchanges: two tables of facts, fact by fact.

Whoever observes an exchange says what its facts are, and takes out what differs each time (``volatile``). A recording and what is
asked of it, two recordings, simulator and gateway are all compared here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from payproof.contracts.model import Json


class Absent:
    """What is not there; one value, ``ABSENT``."""

    def __repr__(self) -> str:
        return "not there"


ABSENT = Absent()
Facts: TypeAlias = Mapping[str, Json]
"""What was observed -> its value."""


@dataclass(frozen=True, slots=True)
class FactPair:
    """One fact on both sides."""

    path: str
    before: Json | Absent
    after: Json | Absent

    @property
    def agrees(self) -> bool:
        return same(self.before, self.after)


def pairs(before: Facts, after: Facts) -> Iterator[FactPair]:
    """Every fact of either side, once."""
    for path in dict.fromkeys((*before, *after)):
        yield FactPair(path, before.get(path, ABSENT), after.get(path, ABSENT))


def differing(before: Facts, after: Facts) -> Iterator[FactPair]:
    """The facts that are not the same."""
    return (pair for pair in pairs(before, after) if not pair.agrees)


def same(one: Json | Absent, other: Json | Absent) -> bool:
    """Equal in value and in type: 1 is not true, and "1" is not 1."""
    return type(one) is type(other) and json.dumps(one, default=str) == json.dumps(other, default=str)


def shown(value: Json | Absent) -> str:
    """A value for people, as JSON."""
    return str(value) if isinstance(value, Absent) else json.dumps(value, ensure_ascii=False)
