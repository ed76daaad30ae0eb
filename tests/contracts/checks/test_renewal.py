"""token.renewed and token.retried-once: what a 401 sets off."""

from __future__ import annotations

from payproof.contracts.model import Verdict

from .written import Written


def ended_between_payments(*, renews: bool = True, error_page: bool = False) -> Written:
    run = Written()
    with run.probe("token-expired", moment="between-payments"):
        run.order("1", "first")
        run.bought("1", "p1")
        run.step("token-ended")
        run.order("2")
        run.create(None, "2", status=401)
        if renews:
            run.token("<access-token-2>")
            run.create("p2", "2", bearer="<access-token-2>")
            run.ledger("opened", "p2", reference="2")
        if error_page:
            run.page("checkout", "2", status=502)
        run.checkout("2", "p2" if renews else "")
        if renews:
            run.ledger("charged", "p2", reference="2")
            run.status("p2")
        run.seen("2", renews)
    return run


def test_a_shop_that_renews_and_repeats_passes() -> None:
    assert ended_between_payments().finding("token.renewed", Verdict.PASS).evidence


def test_a_shop_that_gives_up_at_a_401_fails() -> None:
    found = ended_between_payments(renews=False).finding("token.renewed", Verdict.FAIL)
    assert found.expected == {"checkout": "redirected"}


def test_a_customer_who_sees_an_error_first_is_a_failure() -> None:
    found = ended_between_payments(error_page=True).finding("token.renewed", Verdict.FAIL)
    assert found.actual == {"paid": True, "error pages": 1}


def test_a_front_end_elsewhere_has_no_page_and_that_is_no_error() -> None:
    run = Written()
    with run.probe("token-expired", moment="between-payments"):
        run.order("1", "first")
        run.bought("1", "p1")
        run.step("token-ended")
        run.order("2")
        run.create(None, "2", status=401)
        run.token("<access-token-2>")
        run.create("p2", "2", bearer="<access-token-2>")
        run.page("checkout", "2")
        run.checkout("2", "p2")
        run.ledger("charged", "p2", reference="2")
        run.page("return", "2", status=404, url="https://app.shop.test/back")
        run.status("p2")
        run.seen("2")
    assert run.finding("token.renewed", Verdict.PASS)


def test_a_paid_order_that_is_never_marked_paid_is_a_failure() -> None:
    run = Written()
    with run.probe("token-expired", moment="before-status"):
        run.order("1")
        run.create()
        run.ledger("opened")
        run.checkout("1")
        run.ledger("charged")
        run.step("token-ended")
        run.status(paid=None, status=401)
        run.page("return", "1")
        run.seen("1", paid=False)
    assert run.finding("token.renewed", Verdict.FAIL).actual == {"paid": False, "error pages": 0}


def test_a_shop_that_renews_before_the_401_is_as_good() -> None:
    run = Written()
    with run.probe("token-expired", moment="between-payments"):
        run.step("token-ended")
        run.order("2")
        run.token("<access-token-2>")
        run.bought("2", "p2")
    assert run.finding("token.renewed", Verdict.PASS)


def test_a_shop_that_never_asks_again_cannot_be_judged_and_the_cause_is_named() -> None:
    run = Written()
    with run.probe("control"):
        run.order()
        run.bought(verified=False)
    with run.probe("token-expired", moment="before-status"):
        run.order("2")
        run.create("p2", "2")
        run.ledger("opened", "p2", reference="2")
        run.checkout("2", "p2")
        run.ledger("charged", "p2", reference="2")
        run.step("token-ended")
        run.page("return", "2")
        run.seen("2")
    found = run.finding("token.renewed", Verdict.NOT_EXERCISED)
    assert found.because == "verify.status-checked"
    assert found.evidence


