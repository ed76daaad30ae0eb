"""The journal: the ordered record of everything that happened in a world, one entry a line.

Every text has passed the veil on its way in, so a journal holds placeholders and never a secret.
"""

from __future__ import annotations

import dataclasses
import operator
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from payproof.contracts.entries import E, Entry
from payproof.contracts.secrets import Veil


class Journal:
    """Collects a world's entries: numbers them, stamps them, draws the veil over them.

    ``listener`` is told of each entry, after it is recorded (for waiting without sleeping, and for progress).
    """

    def __init__(self, veil: Veil | None = None, *, clock: Callable[[], float] | None = None) -> None:
        self.veil = veil or Veil()
        started = time.monotonic()
        self._clock = clock or (lambda: time.monotonic() - started)
        self.entries: list[Entry] = []
        self.listeners: list[Callable[[Entry], None]] = []
        self._next = 1

    def now(self) -> float:
        """Seconds since the run began."""
        return self._clock()

    @property
    def next(self) -> int:
        """The number that the next entry gets."""
        return self._next

    def add(self, entry: E) -> E:
        fields = _covered_fields(entry, self.veil)
        fields |= {"n": self._next, "at": round(self.now(), 4)}
        covered = type(entry)(**fields)
        self._next += 1
        self.entries.append(covered)
        for listener in tuple(self.listeners):
            listener(covered)
        return covered

    def drop(self, since: int) -> None:
        """Forget the entries from this number on; their numbers are not given again."""
        self.entries = [entry for entry in self.entries if entry.n < since]

    def clear(self) -> None:
        """Forget the entries; their numbers are not given again."""
        self.entries.clear()


def _covered(value: Any, veil: Veil) -> Any:
    """``value`` with the veil drawn over every text in it; the same object where there was nothing to hide."""
    kind = value.__class__
    if kind is str:
        return veil.cover(value)
    if kind in _NO_TEXT:
        return value
    if isinstance(value, _SEQUENCES):
        covered = [_covered(item, veil) for item in value]  # pyright: ignore
        return value if all(map(operator.is_, covered, value)) else kind(covered)  # pyright: ignore
    if _names_of(kind):
        fields = _covered_fields(value, veil)
        return value if all(getattr(value, name) is new for name, new in fields.items()) else kind(**fields)
    if isinstance(value, Mapping):
        return {_covered(key, veil): _covered(item, veil) for key, item in value.items()}  # pyright: ignore
    return veil.cover(str(value)) if isinstance(value, str) else value


_NO_TEXT = frozenset({type(None), bool, int, float})
_SEQUENCES = (tuple, list)


def _covered_fields(value: Any, veil: Veil) -> dict[str, Any]:
    """A dataclass's fields by name, covered."""
    return {name: _covered(getattr(value, name), veil) for name in _names_of(value.__class__)}


@cache
def _names_of(kind: type) -> tuple[str, ...]:
    """Names of a dataclass's fields; empty for any other type."""
    return tuple(field.name for field in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else ()
