"""Guideline 14, errors.*: what went wrong at the gateway, and how the shop stood it."""

from __future__ import annotations

from typing import Any

import pytest

from payproof.contracts.model import Verdict

from .written import Written

REQUIREMENTS = [
    ("errors.invalid-token", {"fault": "error", "error": "invalid-token"}),
    ("errors.currency", {"fault": "error", "error": "currency"}),
    ("errors.missing-parameter", {"fault": "error", "error": "missing-parameters"}),
    ("errors.server-error", {"fault": "status", "status": 500}),
    ("errors.not-json", {"fault": "not-json"}),
]


def answered(
    params: dict[str, Any],
    *,
    operation: str = "create",
    times: int = 1,
    page: dict[str, Any] | None = None,
    paid: bool = False,
    run: Written | None = None,
) -> Written:
    """A customer's checkout meets an answer that is not the one hoped for."""
    run = run or Written()
    with run.probe("error-answer", operation=operation, **params):
        run.order("1")
        run.step("armed", canary="qzcanary")
        run.armed(params["fault"], operation)
        began = run.now
        for _ in range(times):
            if operation == "token":
                run.token(None, status=500, fault=params["fault"])
            else:
                run.call(operation, status=500, fault=params["fault"], reference="1")
        as_shown: dict[str, Any] = {"status": 503, "body": "<p>Please try again later.</p>"} | (page or {})
        shown = run.page("checkout", "1", began=began, **as_shown)
        run.checkout("1", "", page=shown.n)
        run.seen("1", paid)
        run.step("tried")
        run.step("recover")
    return run


@pytest.mark.parametrize(("requirement", "params"), REQUIREMENTS)
def test_a_page_for_people_passes(requirement: str, params: dict[str, Any]) -> None:
    assert answered(params).finding(requirement, Verdict.PASS).evidence


@pytest.mark.parametrize(("requirement", "params"), REQUIREMENTS)
@pytest.mark.parametrize(
    "page",
    [
        {"status": 400, "body": "<p>This did not work, sorry.</p>"},
        {"status": 503, "body": '{"error": "payment_unavailable"}', "kind": "application/json"},
        {"status": 409, "body": "<p>Your order is being opened.</p>"},
    ],
)
def test_friendly_errors_are_no_accusation(requirement: str, params: dict[str, Any], page: dict[str, Any]) -> None:
    assert answered(params, page=page).finding(requirement, Verdict.PASS)


@pytest.mark.parametrize(("requirement", "params"), REQUIREMENTS)
def test_a_crash_fails(requirement: str, params: dict[str, Any]) -> None:
    found = answered(params, page={"status": 500, "body": "Internal Server Error"}).finding(requirement, Verdict.FAIL)
    assert "crashed" in found.title


@pytest.mark.parametrize(("requirement", "params"), REQUIREMENTS)
def test_an_order_that_is_paid_for_nothing_fails(requirement: str, params: dict[str, Any]) -> None:
    found = answered(params, paid=True).finding(requirement, Verdict.FAIL)
    assert found.actual == {"paid": True, "state": "paid"}


@pytest.mark.parametrize(("requirement", "params"), REQUIREMENTS)
def test_more_than_five_attempts_fail(requirement: str, params: dict[str, Any]) -> None:
    assert answered(params, times=6).finding(requirement, Verdict.FAIL).actual == {"attempts": 6}
    assert answered(params, times=5).finding(requirement, Verdict.PASS)


def _rechecking(open_payments: int) -> Written:
    """A shop that asks about what is open while no customer waits."""
    run = Written()
    with run.probe("cancelled"):
        for number in range(open_payments):
            run.ledger("opened", f"open-{number}")
        run.passes(5.0)
        run.status("open-0", paid=False)
    return run


@pytest.mark.parametrize(("requirement", "params"), REQUIREMENTS)
def test_token_calls_for_other_payments_that_are_rechecked_are_no_attempts_of_this_customer(
    requirement: str, params: dict[str, Any]
) -> None:
    assert answered(params, operation="token", times=11, run=_rechecking(6)).finding(requirement, Verdict.PASS)
    found = answered(params, operation="token", times=11, run=_rechecking(2)).finding(requirement, Verdict.FAIL)
    assert found.actual == {"attempts": 7}  # in a second or two, each of the two may want a token twice