def test_a_story_that_never_got_to_the_end_of_the_token_says_why() -> None:
    run = Written()
    with run.probe("token-expired", moment="before-status"):
        run.order("1")
        page = run.page("checkout", "1", status=503)
        run.checkout("1", "", page=page.n)
    found = run.finding("token.renewed", Verdict.NOT_EXERCISED)
    assert "could not be checked out: refused (HTTP 503)" in found.title
    assert len(found.evidence) == 2


def always_401(*events: str, operation: str = "create", seconds: float = 0.05, gateway: str = "quatapay") -> Written:
    run = Written(gateway)
    with run.probe("always-unauthorized", operation=operation):
        run.order("1")
        began = run.now
        for event in events:
            if event == "token":
                run.token(seconds=seconds)
            elif operation == "create":
                run.create(None, "1", status=401, fault="unauthorized", seconds=seconds)
            else:
                run.status("p1", paid=None, status=401, fault="unauthorized", seconds=seconds)
        run.page("checkout" if operation == "create" else "return", "1", status=503, began=began)
        run.checkout("1", "")
        run.step("recover")
    return run


def test_one_repetition_passes() -> None:
    found = always_401("call", "token", "call").finding("token.retried-once", Verdict.PASS)
    assert found.actual == {"sent": 2, "token calls": 1}


def test_a_third_time_fails() -> None:
    found = always_401("call", "token", "call", "token", "call").finding("token.retried-once", Verdict.FAIL)
    assert found.actual == {"sent": 3, "token calls": 2}


def test_more_than_three_token_calls_for_one_request_fail() -> None:
    assert always_401("call", *["token"] * 4, "call").finding("token.retried-once", Verdict.FAIL)


def test_no_repetition_names_the_missing_renewal_only_where_it_is_missing() -> None:
    renews, gives_up = always_401("call"), ended_between_payments(renews=False)
    assert renews.finding("token.retried-once", Verdict.NOT_EXERCISED).because == ""
    with gives_up.probe("always-unauthorized", operation="create"):
        gives_up.order("3")
        gives_up.create(None, "3", status=401, fault="unauthorized")
        gives_up.step("recover")
    assert gives_up.finding("token.retried-once", Verdict.NOT_EXERCISED).because == "token.renewed"


def test_where_each_payment_has_a_token_of_its_own_sent_once_is_as_good_as_twice() -> None:
    found = always_401("token", "call", gateway="qrpay").finding("token.retried-once", Verdict.PASS)
    assert found.actual == {"sent": 1, "token calls": 0}


def test_a_background_job_excuses_no_further_repetition_of_what_a_customer_waits_for() -> None:
    run = always_401("call", "token", "call", "token", "call")
    with run.probe("settle"):
        run.status("p9")
    assert run.finding("token.retried-once", Verdict.FAIL).actual == {"sent": 3, "token calls": 2}


def test_a_background_check_of_another_order_is_no_repetition() -> None:
    run = Written()
    with run.probe("always-unauthorized", operation="status"):
        run.order("1")
        run.create()
        run.checkout("1")
        run.ledger("charged")
        began = run.now
        run.status("p1", paid=None, status=401, fault="unauthorized")
        run.token()
        run.status("p1", paid=None, status=401, fault="unauthorized")
        run.status("p9", paid=None, status=401, fault="unauthorized")
        run.page("return", "1", began=began)
        run.step("recover")
    assert run.finding("token.retried-once", Verdict.PASS).actual == {"sent": 2, "token calls": 1}


def test_a_401_that_was_never_met_says_so_and_points_at_the_fault() -> None:
    run = Written()
    with run.probe("always-unauthorized", operation="status"):
        run.order("1")
        run.create()
        run.ledger("opened")
        run.checkout("1")
        run.armed("unauthorized", "status")
        run.page("return", "1")
        run.step("recover")
    found = run.finding("token.retried-once", Verdict.NOT_EXERCISED)
    assert "every status call would have met the fault unauthorized, and none was made" in found.title
    assert found.evidence
