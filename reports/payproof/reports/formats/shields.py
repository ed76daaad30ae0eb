"""The badge as data, for a badge service that asks an endpoint."""

from __future__ import annotations

import json

from payproof.contracts.model import Outcome, Result
from payproof.contracts.run import Run
from payproof.reports import facts
from payproof.reports.registry import writer

LABEL = "payproof"
COLOURS = {
    Outcome.READY: "2e7d32",
    Outcome.NOT_READY: "c62828",
    Outcome.PARTIAL: "8a5a00",
    Outcome.NOT_SCORED: "57606a",
}
"""White letters on each have a contrast of 5 and more."""


@writer("shields", "badge.json")
def render(result: Result, run: Run) -> str:
    """JSON of the endpoint schema, version 1."""
    badge = {
        "schemaVersion": 1,
        "label": LABEL,
        "message": facts.BANNERS[result.outcome],
        "color": COLOURS[result.outcome],
        "isError": result.outcome in (Outcome.NOT_READY, Outcome.NOT_SCORED),
    }
    return json.dumps(badge, indent=2) + "\n"
