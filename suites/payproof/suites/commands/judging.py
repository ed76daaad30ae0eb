"""``payproof check`` and ``payproof report``: judge a saved run again."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import click

from payproof.contracts.model import PayproofError
from payproof.contracts.run import Run, read
from payproof.suites.commands import baseline, options, verdict
from payproof.suites.config import Config, load_config

_RUN = click.argument("run_file", metavar="RUN.jsonl", type=click.Path(path_type=Path))


@click.command()
@_RUN
@options.config
@options.reports
@options.write_baseline
@click.option("--verbose", "-v", is_flag=True, help="Show every requirement, also those that passed.")
def check(
    run_file: Path,
    config_path: Path | None,
    report_dir: Path,
    formats: tuple[str, ...],
    write_baseline: bool,
    verbose: bool,
) -> int:
    """Judge a saved run again: same checklist, same reports, same exit codes.

    Attestations and the baseline are read from --config; --write-baseline reads the payproof.toml of this folder where none is
    named, and writes beside it.
    """
    with run_errors(run_file):
        run = read(run_file)
        config = load_config(config_path, drafts=write_baseline) if config_path or write_baseline else None
        result, lines = verdict.judged(run, config), list[str]()
        if write_baseline and config:
            _of_its_gateway(run, config)
            result, lines = baseline.write(run, config, result)
        return verdict.delivered(result, run, lines, report_dir, formats, verbose=verbose)


@click.command()
@_RUN
@options.config
@options.reports
def report(run_file: Path, config_path: Path | None, report_dir: Path, formats: tuple[str, ...]) -> int:
    """Write the reports of a saved run."""
    with run_errors(run_file):
        run = read(run_file)
        result = verdict.judged(run, load_config(config_path) if config_path else None)
        verdict.write(result, run, report_dir, formats)
    return 0


@contextmanager
def run_errors(run_file: Path) -> Generator[None]:
    """A file can have the shape of a run and hold what no run holds; that is not payproof's own failure.

    Raises:
        PayproofError: something in it cannot be judged or shown.
    """
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError) as error:
        if os.environ.get("PAYPROOF_DEBUG"):
            raise
        raise PayproofError(
            f"the run holds what payproof does not write, and cannot be judged: {type(error).__name__}: {str(error)[:200]}",
            place=str(run_file),
            remedy="judge the file as `payproof run` of this version wrote it, or set PAYPROOF_DEBUG=1 and report what it prints",
        ) from None


def _of_its_gateway(run: Run, config: Config) -> None:
    """Raises:
    PayproofError: the baseline would be written for another gateway's checklist.
    """
    if run.gateway != config.profile.name:
        raise PayproofError(
            f"the run is of {run.gateway}, the configuration of {config.profile.name}",
            place="--config",
            remedy="name the configuration of that run",
        )
