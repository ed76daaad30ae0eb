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
    phase: str = "before",
    **page: Any,
) -> Written:
    run = Written()
    with run.probe("network-error", operation=operation, how=how, phase=phase):
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
        if asked and how != "refuse":
            fault = {"close": "dropped", "reset": "reset"}[how]
            run.call(operation, status=None, ending="cut", fault=fault, payment="p1")
        run.page("return" if operation == "status" else "checkout", "1", began=began, **shown)
        run.seen("1", paid)
        run.step("tried")
        if asked:
            run.status("p8")
    return run


@pytest.mark.parametrize("operation", ["token", "create", "status"])
@pytest.mark.parametrize("how", ["refuse", "close", "reset"])
@pytest.mark.parametrize("phase", ["before", "after"])
def test_a_page_for_people_passes(operation: str, how: str, phase: str) -> None:
    found = outage(operation, how, phase=phase).finding("flow.network-error", Verdict.PASS)
    assert ("after its effect" in found.title) is (phase == "after")


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


# -- idempotency.no-storm ----------------------------------------------------------------------------------------------


def storm(creates: int, how: str = "reset", *, phase: str = "before", order: str = "1", kept: bool = False) -> Written:
    """One checkout, and the create calls that come of it; the first on a connection that had carried a call before."""
    run = Written()
    with run.probe("network-error", operation="create", how=how, phase=phase):
        run.order("1")
        began = run.now
        if kept:
            run.token()
        for number in range(creates):
            if phase == "after":
                run.ledger("opened", f"p{number}", reference=order)
            nth = 2 if kept and not number else 1
            run.create(f"p{number}", order, status=None, ending="cut", fault="reset", nth=nth)
        run.page("checkout", "1", status=503, began=began)
        run.step("tried")
    return run


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("phase", ["before", "after"])
def test_more_than_five_creates_for_one_checkout_are_a_storm(how: str, phase: str) -> None:
    found = storm(6, how, phase=phase).finding("idempotency.no-storm", Verdict.FAIL)
    assert found.actual == {"create calls": 6, "payments opened": 6 if phase == "after" else 0}
    assert len(found.evidence) == 7


@pytest.mark.parametrize("creates", [1, 2, 5])
def test_few_creates_are_none(creates: int) -> None:
    assert storm(creates).finding("idempotency.no-storm", Verdict.PASS)


def test_what_a_library_sends_again_after_a_kept_connection_was_lost_is_not_counted() -> None:
    assert storm(6, kept=True).finding("idempotency.no-storm", Verdict.PASS)
    assert storm(7, kept=True).finding("idempotency.no-storm", Verdict.FAIL)


@pytest.mark.parametrize(("attempts", "verdict"), [(3, Verdict.PASS), (5, Verdict.PASS), (6, Verdict.FAIL)])
def test_a_library_that_sends_each_attempt_twice_is_not_counted_twice(attempts: int, verdict: Verdict) -> None:
    run = Written()
    with run.probe("network-error", operation="create", how="reset"):
        run.order("1")
        began = run.now
        for _ in range(attempts):
            run.create("p", "1", status=None, ending="cut", fault="reset")
            run.create("p", "1", status=None, ending="cut", fault="reset")
            run.passes(1.0)
        run.page("checkout", "1", status=503, began=began)
        run.step("tried")
    run.finding("idempotency.no-storm", verdict)


@pytest.mark.parametrize("pauses", [(0.05, 0.1, 0.2, 0.4, 0.8, 0.0), (0.0, 0.0, 0.0, 0.6, 0.0, 0.0, 0.0)])
def test_pauses_that_grow_or_that_a_busy_machine_makes_are_the_integrations_own(pauses: tuple[float, ...]) -> None:
    run = Written()
    with run.probe("network-error", operation="create", how="reset"):
        run.order("1")
        began = run.now
        for pause in pauses:
            run.create("p", "1", status=None, ending="cut", fault="reset")
            run.passes(pause)
        run.page("checkout", "1", status=503, began=began)
        run.step("tried")
    run.finding("idempotency.no-storm", Verdict.FAIL)


def test_creates_for_orders_of_earlier_stories_are_not_this_checkouts() -> None:
    run = storm(3)
    with run.probe("network-error", operation="create", how="reset"):
        run.order("2000001")
        for number in range(6):
            run.create(f"q{number}", "1", status=None, ending="cut", fault="reset")
        run.create("q7", "2000001", status=None, ending="cut", fault="reset")
        run.page("checkout", "2000001", status=503)
        run.step("tried")
    assert run.finding("idempotency.no-storm", Verdict.PASS)


def test_creates_that_call_the_order_by_a_new_name_each_time_are_this_checkouts() -> None:
    run = Written()
    with run.probe("network-error", operation="create", how="close", phase="before"):
        run.order("7")
        began = run.now
        for number in range(8):
            run.create(
                None, order=f"attempt-{number:04}x" if number else "7", status=None, ending="cut", fault="dropped"
            )
        run.page("checkout", "7", status=503, began=began)
        run.step("tried")
    assert run.finding("idempotency.no-storm", Verdict.FAIL).title.startswith("8 create calls")


def test_creates_under_names_that_were_sent_before_are_not_this_checkouts() -> None:
    run = Written()
    with run.probe("network-error", operation="create", how="reset", phase="before"):
        run.order("6")
        run.create(None, order="attempt-six", status=None, ending="cut", fault="reset")
        run.page("checkout", "6", status=503)
        run.step("tried")
    with run.probe("network-error", operation="create", how="close", phase="before"):
        run.order("7")
        began = run.now
        run.create(None, order="7", status=None, ending="cut", fault="dropped")
        for _ in range(8):  # a job goes on with the one before
            run.create(None, order="attempt-six", status=None, ending="cut", fault="dropped")
        run.page("checkout", "7", status=503, began=began)
        run.step("tried")
    found = [each.verdict for each in run.judged("idempotency.no-storm").findings]
    assert found == [Verdict.PASS, Verdict.PASS]


def test_refused_connections_are_seen_by_nobody() -> None:
    assert outage("create", "refuse").judged("idempotency.no-storm").verdict is Verdict.NOT_EXERCISED


def test_a_create_that_was_never_made_tells_nothing() -> None:
    assert outage("create", "reset", asked=False).finding("idempotency.no-storm", Verdict.NOT_EXERCISED)
