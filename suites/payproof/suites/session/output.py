"""What one instance of an integration writes: its streams and its log files, line by line.

It is read in chunks and split into lines here: a line of any length is a line, nothing blocks, and a flood is read and let go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

from payproof.contracts.entries import Log, Step
from payproof.contracts.files import fixed_part, regular_within
from payproof.contracts.journal import Journal
from payproof.contracts.judging.steps import StepName
from payproof.suites.session.intake import Intake, Tail, size_of
from payproof.suites.session.shared_logs import Reader, SharedLogs

_CHUNK = 64 * 1024


class Output:
    """``own`` and ``shared`` are patterns of log files, from ``folder``: those that this instance alone writes, and those that other
    instances write too; ``marks`` are values by which its lines are known there."""

    def __init__(
        self,
        journal: Journal,
        folder: Path,
        own: Sequence[str],
        shared: Sequence[str],
        shared_logs: SharedLogs,
        marks: Iterable[str],
    ) -> None:
        self.journal, self.folder = journal, folder
        self._own, self._shared, self._marks = tuple(own), tuple(shared), tuple(marks)
        self._streams: dict[str, Intake] = {}
        self._tails: dict[Path, tuple[Tail, Intake]] = {}
        self._shared_logs = shared_logs
        self._reader: Reader | None = None

    def begin(self) -> None:
        """What stands in the log files now is not this instance's."""
        for path in self._paths(self._own):
            self._tail(path, size_of(path))
        if self._shared:
            self._reader = self._shared_logs.join(self.journal, lambda: self._paths(self._shared), self._marks)

    async def read(self, stream: asyncio.StreamReader, name: str) -> None:
        """Journal the lines of a stream until it ends."""
        intake = self._streams[name] = self._intake(name)
        while chunk := await stream.read(_CHUNK):
            intake.take(chunk)
        intake.end()

    def take_in(self, *, probe_over: bool = False) -> None:
        """Take in what the log files gained since the last look. At the end of a probe run: say what was too much."""
        for path in self._paths(self._own):
            tail, intake = self._tail(path)
            data, passed = tail.read()
            intake.take(data)
            if passed:
                intake.lose(passed)
        lost = self._shared_logs.read(probe_over=probe_over) if self._reader else 0
        if probe_over:
            self._note_what_was_lost(lost)

    def end(self) -> None:
        """The instance is gone: take in what is left."""
        self.take_in()
        for _, intake in self._tails.values():
            intake.end()
        self.leave()

    def leave(self) -> None:
        """Nothing is read any more from files that other instances write too."""
        reader, self._reader = self._reader, None
        self._note_what_was_lost(self._shared_logs.leave(reader) if reader else 0)

    def _intake(self, name: str) -> Intake:
        return Intake(lambda text: self.journal.add(Log(stream=name, text=text)))

    def _tail(self, path: Path, start: int = 0) -> tuple[Tail, Intake]:
        if path not in self._tails:
            self._tails[path] = Tail(path, start), self._intake(path.name)
        return self._tails[path]

    def _paths(self, patterns: Sequence[str]) -> list[Path]:
        found: list[Path] = []
        for pattern in patterns:
            path = Path(pattern)
            base = Path(path.anchor) if path.is_absolute() else self.folder
            root = fixed_part(path) if path.is_absolute() else self.folder
            found += sorted(
                file for file in base.glob(str(path.relative_to(path.anchor))) if regular_within(file, root)
            )
        return found

    def _note_what_was_lost(self, shared: int) -> None:
        lost = {name: intake.refill() for name, intake in self._streams.items()}
        lost |= {path.name: intake.refill() for path, (_, intake) in self._tails.items()}
        lost[", ".join(self._shared)] = shared
        for name, count in lost.items():
            if count:
                text = f"the integration wrote more than can be kept: {count:,} bytes of {name} were not read"
                self.journal.add(Step(text=text, name=StepName.CUT, facts={"stream": name, "bytes": count}))
