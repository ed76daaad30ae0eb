"""The checklist on the console: readable at 80 columns, coloured on a terminal, ASCII where need be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import Console
from rich.text import Text

from payproof.contracts.model import Finding, Judgement, Level, Outcome, Result, Verdict
from payproof.contracts.run import Run
from payproof.reports import facts, reasons, replay, values
from payproof.reports.measured import measured
from payproof.reports.text_output import TextOutput

_STYLES: Mapping[Verdict, str] = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.WARN: "yellow",
    Verdict.NOT_EXERCISED: "cyan",
    Verdict.NOT_APPLICABLE: "dim",
    Verdict.ATTESTED: "blue",
    Verdict.ERROR: "bold magenta",
}
_ASCII: Mapping[Verdict, str] = {
    Verdict.PASS: "ok",
    Verdict.FAIL: "FAIL",
    Verdict.WARN: "warn",
    Verdict.NOT_EXERCISED: "none",
    Verdict.NOT_APPLICABLE: "n/a",
    Verdict.ATTESTED: "word",
    Verdict.ERROR: "ERR!",
}
_BANNERS: Mapping[Outcome, str] = {
    Outcome.READY: "bold green",
    Outcome.NOT_READY: "bold red",
    Outcome.NOT_SCORED: "bold yellow",
    Outcome.PARTIAL: "bold cyan",
}
_IN_FULL = ((Verdict.FAIL, "Failed"), (Verdict.ERROR, "Could not be judged"), (Verdict.WARN, "Warned"))
_VALUE_LIMIT = 400
_LISTED = 12
_FINDINGS = 3
"""Findings of one requirement, unless all are asked for."""
_INDENT = 4


def checklist(result: Result, run: Run, *, console: Console, verbose: bool = False) -> None:
    """Print the whole checklist. ``verbose`` lists every requirement with its findings, not only what did not pass."""
    output = TextOutput(console)
    _head(output, result, run)
    _replayed(output, run)
    # When control failed there is one thing to read: why. The tables would stand between it and the reader.
    scored = result.outcome is not Outcome.NOT_SCORED or verbose
    if scored:
        _table(output, "Go-live checklist", facts.golive(result))
        _table(output, "Guidelines", facts.guidelines(result))
    waiting = reasons.waiting(result)
    for verdict, title in _IN_FULL:
        _section(output, title, facts.of(result, verdict), waiting, verbose=verbose)
    if scored:
        _not_exercised(output, result, waiting)
    if verbose:
        _list(output, "Attested", facts.of(result, Verdict.ATTESTED))
        _list(output, "Not applicable", facts.of(result, Verdict.NOT_APPLICABLE))
        _section(output, "Passed", facts.of(result, Verdict.PASS), {}, verbose=True)
        _measured(output, result, run)
    _end(output, result, run)


def _head(output: TextOutput, result: Result, run: Run) -> None:
    heading = dict(facts.heading(result, run))
    parts = [
        heading.get("gateway"),
        heading.get("target"),
        f"seed {heading['seed']}" if "seed" in heading else None,
        heading.get("duration"),
    ]
    output.say()
    output.say(Text("payproof  ", style="dim").append(output.plain(facts.name_of(result)), style="not dim bold"))
    output.say(" · ".join(part for part in parts if part), style="dim")
    if account := heading.get("account"):
        output.say(output.plain(account), style="dim")


def _replayed(output: TextOutput, run: Run) -> None:
    """A replay is announced before its verdicts: nobody must take it for the real thing."""
    found = replay.replay(run)
    if found is None:
        return
    output.rule(found.title)
    output.say(found.about)
    if found.warning:
        output.say(found.warning, style="yellow")
    for group in found.groups[:_LISTED]:
        output.say(group.line, lead=Text("-"), style="yellow")
    if len(found.groups) > _LISTED:
        output.say(f"and {len(found.groups) - _LISTED} more sorts: see the report", lead=Text("-"))


def _table(output: TextOutput, title: str, rows: Iterable[facts.ItemRow]) -> None:
    """The items of which something was judged; below each the requirements that make it what it is: their reasons follow."""
    listed = tuple(row for row in rows if row.judgements)
    if not listed:
        return
    output.rule(title)
    for row in listed:
        mark = _mark(output, row.verdict)
        output.row(mark, row.number, row.title, row.passed, row.besides)
        if row.worst:
            vouched = row.worst[0].verdict is Verdict.ATTESTED
            text = row.cause if vouched else ", ".join(judgement.requirement for judgement in row.worst)
            output.say(text, indent=mark.cell_len + 6, style="dim")


def _section(
    output: TextOutput,
    title: str,
    judgements: tuple[Judgement, ...],
    waiting: Mapping[str, Sequence[str]],
    *,
    verbose: bool,
) -> None:
    if judgements:
        accepted = sum(bool(judgement.baseline) for judgement in judgements)
        output.rule(f"{title} ({len(judgements)}{f', {accepted} accepted for now' if accepted else ''})")
    ordered = sorted(judgements, key=lambda found: found.level)
    for number, (judgement, *mates) in enumerate([(each,) for each in ordered] if verbose else reasons.alike(ordered)):
        if number:
            output.say()
        _judgement(output, judgement, verbose=verbose)
        if mates:
            output.say("and in the same way", indent=_INDENT)
        if broken := [mate.requirement for mate in mates if _breach(mate) and _breach(mate) == _breach(judgement)]:
            output.say(", ".join(broken), indent=_INDENT, style="bold", lead=Text(" "))
        for mate in mates:
            if mate.requirement in broken:
                continue
            output.say(
                facts.why(mate).partition(": ")[2], indent=_INDENT, lead=Text(f"  {mate.requirement}", style="bold")
            )
        _onward(output, judgement, [name for each in (judgement, *mates) for name in waiting.get(each.requirement, ())])


def _breach(judgement: Judgement) -> str:
    """What broke a probe, without the numbers of ports and what was logged; empty where none broke."""
    return re.sub(r":\d+", "", facts.why(judgement)).partition(";")[0] if judgement.verdict is Verdict.ERROR else ""


def _judgement(output: TextOutput, judgement: Judgement, *, verbose: bool) -> None:
    output.say(_title(output, judgement), lead=_mark(output, judgement.verdict))
    output.say(judgement.text, indent=_INDENT, style="dim")
    findings = facts.notable(judgement)
    shown = findings if verbose else findings[:_FINDINGS]
    for finding in shown:
        _finding(output, finding)
    if len(findings) > len(shown):
        output.say(
            f"and {len(findings) - len(shown)} more like this: see the report, or run with --verbose",
            indent=_INDENT,
            style="dim",
        )
    for label, text in _remarks(judgement):
        output.say(f"{label}: {text}", indent=_INDENT)


def _onward(output: TextOutput, judgement: Judgement, waiting: Sequence[str]) -> None:
    """``waiting``: the requirements that could not be judged because this one failed."""
    if waiting:
        output.say(", ".join(waiting), indent=_INDENT, lead=Text("not judged because of it:", style="dim"))
    if judgement.verdict is not Verdict.PASS:
        output.say(f"payproof explain {judgement.requirement}", indent=_INDENT, lead=Text("    next", style="dim"))


def _finding(output: TextOutput, finding: Finding) -> None:
    output.say(finding.title, indent=_INDENT, style="" if finding.verdict is Verdict.PASS else _STYLES[finding.verdict])
    for label, text in _values(finding):
        output.say(text, indent=_INDENT, lead=Text(f"{label:>8}", style="dim"))


def _values(finding: Finding) -> Iterator[tuple[str, str]]:
    for label, value in (("expected", finding.expected), ("actual", finding.actual)):
        if value is not None:
            yield label, values.one_line(value, _VALUE_LIMIT)
    if finding.evidence:
        yield "evidence", values.pointers(finding.evidence, limit=6)
    if finding.because:
        yield "because", f"of {finding.because}: mend that first"


def _remarks(judgement: Judgement) -> Iterator[tuple[str, str]]:
    if judgement.contradiction:
        yield "advice and gateway disagree", judgement.contradiction
    if judgement.baseline:
        yield "accepted for now", judgement.baseline


def _not_exercised(output: TextOutput, result: Result, waiting: Mapping[str, Sequence[str]]) -> None:
    """Without those that wait for a failure: they stand with it."""
    silent = facts.of(result, Verdict.NOT_EXERCISED)
    elsewhere = {name for cause, names in waiting.items() if _in_full(result, cause) for name in names}
    _list(
        output,
        "Not exercised",
        tuple(each for each in silent if each.requirement not in elsewhere),
        apart=len(elsewhere),
    )


def _in_full(result: Result, requirement: str) -> bool:
    """Whether this requirement has a section of its own."""
    found = result.by_id.get(requirement)
    return found is not None and found.verdict in dict(_IN_FULL)


def _list(output: TextOutput, title: str, judgements: tuple[Judgement, ...], *, apart: int = 0) -> None:
    """Why, and below it the requirements that share this reason. ``apart``: how many more stand with the failures above."""
    if not judgements:
        return
    more = f", and {apart} for the failures above" if apart else ""
    output.rule(f"{title} ({len(judgements)}{more})")
    mark = _mark(output, judgements[0].verdict)
    optional = {judgement.requirement for judgement in judgements if judgement.level is Level.SHOULD}
    for why, names in reasons.by_reason(judgements).items():
        output.say(why, lead=mark.copy())
        named = (f"{name} (should)" if name in optional else name for name in names)
        output.say(", ".join(named), indent=_INDENT, style="bold")
    output.say(f"payproof explain {judgements[0].requirement}", indent=_INDENT, lead=Text("next", style="dim"))


def _measured(output: TextOutput, result: Result, run: Run) -> None:
    """The figures, without what was not tried."""
    found = measured(result, run)
    for table in found.tables:
        output.rule(table.title)
        output.say(table.about, style="dim")
        for row in table.rows:
            lines = list(row.lines(table.columns))
            if lines:
                output.say(row.label, style="bold")
            for line in lines:
                output.say(line, indent=_INDENT)
    for row in found.facts:
        output.say(f"{row.label}: {row.figures[0].line}")
    output.rule("Where the time went")
    output.say(found.summary)


def _title(output: TextOutput, judgement: Judgement) -> Text:
    weight = "" if judgement.level is Level.MUST else "  should"
    return Text(output.plain(judgement.requirement), style="bold").append(weight, style="not bold dim")


def _mark(output: TextOutput, verdict: Verdict) -> Text:
    if output.ascii:
        return Text(f"{_ASCII[verdict]:>4}", style=_STYLES[verdict])
    return Text(facts.MARKS[verdict], style=_STYLES[verdict])


def _end(output: TextOutput, result: Result, run: Run) -> None:
    output.rule()
    _tally(output, result)
    if missing := facts.unjudged(result):
        output.say(f"{len(missing)} of {len(result.scope)} requirements were not part of this run", style="yellow")
    for caveat in result.caveats[facts.CAVEATS :]:
        output.say(f"not judged: {caveat}", style="yellow")
    for ends in result.expiring:
        output.say(ends, style="yellow")
    if left := reasons.left_out(run):
        output.say(f"probes left out: {', '.join(left)}", style="dim")
    _reasons(output, result)
    output.say()
    banner = Text(facts.BANNERS[result.outcome], style=_BANNERS[result.outcome])
    output.say(banner.append(f": {output.plain(facts.sentence(result))}", style="none"))


def _reasons(output: TextOutput, result: Result) -> None:
    """What stands in the way and does not stand with its requirement above."""
    scored = result.outcome is not Outcome.NOT_SCORED
    known = result.by_id
    above = {name for name in known if scored or _in_full(result, name)}
    every = list(result.reasons if scored else result.diagnosis[1:])
    stale = every[len(every) - len(result.stale_baseline) :] if scored else []  # they stand last, and nowhere else
    left = [why for why in every[: len(every) - len(stale)] if why.split(":")[0] not in above]
    for reason in left[:_LISTED]:
        output.lines(reason, lead=Text("-"))
    if len(left) > _LISTED:
        output.say(f"and {len(left) - _LISTED} more", lead=Text("-"))
    for reason in stale:
        output.lines(reason, lead=Text("-"))


def _tally(output: TextOutput, result: Result) -> None:
    text = Text()
    for verdict, number in facts.counts(result.judgements).items():
        if number or verdict in (Verdict.PASS, Verdict.FAIL):
            text.append(", " if text else "").append(
                f"{number} {facts.WORDS[verdict]}", style=_STYLES[verdict] if number else "dim"
            )
    output.say(text)
