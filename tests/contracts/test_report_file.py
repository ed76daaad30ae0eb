"""report.json, read back, and held against its run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from results import a_run, an_attestation

from payproof.contracts.judging.baseline import Accepted
from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Outcome, PayproofError, Result, Verdict
from payproof.contracts.profile import load as profile
from payproof.contracts.results.rejudging import disagreements
from payproof.contracts.results.report_file import load
from payproof.reports import WRITERS

GATEWAY = profile("quatapay")
RUN = a_run()
RESULT = judge(
    RUN,
    GATEWAY,
    attestations=[an_attestation("timeouts", "2026-12-01")],
    baseline=[Accepted(check="https.return-url", reason="x", owner="Ada", until=date(2026, 12, 1))],
    today=date(2026, 11, 30),
)
TEXT = WRITERS["json"].render(RESULT, RUN)


def bare(result: Result) -> Result:
    """Without what only the judge needs."""
    judgements = [
        replace(each, findings=tuple(replace(f, unsettled=False) for f in each.findings)) for each in result.judgements
    ]
    return replace(result, judgements=tuple(judgements))


def test_a_report_that_is_read_back_is_the_result_that_was_told() -> None:
    assert load(TEXT).result == bare(RESULT)


def changed(change: Callable[[Any], None]) -> str:
    found = json.loads(TEXT)
    change(found)
    return json.dumps(found)


def _twice(found: Any) -> None:
    found["requirements"].append(found["requirements"][0])


def _undated(found: Any) -> None:
    next(each for each in found["requirements"] if each["attestation"])["attestation"]["until"] = "one day"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a payproof report"),
        ("[]", "not a payproof report"),
        ("[" * 9999, "nested"),
        ('{"payproof": "run"}', "payproof"),
        (changed(lambda found: found.pop("scope")), "scope"),
        (changed(lambda found: found["requirements"][0].update(verdict="fine")), "requirements.0.verdict"),
        (changed(_twice), "stand twice"),
        (changed(_undated), "attestation"),
    ],
)
def test_what_is_no_report_is_refused(text: str, says: str) -> None:
    with pytest.raises(PayproofError, match="not a payproof report") as refused:
        load(text, place="x.json")
    assert says in refused.value.message
    assert refused.value.place == "x.json"


def test_a_report_says_what_its_run_is_judged_with_what_was_attested_and_accepted_then() -> None:
    attested = [each for each in RESULT.judgements if each.verdict is Verdict.ATTESTED]
    assert attested
    assert disagreements(load(TEXT).result, RUN, GATEWAY) == ()


def test_what_ended_on_the_day_of_the_report_counts_where_the_run_began_on_the_next_day_in_utc() -> None:
    vouched = an_attestation("timeouts", "2026-11-27")
    report = judge(RUN, GATEWAY, attestations=[vouched], today=date(2026, 11, 27))
    assert disagreements(report, RUN, GATEWAY) == ()


def test_a_verdict_that_was_changed_in_the_report_is_named() -> None:
    worse = next(each for each in RESULT.judgements if each.verdict is Verdict.NOT_EXERCISED)
    better = replace(worse, verdict=Verdict.PASS)
    judgements = tuple(better if each is worse else each for each in RESULT.judgements)
    report = replace(RESULT, judgements=judgements, outcome=Outcome.READY)
    first, second = disagreements(report, RUN, GATEWAY)
    assert first.startswith(f"{better.requirement}: the report says pass, and its run is judged not exercised")
    assert second == "the report says ready, and its run is judged not ready"


def test_a_requirement_that_the_report_leaves_out_is_named() -> None:
    report = replace(RESULT, judgements=RESULT.judgements[1:])
    assert "the report says nothing" in disagreements(report, RUN, GATEWAY)[0]


def test_a_report_of_another_run_is_none_of_this_one() -> None:
    (reason,) = disagreements(RESULT, a_run(journal="sha256:ffff"), GATEWAY)
    assert reason.startswith("they are of two runs")


def test_a_report_of_an_earlier_version_has_the_ids_of_today() -> None:
    assert "reference.order-id" in TEXT
    result = load(TEXT.replace('"reference.', '"custom.')).result
    assert [each.requirement for each in result.judgements] == [each.requirement for each in RESULT.judgements]
    assert result.scope == RESULT.scope
