"""The journal: the ordered record of everything that happened in a world, one entry a line.

Every text has passed the veil on its way in, so a journal holds placeholders and never a secret. What somebody else wrote and
looks like a placeholder is told from a real one (``‹access-token-1›``).
"""

from __future__ import annotations

import dataclasses
import operator
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Protocol, TypeAlias, TypeVar, cast

from payproof.contracts import secret_fields
from payproof.contracts.entries import Alert, Call, Checkout, Delivery, E, Entry, Log, OrderSeen, Page
from payproof.contracts.secrets import Redactor

_FOREIGN = (Alert, Call, Checkout, Delivery, Log, OrderSeen, Page)
"""Entries whose texts come from the integration or the gateway; the others are written by payproof itself."""


class Sink(Protocol):
    """Who is handed every entry, to write it down elsewhere. Both calls must be quick: they are on the way of a call."""

    def add(self, entry: Entry) -> None: ...

    def drop(self, since: int) -> None:
        """Take back the entries from this number on."""
        ...


class Journal:
    """Collects a world's entries: numbers them, stamps them, draws the veil over them.

    ``listener`` is told of each entry, after it is recorded (for waiting without sleeping, and for progress).
    """

    def __init__(self, redactor: Redactor | None = None, *, clock: Callable[[], float] | None = None) -> None:
        self.redactor = redactor or Redactor()
        started = time.monotonic()
        self._clock = clock or (lambda: time.monotonic() - started)
        self.entries: list[Entry] = []
        self.listeners: list[Callable[[Entry], None]] = []
        self.sink: Sink | None = None
        self._next = 1

    def now(self) -> float:
        """Seconds since the run began."""
        return self._clock()

    @property
    def next(self) -> int:
        """The number that the next entry gets."""
        return self._next

    def add(self, entry: E) -> E:
        short = self._learn(entry) if isinstance(entry, Call) else {}
        cover = self._foreign if isinstance(entry, _FOREIGN) else self.redactor.redact
        fields = _covered_fields(entry, cover)
        fields |= {"n": self._next, "at": round(self.now(), 4)}
        kind: type[E] = entry.__class__
        covered = kind(**fields)
        if short and isinstance(covered, Call):
            covered = cast("E", secret_fields.placed(covered, short))
        self._next += 1
        self.entries.append(covered)
        if self.sink is not None:
            self.sink.add(covered)
        for listener in tuple(self.listeners):
            listener(covered)
        return covered

    def _foreign(self, text: str) -> str:
        return self.redactor.redact(text, foreign=True)

    def _learn(self, call: Call) -> dict[str, str]:
        """A hand-written journal without a secret is kept as it was written."""
        if self.redactor.empty:
            return {}
        return secret_fields.learn_call(self.redactor, call)

    def drop(self, since: int) -> None:
        """Forget the entries from this number on; their numbers are not given again."""
        self.entries = [entry for entry in self.entries if entry.n < since]
        if self.sink is not None:
            self.sink.drop(since)

    def clear(self) -> None:
        """Forget the entries; their numbers are not given again."""
        self.entries.clear()
        if self.sink is not None:
            self.sink.drop(0)


T = TypeVar("T")
Cover: TypeAlias = Callable[[str], str]


def covered(value: T, redactor: Redactor) -> T:
    """``value`` (an entry, texts, a table) with the veil drawn over it once more: a secret that was learned from what somebody
    sent covers also what was written before it was known."""
    found: T = _covered(value, redactor.redact)
    return found


def _covered(value: Any, cover: Cover) -> Any:
    """``value`` with the veil drawn over every text in it; the same object where there was nothing to hide."""
    kind = value.__class__
    if kind is str:
        return cover(value)
    if kind in _NO_TEXT:
        return value
    if isinstance(value, _SEQUENCES):
        covered = [_covered(item, cover) for item in value]  # pyright: ignore
        return value if all(map(operator.is_, covered, value)) else kind(covered)  # pyright: ignore
    if _names_of(kind):
        fields = _covered_fields(value, cover)
        return value if all(getattr(value, name) is new for name, new in fields.items()) else kind(**fields)
    if isinstance(value, Mapping):
        kept = {_covered(key, cover): _covered(item, cover) for key, item in value.items()}  # pyright: ignore
        return value if kept == value else kept  # pyright: ignore
    return cover(str(value)) if isinstance(value, str) else value


_NO_TEXT = frozenset({type(None), bool, int, float})
_SEQUENCES = (tuple, list)


def _covered_fields(value: Any, cover: Cover) -> dict[str, Any]:
    """A dataclass's fields by name, covered."""
    return {name: _covered(getattr(value, name), cover) for name in _names_of(value.__class__)}


@cache
def _names_of(kind: type) -> tuple[str, ...]:
    """Names of a dataclass's fields; empty for any other type."""
    return tuple(field.name for field in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else ()
