"""Somebody is told when payments fail."""

from __future__ import annotations

from collections.abc import Iterator

from payproof.contracts.judging.alarms import is_alert
from payproof.contracts.judging.probe_runs import probe_runs
from payproof.contracts.judging.requirements import Case, should
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Finding


def _drill(case: Case, probe: str, what: str) -> Iterator[Finding]:
    channel = case.run.settings.alert_channel
    if not channel:
        yield case.not_exercised("no alert channel is declared: set integration.alerts, or attest the item monitoring")
        return
    for probe_run in probe_runs(case.run, probe):
        mark, over = probe_run.step(StepName.DRILL), probe_run.step(StepName.DRILL_OVER)
        if mark is None or over is None:
            continue
        silent = probe_run.params.get("fault") == "dropped"
        after = "three payments in a row whose calls got no answer" if silent else what
        arrived = [entry for entry in probe_run.after(StepName.DRILL).entries if is_alert(entry, channel)]
        if arrived:
            yield case.passed(
                f"an alert arrived {arrived[0].at - mark.at:.1f} s after {after}",
                actual={"alerts": len(arrived), "channel": channel},
                world=probe_run.world,
                seen=[mark, *arrived[:2]],
            )
        elif channel.startswith("log:") and (unknown := case.run.facts.get("unattributed_log_lines")):
            yield case.not_exercised(
                f"{unknown} lines of a shared log file could not be told apart between instances, and the alert may be one of"
                " them: put {instance.dir} or {port} into integration.logs.files"
            )
        else:
            yield case.failed(
                f"nothing arrived on the declared channel after {after}",
                expected={"alerts": "at least 1", "within seconds": 30},
                actual={"alerts": 0, "channel": channel},
                world=probe_run.world,
                seen=[mark, over],
            )


@should("alerts.payment-error")
def payment_error(case: Case) -> Iterator[Finding]:
    """Payment errors raise an alert.

    Why: a shop that cannot be paid loses money every minute.

    Judged: three payment errors in a row, answers of the gateway or calls that got none; something must arrive on the
    declared channel within 30 seconds: a message, or a log line of the declared level or a higher one. The level is read from
    the line's own field or prefix, never from its message. One digest of several events is fine.

    Fix: alert on the rate of payment errors; declare the channel in integration.alerts.
    """
    yield from _drill(case, "payment-errors", "three payment errors in a row")


@should("alerts.failed-verification")
def failed_verification(case: Case) -> Iterator[Finding]:
    """Failed verifications raise an alert.

    Why: a mismatch is a bug or a fraud, and both want a person.

    Judged: the amounts differ, a return is forged, the gateway cannot be asked; something must arrive on the declared
    channel within 30 seconds.

    Fix: alert when a verification contradicts the order or cannot be made.
    """
    yield from _drill(case, "failed-verification", "failed verifications")
