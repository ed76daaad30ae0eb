"""From a run to a verdict, the reports and the exit code."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import click
from rich.console import Console

from payproof.contracts.model import Attestation, Outcome, PayproofError, Result
from payproof.contracts.run import Run
from payproof.suites.commands import pipeline
from payproof.suites.config.models import Config

EXIT = {Outcome.READY: 0, Outcome.PARTIAL: 0, Outcome.NOT_READY: 1, Outcome.NOT_SCORED: 2}


def judged(run: Run, config: Config | None) -> Result:
    """The verdict; attestations and the baseline come from the configuration."""
    from payproof.contracts import profile
    from payproof.contracts.judging import judge
    from payproof.contracts.judging.baseline import Accepted

    attestations = [
        Attestation(item=each.item, by=each.by, on=str(each.on), until=str(each.until), note=each.note)
        for each in (config.attest if config else ())
    ]
    accepted = [
        Accepted(check=each.check, reason=each.reason, owner=each.owner, until=each.until, place=each.place)
        for each in (config.baseline if config else ())
    ]
    gateway = profile.load(run.gateway)
    return judge.judge(run, gateway, attestations=attestations, baseline=accepted, today=date.today())


def delivered(
    result: Result, run: Run, lines: Sequence[str], folder: Path, formats: Sequence[str], *, verbose: bool
) -> int:
    """Say the verdict everywhere: the checklist on stdout, the reports, these ``lines``, the pipeline. Returns the exit code."""
    from payproof.reports.console import checklist

    checklist(result, run, console=Console(file=sys.stdout), verbose=verbose)
    write(result, run, folder, formats)
    for line in lines:
        click.echo(line)
    pipeline.report(result, run)
    return EXIT[result.outcome]


def write(result: Result, run: Run, folder: Path, formats: Sequence[str] = ()) -> None:
    """The reports, and where they are."""
    from payproof.reports import write_all

    paths = write_all(result, run, folder, formats or None)
    width = max(len(name) for name in paths)
    sys.stdout.write("\nReports\n")
    for name, path in paths.items():
        sys.stdout.write(f"  {name:<{width}}  {path}\n")


def writable(folder: Path) -> None:
    """Better told before a run than after it.

    Raises:
        PayproofError: nothing can be written there.
    """
    nearest = folder
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    try:
        if not nearest.is_dir():
            raise NotADirectoryError(20, os.strerror(20))
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise PayproofError(
            f"no report can be written there: {error.strerror}",
            place=f"--report-dir {folder}",
            remedy="name a folder that can be written",
        ) from None
