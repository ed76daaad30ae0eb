"""Log files that several instances write: each line is given to the world that it belongs to.

A line belongs to an instance that was running when it was written, if it is the only one, or if the line holds something that
only this one knows: an order, a payment, a token, its address. Other lines belong to nobody: they are counted, and kept aside,
so that secrets are searched in them too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from payproof.contracts.entries import Call, Checkout, Entry, Ledger, Log, Step
from payproof.contracts.events import names_in
from payproof.contracts.journal import Journal
from payproof.suites.session.intake import Intake, Tail, size_of

_LATE = 3.0
"""Seconds that a line may wait for its world to learn of an order or a payment that it names."""
_PENDING = 20_000
_ASIDE = 4 * 1024 * 1024
"""Characters of lines without an owner that are kept."""
_WORD = re.compile(r"<[a-z-]+[^<>\s]{0,40}>|[A-Za-z0-9]+")
_SPELLED = re.compile(r":[a-z0-9:]+>$")
"""How a secret was spelled, in its placeholder."""
_SHORTEST = 6
"""Shorter numbers and words stand in anybody's lines."""


@dataclass(eq=False, slots=True)
class Reader:
    """One running instance. ``since``: how long each file was when it started."""

    journal: Journal
    paths: Callable[[], list[Path]]
    since: dict[Path, int]
    _words: set[str] = field(default_factory=set[str])
    _phrases: set[str] = field(default_factory=set[str])

    def knows(self, *marks: str | None) -> None:
        """Values by which lines of this instance are known."""
        for mark in marks:
            if mark and len(mark) >= _SHORTEST:
                (self._words if _WORD.fullmatch(mark) else self._phrases).add(mark)

    def hear(self, entry: Entry) -> None:
        """What the world's journal tells of orders, payments and tokens."""
        if isinstance(entry, Checkout):
            self.knows(entry.order, entry.payment)
        elif isinstance(entry, Ledger):
            self.knows(entry.payment, entry.reference)
        elif isinstance(entry, Call):
            self.knows(*names_in(entry.event), entry.issued)
        elif isinstance(entry, Step):
            self.knows(*(str(entry.facts[name]) for name in ("order", "ours") if name in entry.facts))

    def owns(self, text: str) -> bool:
        """Whether a line, with its secrets as placeholders, holds one of these values as a word of its own."""
        words = {_SPELLED.sub(">", word) for word in _WORD.findall(text)}
        return not words.isdisjoint(self._words) or any(
            phrase in text and re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", text) for phrase in self._phrases
        )


@dataclass(frozen=True, slots=True)
class _Line:
    """``running``: who may have written it."""

    stream: str
    text: str
    at: float
    running: tuple[Reader, ...]


class SharedLogs:
    """One for each run. ``lines`` counts what was read, ``unowned`` what belongs to nobody, ``aside`` holds that."""

    def __init__(self) -> None:
        self._readers: list[Reader] = []
        self._tails: dict[Path, tuple[Tail, Intake]] = {}
        self._pending: list[_Line] = []
        self._kept = 0
        self.lines = self.unowned = 0
        self.together = False
        """Whether several instances wrote the same files at a time."""
        self.aside: list[Log] = []

    def join(self, journal: Journal, paths: Callable[[], list[Path]], marks: Iterable[str]) -> Reader:
        """An instance is about to start. ``marks``: what only it knows, from the beginning."""
        self.read()
        if not self._readers:
            self._tails.clear()  # nobody's lines since the last instance stopped
        reader = Reader(journal, paths, {path: size_of(path) for path in paths()})
        for path, size in reader.since.items():
            self._tail(path, size)
        reader.knows(*(journal.redactor.redact(mark) for mark in marks))
        for entry in journal.entries:
            reader.hear(entry)
        journal.listeners.append(reader.hear)
        self._readers.append(reader)
        self.together = self.together or len(self._readers) > 1
        return reader

    def leave(self, reader: Reader) -> int:
        """It has stopped, and everything that it wrote is in the files; returns as ``read`` does."""
        lost = self.read(probe_over=True)
        if len(self._readers) == 1:
            for _, intake in self._tails.values():
                intake.end()
            self._hand_out(final=True)
        self._readers.remove(reader)
        if reader.hear in reader.journal.listeners:
            reader.journal.listeners.remove(reader.hear)
        return lost

    def read(self, *, probe_over: bool = False) -> int:
        """Hand out what the files gained. At the end of a probe run: returns how many bytes were too many to keep since the last."""
        lost = 0
        for path in dict.fromkeys(path for reader in self._readers for path in reader.paths()):
            tail, intake = self._tail(path, 0)
            data, passed = tail.read()
            intake.take(data)
            if passed:
                intake.lose(passed)
            if probe_over:
                lost += intake.refill()
        self._hand_out(final=False)
        return lost

    def _tail(self, path: Path, start: int) -> tuple[Tail, Intake]:
        if path not in self._tails:
            tail = Tail(path, start)
            self._tails[path] = tail, Intake(lambda text: self._take(tail, text))
        return self._tails[path]

    def _take(self, tail: Tail, text: str) -> None:
        self.lines += 1
        running = tuple(reader for reader in self._readers if reader.since.get(tail.path, 0) < tail.position)
        now = running[0].journal.now() if running else 0.0
        self._pending.append(_Line(tail.path.name, text, now, running))

    def _hand_out(self, *, final: bool) -> None:
        waiting: list[_Line] = []
        for line in self._pending:
            owner = line.running[0] if len(line.running) == 1 else _owner(line)
            if owner is not None:
                owner.journal.add(Log(stream=line.stream, text=line.text))
            elif final or not line.running or line.running[0].journal.now() - line.at > _LATE:
                self._put_aside(line)
            else:
                waiting.append(line)
        self._pending = waiting[-_PENDING:]
        for line in waiting[:-_PENDING]:
            self._put_aside(line)

    def _put_aside(self, line: _Line) -> None:
        self.unowned += 1
        self._kept += len(line.text)
        if self._kept <= _ASIDE:
            text = line.text
            for reader in line.running:
                text = reader.journal.redactor.redact(text)
            self.aside.append(Log(stream=line.stream, text=text))


def _owner(line: _Line) -> Reader | None:
    """The one instance whose values stand in a line; None when there is none, or more than one."""
    covered: dict[int, str] = {}
    for reader in line.running:
        redactor = reader.journal.redactor
        covered[id(redactor)] = covered.get(id(redactor)) or redactor.redact(line.text)
    owners = [reader for reader in line.running if reader.owns(covered[id(reader.journal.redactor)])]
    return owners[0] if len(owners) == 1 else None
