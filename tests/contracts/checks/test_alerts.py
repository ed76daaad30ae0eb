"""alerts.*: something arrives on the declared channel, at the declared level or above."""

from __future__ import annotations

import pytest

from payproof.contracts.model import Verdict

from .written import Written

DRILLS = [("alerts.payment-error", "payment-errors"), ("alerts.failed-verification", "failed-verification")]
each_drill = pytest.mark.parametrize(("requirement", "probe"), DRILLS)


def _drilled(probe: str, channel: str, *lines: str, alerts: tuple[str, ...] = ()) -> Written:
    run = Written(alert_channel=channel)
    with run.probe(probe):
        run.log("CRITICAL of long ago")
        run.step("drill")
        for line in lines:
            run.log(line)
        for text in alerts:
            run.alert(text)
        run.step("over")
    return run


@each_drill
def test_a_message_on_the_webhook_is_an_alert(requirement: str, probe: str) -> None:
    run = _drilled(probe, "webhook", alerts=("three payment errors in a row",))
    assert run.finding(requirement, Verdict.PASS).actual == {"alerts": 1, "channel": "webhook"}


@each_drill
@pytest.mark.parametrize(
    "line", ["ERROR:shop:payment failed", '{"level":"critical","msg":"x"}', "[2026-11-28] local.ERROR: x"]
)
def test_a_line_of_the_declared_level_or_above_is_an_alert(requirement: str, probe: str, line: str) -> None:
    assert _drilled(probe, "log:ERROR", line).finding(requirement, Verdict.PASS).evidence


@each_drill
@pytest.mark.parametrize(
    "line",
    [
        'INFO:shop:the gateway answered {"type":"error"}',
        '127.0.0.1 - - [28/Nov/2026] "GET /static/errors.css HTTP/1.1" 200 -',
        '{"level":"info","errors_in_a_row": 0}',
        "WARNING:shop:payment error",
    ],
)
def test_a_line_that_only_speaks_of_an_error_is_none(requirement: str, probe: str, line: str) -> None:
    found = _drilled(probe, "log:ERROR", line).finding(requirement, Verdict.WARN)
    assert found.actual == {"alerts": 0, "channel": "log:ERROR"}


@each_drill
def test_what_was_logged_before_the_drill_does_not_count(requirement: str, probe: str) -> None:
    assert _drilled(probe, "log:ERROR").finding(requirement, Verdict.WARN)


@each_drill
def test_a_log_line_is_no_message_on_the_webhook(requirement: str, probe: str) -> None:
    assert _drilled(probe, "webhook", "ERROR:shop:payment failed").finding(requirement, Verdict.WARN)


@each_drill
def test_one_digest_of_several_events_is_enough(requirement: str, probe: str) -> None:
    assert _drilled(probe, "webhook", alerts=("digest: 3 errors, 2 unverified",)).finding(requirement, Verdict.PASS)


@each_drill
def test_without_a_declared_channel_nothing_is_judged(requirement: str, probe: str) -> None:
    found = _drilled(probe, "", "ERROR:shop:payment failed").finding(requirement, Verdict.NOT_EXERCISED)
    assert "integration.alerts" in found.title


@each_drill
def test_a_drill_that_was_cut_short_is_not_judged(requirement: str, probe: str) -> None:
    run = Written(alert_channel="webhook")
    with run.probe(probe):
        run.step("drill")
    assert run.finding(requirement, Verdict.NOT_EXERCISED)


def test_errors_that_the_gateway_answers_are_not_all_there_are() -> None:
    run = Written(alert_channel="log:ERROR")
    for params, line in (
        ({"fault": "status", "status": 500}, "ERROR payment failed"),
        ({"fault": "dropped"}, "WARNING no answer"),
    ):
        with run.probe("payment-errors", **params):
            run.step("drill")
            run.log(line)
            run.step("over")
    assert "got no answer" in run.finding("alerts.payment-error", Verdict.WARN).title
