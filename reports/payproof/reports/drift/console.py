"""The comparison on the console: grouped by operation, a difference a line, three columns."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from payproof.contracts.comparing.drift import Drift, DriftDifference
from payproof.reports.drift import wording
from payproof.reports.text_output import TextOutput

_LEAST = 14
"""Cells of a column, at the least."""
_ALIKE = 30
"""Letters at the start of two texts that are worth leaving out."""


def render(drift: Drift) -> str:
    """The same without colours, 120 letters wide."""
    out = io.StringIO()
    show(drift, Console(file=out, width=120, color_system=None))
    return out.getvalue()


def show(drift: Drift, console: Console) -> None:
    """Print the comparison."""
    output = TextOutput(console)
    output.say()
    output.say(Text("payproof drift  ", style="dim").append(output.plain(drift.title), style="not dim bold"))
    output.say(" · ".join(wording.heading(drift)), style="dim")
    for fidelity in drift.fidelity:
        found = [each for each in drift.of("difference") if each.operation == fidelity.operation]
        if fidelity.compared or found:
            _operation(output, fidelity.title, wording.agreed(fidelity), found, drift.target)
    _assumptions(output, drift)
    _proposals(output, drift)
    _left(output, drift)
    _end(output, drift)


def _operation(output: TextOutput, title: str, agreed: str, found: Sequence[DriftDifference], target: str) -> None:
    output.say()
    gap = max(output.width - cell_len(output.plain(title)) - len(agreed), 2)
    style = "yellow" if found else "green"
    output.say(Text(output.plain(title), style="bold").append(" " * gap).append(agreed, style=f"not bold {style}"))
    _facts(output, found, target)


def _facts(output: TextOutput, found: Sequence[DriftDifference], target: str) -> None:
    """Each fact once, with what it is known from and what it should be; below it what differs, a line each."""
    if found:
        _columns(output, "", ("contract", "simulator", target), "dim")
    for (name, known, change), listed in wording.by_fact(found).items():
        line = Text("  ").append(output.plain(name), style="bold cyan")
        if known:
            line.append(f"  {output.plain(known)}", style="not bold dim")
        shown = output.shorten(change, max(output.width - line.cell_len - 2, 0)) if change else ""
        if shown and line.cell_len + cell_len(shown) + 2 <= output.width:
            line.append("  ").append(shown, style="not bold not dim yellow")
        short = Text("  ").append(output.shorten(line.plain, output.width - 2), style="cyan")
        output.say(line if line.cell_len <= output.width else short)
        for each in listed:
            _columns(output, wording.where(each), (each.contract or "-", *_apart(each.simulator, each.gateway)), "")


def _apart(simulator: str, gateway: str) -> tuple[str, str]:
    """Two long texts without what they begin with alike, so that their difference is not cut off."""
    start = next(
        (n for n, (a, b) in enumerate(zip(simulator, gateway, strict=False)) if a != b),
        min(map(len, (simulator, gateway))),
    )
    start = max(simulator.rfind(mark, 0, start) + 1 for mark in (";", ".", "/"))
    if start < _ALIKE:
        return simulator, gateway
    rests = (text[start:].strip("; ") for text in (simulator, gateway))
    one, other = (f"… {rest}" if rest else "… no more" for rest in rests)
    return one, other


def _columns(output: TextOutput, first: str, cells: tuple[str, str, str], style: str) -> None:
    """A line: what, and three cells, each cut to its room."""
    cell = max(output.width * 19 // 100, _LEAST)
    room = max(output.width - 4 - 3 * (cell + 1), _LEAST)
    mark = "    " if not first else "  x " if output.ascii else "  ✗ "
    line = Text(mark, style="red").append(_padded(output, first, room), style=style or "default")
    for text, colour in zip(cells, ("dim", "default", "yellow"), strict=True):
        line.append(" ").append(_padded(output, text, cell), style=style or colour)
    output.say(line)


def _padded(output: TextOutput, text: str, room: int) -> str:
    shown = output.shorten(text, room)
    return shown + " " * max(room - cell_len(shown), 0)


def _assumptions(output: TextOutput, drift: Drift) -> None:
    found = drift.of("assumption")
    if found:
        output.rule(f"Assumptions that the gateway answers ({len(found)})")
        about = "Texts that no source gave, so that they were ours to choose. They count with --strict only."
        output.say(about, style="dim")
        _facts(output, found, drift.target)


def _proposals(output: TextOutput, drift: Drift) -> None:
    found = dict.fromkeys((each.fact.name, each.change) for each in drift.differences if each.change)
    if not found:
        return
    output.rule(f"Proposed changes to the profile {drift.gateway} ({len(found)})")
    output.say(f"observed at {drift.where} on {drift.observed}", style="dim")
    for name, change in found:
        joint = "" if change.startswith(".") else ": "
        output.say(f"{name}{joint}{change}", lead=Text("-", style="dim"))


def _left(output: TextOutput, drift: Drift) -> None:
    if not drift.left:
        return
    output.rule(f"Not compared ({len(drift.left)})")
    for why, cases in wording.reasons(drift).items():
        output.say(why, lead=Text("-", style="dim"))
        output.say(", ".join(cases), indent=2, style="bold")


def _end(output: TextOutput, drift: Drift) -> None:
    output.rule()
    for note in drift.notes:
        output.say(note, style="yellow")
    banner, sentence = wording.verdict(drift)
    style = "bold green" if banner == "NO DRIFT" else "bold red"
    output.say(Text(banner, style=style).append(f": {output.plain(sentence)}", style="none"))
