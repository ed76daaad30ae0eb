"""Guideline 13, flow.*: every way that a payment can go."""

from __future__ import annotations

from typing import Any

import pytest

from payproof.contracts.model import Verdict

from .written import Written

# -- flow.success ----------------------------------------------------------------------------------------------------


def test_clean_payments_that_end_in_paid_orders_pass() -> None:
    run = Written()
    with run.probe("control"):
        run.order("1")
        run.bought("1", "p1")
    with run.probe("steady"):
        run.bought("2", "p2")
        run.bought("3", "p3")
    assert run.finding("flow.success", Verdict.PASS).actual == {"paid orders": 3}


def test_an_order_that_is_paid_for_and_stays_unpaid_fails() -> None:
    run = Written()
    with run.probe("control"):
        run.order("1")
        run.bought("1", "p1", paid=False)
    assert run.finding("flow.success", Verdict.FAIL).actual == {"paid": False, "error pages": 0}


def test_an_error_page_after_a_payment_fails_though_the_order_is_paid() -> None:
    run = Written()
    with run.probe("control"):
        run.order("1")
        run.create("p1", "1")
        run.ledger("opened", "p1", reference="1")
        run.checkout("1", "p1")
        run.ledger("charged", "p1", reference="1")
        run.status("p1")
        run.page("return", "1", status=404)
        run.seen("1")
    assert run.finding("flow.success", Verdict.FAIL).actual == {"paid": True, "error pages": 1}


@pytest.mark.parametrize(
    ("host", "status", "verdict"),
    [
        ("app.shop.test", 404, Verdict.PASS),
        ("shop.test", 404, Verdict.FAIL),
        ("app.shop.test", 500, Verdict.FAIL),
    ],
)
def test_a_return_address_of_a_front_end_that_nobody_started_is_no_error_page(
    host: str, status: int, verdict: Verdict
) -> None:
    run = Written()
    with run.probe("control"):
        run.order("1")
        run.create("p1", "1", return_url=f"https://{host}/back")
        run.ledger("opened", "p1", reference="1")
        run.page("checkout", "1")
        run.checkout("1", "p1")
        run.ledger("charged", "p1", reference="1")
        run.page("return", "1", status=status, url=f"https://{host}/back")
        run.status("p1")
        run.seen("1")
    assert run.finding("flow.success", verdict)


def test_a_customer_who_cannot_start_to_pay_is_a_failure() -> None:
    run = Written()
    with run.probe("steady"):
        page = run.page("checkout", "1", status=502)
        run.checkout("1", "", page=page.n)
    found = run.finding("flow.success", Verdict.FAIL)
    assert found.actual == {"checkout": "refused", "status": 502}
    assert len(found.evidence) == 2


def test_a_background_job_that_pays_the_order_later_passes() -> None:
    run = Written()
    with run.probe("control"):
        run.order("1")
        run.bought("1", "p1", paid=False)
    with run.probe("settle"):
        run.seen("1")
    assert run.finding("flow.success", Verdict.PASS)


def test_a_shop_that_does_not_sell_in_a_currency_and_says_so_is_not_accused() -> None:
    run = Written()
    with run.probe("steady"):
        run.bought("1", "p1")
        run.checkout("2", "", currency="USD", outcome="refused")
    judgement = run.judged("flow.success")
    assert judgement.verdict is Verdict.PASS
    assert any("does not sell in USD" in finding.title for finding in judgement.findings)


def test_money_that_was_never_taken_is_no_failure_of_the_shop_and_says_why() -> None:
    run = Written()
    with run.probe("control"):
        run.order("1")
        run.create("p1", "1")
        run.ledger("opened", "p1", reference="1")
        run.checkout("1", "p1")
        run.step("stuck-at-checkout", "the customer cannot go on at the hosted checkout: no form")
        run.seen("1", paid=False)
    found = run.finding("flow.success", Verdict.NOT_EXERCISED)
    assert "no form" in found.title
    assert len(found.evidence) == 2


