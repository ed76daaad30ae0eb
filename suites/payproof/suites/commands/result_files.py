"""Results that lie in files: a report.json, a run.jsonl, or the folder that holds them."""

from __future__ import annotations

from pathlib import Path

from payproof.contracts.model import PayproofError, Result

REPORT, RUN = "report.json", "run.jsonl"


def result_of(path: Path, config_path: Path | None = None) -> Result:
    """A report as it was written, or a run as this version judges it. A folder's report counts before its run.

    Args:
        config_path: whose attestations and baseline a run is judged by.

    Raises:
        PayproofError: neither is there, or it cannot be read.
    """
    from payproof.contracts import run
    from payproof.contracts.results import report_file
    from payproof.suites.commands import verdict
    from payproof.suites.commands.judging import run_errors
    from payproof.suites.config import load_config

    file = found_in(path, REPORT, RUN)
    if file.suffix != ".jsonl":
        return report_file.read(file).result
    with run_errors(file):
        return verdict.judged(run.read(file), load_config(config_path) if config_path else None)


def found_in(path: Path, *names: str) -> Path:
    """The file itself, or the first of these that the folder holds.

    Raises:
        PayproofError: there is none.
    """
    if not path.is_dir():
        return path
    file = next((path / name for name in names if (path / name).is_file()), None)
    if file is None:
        run = path / RUN
        remedy = "name the folder that `payproof run` wrote its reports into, or run it first"
        if run.is_file():
            remedy = f"payproof check {run} --config payproof.toml --report-dir {path}"
        raise PayproofError(f"this folder holds no {' and no '.join(names)}", place=str(path), remedy=remedy)
    return file
