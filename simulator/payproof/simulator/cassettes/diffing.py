"""Two recordings of the same probes: which exchanges came or went, and what of the others is said in another way."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from payproof.contracts.comparing.volatile import shape
from payproof.simulator.cassettes.comparing import FieldChange, unlike
from payproof.simulator.cassettes.reading import RecordedExchange, Recording


@dataclass(frozen=True, slots=True)
class Changed:
    before: RecordedExchange
    after: RecordedExchange
    changes: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class Diff:
    removed: tuple[RecordedExchange, ...]
    added: tuple[RecordedExchange, ...]
    changed: tuple[Changed, ...]

    @property
    def same(self) -> bool:
        return not (self.removed or self.added or self.changed)


def diff(before: Recording, after: Recording) -> Diff:
    """What ``after`` says otherwise than ``before``."""
    old, new = before.exchanges, after.exchanges
    removed: list[RecordedExchange] = []
    added: list[RecordedExchange] = []
    changed: list[Changed] = []
    matcher = difflib.SequenceMatcher(None, [_key(e) for e in old], [_key(e) for e in new], autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag != "equal":
            removed += old[i1:i2]
            added += new[j1:j2]
            continue
        for one, other in zip(old[i1:i2], new[j1:j2], strict=True):
            if found := tuple(unlike(one, other)):
                changed.append(Changed(one, other, found))
    return Diff(tuple(removed), tuple(added), tuple(changed))


def _key(exchange: RecordedExchange) -> tuple[str, str, str]:
    """What makes two exchanges the same one: their probe, their sort, and what was asked."""
    asked = exchange.operation or f"{exchange.request.method} {shape(exchange.request.url)}"
    return exchange.probe, exchange.kind, asked
