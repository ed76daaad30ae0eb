"""``payproof check`` and ``payproof report``: judge a saved run again."""

from __future__ import annotations

from pathlib import Path

import click

from payproof.contracts.model import Result
from payproof.contracts.run import Run, read
from payproof.suites.commands import options, verdict
from payproof.suites.config import load_config

_RUN = click.argument("run_file", metavar="RUN.jsonl", type=click.Path(path_type=Path))


@click.command()
@_RUN
@options.config
@options.reports
@click.option("--verbose", "-v", is_flag=True, help="Show every requirement, also those that passed.")
def check(run_file: Path, config_path: Path | None, report_dir: Path, formats: tuple[str, ...], verbose: bool) -> int:
    """Judge a saved run again: same checklist, same reports, same exit codes.

    Attestations and the baseline are read from --config.
    """
    result, run = _judged(run_file, config_path)
    verdict.show(result, run, verbose=verbose)
    verdict.write(result, run, report_dir, formats)
    return verdict.EXIT[result.outcome]


@click.command()
@_RUN
@options.config
@options.reports
def report(run_file: Path, config_path: Path | None, report_dir: Path, formats: tuple[str, ...]) -> int:
    """Write the reports of a saved run."""
    result, run = _judged(run_file, config_path)
    verdict.write(result, run, report_dir, formats)
    return 0


def _judged(run_file: Path, config_path: Path | None) -> tuple[Result, Run]:
    run = read(run_file)
    config = load_config(config_path) if config_path else None
    return verdict.judged(run, config), run