def test_creates_are_counted_whatever_is_rechecked() -> None:
    found = answered({"fault": "not-json"}, times=6, run=_rechecking(6)).finding("errors.not-json", Verdict.FAIL)
    assert found.actual == {"attempts": 6}


@pytest.mark.parametrize(("requirement", "params"), REQUIREMENTS)
def test_an_answer_that_nobody_asked_for_tells_nothing_and_the_fault_is_shown(
    requirement: str, params: dict[str, Any]
) -> None:
    found = answered(params, operation="token", times=0).finding(requirement, Verdict.NOT_EXERCISED)
    assert "every token call would have met the fault" in found.title
    assert found.evidence


def test_a_process_that_ends_is_a_crash_though_a_page_came_first() -> None:
    run = Written()
    with run.probe("error-answer", operation="create", fault="not-json"):
        run.order("1")
        run.create(None, "1", status=200, fault="not-json")
        run.page("checkout", "1", status=503)
        run.step("tried")
        run.exited()
        run.step("recover")
    assert run.finding("errors.not-json", Verdict.FAIL)


def test_a_customer_who_clicks_again_makes_no_storm() -> None:
    run = Written()
    with run.probe("error-answer", operation="create", fault="status", status=500):
        run.order("1")
        for _ in range(4):
            began = run.now
            for _ in range(2):
                run.create(None, "1", status=500, fault="status")
            run.page("checkout", "1", status=503, began=began)
            run.passes(2)
        run.step("tried")
    assert run.finding("errors.server-error", Verdict.PASS)


def at_status(fault: str, *calls: dict[str, Any], paid: bool = True) -> Written:
    """A paid customer comes back while the status check is answered strangely."""
    run = Written()
    with run.probe("unverified", fault=fault):
        run.order("1", "unverified")
        run.create("p1", "1")
        run.ledger("opened", "p1", reference="1")
        run.checkout("1", "p1")
        run.ledger("charged", "p1", reference="1")
        run.step("paid")
        began = run.now
        for call in calls:
            run.status("p1", **call)
        run.page("return", "1", began=began)
        run.seen("1", paid)
        run.step("mended", promised=60)
    return run


@pytest.mark.parametrize("fault", ["other-payment", "oversized"])
def test_valid_json_is_not_judged_as_what_is_no_json(fault: str) -> None:
    run = at_status(fault, {"paid": True, "answered": "p9", "fault": fault})
    assert run.judged("errors.not-json").verdict is Verdict.NOT_EXERCISED


def test_an_order_that_is_paid_by_an_unreadable_check_fails() -> None:
    assert at_status("cut", {"paid": None, "fault": "cut"}).finding("errors.not-json", Verdict.FAIL)


def test_a_truthful_check_beside_the_broken_one_makes_the_order_rightly_paid() -> None:
    run = at_status("cut", {"paid": None, "fault": "cut"}, {"paid": True})
    assert run.finding("errors.not-json", Verdict.PASS)


def wrong_content_type(run: Written, *, answered_paid: bool | None, order: str = "7") -> Written:
    """Create succeeds in strange wrapping; the shop asks, and takes the order for paid."""
    with run.probe("error-answer", operation="create", fault="wrong-content-type"):
        run.order(order)
        run.create("p7", order, fault="wrong-content-type")
        run.ledger("opened", "p7", reference=order)
        run.status("p7", paid=answered_paid)
        run.page("checkout", order)
        run.checkout(order, "p7")
        run.seen(order)
        run.step("tried")
    return run


def test_a_shop_that_believed_a_truthful_answer_is_not_accused() -> None:
    assert wrong_content_type(Written(), answered_paid=True).finding("errors.not-json", Verdict.PASS)


def test_a_shop_that_does_not_read_an_undisturbed_answer_has_another_defect() -> None:
    run = Written()
    with run.probe("forged-return"):
        run.order("2")
        run.create("p2", "2")
        run.ledger("opened", "p2", reference="2")
        run.checkout("2", "p2")
        run.step("forged")
        run.status("p2", paid=False)
        run.page("return", "2")
        run.seen("2")
    found = wrong_content_type(run, answered_paid=False).finding("errors.not-json", Verdict.NOT_EXERCISED)
    assert found.because == "verify.forged-return"


