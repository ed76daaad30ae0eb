"""The journal: the ordered record of everything that happened in a world, one entry a line.

Every text has passed the redactor on its way in, so a journal holds placeholders and never a secret. What somebody else wrote and
looks like a placeholder is distinguished from a real one (``‹access-token-1›``).
"""

from __future__ import annotations

import asyncio
import operator
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar, cast

from payproof.contracts.entries import Alert, Call, Checkout, Delivery, E, Entry, Log, OrderSeen, Page, Step
from payproof.contracts.pending import SEQUENCES, Pending, Ready, names_of, weight
from payproof.contracts.redaction import secret_fields
from payproof.contracts.redaction.secrets import Redactor

_FOREIGN = (Alert, Call, Checkout, Delivery, Log, OrderSeen, Page)
"""Entries whose texts come from the integration or the gateway; the others are written by payproof itself."""
FORGOTTEN = "forgotten"
"""Name of the step that says how much a bounded journal, or the gateway, has let go of."""
_SLICES = 20
"""The part of a full journal that is let go of at once."""
_BIT = 50
"""Entries that are written down in one go while others wait, a few milliseconds."""
_AT_ONCE = 32
"""Of what nobody has read, so many at once: it takes a little longer, and somebody is waiting."""


class Sink(Protocol):
    """Who is handed every entry, to write it down elsewhere. Both calls must be quick: they are on the way of a call."""

    def add(self, entry: Entry) -> None: ...

    def drop(self, since: int) -> None:
        """Take back the entries from this number on."""
        ...


@dataclass(frozen=True, slots=True)
class Bound:
    """What a journal keeps at most: entries, and bytes of their texts and of what holds them."""

    entries: int
    bytes: int


