"""Headings in words."""

from __future__ import annotations

from typing import Any

import pytest

from payproof.contracts.entries import ProbeMark
from payproof.contracts.run import Run
from payproof.reports.situation import particulars, situation

FACTS: dict[str, Any] = {
    "faults": {
        "not-json": "200 with prose that no parser takes",
        "html": "A page for people",
        "status": "Any HTTP `status`",
    },
    "probes": {"forged-return": "The customer never pays"},
}


@pytest.mark.parametrize(
    ("probe", "params", "sentence"),
    [
        (
            "error-answer",
            {"operation": "create", "fault": "not-json"},
            "The create call: 200 with prose that no parser takes",
        ),
        ("error-answer", {"operation": "create", "fault": "html"}, "The create call: a page for people"),
        ("unverified", {"fault": "html"}, "A page for people"),
        ("network-error", {"operation": "token", "how": "reset"}, "The token call: connection reset"),
        ("forged-return", {}, "The customer never pays"),
        ("control", {}, "One clean payment, with nothing wrong"),
        ("of-another-version", {"fault": "unknown"}, "Of another version"),
    ],
)
def test_a_probe_run_is_told_in_words(probe: str, params: dict[str, Any], sentence: str) -> None:
    run = Run(gateway="quatapay", facts=FACTS)
    assert situation(run, ProbeMark(event="begin", probe=probe, params=params)) == sentence


def test_a_run_of_an_older_version_has_its_probes_names_at_least() -> None:
    mark = ProbeMark(event="begin", probe="double-submit", params={"round": 1})
    assert situation(Run(gateway="quatapay"), mark) == "Double submit"
    assert particulars(mark) == "double-submit, round 1"
