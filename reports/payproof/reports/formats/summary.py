"""The summary of a GitHub job: the Markdown report with the room that a summary has."""

from __future__ import annotations

from payproof.contracts.model import Result
from payproof.contracts.run import Run
from payproof.reports.formats.markdown import document
from payproof.reports.registry import writer

ROOM = 1_000_000
"""Bytes; GitHub refuses what all of a step wrote when it is 1 MiB and more."""


@writer("summary", "summary.md")
def render(result: Result, run: Run) -> str:
    """GitHub-flavoured Markdown of at most ``ROOM`` bytes; what had no room is counted at its end."""
    return document(result, run, room=ROOM)
