"""What is different between two runs, for the console and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from payproof.contracts.model import Json, Judgement, Level, Outcome
from payproof.contracts.results.run_comparison import Change, Kind, RunComparison
from payproof.reports import facts
from payproof.reports.changes import TITLES
from payproof.reports.text_output import TextOutput

_STYLES: Mapping[Kind, str] = {"failing": "red", "mended": "green", "changed": "yellow", "added": "", "removed": ""}
"""Of what is listed; what one run did not judge is only counted."""
_LABELS = {"profile_version": "profile", "dirty": "uncommitted changes", "name": "integration"}


def show(found: RunComparison, console: Console) -> None:
    """On the console; the last line is the answer."""
    output = TextOutput(console)
    for kind, style in _STYLES.items():
        _section(output, TITLES[kind], style, found.of(kind))
    if found.facts:
        output.rule("The runs")
        for fact in found.facts:
            label = _LABELS.get(fact.name, fact.name)
            output.say(f"{label}: {_value(fact.old)} -> {_value(fact.new)}", indent=2)
    for id in found.stale:
        output.say(f"{id}: its baseline entry is stale now", style="red")
    output.say()
    output.say(_summary(found))
    answer = Text("WORSE" if found.worse else "NO WORSE", style="bold red" if found.worse else "bold green")
    output.say(answer.append(f": {_answer(found)}", style="none"))


def _section(output: TextOutput, title: str, style: str, changes: tuple[Change, ...]) -> None:
    if not changes:
        return
    output.rule(f"{title} ({len(changes)})")
    for change in changes:
        weight = "" if change.level is Level.MUST else "  should"
        output.say(Text(output.plain(change.requirement), style=f"bold {style}").append(weight, style="not bold dim"))
        output.say(f"{_verdict(change.old)} -> {_verdict(change.new)}", indent=4)
        if change.new and change.kind != "mended" and (why := facts.reason(change.new)):
            output.say(why, indent=4)


def _verdict(judgement: Judgement | None) -> str:
    if judgement is None:
        return "not judged"
    return f"{facts.WORDS[judgement.verdict]}{', accepted for now' if judgement.baseline else ''}"


def _value(value: Json) -> str:
    return "unknown" if value is None else facts.line(str(value))[:40]


def _summary(found: RunComparison) -> str:
    words: Iterable[tuple[str, tuple[Change, ...]]] = (
        ("fail now", found.of("failing")),
        ("mended", found.of("mended")),
        ("changed", found.of("changed")),
        ("new", found.of("added")),
        ("gone", found.of("removed")),
        ("not comparable, as one run did not judge them", found.of("unjudged")),
        ("the same", found.of("same")),
    )
    return ", ".join(f"{len(changes)} {word}" for word, changes in words if changes)


def _answer(found: RunComparison) -> str:
    outcomes = f"{facts.BANNERS[found.old]} -> {facts.BANNERS[found.new]}"
    if found.unscored:
        return f"nothing was scored any more ({outcomes})."
    worse = [change.requirement for change in found.changes if change.worse]
    if found.worse:
        named = [*worse, *(f"{id} (baseline)" for id in found.stale)]
        return f"{', '.join(named[:3])}{f' and {len(named) - 3} more' if len(named) > 3 else ''} ({outcomes})."
    if found.new is Outcome.NOT_SCORED:
        return f"neither run says more ({outcomes})."
    return f"nothing that held before is broken now ({outcomes})."


def document(found: RunComparison) -> dict[str, Any]:
    """As plain data."""
    return {
        "payproof": "comparison",
        "format": 1,
        "worse": found.worse,
        "old": found.old.value,
        "new": found.new.value,
        "changes": [
            {
                "requirement": change.requirement,
                "level": change.level and change.level.value,
                "kind": change.kind,
                "worse": change.worse,
                "old": change.old and change.old.verdict.value,
                "new": change.new and change.new.verdict.value,
                "title": facts.reason(change.new) if change.new else "",
            }
            for change in found.changes
            if change.kind != "same"
        ],
        "same": [change.requirement for change in found.of("same")],
        "facts": [{"name": fact.name, "old": fact.old, "new": fact.new} for fact in found.facts],
        "stale_baseline": list(found.stale),
    }
