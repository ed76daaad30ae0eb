"""What `payproof explore` and `payproof replay` say: progress while they work, findings and figures at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator

from rich.console import Console

from payproof.reports.text_output import TextOutput
from payproof.suites.explorer.oracle import RULES, Ruling, Truth
from payproof.suites.explorer.playing import Played, RuleTally, rules_left
from payproof.suites.explorer.story import sentences

EVERY = 10.0
"""Seconds between two lines where there is no terminal."""


def progress(*, quiet: bool, console: Console | None = None) -> Callable[[RuleTally, str], None]:
    """(tally, news) -> a line that renews itself on a terminal, one now and then elsewhere, nothing if quiet."""
    output = console or Console(file=sys.stderr)
    live = output.is_terminal and not output.is_dumb_terminal
    last = 0.0

    def report(tally: RuleTally, news: str) -> None:
        nonlocal last
        now = time.monotonic()
        if quiet or (not news and now - last < (0.1 if live else EVERY)):
            return
        last = now
        if live:
            sys.stderr.write("\r\x1b[2K" + (f"{news}\n" if news else ""))
            sys.stderr.write(_so_far(tally))
            sys.stderr.flush()
        else:
            output.print(
                f"[{tally.seconds:5.1f} s] {news or _so_far(tally)}", markup=False, highlight=False, soft_wrap=True
            )

    return report


def done(*, quiet: bool) -> None:
    """Take the line that renews itself off the terminal."""
    if not quiet and sys.stderr.isatty():
        sys.stderr.write("\r\x1b[2K")
        sys.stderr.flush()


def _so_far(tally: RuleTally) -> str:
    shrinking = f", {tally.shrinking} to make one smaller" if tally.shrinking else ""
    return f"{tally.stories} stories ({rate(tally):.1f} a second){shrinking}: {_truths(tally)}"


def rate(tally: RuleTally) -> float:
    """Stories a second, while they were played."""
    return tally.stories / tally.playing if tally.playing else tally.stories / max(tally.seconds, 0.001)


def _truths(tally: RuleTally) -> str:
    return ", ".join(f"{tally.truths[truth]:,} {truth.value}" for truth in Truth)


def found(output: TextOutput, played: Played, *, after: float | None = None, files: str = "") -> None:
    """A story that breaks a rule: what is broken, the story in sentences, where it is written."""
    for ruling in played.broken:
        output.say(f"✗ {ruling.rule}", style="bold red")
        output.say(RULES[ruling.rule], indent=2)
        output.say(f"order    {ruling.order}", indent=2)
        output.say(f"expected {ruling.expected}", indent=2)
        output.say(f"actual   {ruling.actual}", indent=2)
    for number, sentence in enumerate(sentences(played.story), start=1):
        output.say(f"{number:>4}. {sentence}", indent=2)
    if after is not None:
        output.say(f"suspected after {after:.1f} s, played again on a fresh instance", indent=2, style="dim")
    if files:
        output.say(f"written to {files}", indent=2, style="dim")
    output.say()


def summary(output: TextOutput, tally: RuleTally, *, seed: int, notes: Iterable[str]) -> None:
    """The figures; unknown is shown with its reasons."""
    for line in _summary(tally, seed, notes):
        output.say(line)


def _summary(tally: RuleTally, seed: int, notes: Iterable[str]) -> Iterator[str]:
    yield from (f"note: {note}" for note in dict.fromkeys(notes))
    yield from (f"not confirmed on a fresh instance, so not counted: {rule}" for rule in sorted(set(tally.unconfirmed)))
    yield (
        f"{tally.stories:,} stories ({rate(tally):.1f} a second), {tally.steps:,} steps, {tally.charges:,} payments charged,"
        f" {tally.shrinking:,} more stories to make the broken ones smaller; {tally.seconds:.0f} s, seed {seed}"
    )
    if tally.ended:
        yield f"ended early: {tally.ended}"
    yield f"money: {_truths(tally)}"
    for reason, times in tally.reasons.most_common(8):
        yield f"  unknown {times}×: {reason}"
    if tally.found:
        yield f"{len(tally.found)} broken: {', '.join(each.rule for each in tally.found)}"
    elif not tally.charges:
        yield "no customer was ever charged: nothing was put to the test"
    else:
        yield f"no story breaks a rule ({len(rules_left(tally))} rules)"


def unknown(output: TextOutput, rulings: Iterable[Ruling], problem: str) -> None:
    """Why nothing is known of a story."""
    if problem:
        output.say(f"unknown: {problem}")
    for ruling in rulings:
        if ruling.truth is Truth.UNKNOWN:
            output.say(f"unknown: {ruling.rule} of order {ruling.order}: {ruling.reason}")