class Journal:
    """Collects a world's entries: numbers them, stamps them, redacts them.

    ``listeners`` are handed each entry, after it is recorded (for waiting without sleeping, and for progress). While there are none,
    and no ``sink``, what is noted becomes an entry when somebody reads ``entries``: the same entry, to the letter.
    With a ``bound`` the oldest are forgotten, and the first entry says how many.
    """

    def __init__(
        self,
        redactor: Redactor | None = None,
        *,
        clock: Callable[[], float] | None = None,
        bound: Bound | None = None,
    ) -> None:
        self.redactor = redactor or Redactor()
        started = time.monotonic()
        self._clock = clock or (lambda: time.monotonic() - started)
        self._entries: list[Entry] = []
        self._listeners: list[Callable[[Entry], None]] = []
        self.sink: Sink | None = None
        self._next = 1
        self._pending = 0
        self._bound = bound
        self._sizes: deque[int] = deque()
        self._bytes = 0
        self.forgotten = 0
        """Entries that were let go because there were too many."""

    def now(self) -> float:
        """Seconds since the run began."""
        return self._clock()

    @property
    def next(self) -> int:
        """The number that the next entry gets."""
        return self._next

    async def read(self) -> list[Entry]:
        """``entries``, for an event loop in which others work, too: a long list is written down bit by bit."""
        for _ in range(self._pending // _BIT):
            self.redactor.waiting.settle(_BIT)
            await asyncio.sleep(0)
        return self.entries

    @property
    def entries(self) -> list[Entry]:
        """All that is kept, in the order in which it happened."""
        if self._pending:
            self.redactor.waiting.settle()
        if self._bound is not None and self.forgotten:
            self._note_forgotten()
        return self._entries

    @property
    def listeners(self) -> list[Callable[[Entry], None]]:
        """Told of each entry that is recorded from now on."""
        if self._pending:
            self.redactor.waiting.settle()
        return self._listeners

    def add(self, entry: E) -> E:
        """Write an entry down now; returns it as it stands in the journal."""
        if self._pending:
            self.redactor.waiting.settle()
        written = self._write(entry, self._number(), round(self.now(), 4))
        if self._bound is not None:
            self._weigh(self._bound, weight(entry))
        return written

    def note(self, pending: Pending) -> None:
        """Take in what happened. It is written down before anything that comes later, and at once where somebody listens."""
        pending.journal, pending.n, pending.at = self, self._next, self._clock()
        self._next += 1
        self.redactor.waiting.put(pending)
        self._pending += 1
        if self._listeners or self.sink is not None:
            self.redactor.waiting.settle()
        if self._bound is not None:
            self._weigh(self._bound, pending.size())

    def put(self, entry: Entry) -> None:
        """``add`` an entry, when somebody first reads the journal."""
        self.note(Ready(entry))

    def settled(self, pending: Pending) -> None:
        """Write down what was noted."""
        self._pending -= 1
        self._write(pending.entry(), pending.n, round(pending.at, 4))

    def _number(self) -> int:
        number, self._next = self._next, self._next + 1
        return number

    def _write(self, entry: E, n: int, at: float) -> E:
        short = self._learn(entry) if isinstance(entry, Call) else {}
        redact = self._foreign if isinstance(entry, _FOREIGN) else self.redactor.redact
        fields = _redacted_fields(entry, redact)
        fields |= {"n": n, "at": at}
        kind: type[E] = entry.__class__
        covered = kind(**fields)
        if short and isinstance(covered, Call):
            covered = cast("E", secret_fields.placed(covered, short))
        self._entries.append(covered)
        if self.sink is not None:
            self.sink.add(covered)
        for listener in tuple(self._listeners):
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
        self._entries[:] = [entry for entry in self.entries if entry.n < since]
        if self._bound is not None:
            self._sizes = deque(map(weight, self._entries))
            self._bytes = sum(self._sizes)
        if self.sink is not None:
            self.sink.drop(since)

    def clear(self) -> None:
        """Forget the entries; their numbers are not given again."""
        while self._pending:
            self._pass_over(self._pending)
        self._entries.clear()
        self._sizes.clear()
        self._bytes = 0
        if self.sink is not None:
            self.sink.drop(0)

    # -- A bound -------------------------------------------------------------------------------------------------------

    def _weigh(self, bound: Bound, size: int) -> None:
        sizes = self._sizes
        sizes.append(size)
        self._bytes += size
        while sizes and (len(sizes) > bound.entries or self._bytes > bound.bytes):
            self._forget(1 + len(sizes) // _SLICES)

    def _forget(self, most: int) -> None:
        """Let go of the oldest."""
        notes = self._notes_of_forgotten
        count = min(len(self._entries) - notes, most)
        if count:
            del self._entries[: count + notes]
        else:
            count = self._pass_over(min(most, _AT_ONCE))
        for _ in range(count):
            self._bytes -= self._sizes.popleft()
        self.forgotten += count

    def _pass_over(self, most: int) -> int:
        done = self.redactor.waiting.pass_over(self, most)
        self._pending -= done
        return done

    @property
    def _notes_of_forgotten(self) -> bool:
        first = self._entries[0] if self._entries else None
        return isinstance(first, Step) and first.name == FORGOTTEN

    def _note_forgotten(self) -> None:
        del self._entries[: self._notes_of_forgotten]
        first = self._entries[0] if self._entries else None
        n, at = (first.n - 1, first.at) if first else (self._next - 1, round(self.now(), 4))
        text = f"{self.forgotten:,} earlier entries are forgotten: this journal has a bound"
        self._entries.insert(0, Step(n=n, at=at, text=text, name=FORGOTTEN, facts={"entries": self.forgotten}))


T = TypeVar("T")
Redact: TypeAlias = Callable[[str], str]


def covered(value: T, redactor: Redactor) -> T:
    """``value`` (an entry, texts, a table) redacted once more: a secret that was learned from what somebody
    sent covers also what was written before it was known."""
    found: T = _redacted(value, redactor.redact)
    return found


def _redacted(value: Any, redact: Redact) -> Any:
    """``value`` with every text in it redacted; the same object where there was nothing to hide."""
    kind = value.__class__
    if kind is str:
        return redact(value)
    if kind in _NO_TEXT:
        return value
    if isinstance(value, SEQUENCES):
        covered = [_redacted(item, redact) for item in value]  # pyright: ignore
        return value if all(map(operator.is_, covered, value)) else kind(covered)  # pyright: ignore
    if names_of(kind):
        fields = _redacted_fields(value, redact)
        return value if all(getattr(value, name) is new for name, new in fields.items()) else kind(**fields)
    if isinstance(value, Mapping):
        kept = {_redacted(key, redact): _redacted(item, redact) for key, item in value.items()}  # pyright: ignore
        return value if kept == value else kept  # pyright: ignore
    return redact(str(value)) if isinstance(value, str) else value


_NO_TEXT = frozenset({type(None), bool, int, float})


def _redacted_fields(value: Any, redact: Redact) -> dict[str, Any]:
    """A dataclass's fields by name, covered."""
    return {name: _redacted(getattr(value, name), redact) for name in names_of(value.__class__)}
