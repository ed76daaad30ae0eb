"""What stands in a log file that every instance writes may be nobody's: then its absence accuses nobody."""

from __future__ import annotations

import pytest

from payproof.contracts.model import Verdict

from .written import Written


def quiet(unattributed: int) -> Written:
    """A shop whose lines show nothing of a clean payment."""
    run = Written(alert_channel="log:ERROR")
    run.run_fields["facts"] = {"unattributed_log_lines": unattributed} if unattributed else {}
    with run.probe("control"):
        run.order("123456789")
        run.bought("123456789")
        run.log("started")
    with run.probe("payment-errors"):
        run.step("drill")
        run.step("over")
    return run


@pytest.mark.parametrize("requirement", ["logs.requests", "logs.responses", "alerts.payment-error"])
def test_lines_that_could_be_anybodys_leave_it_open(requirement: str) -> None:
    assert quiet(0).finding(requirement, Verdict.WARN)
    assert "44 lines of a shared" in quiet(44).finding(requirement, Verdict.NOT_EXERCISED).title
