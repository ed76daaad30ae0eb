"""run.jsonl as it happens: whoever ends the run, even by force, leaves what was journaled until then.

Entries are handed over on the way of a call, and written by a thread of its own: at the end of each probe run, and each second.
``run.load`` reads such a file as far as it goes; a run that comes to its end puts the whole one in its place.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import secrets
import threading
import time
from collections import deque
from pathlib import Path

from payproof.contracts import files
from payproof.contracts.entries import Entry, ProbeMark
from payproof.contracts.journal import Journal
from payproof.contracts.model import Json, PayproofError
from payproof.contracts.redaction.secrets import Redactor
from payproof.contracts.run import Run, Settings, drop_line, entry_line, head_line

_PAUSE = 1.0
"""Seconds between two writings."""
_SHARE = 50
"""Writing all of it anew may take one part in so many of the run's time, or it would disturb what is measured."""


class RunFile:
    """The file of one run. ``redactor`` is the run's own: a secret that it learns late is taken out of the lines before, too.

    Raises:
        PayproofError: the file cannot be made.
    """

    def __init__(self, path: Path, redactor: Redactor, run: Run) -> None:
        self.path, self._redactor = path, redactor
        self._waiting: deque[tuple[str, Entry | int] | str] = deque()
        self._wake, self._closed = threading.Event(), False
        self._learned, self._next_rewrite = redactor.learned, 0.0
        # A file of an earlier run, or a link, is replaced and never written into.
        files.write(path, self._covered(head_line(run)) + "\n")
        try:
            self._file = path.open("a", encoding="utf-8", newline="\n")
        except OSError as error:
            raise PayproofError(f"this file cannot be written: {error.strerror}", place=str(path)) from None
        self._thread = threading.Thread(target=self._work, name="run.jsonl", daemon=True)
        self._thread.start()

    def follow(self, world: str, journal: Journal) -> None:
        """Write down whatever this journal holds and takes in, under this world's name."""
        for entry in journal.entries:
            self.put(world, entry)
        journal.sink = _Sink(self, world)

    def settings(self, settings: Settings, **head: Json) -> None:
        """What is known of the run by now."""
        self._waiting.append(json.dumps({"head": {"settings": dataclasses.asdict(settings), **head}}))

    def put(self, world: str, what: Entry | int) -> None:
        """An entry, or the number from which on this world's entries are taken back."""
        self._waiting.append((world, what))
        if isinstance(what, ProbeMark) and what.event == "end":
            self._wake.set()

    def close(self) -> None:
        """Write what is left."""
        self._closed = True
        self._wake.set()
        self._thread.join()
        self._file.close()

    def _work(self) -> None:
        while not self._closed:
            self._wake.wait(_PAUSE)
            self._wake.clear()
            # A full disk ends no run: the reports at its end say what is wrong.
            with contextlib.suppress(OSError):
                self._write()
        with contextlib.suppress(OSError):
            self._next_rewrite = 0.0
            self._write()

    def _write(self) -> None:
        if self._learned != self._redactor.learned and (began := time.monotonic()) >= self._next_rewrite:
            self._rewrite()
            self._next_rewrite = time.monotonic() + _SHARE * (time.monotonic() - began)
        lines: list[str] = []
        while self._waiting:
            lines.append(self._line(self._waiting.popleft()) + "\n")
        if lines:
            self._file.write("".join(lines))
            self._file.flush()

    def _line(self, what: tuple[str, Entry | int] | str) -> str:
        if isinstance(what, str):
            return self._covered(what)
        world, entry = what
        return drop_line(world, entry) if isinstance(entry, int) else self._covered(entry_line(world, entry))

    def _covered(self, line: str) -> str:
        """A line is covered again only when there is something that its entry could not know of."""
        return self._redactor.redact(line) if self._redactor.learned else line

    def _rewrite(self) -> None:
        """Take what was learned out of what stands in the file already."""
        self._learned = self._redactor.learned
        lines = self.path.read_text(encoding="utf-8").splitlines()
        fresh = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        file = fresh.open("x", encoding="utf-8", newline="\n")
        file.write("".join(f"{self._redactor.redact(line)}\n" for line in lines))
        file.flush()
        os.replace(fresh, self.path)
        self._file.close()
        self._file = file


class _Sink:
    """Where a journal's entries go."""

    __slots__ = ("file", "world")

    def __init__(self, file: RunFile, world: str) -> None:
        self.file, self.world = file, world

    def add(self, entry: Entry) -> None:
        self.file.put(self.world, entry)

    def drop(self, since: int) -> None:
        self.file.put(self.world, since)