def test_a_create_that_asks_for_another_amount_is_that_requirements_failure() -> None:
    run = Written()
    with run.probe("control"):
        run.order("1")
        run.create("p1", "1", amount="50.00")
        run.ledger("opened", "p1", reference="1", amount="50.00")
        run.checkout("1", "p1")
        run.ledger("charged", "p1", reference="1", amount="50.00")
        run.page("return", "1")
        run.seen("1", paid=False)
    assert run.finding("flow.success", Verdict.NOT_EXERCISED).because == "amount.sent"


# -- flow.cancelled and flow.failed ----------------------------------------------------------------------------------

UNPAID = [("flow.cancelled", "cancelled", "cancel"), ("flow.failed", "refused", "return")]


def ended(probe: str, purpose: str, *, paid: bool = False, charged: bool = False, **page: Any) -> Written:
    run = Written()
    with run.probe(probe):
        run.order("1")
        run.create("p1", "1")
        run.ledger("opened", "p1", reference="1")
        run.checkout("1", "p1")
        if charged:
            run.ledger("charged", "p1", reference="1")
        run.step(probe)
        run.page(purpose, "1", **page)
        run.seen("1", paid)
    return run


@pytest.mark.parametrize(("requirement", "probe", "purpose"), UNPAID)
def test_unpaid_with_a_page_for_people_passes(requirement: str, probe: str, purpose: str) -> None:
    assert ended(probe, purpose).finding(requirement, Verdict.PASS)


@pytest.mark.parametrize(("requirement", "probe", "purpose"), UNPAID)
def test_a_refused_or_cancelled_order_that_is_paid_fails(requirement: str, probe: str, purpose: str) -> None:
    assert ended(probe, purpose, paid=True).finding(requirement, Verdict.FAIL).expected == {"paid": False}


@pytest.mark.parametrize(("requirement", "probe", "purpose"), UNPAID)
def test_a_server_error_fails(requirement: str, probe: str, purpose: str) -> None:
    assert ended(probe, purpose, status=500).finding(requirement, Verdict.FAIL)


@pytest.mark.parametrize(("requirement", "probe", "purpose"), UNPAID)
@pytest.mark.parametrize("status", [200, 402, 404, 409])
def test_any_page_below_500_is_no_accusation(requirement: str, probe: str, purpose: str, status: int) -> None:
    assert ended(probe, purpose, status=status).finding(requirement, Verdict.PASS)


NOBODYS = (
    "<h1>Not Found</h1><p>The requested URL was not found on the server. If you entered the URL manually please check your"
    " spelling and try again.</p>",
    "<pre>Cannot GET /cancel/1</pre>",
    "<center><h1>404 Not Found</h1></center><hr><center>nginx</center>",
    "",
)


@pytest.mark.parametrize(("requirement", "probe", "purpose"), UNPAID)
@pytest.mark.parametrize("body", NOBODYS)
def test_an_address_that_the_shop_gave_and_does_not_have_warns(
    requirement: str, probe: str, purpose: str, body: str
) -> None:
    judged = ended(probe, purpose, status=404, body=body)
    judged.page("return", "0")
    found = judged.finding(requirement, Verdict.FAIL if not body and probe == "refused" else Verdict.WARN)
    assert found.actual == {"status": 404} or not body


@pytest.mark.parametrize(
    ("elsewhere", "verdict"),
    [
        ("No page /qwrtz here. Ask us.", Verdict.WARN),
        ("No such page. Back to the shop.", Verdict.PASS),
        (None, Verdict.PASS),
    ],
)
def test_what_a_shop_says_of_any_address_that_it_does_not_have_is_no_cancel_page(
    elsewhere: str | None, verdict: Verdict
) -> None:
    run = Written()
    with run.probe("cancelled"):
        run.order("1")
        run.create("p1", "1")
        run.checkout("1", "p1")
        run.step("cancelled")
        run.page(
            "cancel", "1", status=404, body="No page /left/1 here. Ask us.", url="https://shop.test/left/1?token=p1"
        )
        if elsewhere is not None:
            run.page("nowhere", "1", status=404, body=elsewhere, url="https://shop.test/qwrtz")
        run.seen("1", False)
    run.page("return", "0")
    assert run.finding("flow.cancelled", verdict)


