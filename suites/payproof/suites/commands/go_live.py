"""``payproof can-i-go-live``: whether the evidence is enough, and if not, what is missing."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from payproof.contracts.model import Level, PayproofError, Result
from payproof.suites.commands.result_files import REPORT, RUN, found_in

if TYPE_CHECKING:
    from payproof.contracts.results.go_live import Evidence, Missing

_REPORT = Path("payproof-report")
_ROOM = 240
"""Letters for one thing that is missing; the report has the rest."""


@click.command("can-i-go-live")
@click.argument("reports", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--max-age", type=click.IntRange(1, 3650), default=30, show_default=True, metavar="DAYS", help="Of the evidence."
)
@click.option("--sandbox", is_flag=True, help="Also demand a run against the sandbox.")
@click.option(
    "--commit", default="", metavar="SHA", help="What goes live; default: the commit that is checked out here."
)
@click.option("--any-commit", is_flag=True, help="Do not ask which commit was tested.")
def can_i_go_live(reports: tuple[Path, ...], max_age: int, sandbox: bool, commit: str, any_commit: bool) -> int:
    """Say whether the integration may go live, by reports: report.json or its folder (default payproof-report).

    Every must has to pass, be attested, or be accepted by a baseline entry, in one whole run of this commit. Where run.jsonl
    lies beside a report, it is judged again.

    Exit codes: 0 yes, 1 no (each thing that is missing, with the command that brings it), 2 a file cannot be read.
    """
    from payproof.contracts.results.go_live import Demands, decide

    wanted = "" if any_commit else _commit(commit)
    evidence = [_evidence(path) for path in reports or (_REPORT,)]
    demands = Demands(
        now=datetime.now(UTC), max_age=timedelta(days=max_age), commit=wanted, sandbox=sandbox,
        musts=_musts(evidence),
    )  # fmt: skip
    missing = decide(evidence, demands)
    _show(missing, evidence, wanted)
    return 1 if missing else 0


def _commit(given: str) -> str:
    from payproof.suites.run.revision import revision

    if given:
        if not re.fullmatch("[0-9a-fA-F]{7,64}", given):
            raise PayproofError(
                "this is no commit's id", place=f"--commit {given[:70]}", remedy="give what `git rev-parse HEAD` prints"
            )
        return given.lower()
    if found := revision(Path.cwd()):
        return found.commit
    raise PayproofError(
        "which commit goes live is not known: no git work tree is here",
        place=str(Path.cwd()),
        remedy="name it with --commit SHA, or do without it: --any-commit",
    )


def _evidence(path: Path) -> Evidence:
    """
    Raises:
        PayproofError: it cannot be read.
    """
    from payproof.contracts.results import report_file
    from payproof.contracts.results.go_live import Evidence

    if path.suffix == ".jsonl":
        raise PayproofError(
            "a run says nothing of attestations and baseline; its report does",
            place=str(path),
            remedy=f"payproof report {path} --config payproof.toml, and name the folder of its report.json",
        )
    file = found_in(path, REPORT)
    result = report_file.read(file).result
    return Evidence(folder=str(file.parent), result=result, disagreements=_disagreements(result, file.with_name(RUN)))


def _disagreements(result: Result, file: Path) -> tuple[str, ...]:
    """What this version judges otherwise; nothing where the run is not there."""
    if not file.exists():
        return ()
    from payproof.contracts import profile, run
    from payproof.contracts.results import rejudging
    from payproof.suites.commands.judging import run_errors

    with run_errors(file):
        saved = run.read(file)
        return rejudging.disagreements(result, saved, profile.load(saved.gateway))


def _musts(evidence: Iterable[Evidence]) -> tuple[str, ...]:
    """Every must of the gateway's checklist in this version."""
    from payproof.contracts import profile
    from payproof.contracts.judging.requirements import requirements_of

    names = {str(name) for each in evidence if (name := each.result.facts.get("gateway"))}
    known = [requirements_of(profile.load(name)) for name in names]
    return tuple(dict.fromkeys(id for each in known for id in each if each[id].level is Level.MUST))


def _show(missing: tuple[Missing, ...], evidence: Iterable[Evidence], commit: str) -> None:
    """One paragraph for each command, and what it would bring."""
    from rich.console import Console
    from rich.text import Text

    from payproof.reports.text_output import TextOutput

    output = TextOutput(Console(file=sys.stdout))
    commands = dict.fromkeys(each.command for each in missing)
    for command in commands:
        for each in missing:
            if each.command == command:
                output.say(output.shorten(each.what, _ROOM), lead=Text("x" if output.ascii else "✗", style="red"))
        output.say(command, indent=2, lead=Text("next", style="dim"))
    for ends in dict.fromkeys(text for report in evidence for text in report.result.expiring):
        output.say(ends, lead=Text("!", style="yellow"))
    what = f"commit {commit[:12]}" if commit else "any commit"
    if missing:
        count = f"{len(missing)} {'thing is' if len(missing) == 1 else 'things are'} missing"
        output.say(Text("NO", style="bold red").append(f": {count} before {what} may go live.", style="none"))
    else:
        output.say(Text("YES", style="bold green").append(f": the evidence is enough for {what}.", style="none"))