def test_it_fails_where_no_other_requirement_does() -> None:
    found = wrong_content_type(Written(), answered_paid=False).finding("errors.not-json", Verdict.FAIL)
    assert "an undisturbed check had said that it is not" in found.title


# -- errors.currency: a currency that no platform knows --------------------------------------------------------------


def unknown_currency(
    *, asked: bool = True, status: int = 400, body: str = "<p>We do not sell so.</p>", paid: bool = False
) -> Written:
    run = Written()
    with run.probe("unknown-currency"):
        run.order("1")
        if asked:
            run.create(None, "1", currency="XTS", status=400)
        page = run.page("checkout", "1", status=status, body=body)
        run.checkout("1", "", currency="XTS", page=page.n)
        run.seen("1", paid)
        run.step("recover")
    return run


def test_a_refused_currency_passes_whoever_refused_it() -> None:
    assert "the gateway refused" in unknown_currency().finding("errors.currency", Verdict.PASS).title
    assert "the integration itself" in unknown_currency(asked=False).finding("errors.currency", Verdict.PASS).title


def test_a_currency_that_ends_in_a_crash_or_a_paid_order_fails() -> None:
    assert unknown_currency(status=500, body="").finding("errors.currency", Verdict.FAIL)
    assert unknown_currency(paid=True).finding("errors.currency", Verdict.FAIL)


def test_a_currency_story_without_a_page_says_why() -> None:
    run = Written()
    with run.probe("unknown-currency"):
        run.order("1")
    assert "a currency that no platform knows" in run.finding("errors.currency", Verdict.NOT_EXERCISED).title


def opens_again(*orders: str, heard: tuple[str, ...] = ("0",), fault: str = "status") -> Written:
    """Create is answered 500 while order 1's customer waits; it is sent for each of these orders. ``heard``: known before."""
    run = Written()
    for order in heard:
        run.create(None, order, status=500, fault=fault)
    with run.probe("error-answer", operation="create", fault=fault, status=500):
        run.order("1")
        run.step("armed")
        began = run.now
        for order in orders:
            run.create(None, order, status=500, fault=fault)
        run.page("checkout", "1", began=began, status=503)
        run.checkout("1", "")
        run.seen("1", False)
        run.step("tried")
    return run


def test_a_job_that_opens_the_payments_of_earlier_orders_is_no_storm_of_this_one() -> None:
    found = opens_again("1", "0", "1", "0", "0", "1", "0").finding("errors.server-error", Verdict.PASS)
    assert found.actual == {"status": 503, "attempts": 3}


def test_a_storm_of_one_orders_own_calls_fails_beside_other_orders() -> None:
    found = opens_again("1", "0", "1", "1", "0", "1", "1", "1").finding("errors.server-error", Verdict.FAIL)
    assert found.actual == {"attempts": 6}


def test_a_storm_under_a_reference_that_nobody_has_heard_before_is_this_orders() -> None:
    assert opens_again(*["cart-77"] * 6).finding("errors.server-error", Verdict.FAIL)


def asks_for_tokens(calls: int, *, others: int, in_background: bool = True) -> Written:
    """The token call is answered 500 again and again while order 1's customer waits; ``others``: orders that wait to be opened."""
    run = Written()
    run.order("bought")
    began = run.now
    if in_background:
        run.page("checkout", "bought")
        run.passes(0.5)
    run.create("p0", "bought")
    if not in_background:
        run.page("checkout", "bought", began=began)
    for number in range(others):
        run.checkout(f"o{number}", "")
    with run.probe("error-answer", operation="token", fault="status", status=500):
        run.order("1")
        run.step("armed")
        began = run.now
        for _ in range(calls):
            run.token(None, status=500, fault="status", seconds=0.01)
        run.page("checkout", "1", began=began, status=202)
        run.checkout("1", "")
        run.seen("1", False)
        run.step("tried")
    return run