@pytest.mark.parametrize(
    "page",
    [
        {"status": 404, "body": "<pre>Cannot GET /thanks</pre>"},
        {"body": '{"status": "paid"}', "kind": "application/json"},
        {"status": 302, "body": ""},
    ],
)
def test_where_who_paid_comes_back_to_no_page_either_a_front_end_has_both(page: dict[str, Any]) -> None:
    run = ended("cancelled", "cancel", status=404, body="<pre>Cannot GET /cancelled</pre>")
    run.page("return", "0", **page)
    assert run.finding("flow.cancelled", Verdict.PASS)


def test_a_front_end_that_the_run_does_not_start_may_have_the_cancel_page() -> None:
    run = Written()
    with run.probe("cancelled"):
        run.order("1")
        run.create("p1", "1", cancel_url="https://front.test/cancelled")
        run.page("checkout", "1", status=303, url="https://shop.test/pay")
        run.checkout("1", "p1")
        run.step("cancelled")
        run.page("cancel", "1", status=404, body="404 page not found", url="https://front.test/cancelled")
        run.seen("1", False)
    assert run.finding("flow.cancelled", Verdict.PASS)


@pytest.mark.parametrize(("requirement", "probe", "purpose"), UNPAID)
def test_an_order_that_was_paid_after_all_is_rightly_paid(requirement: str, probe: str, purpose: str) -> None:
    assert ended(probe, purpose, paid=True, charged=True).finding(requirement, Verdict.PASS)


@pytest.mark.parametrize(("requirement", "probe", "purpose"), UNPAID)
def test_a_customer_who_never_got_to_the_hosted_checkout_is_the_reason(
    requirement: str, probe: str, purpose: str
) -> None:
    run = Written()
    with run.probe(probe):
        run.order("1")
        run.checkout("1", "")
    assert "could not be checked out" in run.finding(requirement, Verdict.NOT_EXERCISED).title


@pytest.mark.parametrize(
    ("paid", "status", "verdict"),
    [(False, 200, Verdict.PASS), (True, 200, Verdict.FAIL), (False, 500, Verdict.FAIL), (False, 404, Verdict.PASS)],
)
def test_without_a_cancel_url_the_order_is_looked_at_after_the_customer_cancelled(
    paid: bool, status: int, verdict: Verdict
) -> None:
    run = Written()
    with run.probe("cancelled"):
        run.order("1")
        run.create("p1", "1", cancel_url=None)
        run.checkout("1", "p1")
        run.ledger("cancelled", "p1", reference="1")
        run.step("cancelled", no_way_back=True)
        run.page("order", "1", status=status)
        run.seen("1", paid)
    assert "told no way back" in run.finding("flow.cancelled", verdict).title


def test_an_empty_page_fails_after_a_refusal_and_not_after_cancelling() -> None:
    assert ended("refused", "return", body="").finding("flow.failed", Verdict.FAIL)
    assert ended("cancelled", "cancel", body="").finding("flow.cancelled", Verdict.PASS)


def cancelled_in_trouble(*, paid: bool = False, **page: Any) -> Written:
    run = Written()
    with run.probe("cancelled-in-trouble"):
        run.step("armed", canary="qzxyz")
        run.order("1")
        run.create("p1", "1")
        run.checkout("1", "p1")
        run.step("cancelled")
        run.page("cancel", "1", **page)
        run.seen("1", paid)
    return run


