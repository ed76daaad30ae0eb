"""What a pipeline is told without being asked: on GitHub annotations in the log, and the summary of the job."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from payproof.contracts.model import Result
from payproof.contracts.run import Run
from payproof.suites.commands import unsteered

_LEAST = 20_000
"""Bytes; in less room a summary says nothing."""


def report(result: Result, run: Run) -> None:
    """Print annotations where GITHUB_ACTIONS is ``true``, and add to the file that GITHUB_STEP_SUMMARY names."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from payproof.reports.formats import annotations

        unsteered.command(annotations.render(result, run))
    if name := os.environ.get("GITHUB_STEP_SUMMARY"):
        _summarise(result, run, Path(name))


def _summarise(result: Result, run: Run, path: Path) -> None:
    """What does not work is printed; the verdict does not depend on it."""
    from payproof.reports.formats import summary
    from payproof.reports.formats.markdown import document

    try:
        room = summary.ROOM - (path.stat().st_size if path.exists() else 0)
        if room < _LEAST:
            sys.stderr.write(f"the job's summary is full, nothing was added: {path}\n")
            return
        with path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(document(result, run, room=room))
    except OSError as error:
        sys.stderr.write(f"the job's summary cannot be written: {path}: {error.strerror or error}\n")
