"""Ids of earlier versions go on working wherever somebody may have written one down."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from payproof.contracts import run as runs
from payproof.contracts.former_ids import FORMER, current, former
from payproof.contracts.judging.baseline import Accepted
from payproof.contracts.judging.judge import judge
from payproof.contracts.judging.requirements import requirements
from payproof.contracts.model import Attestation, Verdict
from payproof.contracts.profile import load
from payproof.suites import cli
from payproof.suites.config import load_config
from payproof.suites.run.selection import select

QUATAPAY = load("quatapay")
TODAY = date(2026, 11, 23)
BOTH = ("reference.order-id", "reference.distinct")
TABLES = """
[integration]
command = ["true"]
checkout.path = "/checkout"
order = { path = "/orders/{order.id}", status = "json:/status" }
[[attest]]
item = "custom.order-id"
by = "Ada"
on = 2026-11-01
until = 2026-12-01
[[baseline]]
check = "custom.distinct"
reason = "known"
owner = "Ada"
until = 2026-12-01
"""


def test_each_former_id_leads_to_a_requirement_and_none_is_in_use_again() -> None:
    assert set(FORMER.values()) <= set(requirements())
    assert not set(FORMER) & set(requirements())
    assert [current(name) for name in ("custom.order-id", "custom", "token.cached")] == [
        BOTH[0],
        "reference",
        "token.cached",
    ]
    assert (former("reference"), former("token.cached")) == (("custom",), ())


@pytest.mark.parametrize(
    ("only", "expression", "chosen"),
    [
        (["custom.order-id"], "", BOTH[:1]), (["custom"], "", BOTH), ([], "custom.distinct", BOTH[1:]),
        (["custom"], "not custom.distinct", BOTH[:1]), (["reference"], "custom", BOTH),
    ],
)  # fmt: skip
def test_a_run_can_be_asked_for_by_former_ids(only: list[str], expression: str, chosen: tuple[str, ...]) -> None:
    assert select(QUATAPAY.checklist, only, expression) == chosen


def test_explain_takes_a_former_id_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["explain", "custom.order-id"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("reference.order-id (must)")
    assert "Formerly\n  custom.order-id" in out


def test_a_file_may_attest_and_accept_by_former_ids(tmp_path: Path) -> None:
    (tmp_path / "payproof.toml").write_text(TABLES)
    config = load_config(tmp_path)
    assert (config.attest[0].item, config.baseline[0].check) == ("custom.order-id", "custom.distinct")


def test_attestation_and_baseline_are_found_by_former_ids() -> None:
    attested = Attestation(item="custom.order-id", by="Ada", on="2026-11-01", until="2026-12-01")
    old = Accepted(check="custom.distinct", reason="known", owner="Ada", until=date(2026, 11, 1))
    result = judge(runs.Run(gateway="quatapay"), QUATAPAY, attestations=[attested], baseline=[old], today=TODAY)
    verdicts = {judgement.requirement: judgement.verdict for judgement in result.judgements}
    assert verdicts["reference.order-id"] is Verdict.ATTESTED
    assert result.stale_baseline == ("reference.distinct",)


def test_a_run_that_was_saved_with_former_ids_is_judged() -> None:
    lines = runs.dump(runs.Run(gateway="quatapay")).splitlines()
    head = json.loads(lines[0]) | {
        "selected": ["custom.order-id", "custom.distinct"],
        "skipped": ["custom.distinct"],
        "provoked_by": {"custom.order-id": ["steady"]},
        "powerless": {"custom.distinct": "no power"},
        "facts": {
            "errors": {"custom.order-id": "KeyError"},
            "cut": {"custom.distinct": "time"},
            "custom": {"custom": 1},
        },
    }
    body = json.dumps(head)
    run = runs.load(f"{body}\n{json.dumps({'end': 0, 'digest': runs.digest(body)})}\n")
    assert (run.selected, run.skipped) == (BOTH, BOTH[1:])
    assert run.provoked_by == {"reference.order-id": ("steady",)}
    assert run.powerless == {"reference.distinct": "no power"}
    assert run.facts == {
        "errors": {"reference.order-id": "KeyError"}, "cut": {"reference.distinct": "time"}, "custom": {"custom": 1},
    }  # fmt: skip
    by_id = {judgement.requirement: judgement for judgement in judge(run, QUATAPAY, today=TODAY).judgements}
    assert by_id["reference.order-id"].verdict is Verdict.ERROR
