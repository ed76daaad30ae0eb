"""Guideline 10, timeout.response: when did it hang up, measured at the socket."""

from __future__ import annotations

from typing import Any

import pytest

from payproof.contracts.model import Verdict

from .written import Written


def stalled(
    *seconds: float,
    operation: str = "create",
    ending: Any = "hung_up",
    answered_after: float | None = None,
    background: bool = False,
) -> Written:
    """Calls that were never answered, one after the other; the customer waits for the last unless told otherwise."""
    run = Written()
    with run.probe("stalled", operation=operation):
        run.order("1")
        run.armed("never-answer", operation)
        began = run.now
        if background:
            run.page("return", "1", seconds=0.1)
            run.passes(1)
        if answered_after is not None:
            run.page("checkout", "1", seconds=answered_after, status=503)
            run.now = began + 0.01
        for held in seconds:
            run.call(operation, status=None, ending=ending, seconds=held, fault="never-answer")
        if not background and answered_after is None:
            run.page("checkout", "1", status=503, began=began)
        run.step("tried")
    return run


@pytest.mark.parametrize("seconds", [0.5, 5, 30, 31, 32.9])
def test_hanging_up_in_time_passes(seconds: float) -> None:
    found = stalled(seconds).finding("timeout.response", Verdict.PASS)
    assert isinstance(found.actual, dict)
    assert found.actual["seconds"] == seconds


@pytest.mark.parametrize("ending", ["cut", "hung_up", "held"])
def test_one_call_that_is_held_longer_fails(ending: str) -> None:
    found = stalled(33.5, ending=ending).finding("timeout.response", Verdict.FAIL)
    assert isinstance(found.actual, dict)
    assert found.actual["hung up"] is (ending == "hung_up")


def test_several_calls_one_after_the_other_are_each_measured_alone() -> None:
    assert stalled(12, 12, 12).finding("timeout.response", Verdict.PASS)


def test_a_background_retry_is_measured_like_any_call() -> None:
    assert stalled(20, 20, background=True).finding("timeout.response", Verdict.PASS)
    assert stalled(33.5, background=True, ending="cut").finding("timeout.response", Verdict.FAIL)


def test_a_customer_who_is_answered_in_time_is_told_and_nobody_is_accused() -> None:
    found = stalled(33.5, ending="cut", answered_after=10).finding("timeout.response", Verdict.PASS)
    assert "answered after 10.0 s" in found.title
    assert isinstance(found.actual, dict)
    assert found.actual["seconds"] == 33.5


def test_a_customer_who_is_answered_too_late_excuses_nothing() -> None:
    assert stalled(33.5, ending="cut", answered_after=33.4).finding("timeout.response", Verdict.FAIL)


def test_a_call_that_was_broken_off_by_us_tells_nothing() -> None:
    found = stalled(12, ending="cut").finding("timeout.response", Verdict.NOT_EXERCISED)
    assert "before the integration had its 30" in found.title
    assert found.evidence


@pytest.mark.parametrize("operation", ["token", "create", "status"])
def test_a_call_that_was_never_made_says_so(operation: str) -> None:
    found = stalled(operation=operation).finding("timeout.response", Verdict.NOT_EXERCISED)
    assert f"every {operation} call would have met the fault never-answer" in found.title


def test_a_shop_that_never_asks_names_that_as_the_cause() -> None:
    run = stalled(operation="status")
    with run.probe("control"):
        run.order("9")
        run.bought("9", "p9", verified=False)
    assert run.finding("timeout.response", Verdict.NOT_EXERCISED).because == "verify.status-checked"


@pytest.mark.parametrize("requirement", ["timeout.connect", "timeout.drip"])
def test_what_needs_the_wire_itself_says_so(requirement: str) -> None:
    assert "needs faults of the wire" in stalled(5).finding(requirement, Verdict.NOT_EXERCISED).title