@pytest.mark.parametrize("status", [200, 404, 503])
def test_who_cancels_while_the_gateway_fails_may_be_told_so(status: int) -> None:
    body = "<h1>Order 1</h1><p>We cannot look after your payment at the moment.</p>"
    assert cancelled_in_trouble(status=status, body=body).finding("flow.cancelled", Verdict.PASS)


TRACE = "Traceback (most recent call last):\n  File 'shop.py', line 7\nKeyError: 'data'"


@pytest.mark.parametrize(
    "more", [{"status": 500, "body": TRACE}, {"status": 500, "body": "Internal Server Error"}, {"paid": True}]
)
def test_who_cancels_while_the_gateway_fails_sees_no_crash_and_pays_nothing(more: dict[str, Any]) -> None:
    assert (
        "answered status checks with an error"
        in cancelled_in_trouble(**more).finding("flow.cancelled", Verdict.FAIL).title
    )


def test_what_the_gateway_said_is_not_shown_to_who_cancels() -> None:
    body = "<p>You may start again. status: 500 qzxyz</p>"
    assert cancelled_in_trouble(body=body).finding("errors.friendly", Verdict.FAIL)


# -- flow.recovers ---------------------------------------------------------------------------------------------------


def recovery(*paid: bool, status: int = 200, probe: str = "network-error", run: Written | None = None) -> Written:
    """After a fault other customers buy, one after the other; the first ``paid`` ends it."""
    run = run or Written()
    with run.probe(probe, operation="create", how="close"):
        run.step("recover")
        for number, good in enumerate(paid):
            order, payment = f"r{number}", f"q{number}"
            run.order(order, "recovery")
            run.create(payment if status == 200 else None, order, status=status)
            run.checkout(order, payment if status == 200 else "", purpose="recovery")
            run.seen(order, good)
    return run


def test_the_next_payment_goes_through() -> None:
    assert recovery(True).finding("flow.recovers", Verdict.PASS).actual == {"faults": 1}


def test_a_second_of_grace_is_given() -> None:
    assert recovery(False, True).finding("flow.recovers", Verdict.PASS)


def _by_itself(attempts: int, outcome: str = "refused") -> Written:
    """Customers are turned away after a fault, and the gateway is not asked."""
    run = Written()
    with run.probe("unverified", fault="status"):
        run.step("recover")
        for number in range(attempts):
            run.order(f"r{number}", "recovery")
            run.checkout(f"r{number}", "", purpose="recovery", outcome=outcome)
            run.seen(f"r{number}", False)
    return run


def test_a_circuit_that_may_be_open_is_no_failure_until_somebody_waited_for_it() -> None:
    assert "circuit breaker" in _by_itself(2).finding("flow.recovers", Verdict.NOT_EXERCISED).title
    assert _by_itself(4).finding("flow.recovers", Verdict.FAIL)
    assert _by_itself(2, "no_answer").finding("flow.recovers", Verdict.FAIL)


def test_a_shop_that_does_not_recover_fails() -> None:
    assert recovery(False, False).finding("flow.recovers", Verdict.FAIL).actual == {"paid": False, "attempts": 2}


def test_an_access_token_that_ended_is_another_requirements_matter_only_if_that_fails() -> None:
    assert recovery(False, False, status=401).finding("flow.recovers", Verdict.FAIL)
    run = recovery(False, False, status=401)
    with run.probe("token-expired", moment="revoked"):
        run.step("token-ended")
        run.order("9")
        run.create(None, "9", status=401)
        run.checkout("9", "")
        run.seen("9", paid=False)
    assert run.finding("flow.recovers", Verdict.NOT_EXERCISED).because == "token.renewed"


def test_a_recovery_that_nobody_tried_says_why() -> None:
    run = Written()
    with run.probe("network-error", operation="create", how="close"):
        run.step("recover", "another customer pays")
    assert (
        'it went no further than "another customer pays"' in run.finding("flow.recovers", Verdict.NOT_EXERCISED).title
    )


