"""``payproof compare``: what is different between two runs, and whether anything got worse."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from payproof.suites.commands import options
from payproof.suites.commands.result_files import result_of

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("old", type=_PATH)
@click.argument("new", type=_PATH)
@options.config
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def compare(old: Path, new: Path, config_path: Path | None, as_json: bool) -> int:
    """Say what is different between two runs: report.json, run.jsonl, or the folder that holds them.

    A run.jsonl is judged by this version; its attestations and baseline are read from --config.

    Exit codes: 0 nothing got worse, 1 something did, 2 a file cannot be read.
    """
    from rich.console import Console

    from payproof.contracts.results.run_comparison import compare_results
    from payproof.reports import run_comparison

    found = compare_results(result_of(old, config_path), result_of(new, config_path))
    if as_json:
        click.echo(json.dumps(run_comparison.document(found), indent=2))
    else:
        run_comparison.show(found, Console(file=sys.stdout))
    return 1 if found.worse else 0
