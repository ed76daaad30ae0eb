"""The last stack trace in a log, whole: its own frames are kept, those of libraries folded, and what other lines stood between left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

_FRAME = re.compile(
    r"""\s*(?:
        Traceback\ \(most\ recent\ call\ last\)
      | File\ ".*",\ line\ \d+                                # Python
      | at\ \S.*[:(]\S*\d+\)?:?                               # Node, Java, .NET
      | at\ (?:async\ )?\S+\ \(.*\)                           # Node: an eval, a native function
      | \#\d+\ (?:\S+\(\d+\)|\{main\}|\[internal\ function\]) # PHP
      | (?:from\ )?\S+\.rb:\d+:in\                            # Ruby
      | \S+\.go:\d+(?:\ \+0x[0-9a-f]+)?$                      # Go
      | \d+:\ +(?:0x[0-9a-f]+\ -\ )?\w+::                     # Rust
    )""",
    re.VERBOSE,
)
_LIBRARY = re.compile(
    r"""(?:site|dist)-packages/ | /lib/python3 | <frozen\  | node_modules/ | node:\w | internal/\w+/ | /vendor/ | /gems/
      | /lib/ruby/ | /usr/(?:local/)?(?:lib|go|share)/ | /go/pkg/mod/ | /rustc/ | \[internal\ function\]
      | \bat\ (?:java|javax|jdk|jakarta|sun|com\.sun|org\.springframework|org\.apache|io\.netty|reactor|okhttp3|System|Microsoft)\.
    """,
    re.VERBOSE,
)
_HEADS = re.compile(r"Stack trace:|stack backtrace:|goroutine \d+|[\w./*()]+\(.*\)$")
_MORE = re.compile(r"\s*\.\.\. \d+ ")
_BETWEEN = 4
"""Lines that belong to one frame, or stand between two traces of which one is the other's cause."""
_LINES = 120


def last_trace(log: Iterable[str]) -> list[str]:
    """The last stack trace in the lines of one stream, with the line that says what went wrong; empty: none."""
    lines = [line for line in log if line.strip()]
    frames = [number for number, line in enumerate(lines) if _FRAME.match(line)]
    if not frames:
        return []
    first = last = frames[-1]
    for number in reversed(frames):
        if first - number > _BETWEEN:
            break
        first = number
    return _bounded(list(_folded(lines[_beginning(lines, first) : _end(lines, first, last) + 1])))


def _beginning(lines: Sequence[str], first: int) -> int:
    """The line before the first frame; what stands between a message and its frames is passed over."""
    while first and _HEADS.match(lines[first - 1]):
        first -= 1
    return max(first - 1, 0)


def _end(lines: Sequence[str], first: int, last: int) -> int:
    rest = range(last + 1, len(lines))
    if "Traceback" in lines[first]:  # what went wrong stands below the frames, else above them
        return next((n for n in rest if not lines[n][:1].isspace()), last)
    if lines[last].rstrip().endswith("{"):  # Node writes what the error holds below it
        return next((n for n in rest if lines[n].strip() == "}"), last)
    return last + 1 if lines[last + 1 : last + 2] and _MORE.match(lines[last + 1]) else last


def _folded(lines: Sequence[str]) -> Iterator[str]:
    """Frames of libraries as one line that counts them. Python's have lines of code below them, which go with them."""
    hidden = 0
    inside = False
    for line in lines:
        if _FRAME.match(line):
            foreign = _LIBRARY.search(line) is not None and not line.rstrip().endswith("{")
            inside = foreign and line.lstrip().startswith("File ")
            hidden += foreign
            if foreign:
                continue
        elif inside and line.startswith("    "):
            continue
        if hidden:
            yield _count(hidden)
            hidden = 0
        yield line
    if hidden:
        yield _count(hidden)


def _count(frames: int) -> str:
    return f"  … {frames} frame{'s' if frames > 1 else ''} of libraries"


def _bounded(lines: list[str]) -> list[str]:
    """Its beginning and its end say what it is; of a recursion's middle nobody reads more than that it is long."""
    if len(lines) <= _LINES:
        return lines
    half = _LINES // 2
    return [*lines[:half], f"  … {len(lines) - 2 * half} more lines", *lines[-half:]]
