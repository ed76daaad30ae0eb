"""What reports say of a run that replayed a recording."""

from __future__ import annotations

import dataclasses
import importlib.resources
import io
import json
from typing import Any

import jsonschema_rs
import pytest
from rich.console import Console

from payproof.contracts.entries import Entry, ReplayDifference
from payproof.contracts.model import Json, Result
from payproof.contracts.run import RecordedWorld, Run
from payproof.reports import WRITERS
from payproof.reports.console import checklist
from payproof.reports.replay import replay

CASSETTE: dict[str, Json] = {
    "path": "cassettes/quatapay.yaml",
    "recorded_at": "2026-08-01T10:00:00+00:00",
    "age": "114 days",
    "max_age": "90d",
    "stale": True,
    "upstream": "https://sandbox.example",
    "exchanges": 12,
    "stories": ["control"],
}
ENTRIES: tuple[Entry, ...] = (
    ReplayDifference(n=4, what="repeated", story="steady", operation="status", recorded="exchange 9"),
    ReplayDifference(n=5, what="repeated", story="steady", operation="status", recorded="exchange 9"),
    ReplayDifference(
        n=6, what="changed", operation="create", name='field "amount"', recorded="5000.00", actual="<b>9</b>"
    ),
    ReplayDifference(n=7, what="unexpected", operation="refund", actual="POST /refund"),
)


@pytest.fixture
def played(run: Run) -> Run:
    worlds = (*run.worlds, RecordedWorld(name="played", entries=ENTRIES))
    return dataclasses.replace(run, worlds=worlds, facts={**run.facts, "cassette": CASSETTE})


def shown(result: Result, run: Run) -> str:
    console = Console(file=io.StringIO(), width=100)
    checklist(result, run, console=console)
    return " ".join(console.file.getvalue().split())  # type: ignore[attr-defined]


def test_a_run_against_anything_else_says_nothing_of_a_replay(result: Result, run: Run) -> None:
    assert replay(run) is None
    assert "Replay of a recording" not in shown(result, run)
    assert "replay" not in json.loads(WRITERS["json"].render(result, run))


def test_console_markdown_and_html_tell_age_and_differences_before_the_verdicts(result: Result, played: Run) -> None:
    pages = [shown(result, played), WRITERS["markdown"].render(result, played), WRITERS["html"].render(result, played)]
    for page in pages:
        recording, checks = page.index("Replay of a recording: 4 differences"), page.index("Credentials")
        assert recording < checks
        assert "114 days ago" in page
        assert "older than 90d" in page
        assert "It says nothing about the sandbox of today" in page
    assert "<b>9</b>" in pages[0]
    assert "<b>9</b>" not in pages[1] + pages[2]


def test_differences_of_one_sort_are_one_line_with_the_unexpected_first(played: Run) -> None:
    found = replay(played)
    assert found is not None
    lines = [group.line for group in found.groups]
    assert lines[0].startswith("refund: a call that the recording does not hold: now POST /refund, played#7")
    assert 'asked otherwise (field "amount"): recorded 5000.00, now' in lines[1]
    assert lines[2].endswith("(2 times), played#4, played#5")


def test_the_json_report_has_each_difference_and_keeps_its_schema(result: Result, played: Run) -> None:
    document: dict[str, Any] = json.loads(WRITERS["json"].render(result, played))
    assert document["replay"]["cassette"]["recorded_at"] == CASSETTE["recorded_at"]
    assert [each["pointer"] for each in document["replay"]["differences"]] == [
        "played#4",
        "played#5",
        "played#6",
        "played#7",
    ]
    schema = json.loads((importlib.resources.files("payproof.reports") / "report.schema.json").read_text("utf-8"))
    assert list(jsonschema_rs.Draft202012Validator(schema).iter_errors(document)) == []
    document["replay"]["differences"][0]["what"] = "fine"
    assert list(jsonschema_rs.Draft202012Validator(schema).iter_errors(document))


def test_a_replay_without_a_difference_says_so(played: Run) -> None:
    clean = dataclasses.replace(played, worlds=(), facts={"cassette": {**CASSETTE, "stale": False}})
    found = replay(clean)
    assert found is not None
    assert (found.title, found.warning, found.groups) == ("Replay of a recording: as recorded", "", ())