def test_token_calls_of_orders_that_wait_to_be_opened_in_the_background_are_no_storm_of_this_one() -> None:
    assert asks_for_tokens(9, others=4).finding("errors.server-error", Verdict.PASS)
    assert asks_for_tokens(6, others=0).finding("errors.server-error", Verdict.FAIL)
    assert asks_for_tokens(25, others=4).finding("errors.server-error", Verdict.FAIL)
    assert asks_for_tokens(9, others=4, in_background=False).finding("errors.server-error", Verdict.FAIL)


def test_token_calls_that_go_on_when_the_customer_was_answered_are_a_storm() -> None:
    run = Written()
    with run.probe("error-answer", operation="token", fault="status", status=500):
        run.order("1")
        run.step("armed")
        began = run.now
        run.token(None, status=500, fault="status")
        run.page("checkout", "1", began=began, status=503)
        run.checkout("1", "")
        run.seen("1", False)
        for _ in range(6):
            run.token(None, status=500, fault="status")
        run.step("tried")
    assert run.finding("errors.server-error", Verdict.FAIL).actual == {"attempts": 6}


# -- errors.rate-limit -----------------------------------------------------------------------------------------------


def limited(
    *,
    again_after: float | None = None,
    page: dict[str, Any] | None = None,
    clicks: bool = False,
    paid: bool = False,
    asks: bool = True,
    noticed: bool = False,
) -> Written:
    run = Written()
    with run.probe("rate-limited", operation="create"):
        run.order("1")
        run.armed("rate-limit", "create")
        shown: dict[str, Any] = {"status": 503} | (page or {})
        began = run.now
        run.create(None, "1", status=429, fault="rate-limit", answer_headers=(("Retry-After", "2"),) if asks else ())
        if noticed:
            run.delivery("p1")
        if clicks:
            run.page("checkout", "1", status=503, began=began)
            began = run.now
        if again_after is not None:
            run.passes(again_after)
            run.create("p1", "1")
        run.page("checkout", "1", began=began, **shown)
        run.seen("1", paid)
        run.step("recover")
    return run


def test_a_429_that_is_respected_passes() -> None:
    assert limited().finding("errors.rate-limit", Verdict.PASS)
    assert limited(again_after=2.1).finding("errors.rate-limit", Verdict.PASS)


def test_the_same_request_before_its_time_warns() -> None:
    found = limited(again_after=0.3).finding("errors.rate-limit", Verdict.WARN)
    assert found.expected == {"seconds": "at least 2"}


def test_a_429_that_names_no_time_asks_for_none() -> None:
    assert limited(again_after=0.3, asks=False).finding("errors.rate-limit", Verdict.PASS)


BOTH = (("Date", "Wed, 25 Nov 2026 10:00:00 GMT"), ("Retry-After", "Wed, 25 Nov 2026 10:00:30 GMT"))


@pytest.mark.parametrize(
    ("asked", "after", "verdict"),
    [
        (BOTH, 3.0, Verdict.WARN),
        (BOTH, 30.0, Verdict.PASS),
        (BOTH[1:], 0.3, Verdict.PASS),  # nobody knows when that was
        ((("Retry-After", "5"),), 3.0, Verdict.WARN),
        ((("Retry-After", "soon"),), 0.3, Verdict.PASS),
    ],
)
def test_the_time_to_wait_may_be_a_date(asked: tuple[tuple[str, str], ...], after: float, verdict: Verdict) -> None:
    run = Written()
    with run.probe("rate-limited", operation="create"):
        run.order("1")
        began = run.now
        run.create(None, "1", status=429, fault="rate-limit", answer_headers=asked)
        run.passes(after)
        run.create("p1", "1")
        run.page("checkout", "1", began=began, status=303)
        run.seen("1", False)
        run.step("recover")
    assert run.finding("errors.rate-limit", verdict)


def test_a_notice_that_makes_a_shop_ask_again_is_no_impatience() -> None:
    assert limited(again_after=0.3, noticed=True).finding("errors.rate-limit", Verdict.PASS)


def test_a_customer_who_clicks_again_is_no_impatient_shop() -> None:
    assert limited(again_after=0.3, clicks=True).finding("errors.rate-limit", Verdict.PASS)


def test_a_429_that_crashes_or_pays_warns() -> None:
    assert limited(page={"status": 500, "body": ""}).finding("errors.rate-limit", Verdict.WARN)
    assert limited(paid=True).finding("errors.rate-limit", Verdict.WARN)


