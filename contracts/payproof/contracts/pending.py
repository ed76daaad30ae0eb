"""What was noted in a journal and becomes an entry when somebody reads it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol

from payproof.contracts.entries import Call, Entry
from payproof.contracts.redaction import secret_fields
from payproof.contracts.redaction.secrets import Redactor

SEQUENCES = (tuple, list)


class Book(Protocol):
    """The journal that something was noted in."""

    redactor: Redactor

    def settled(self, pending: Pending) -> None:
        """Write it down."""
        ...


class Pending:
    """Something that happened, kept as it passed until somebody reads the journal. ``n``, ``at``: as for its entry."""

    __slots__ = ("at", "journal", "n")
    journal: Book
    n: int
    at: float

    def entry(self) -> Entry:
        """What is to be written down, before it passes the redactor."""
        raise NotImplementedError

    def size(self) -> int:
        """Bytes that its entry will take, about."""
        raise NotImplementedError

    def teach(self, redactor: Redactor) -> None:
        """Nobody will ever read it: have the redactor know afterwards what it would know if somebody had."""

    def settle(self) -> None:
        self.journal.settled(self)

    def pass_over(self, owner: object) -> bool:
        if owner is not self.journal:
            return False
        self.teach(self.journal.redactor)
        return True


class Ready(Pending):
    """An entry that stands ready."""

    __slots__ = ("_entry",)

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def entry(self) -> Entry:
        return self._entry

    def size(self) -> int:
        return weight(self._entry)

    def teach(self, redactor: Redactor) -> None:
        if isinstance(self._entry, Call) and not redactor.empty:
            secret_fields.learn_call(redactor, self._entry)


def weight(value: Any) -> int:
    """Bytes that an entry takes, about: its texts, and what holds them."""
    kind = value.__class__
    if kind is str:
        return len(value) + 64
    if isinstance(value, SEQUENCES):
        return 64 + sum(map(weight, value))  # pyright: ignore
    if isinstance(value, Mapping):
        return 64 + sum(weight(key) + weight(item) for key, item in value.items())  # pyright: ignore
    return 32 + sum(weight(getattr(value, name)) for name in names_of(kind))


@cache
def names_of(kind: type) -> tuple[str, ...]:
    """Names of a dataclass's fields; empty for any other type."""
    return tuple(field.name for field in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else ()
