"""Log lines as people read them: what one stream wrote without a break is one block, and so is a stack trace, whatever came between
its lines."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import TypeAlias

from payproof.contracts.entries import Entry, Log
from payproof.contracts.reading import levels
from payproof.reports.facts import clean
from payproof.reports.scenes import LogLine, Scene

Block: TypeAlias = list[Entry]
"""Lines of one stream, or one entry of any other kind."""

_BEGINS = re.compile(r"Traceback \(most recent call last\)|^goroutine \d+ \[|^\s+at \S|^Stack trace:|^#\d+ ")
_GOES_ON = re.compile(
    r"^\s|^$|^Traceback \(|^Caused by:|^During handling of|^The above exception|^#\d+ |^Stack trace:|^\.\.\. \d+ more|^goroutine \d"
)
_PAUSE = 1.0
"""Seconds after which a line no longer belongs to the stack trace before it."""
LINES_BEFORE, LINES_AFTER, LINE = 12, 60, 600
"""Lines of a block that are shown of its head and of its tail, and letters of a line: what went wrong stands at the end."""


def blocks(entries: Sequence[Entry]) -> tuple[Block, ...]:
    """The entries in their order, log lines gathered where the first of them stands."""
    found: list[Block] = []
    latest: dict[str, Block] = {}
    for entry in entries:
        if not isinstance(entry, Log):
            found.append([entry])
            continue
        block = latest.get(entry.stream)
        if block is not None and (found[-1] is block or _goes_on(block, entry)):
            block.append(entry)
        else:
            started: Block = [entry]
            latest[entry.stream] = started
            found.append(started)
    return tuple(found)


def written(entry: Log) -> str:
    """The line as it was meant to be read: without colours."""
    return levels.plain(entry.text).rstrip()


def _goes_on(block: Block, entry: Log) -> bool:
    """Whether the line belongs to the stack trace that the block ends with."""
    if entry.at - block[-1].at > _PAUSE:
        return False
    lines = [written(each) for each in block if isinstance(each, Log)]
    text = written(entry)
    if not any(map(_BEGINS.search, lines)):
        return bool(re.match(r"\s+(?:at|from) \S|Stack trace:|#0 ", text))  # the line before is what went wrong
    if _GOES_ON.match(text):
        return True
    # The first line below the frames says what went wrong; Go's frames have their functions at the margin.
    return lines[-1][:1].isspace() or any(line.startswith("goroutine ") for line in _last_paragraph(lines))


def _last_paragraph(lines: Sequence[str]) -> Iterator[str]:
    for line in reversed(lines):
        if not line:
            return
        yield line


def log_scene(block: Sequence[Log], *, world: str, pointed: Collection[int], caused: bool) -> Scene:
    """What one stream wrote, as one scene: the middle of a long block is left out, never its end."""
    first, last = block[0], block[-1]
    numbers = [n for n, entry in enumerate(block) if entry.n in pointed]
    kept = {*range(LINES_BEFORE), *range(len(block) - LINES_AFTER, len(block)), *numbers}
    lines: list[LogLine] = []
    before = -1
    for place in sorted(kept & set(range(len(block)))):
        entry = block[place]
        lines.append(LogLine(entry.n, _one(written(entry)), entry.n in pointed, left_out=place - before - 1))
        before = place
    return Scene(
        pointer=f"{world}#{first.n}",
        n=first.n,
        at=first.at,
        actor="log",
        title=clean(first.stream) if len(block) == 1 else f"{clean(first.stream)}, {len(block)} lines to #{last.n}",
        text="\n".join(f"… {each.left_out} lines …\n{each.text}" if each.left_out else each.text for each in lines),
        lines=tuple(lines),
        pointed=bool(numbers),
        caused=caused,
    )


def _one(text: str) -> str:
    """A line, cut in its middle where it is long."""
    shown = clean(text)
    if len(shown) <= LINE:
        return shown
    return f"{shown[: LINE // 2]} … ({len(shown) - LINE:,} more characters) … {shown[-LINE // 2 :]}"