def test_a_story_that_was_left_alone_is_not_passed_over() -> None:
    run = recovery(True)
    with run.probe("network-error", operation="token", how="close"):
        run.step("left-alone", "this probe was not run: the shop sells nothing any more")
    with run.probe("token-expired", moment="revoked"):
        run.step("token-ended")
        run.order("9")
        run.create(None, "9", status=401)
        run.checkout("9", "")
        run.seen("9", paid=False)
    found = run.finding("flow.recovers", Verdict.NOT_EXERCISED)
    assert "sells nothing any more" in found.title
    assert found.because == "token.renewed"


def _started_again(*outcomes: str, asked: bool = False) -> Written:
    """Another customer pays after an error, and then the one whom it met tries."""
    run = Written()
    with run.probe("error-answer", operation="create", fault="error", error="invalid-token"):
        run.order("1")
        run.checkout("1", payment="", outcome=outcomes[0])
        run.step("recover")
        run.create("p2", "2")
        run.checkout("2", "p2", purpose="recovery")
        run.seen("2", paid=True)
        run.step("again")
        for outcome in outcomes:
            if asked:
                run.create(None, "1")
            run.checkout("1", payment="p9" if outcome == "redirected" else "", outcome=outcome, purpose="again")
    return run


def test_an_order_that_an_error_locked_for_good_is_a_warning() -> None:
    found = _started_again("refused", "refused", "refused").finding("flow.recovers", Verdict.WARN)
    assert "turned away" in found.title
    assert found.actual == {"checkout": "refused", "status": None, "attempts": 3}


@pytest.mark.parametrize(
    "run",
    [
        _started_again("refused", "redirected"),
        _started_again("elsewhere", "elsewhere", "elsewhere"),  # a page that says what to do
        _started_again("refused", "refused", "refused", asked=True),  # the gateway was asked
    ],
)
def test_who_is_let_through_or_told_something_is_not_turned_away(run: Written) -> None:
    assert run.finding("flow.recovers", Verdict.PASS)


# -- flow.late-success -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flagged", "state", "elsewhere", "verdict"),
    [
        ("", "new", "", Verdict.FAIL),
        ("over our limit", "new", "", Verdict.PASS),
        ("", "in review", "", Verdict.PASS),
        ("", "declined", "declined", Verdict.FAIL),
    ],
)
def test_a_large_order_may_be_held_for_a_person(flagged: str, state: str, elsewhere: str, verdict: Verdict) -> None:
    run = Written()
    with run.probe("control"):
        run.order("1")
        run.bought("1")
    if elsewhere:
        with run.probe("refused"):
            run.order("3")
            run.seen("3", False, state=elsewhere)
    with run.probe("large-amount"):
        run.order("2")
        run.create("p2", "2", amount="12345.00")
        run.checkout("2", "p2", amount="12345.00")
        run.seen("2", False, state="new")
        run.ledger("charged", "p2", reference="2", amount="12345.00")
        run.seen("2", False, state=state, flagged=flagged)
    run.finding("flow.success", verdict)


def paid_late(
    *, paid: bool | None = True, flagged: str = "", charged: bool = True, left: str = "cancelled", answer: int = 0
) -> Written:
    run = Written()
    with run.probe("late-success", left=left):
        run.order("1")
        run.create("p1", "1")
        run.ledger("opened", "p1", reference="1")
        run.checkout("1", "p1")
        run.seen("1", paid=False)
        run.step("late")
        if charged:
            run.ledger("charged", "p1", reference="1")
            run.page("return", "1")
        if answer:
            run.status("p1", paid=None, status=answer)
        run.seen("1", paid, flagged=flagged)
    return run