def a_token_again(payment: str) -> Written:
    """A second after the customer's token call was answered 429, a job asks for a token and looks at this payment."""
    run = Written()
    run.create("p0", "0")
    with run.probe("rate-limited", operation="token"):
        run.order("1")
        run.armed("rate-limit", "token")
        began = run.now
        run.token(None, status=429, fault="rate-limit", answer_headers=(("Retry-After", "2"),))
        run.page("checkout", "1", began=began, status=503)
        run.passes(1.0)
        run.token("<access-token-9>")
        if payment:
            run.status(payment, paid=False, bearer="<access-token-9>")
        else:
            run.create("p1", "1", bearer="<access-token-9>")
        run.seen("1", False)
        run.step("recover")
    return run


def test_a_job_that_looks_at_another_order_does_not_repeat_the_request_that_met_a_429() -> None:
    assert a_token_again("p0").finding("errors.rate-limit", Verdict.PASS)
    assert "token was sent again" in a_token_again("").finding("errors.rate-limit", Verdict.WARN).title


def test_a_customers_own_token_call_does_not_repeat_the_one_of_a_job() -> None:
    """The job's look at another order and the customer's create were both answered 401, and both ask for a token."""
    run = Written()
    run.create("p0", "0")
    with run.probe("rate-limited", operation="token"):
        run.order("1")
        run.armed("rate-limit", "token")
        began = run.now
        run.status("p0", status=401)
        run.create(None, "1", status=401)
        run.token(None, status=429, fault="rate-limit", answer_headers=(("Retry-After", "2"),))
        run.token("<access-token-9>")
        run.create("p1", "1", bearer="<access-token-9>")
        run.page("checkout", "1", began=began, status=303)
        run.checkout("1", "p1")
        run.seen("1", False)
        run.step("recover")
    assert run.finding("errors.rate-limit", Verdict.PASS)


@pytest.mark.parametrize(("sweeps", "verdict"), [(True, Verdict.PASS), (False, Verdict.WARN)])
def test_a_job_on_its_round_does_not_repeat_what_a_customer_asked(sweeps: bool, verdict: Verdict) -> None:
    run = Written()
    run.create("p0", "0")
    with run.probe("rate-limited", operation="status"):
        run.order("1")
        run.create("p1", "1")
        run.checkout("1", "p1")
        run.armed("rate-limit", "status")
        began = run.now
        run.status("p1", None, status=429, fault="rate-limit", answer_headers=(("Retry-After", "2"),))
        run.page("return", "1", began=began, status=200)
        if sweeps:
            run.status("p0", paid=False)
        run.status("p1", paid=True)
        run.seen("1", True)
        run.step("recover")
    assert run.finding("errors.rate-limit", verdict)


def test_a_429_that_nobody_met_says_so() -> None:
    run = Written()
    with run.probe("rate-limited", operation="token"):
        run.order("1")
        run.armed("rate-limit", "token")
        run.checkout("1", "p1")
        run.step("recover")
    assert "none was made" in run.finding("errors.rate-limit", Verdict.NOT_EXERCISED).title


# -- errors.friendly -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "<p>Something went wrong! qzcanary</p>",
        '{"message":{"code":500,"error":["x"]},"type":"error"}',
        "<pre>Traceback (most recent call last)</pre>",
        "<p>cURL error 28: timed out</p>",
    ],
)
def test_the_machines_own_words_fail(body: str) -> None:
    run = answered({"fault": "status", "status": 500}, page={"status": 502, "body": body})
    assert run.finding("errors.friendly", Verdict.FAIL).evidence


def test_a_reference_number_of_the_shops_own_is_fine() -> None:
    run = answered({"fault": "status"}, page={"status": 503, "body": "<p>Please try again. Reference: 8f3a-22.</p>"})
    assert run.finding("errors.friendly", Verdict.PASS)


def test_pages_of_stories_without_trouble_are_not_looked_at() -> None:
    run = Written()
    with run.probe("control"):
        run.order()
        run.bought()
    assert run.judged("errors.friendly").verdict is Verdict.NOT_EXERCISED
