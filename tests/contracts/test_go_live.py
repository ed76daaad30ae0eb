"""What is missing before an integration may go live."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from results import a_judgement, a_result, an_attestation

from payproof.contracts.model import Judgement, Outcome
from payproof.contracts.results.go_live import Demands, Evidence, decide

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
DEMANDS = Demands(now=NOW, max_age=timedelta(days=7), commit=COMMIT)
FACTS = {
    "target": "simulator",
    "quick": False,
    "started": "2026-11-27T12:00:00+00:00",
    "commit": COMMIT,
    "dirty": False,
}
GOOD = a_judgement("a.b", "pass")


def evidence(*judgements: Judgement, facts: dict[str, Any] | None = None, **fields: Any) -> Evidence:
    return Evidence(
        folder="payproof-report", result=a_result(*(judgements or (GOOD,)), facts={**FACTS, **(facts or {})}, **fields)
    )


def missing(*given: Evidence, demands: Demands = DEMANDS) -> list[tuple[str, str]]:
    return [(each.what, each.command) for each in decide(given, demands)]


def test_nothing_is_missing_where_a_whole_run_of_this_commit_passes() -> None:
    assert missing(evidence()) == []
    assert missing(evidence(), demands=replace(DEMANDS, commit=COMMIT[:7])) == []


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"commit": "f" * 40}, "payproof-report tested commit ffffffffffff, not 0123456789ab"),
        ({"commit": ""}, "payproof-report does not say which commit was tested"),
        ({"dirty": True}, "payproof-report tested commit 0123456789ab with changes that are not committed"),
        ({"dirty": None}, "payproof-report tested commit 0123456789ab with changes that are not committed"),
        (
            {"started": "2026-11-20T12:00:00+00:00"},
            "payproof-report was made on 2026-11-20 12:00, more than 7 days ago",
        ),
        ({"started": "2026-11-29T12:00:00+00:00"}, "payproof-report was made in the future"),
        ({"started": "soon"}, "payproof-report does not say when it was made"),
        ({"quick": True}, "payproof-report is a shortened run (--quick)"),
    ],
)
def test_a_run_that_is_not_as_demanded_has_to_be_made_again(facts: dict[str, Any], says: str) -> None:
    ((what, command),) = missing(evidence(facts=facts))
    assert what.startswith(says)
    assert command == "payproof run"


def test_which_commit_was_tested_may_be_left_open() -> None:
    assert missing(evidence(facts={"commit": "", "dirty": True}), demands=replace(DEMANDS, commit="")) == []


def test_a_partial_run_never_suffices() -> None:
    ((what, _),) = missing(evidence(outcome=Outcome.PARTIAL, scope=("a.b", "a.c")))
    assert "1 of 2 requirements" in what
    ((what, _),) = missing(evidence(outcome=Outcome.PARTIAL))
    assert "cannot do all that the probes need" in what


def test_each_must_that_stands_in_the_way_is_named_with_its_command() -> None:
    found = evidence(
        GOOD,
        a_judgement("a.fail", "fail", title="charged twice"),
        a_judgement("a.open", "not_exercised", title="nobody asked", declare="order.effects"),
        a_judgement("a.broke", "error", title="broke", level="should"),
        a_judgement("a.warn", "warn", level="should"),
    )
    assert missing(found) == [
        ("a.fail failed: charged twice", "payproof explain a.fail"),
        (
            "a.open was not exercised: nobody asked",
            "declare order.effects in payproof.toml, then payproof run",
        ),
        ("a.broke could not be judged: broke", "payproof run"),
    ]


def test_reasons_that_somebody_took_out_of_a_report_do_not_make_its_failures_good() -> None:
    assert missing(evidence(a_judgement("a.fail", "fail"), outcome=Outcome.READY, reasons=()))


def test_what_is_attested_or_accepted_counts_until_its_date() -> None:
    attested = a_judgement("a.seen", "attested", attestation=an_attestation("a.seen", "2026-11-28"))
    accepted = a_judgement("a.known", "fail", baseline="later (Ada, until 2026-11-28)", accepted_until="2026-11-28")
    assert missing(evidence(attested, accepted)) == []
    tomorrow = replace(DEMANDS, now=NOW + timedelta(days=1))
    assert [what for what, _ in missing(evidence(attested, accepted), demands=tomorrow)] == [
        "a.seen: the attestation of Ada ended on 2026-11-28",
        "a.known failed, and its acceptance ended on 2026-11-28",
    ]


def test_a_stale_baseline_entry_and_a_verdict_that_is_judged_otherwise_are_missing() -> None:
    stale = evidence(outcome=Outcome.NOT_READY, reasons=("a.b: its baseline entry is stale",), stale_baseline=("a.b",))
    assert [what for what, _ in missing(stale)] == ["a.b: its baseline entry is stale"]
    ((what, command),) = missing(replace(evidence(), disagreements=("a.b: the report says pass, and ...",)))
    assert what == "payproof-report: a.b: the report says pass, and ..."
    assert command.startswith("payproof check payproof-report/run.jsonl")


def test_a_must_that_this_version_asks_for_and_the_report_does_not_know_is_missing() -> None:
    ((what, _),) = missing(evidence(), demands=replace(DEMANDS, musts=("a.b", "fresh.one")))
    assert "fresh.one" in what


def test_nothing_scored_says_why() -> None:
    found = evidence(a_judgement("a.b", "not_exercised"), outcome=Outcome.NOT_SCORED, diagnosis=("It never called.",))
    assert missing(found) == [("nothing was scored in payproof-report: It never called.", "payproof run")]


def test_the_sandbox_is_demanded_beside_a_whole_run_and_may_lack_powers_itself() -> None:
    wanted = replace(DEMANDS, sandbox=True)
    real = replace(evidence(facts={"target": "sandbox"}, outcome=Outcome.PARTIAL), folder="real")
    ((what, command),) = missing(evidence(), demands=wanted)
    assert what == "there is no run against the sandbox"
    assert command.startswith("payproof run --target sandbox")
    assert missing(evidence(), real, demands=wanted) == []
    assert len(missing(real, demands=wanted)) == 1, "a run that the sandbox shortened is no whole run"
    assert missing(replace(real, result=replace(real.result, outcome=Outcome.READY)), demands=wanted) == []
    short = replace(real, result=replace(real.result, scope=("a.b", "a.c")))
    assert missing(evidence(), short, demands=wanted)[0][1] == "payproof run --target sandbox --report-dir real"


def test_of_several_reports_the_one_that_lacks_least_is_told() -> None:
    worse = evidence(a_judgement("a.b", "fail"), a_judgement("a.c", "fail"))
    assert missing(worse, evidence(a_judgement("a.b", "fail"))) == [("a.b failed: a.b fail", "payproof explain a.b")]
    assert missing(worse, evidence()) == []