def test_a_status_check_with_a_token_that_is_good_no_more_may_be_the_cause() -> None:
    assert paid_late(paid=False, answer=401).causes("flow.late-success") == {"token.renewed"}
    assert paid_late(paid=False, answer=500).causes("flow.late-success") == set()


@pytest.mark.parametrize("left", ["cancelled", "walked-away"])
def test_paid_after_all_passes_and_lost_money_fails(left: str) -> None:
    assert paid_late(left=left).finding("flow.late-success", Verdict.PASS)
    assert "5000.00 XAF taken" in paid_late(paid=False, left=left).finding("flow.late-success", Verdict.FAIL).title


def test_a_cancel_page_that_is_loaded_again_ends_no_paid_order() -> None:
    run = paid_late()
    with run.probe("late-success", left="cancelled"):
        run.order("2")
        run.create("p2", "2")
        run.checkout("2", "p2")
        run.step("late")
        run.ledger("charged", "p2", reference="2")
        run.seen("2", paid=True)
        run.step("stale")
        run.page("cancel", "2")
        run.seen("2", paid=False)
    assert "loaded again" in run.finding("flow.late-success", Verdict.FAIL).title


def test_an_order_that_is_held_for_review_passes() -> None:
    assert paid_late(paid=False, flagged="paid after cancelling").finding("flow.late-success", Verdict.PASS)


def test_money_that_was_not_taken_late_tells_nothing() -> None:
    assert paid_late(paid=False, charged=False).finding("flow.late-success", Verdict.NOT_EXERCISED).evidence


# -- flow.slow-success -----------------------------------------------------------------------------------------------


def slow(*calls: float, paid: bool = False, hung_up: bool = True, background: bool = False) -> Written:
    """Calls of so many seconds within one request of the customer; the last one is given up if ``hung_up``."""
    run = Written()
    with run.probe("slow"):
        run.order("1")
        run.armed("delay")
        began = run.now
        if background:
            run.page("return", "1", began=began)
            run.passes(1)
        for number, seconds in enumerate(calls):
            gone = hung_up and number == len(calls) - 1
            run.create(
                None if gone else "p1", "1", seconds=seconds, fault="delay",
                **({"status": None, "ending": "hung_up"} if gone else {}),
            )  # fmt: skip
        if not background:
            run.page("checkout", "1", began=began, status=503)
        run.seen("1", paid)
    return run


def test_ten_seconds_are_waited_for() -> None:
    assert slow(10, paid=True, hung_up=False).finding("flow.slow-success", Verdict.PASS)


@pytest.mark.parametrize("seconds", [1, 5, 8])
def test_giving_up_before_an_answer_could_come_warns(seconds: float) -> None:
    found = slow(seconds).finding("flow.slow-success", Verdict.WARN)
    assert found.actual == {"paid": False, "given up after seconds": [seconds]}


@pytest.mark.parametrize("seconds", [10, 12, 20])
def test_giving_up_later_is_told_and_not_held_against_anybody(seconds: float) -> None:
    found = slow(seconds).finding("flow.slow-success", Verdict.PASS)
    assert found.actual == {"paid": False, "given up after seconds": [seconds]}


def test_a_limit_for_the_whole_request_is_as_good_as_one_for_each_call() -> None:
    assert slow(10, 5).finding("flow.slow-success", Verdict.PASS)
    assert slow(10, 5, background=True).finding("flow.slow-success", Verdict.WARN)


@pytest.mark.parametrize(("seconds", "verdict"), [(12, Verdict.PASS), (5, Verdict.WARN)])
def test_a_limit_that_the_shop_sets_itself_leaves_a_call_open_behind_the_page(seconds: float, verdict: Verdict) -> None:
    """The second of two slow calls is still on its way when the customer is answered, and ends after the probe run."""
    run = Written()
    with run.probe("slow"):
        run.order("1")
        run.armed("delay")
        began = run.now
        if seconds > 10:
            run.token(seconds=10, fault="delay")
        second = run.now
        run.passes(began + seconds - second)
        run.page("checkout", "1", began=began, status=503)
        run.seen("1", False)
    run.now = second
    run.create(None, "1", seconds=15, fault="delay", status=None, ending="cut")
    assert run.finding("flow.slow-success", verdict)


