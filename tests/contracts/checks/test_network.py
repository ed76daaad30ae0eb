"""Guidelines 11 and 13: the network fails in the middle of a call."""

from __future__ import annotations

from typing import Any

import pytest

from payproof.contracts.model import Verdict

from .written import Written

# -- flow.network-error ----------------------------------------------------------------------------------------------


def outage(
    operation: str = "create",
    how: str = "close",
    *,
    asked: bool = True,
    paid: bool = False,
    verified: bool = False,
    **page: Any,
) -> Written:
    run = Written()
    with run.probe("network-error", operation=operation, how=how):
        run.order("1", "unverified" if operation == "status" else "main")
        if operation == "status":
            run.create("p1", "1")
            run.ledger("opened", "p1", reference="1")
            run.checkout("1", "p1")
            run.ledger("charged", "p1", reference="1")
            run.step("paid")
        shown: dict[str, Any] = {"status": 503} | page
        began = run.now
        if verified:
            run.status("p1")
        if asked and how == "close":
            run.call(operation, status=None, ending="cut", fault="dropped", payment="p1")
        run.page("return" if operation == "status" else "checkout", "1", began=began, **shown)
        run.seen("1", paid)
        run.step("tried")
        if asked:
            run.status("p8")
    return run


@pytest.mark.parametrize("operation", ["token", "create", "status"])
@pytest.mark.parametrize("how", ["refuse", "close"])
def test_a_page_for_people_passes(operation: str, how: str) -> None:
    assert outage(operation, how).finding("flow.network-error", Verdict.PASS)


@pytest.mark.parametrize("operation", ["token", "create", "status"])
def test_a_crash_fails(operation: str) -> None:
    found = outage(operation, status=500, body="Internal Server Error").finding("flow.network-error", Verdict.FAIL)
    assert "crashed" in found.title


@pytest.mark.parametrize("operation", ["create", "status"])
def test_an_order_that_is_paid_though_nobody_answered_fails(operation: str) -> None:
    assert outage(operation, "refuse", paid=True).finding("flow.network-error", Verdict.FAIL)


def test_an_order_that_was_verified_in_time_is_rightly_paid() -> None:
    assert outage("status", paid=True, verified=True).finding("flow.network-error", Verdict.PASS)


def test_whoever_never_asks_meets_no_outage() -> None:
    run = outage("status", "refuse", asked=False, paid=True)
    assert run.finding("flow.network-error", Verdict.NOT_EXERCISED).because == "verify.status-checked"


def test_a_call_that_was_not_made_while_nobody_answered_tells_nothing() -> None:
    found = outage("create", asked=False).finding("flow.network-error", Verdict.NOT_EXERCISED)
    assert "was not called while it could not be reached" in found.title
    assert found.evidence


def test_a_payment_that_did_not_come_about_before_the_outage_is_the_reason() -> None:
    run = Written()
    with run.probe("network-error", operation="status", how="close"):
        run.order("1", "unverified")
        run.checkout("1", "")
    assert "could not be checked out" in run.finding("flow.network-error", Verdict.NOT_EXERCISED).title
