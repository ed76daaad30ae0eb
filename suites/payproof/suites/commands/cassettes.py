"""``payproof cassettes``: look into recordings, and compare two of them."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from payproof.contracts.comparing.volatile import shape
from payproof.contracts.model import PayproofError
from payproof.suites.commands.whole_help import Commands

if TYPE_CHECKING:
    from payproof.simulator.cassettes import RecordedExchange, Recording, Stamp
    from payproof.simulator.cassettes.diffing import Diff

DIFFERENT = 1
_FILE = click.Path(path_type=Path)
_WIDE = 160
"""Columns where the output is not a terminal: nothing is cut, so that it can be searched."""


@click.group(cls=Commands)
def cassettes() -> None:
    """Recordings of the sandbox: inspect one, compare two. `payproof record` makes them."""


@cassettes.command()
@click.argument("file", type=_FILE)
def inspect(file: Path) -> int:
    """When and of what it was recorded, every exchange, and which secrets were replaced."""
    from payproof.simulator.cassettes import read

    recording = read(file)
    console = _console()
    if recording.stamp is not None:
        _about(console, recording.stamp)
    else:
        _say(console, "recorded: unknown. payproof did not write this cassette: pytest-recording can replay it, and")
        _say(console, "it cannot be a target, because nobody knows its gateway, its seed and its probes.")
    console.print(_exchanges(recording))
    found = _placeholders(recording)
    _say(console, "placeholders: " + (", ".join(f"{kind} {n}" for kind, n in found.items()) or "none"))
    return 0


@cassettes.command("diff")
@click.argument("before", type=_FILE)
@click.argument("after", type=_FILE)
def compare(before: Path, after: Path) -> int:
    """What a recording says otherwise than another: exchanges, statuses, fields, types, header names, meanings.

    Exit codes: 0 the same, 1 different, 2 a file cannot be read.
    """
    from payproof.simulator.cassettes import read
    from payproof.simulator.cassettes.diffing import diff

    one, other = read(before), read(after)
    if one.stamp and other.stamp and one.stamp.gateway != other.stamp.gateway:
        raise PayproofError(
            f"these are recordings of two gateways, {one.stamp.gateway} and {other.stamp.gateway}",
            place=str(after),
            remedy="compare two recordings of one gateway",
        )
    console = _console()
    for label, recording in (("before", one), ("after", other)):
        made = f"{recording.stamp.recorded_at} from {recording.stamp.upstream}" if recording.stamp else "unknown"
        _say(console, f"{label:<7} {recording.path}: recorded {made}, {len(recording.exchanges)} exchanges")
    found = diff(one, other)
    _differences(console, found)
    return 0 if found.same else DIFFERENT


def _console() -> Console:
    console = Console(file=sys.stdout, highlight=False)
    return console if console.is_terminal else Console(file=sys.stdout, highlight=False, width=_WIDE)


def _say(console: Console, text: str, *, style: str = "") -> None:
    console.print(Text(text, style=style), soft_wrap=True)


def _about(console: Console, stamp: Stamp) -> None:
    from payproof.simulator.cassettes.stamp import age_in_words

    _say(console, f"recorded    {stamp.recorded_at} ({age_in_words(stamp.age())} ago)")
    _say(console, f"gateway     {stamp.gateway} {stamp.profile_version}")
    _say(console, f"upstream    {stamp.upstream}{stamp.base_path}")
    _say(console, f"probes      {', '.join(stamp.stories) or 'none'}")
    _say(console, f"seed        {stamp.seed}")
    _say(console, f"payproof    {stamp.version}")
    counts = ", ".join(f"{kind} {redacted.count}" for kind, redacted in stamp.redacted.items())
    _say(console, f"replaced    {counts or 'nothing'}")


def _exchanges(recording: Recording) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("n", "probe", "operation", "method", "path", "status"):
        table.add_column(name, justify="right" if name in ("n", "status") else "left", overflow="fold")
    for each in recording.exchanges:
        row = (
            str(each.n),
            each.probe,
            each.named,
            each.request.method,
            shape(each.request.url),
            str(each.response.status),
        )
        table.add_row(*(Text(text) for text in row))
    return table


def _placeholders(recording: Recording) -> dict[str, int]:
    """Kind -> how many different placeholders of it."""
    from payproof.simulator.cassettes.placeholders import KINDS, PATTERN

    found: set[tuple[str, str]] = set()
    for each in recording.exchanges:
        texts = [each.request.url, each.request.body, each.response.body]
        texts += [value for _, value in (*each.request.headers, *each.response.headers)]
        found |= {(match[1], match[2]) for text in texts for match in PATTERN.finditer(text)}
    counts = Counter(kind for kind, _ in found)
    return {kind: counts[kind] for kind in KINDS if counts[kind]}


def _differences(console: Console, found: Diff) -> None:
    for sign, exchanges, style in (("-", found.removed, "red"), ("+", found.added, "green")):
        for each in exchanges:
            _say(console, f"{sign} {_line(each)}", style=style)
    for changed in found.changed:
        _say(console, f"~ {_line(changed.before)} (now exchange {changed.after.n})", style="yellow")
        for change in changed.changes:
            _say(console, f"    {change.name}: {change.recorded} -> {change.actual}")
    if found.same:
        _say(console, "no difference")
    else:
        _say(console, f"{len(found.removed)} removed, {len(found.added)} added, {len(found.changed)} changed")


def _line(exchange: RecordedExchange) -> str:
    asked = f"{exchange.request.method} {shape(exchange.request.url)}"
    probe = f"{exchange.probe}: " if exchange.probe else ""
    return f"exchange {exchange.n}, {probe}{exchange.named}, {asked} -> {exchange.response.status}"