def test_an_order_that_stays_unpaid_though_everything_was_answered_warns() -> None:
    found = slow(10, hung_up=False).finding("flow.slow-success", Verdict.WARN)
    assert "every answer was waited for" in found.title


def test_an_answer_that_the_machine_made_later_than_it_was_meant_to_be_is_no_proof() -> None:
    """A limit of twelve seconds begins before we accept the connection, and ends while the answer of ten is written."""
    run = Written()
    with run.probe("slow"):
        run.order("1")
        run.armed("delay")
        began = run.now
        run.passes(1.4)
        run.token(seconds=10.7, fault="delay", nth=1)
        ended, run.now = run.now, began
        run.connection("served", seconds=ended - began, calls=1)
        run.page("checkout", "1", began=began, status=503)
        run.seen("1", False)
    found = run.finding("flow.slow-success", Verdict.NOT_EXERCISED)
    assert "12.1 s" in found.title


def test_a_gateway_that_was_never_called_slowly_tells_nothing() -> None:
    found = slow().finding("flow.slow-success", Verdict.NOT_EXERCISED)
    assert "every call would have met the fault delay" in found.title


# -- flow.abandoned --------------------------------------------------------------------------------------------------


def abandoned(
    *,
    paid: bool = False,
    again: str | None = "p2",
    outcome: str = "redirected",
    status: int = 200,
    refused_with: int = 0,
) -> Written:
    run = Written()
    with run.probe("abandoned"):
        run.order("1")
        run.create("p1", "1")
        run.ledger("opened", "p1", reference="1")
        run.checkout("1", "p1")
        run.step("expired")
        run.seen("1", paid)
        if refused_with:
            run.create(None, "1", status=refused_with)
        if again is not None:
            page = run.page("checkout", "1", status=status)
            run.checkout("1", again, purpose="again", outcome=outcome, page=page.n)
    return run


def test_an_unpaid_order_that_can_be_started_again_passes() -> None:
    assert abandoned().finding("flow.abandoned", Verdict.PASS)


def test_an_abandoned_order_that_is_paid_warns() -> None:
    assert abandoned(paid=True).finding("flow.abandoned", Verdict.WARN)


def test_a_customer_who_cannot_start_again_warns() -> None:
    assert abandoned(again="", outcome="broken", status=500).finding("flow.abandoned", Verdict.WARN)


@pytest.mark.parametrize("status", [409, 423, 425, 429, 503])
def test_a_customer_who_is_asked_to_wait_is_no_accusation(status: int) -> None:
    assert abandoned(again="", outcome="refused", status=status).finding("flow.abandoned", Verdict.NOT_EXERCISED)


def test_the_old_payment_may_be_offered_again_by_the_shops_own_clock() -> None:
    assert abandoned(again="p1").finding("flow.abandoned", Verdict.NOT_EXERCISED)
    assert abandoned(again="", outcome="elsewhere").finding("flow.abandoned", Verdict.NOT_EXERCISED)


def test_a_second_try_that_was_not_made_tells_nothing() -> None:
    assert abandoned(again=None).finding("flow.abandoned", Verdict.NOT_EXERCISED).evidence


def test_a_token_that_ended_with_the_same_jump_of_the_clock_is_the_cause() -> None:
    run = abandoned(again="", outcome="refused", status=502, refused_with=401)
    with run.probe("token-expired", moment="between-payments"):
        run.step("token-ended")
        run.order("9")
        run.create(None, "9", status=401)
        run.checkout("9", "")
        run.seen("9", paid=False)
    assert run.finding("flow.abandoned", Verdict.NOT_EXERCISED).because == "token.renewed"
