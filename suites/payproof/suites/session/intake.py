"""Lines of what an integration writes: of any length, and never more than can be kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

LONGEST_LINE = 64 * 1024
"""Bytes after which a line goes on as another one."""
A_PROBE_RUN, ALL, LEAST = 4 * 1024 * 1024, 64 * 1024 * 1024, 64 * 1024
"""Bytes of one stream that are kept of one probe run, and of all of them; the last ones still get the least. What is more is read
too, so that nobody has to wait for us, and let go."""
_A_LINE = 256
"""Bytes that a line costs besides its text."""


class Intake:
    """Cuts a stream into lines and hands each to ``keep``, until a probe run's share is used up."""

    def __init__(self, keep: Callable[[str], object], *, share: int = A_PROBE_RUN, whole: int = ALL) -> None:
        self._keep, self._share, self._whole = keep, share, whole
        self._left = self._given = share
        self._rest = b""
        self._inside_lost_line = False
        self.lost = 0
        """Bytes that were not kept since ``refill``."""

    def take(self, data: bytes) -> None:
        if self._left <= 0:
            self.lose(len(data))
            return
        if self._inside_lost_line:
            lost, newline, data = data.partition(b"\n")
            self.lost += len(lost)
            self._inside_lost_line = not newline
        *lines, self._rest = (self._rest + data).split(b"\n")
        for number, line in enumerate(lines):
            if not self._line(line):
                self.lose(sum(len(late) + 1 for late in lines[number:]))
                return
        while len(self._rest) > LONGEST_LINE:
            part, self._rest = self._rest[:LONGEST_LINE], self._rest[LONGEST_LINE:]
            if not self._line(part):
                self.lose(len(part))
                return

    def lose(self, count: int) -> None:
        """So many bytes went by unread, and the line that they belong to is lost."""
        self.lost += count + len(self._rest)
        self._rest = b""
        self._inside_lost_line = True

    def _line(self, line: bytes) -> bool:
        if self._left <= 0:
            return False
        for start in range(0, max(len(line), 1), LONGEST_LINE):
            part = line[start : start + LONGEST_LINE]
            self._left -= len(part) + _A_LINE
            self._keep(part.decode("utf-8", "replace").rstrip("\r"))
        return True

    def end(self) -> None:
        """The stream is over: what is left is a line too."""
        if self._rest:
            self._line(self._rest)
            self._rest = b""

    def refill(self) -> int:
        """Another probe run begins; returns how many bytes of the last one were not kept."""
        lost, self.lost = self.lost, 0
        self._whole -= self._given - self._left
        self._left = self._given = max(min(self._share, self._whole // 4), min(self._share, LEAST))
        return lost


class Tail:
    """What a file gains. ``start``: where to read from."""

    def __init__(self, path: Path, start: int) -> None:
        self.path, self.position = path, start

    def read(self, most: int = A_PROBE_RUN) -> tuple[bytes, int]:
        """The bytes since the last look, at most so many, and how many more were passed over."""
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, 2)
                if size < self.position:  # begun anew, by a rotation
                    self.position = 0
                file.seek(self.position)
                data = file.read(min(size - self.position, most))
                passed = max(size - self.position - len(data), 0)
                self.position += len(data) + passed
        except FileNotFoundError:
            return b"", 0
        return data, passed


def size_of(path: Path) -> int:
    """Bytes that stand in a file now; 0 when it is not there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
