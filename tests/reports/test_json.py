"""The JSON report and its published schema."""

from __future__ import annotations

import dataclasses
import importlib.resources
import json
from typing import Any

import jsonschema_rs
import pytest

from payproof.contracts.model import Finding, Pointer, Result, Verdict
from payproof.contracts.run import Run
from payproof.reports import WRITERS


def report(result: Result, run: Run) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(WRITERS["json"].render(result, run))
    return loaded


@pytest.fixture
def schema() -> dict[str, Any]:
    text = (importlib.resources.files("payproof.reports") / "report.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def faults(schema: dict[str, Any], document: dict[str, Any]) -> list[str]:
    return [error.message for error in jsonschema_rs.Draft202012Validator(schema).iter_errors(document)]


def test_the_report_keeps_its_schema(schema: dict[str, Any], result: Result, run: Run) -> None:
    assert faults(schema, report(result, run)) == []


def test_an_empty_and_an_unscored_report_keep_the_schema_too(
    schema: dict[str, Any], empty: Result, not_scored: Result, run: Run
) -> None:
    assert faults(schema, report(empty, Run(gateway="nobody"))) == []
    assert faults(schema, report(not_scored, run)) == []


def test_the_schema_refuses_another_verdict(schema: dict[str, Any], result: Result, run: Run) -> None:
    document = report(result, run)
    document["requirements"][0]["verdict"] = "fine"
    assert faults(schema, document)


def test_what_was_not_exercised_is_not_counted_as_passed(result: Result, run: Run) -> None:
    assert report(result, run)["counts"] == {
        "pass": 46, "fail": 4, "warn": 1, "not_exercised": 2, "not_applicable": 1, "attested": 2, "error": 1
    }  # fmt: skip


def test_the_entries_that_evidence_names_come_along(result: Result, run: Run) -> None:
    document = report(result, run)
    named = {
        pointer
        for found in document["requirements"]
        for finding in found["findings"]
        for pointer in finding["evidence"]
    }
    assert set(document["evidence"]) == named
    assert {entry["kind"] for entry in document["evidence"].values()} >= {"call", "page", "order", "ledger", "log"}


def test_evidence_that_no_journal_holds_is_left_out(result: Result, run: Run) -> None:
    stray = Finding(check="x.y", verdict=Verdict.FAIL, title="", evidence=(Pointer("main", 9_999), Pointer("gone", 1)))
    judgement = dataclasses.replace(result.judgements[0], findings=(stray,))
    document = report(dataclasses.replace(result, judgements=(judgement,)), run)
    assert document["evidence"] == {}
    assert document["requirements"][0]["findings"][0]["evidence"] == ["main#9999", "gone#1"]


def test_values_stay_values(result: Result, run: Run) -> None:
    found = {each["requirement"]: each for each in report(result, run)["requirements"]}
    assert found["idempotency.double-submit"]["findings"][0]["actual"] == {"charges": 2, "total": "10,000.00 XAF"}
    assert found["token.cached"]["contradiction"].startswith("The guidance asks")
    assert found["alerts.payment-error"]["attestation"]["by"] == "Ngozi A."
    assert found["logs.no-access-token"]["baseline"].startswith("fixed in release")


def test_what_a_terminal_obeys_is_escaped_and_not_lost(result: Result, run: Run) -> None:
    """Somebody shows the file in a pipeline's log: UTF-8 terminals know control characters of two bytes, and text turns round."""
    told = "paid\x9b31m\x9d0;x\x9c\u202egnp.exe\x7f\x1b[2J"
    text = WRITERS["json"].render(dataclasses.replace(result, diagnosis=(told,)), run)
    assert json.loads(text)["diagnosis"] == [told]
    assert not any((ord(letter) < 32 and letter != "\n") or letter in "\x7f\x9b\x9c\x9d\u202e" for letter in text)
