"""idempotency.*: the customer pays once, and the goods go out once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from payproof.contracts.model import Verdict
from payproof.contracts.profile import Idempotency

from .written import Written

DOUBLE, BACK, PAID, RETURN, LOST = (
    f"idempotency.{name}" for name in ("double-submit", "back-and-retry", "paid-order", "return-twice", "lost-answer")
)


def _opened(run: Written, order: str = "1001", payment: str = "p1", **more: Any) -> None:
    run.create(payment, order)
    run.ledger("opened", payment, reference=order)
    run.checkout(order, payment, **more)


def _twice(probe: str, **settings: Any) -> Written:
    """Two payments of one order, both charged; the probe run is still open."""
    run = Written(**settings)
    with run.probe(probe):
        run.order()
        _opened(run)
        _opened(run, payment="p2", purpose="again")
        run.ledger("charged", "p1")
        run.ledger("charged", "p2")
    return run


# double-submit


def test_double_submit_charged_once_passes() -> None:
    run = Written()
    with run.probe("double-submit"):
        run.order()
        _opened(run)
        run.checkout("1001", "p1")
        run.ledger("charged", "p1")
    assert run.finding(DOUBLE, Verdict.PASS).actual == {"payments opened": 1, "charged": 1}


def test_double_submit_charged_twice_fails_and_leads_with_the_money() -> None:
    found = _twice("double-submit").finding(DOUBLE, Verdict.FAIL)
    assert "charged twice, 10,000.00 XAF" in found.title


def test_two_payments_of_which_one_can_be_completed_are_fine() -> None:
    run = Written()
    with run.probe("double-submit"):
        run.order()
        _opened(run)
        _opened(run, payment="p2")
        run.ledger("charged", "p2")
    assert run.finding(DOUBLE, Verdict.PASS)


@pytest.mark.parametrize("status", [400, 409, 429, 503])
def test_a_second_click_that_is_refused_is_fine(status: int) -> None:
    run = Written()
    with run.probe("double-submit"):
        run.order()
        _opened(run)
        page = run.page("checkout", status=status, body="<p>Your payment is being opened already, one moment.</p>")
        run.checkout("1001", "", page=page.n, purpose="double")
        run.ledger("charged", "p1")
    assert run.finding(DOUBLE, Verdict.PASS)


def test_a_second_click_that_crashes_fails() -> None:
    run = Written()
    with run.probe("double-submit"):
        run.order()
        _opened(run)
        page = run.page("checkout", status=500, body="<h1>Internal Server Error</h1>")
        run.checkout("1001", "", outcome="broken", page=page.n, purpose="double")
        run.ledger("charged", "p1")
    found = run.finding(DOUBLE, Verdict.FAIL)
    assert "crashed" in found.title
    assert found.actual == {"status": 500}
    assert len(found.evidence) == 1


def test_double_submit_without_any_payment_is_not_exercised() -> None:
    run = Written()
    with run.probe("double-submit"):
        run.order()
        run.checkout("1001", "")
        run.checkout("1001", "")
    assert run.finding(DOUBLE, Verdict.NOT_EXERCISED)
    assert "flow.success" in run.causes(DOUBLE)


def test_double_submit_that_nobody_could_pay_is_not_exercised() -> None:
    run = Written()
    with run.probe("double-submit"):
        run.order()
        _opened(run)
        run.checkout("1001", "p1")
    assert "neither checkout" in run.finding(DOUBLE, Verdict.NOT_EXERCISED).title


@pytest.mark.parametrize(("requirement", "probe"), [(DOUBLE, "double-submit"), (BACK, "back-and-retry")])
def test_without_a_name_or_a_session_two_requests_are_two_orders(requirement: str, probe: str) -> None:
    run = _twice(probe, tells_orders_apart=False)
    assert run.judged(requirement).verdict is Verdict.NOT_APPLICABLE


def test_a_flag_does_not_excuse_a_double_click() -> None:
    run = _twice("double-submit")
    run.seen(flagged="double payment")
    assert run.finding(DOUBLE, Verdict.FAIL)


# back-and-retry


def test_back_and_retry_charged_twice_unseen_fails() -> None:
    assert _twice("back-and-retry").finding(BACK, Verdict.FAIL)


@pytest.mark.parametrize("text", ["double payment of order 1001", "payment p2 of an order that is paid"])
def test_an_alert_after_the_second_charge_that_names_the_order_excuses(text: str) -> None:
    run = _twice("back-and-retry", alert_channel="webhook")
    run.alert(text)
    assert "flagged" in run.finding(BACK, Verdict.PASS).title


def test_an_alert_may_name_the_transaction() -> None:
    run = _twice("back-and-retry", alert_channel="webhook")
    run.status("p2", transaction="TX778")
    run.alert("refund TX778, it was paid before")
    assert run.finding(BACK, Verdict.PASS)


def test_a_flag_at_the_order_after_the_second_charge_excuses() -> None:
    run = _twice("back-and-retry")
    run.seen(flagged="double payment")
    assert run.finding(BACK, Verdict.PASS)


def test_an_alert_that_names_another_order_excuses_nothing() -> None:
    run = _twice("back-and-retry", alert_channel="webhook")
    run.alert("double payment of order 10019")
    run.alert("something is wrong")
    assert run.finding(BACK, Verdict.FAIL)


def test_an_error_line_of_this_order_excuses_and_an_info_line_does_not() -> None:
    run = _twice("back-and-retry", alert_channel="log:ERROR")
    run.log('INFO:shop:order 1001 answered {"type":"error"}')
    assert run.finding(BACK, Verdict.FAIL)
    run.log("CRITICAL:shop:order 1001 was paid twice")
    assert run.finding(BACK, Verdict.PASS)


def test_what_came_before_the_last_charge_excuses_nothing() -> None:
    run = Written(alert_channel="log:ERROR")
    with run.probe("back-and-retry"):
        run.order()
        _opened(run)
        _opened(run, payment="p2", purpose="again")
        run.ledger("charged", "p1")
        run.alert("order 1001 has two payments")
        run.log("ERROR order 1001 has two payments")
        run.seen(flagged="two payments")
        run.ledger("charged", "p2")
    assert run.finding(BACK, Verdict.FAIL)


def test_back_and_retry_that_reuses_the_payment_passes() -> None:
    run = Written()
    with run.probe("back-and-retry"):
        run.order()
        _opened(run)
        run.checkout("1001", "p1", purpose="again")
        run.ledger("charged", "p1")
    assert run.finding(BACK, Verdict.PASS)


def test_starting_again_that_crashes_fails() -> None:
    run = Written()
    with run.probe("back-and-retry"):
        run.order()
        _opened(run)
        page = run.page("checkout", status=500, body="<h1>Internal Server Error</h1>")
        run.checkout("1001", "", outcome="broken", page=page.n, purpose="again")
        run.ledger("charged", "p1")
    assert "crashed" in run.finding(BACK, Verdict.FAIL).title


def test_back_and_retry_without_a_first_payment_is_not_exercised() -> None:
    run = Written()
    with run.probe("back-and-retry"):
        run.order()
        run.checkout("1001", "")
    assert run.finding(BACK, Verdict.NOT_EXERCISED)
    assert "flow.success" in run.causes(BACK)


# paid-order


def _checked_out_again(
    payment: str = "", status: int = 302, body: str = "<p>Paid already.</p>", reference: str = "1001", **more: Any
) -> Written:
    run = Written(**more)
    with run.probe("paid-order"):
        run.order()
        run.bought()
        run.step("again")
        if payment:
            run.create(payment)
            run.ledger("opened", payment, reference=reference)
        page = run.page("checkout", status=status, body=body)
        outcome = "redirected" if payment else "broken" if status == 500 else "refused"
        run.checkout("1001", payment, outcome=outcome, page=page.n, purpose="again")
    return run


@pytest.mark.parametrize("status", [302, 200, 409, 503])
def test_a_paid_order_that_opens_no_payment_passes(status: int) -> None:
    assert _checked_out_again(status=status).finding(PAID, Verdict.PASS)


def test_a_new_payment_for_a_paid_order_fails() -> None:
    found = _checked_out_again("p2").finding(PAID, Verdict.FAIL)
    assert found.actual == {"payments opened": 1}


def test_a_crash_at_a_paid_order_fails() -> None:
    found = _checked_out_again(status=500, body="<h1>Internal Server Error</h1>").finding(PAID, Verdict.FAIL)
    assert "crashed" in found.title


def test_an_order_that_was_never_paid_is_not_exercised() -> None:
    run = Written()
    with run.probe("paid-order"):
        run.order()
        run.checkout("1001", "")
    assert run.finding(PAID, Verdict.NOT_EXERCISED)
    assert "flow.success" in run.causes(PAID)


def test_a_shop_that_makes_an_order_for_each_checkout_made_another_one() -> None:
    run = _checked_out_again("p2", reference="1002", addresses_orders=False)
    assert run.judged(PAID).verdict is Verdict.NOT_APPLICABLE
    assert Written(addresses_orders=False).judged(PAID).verdict is Verdict.NOT_APPLICABLE


def test_a_session_whose_paid_order_gets_a_second_payment_fails() -> None:
    found = _checked_out_again("p2", reference="shop-1001", addresses_orders=False).finding(PAID, Verdict.FAIL)
    assert found.actual == {"payments opened": 1}


def test_a_second_payment_is_the_paid_orders_also_where_its_id_is_sent_without_dashes() -> None:
    run = Written(addresses_orders=False)
    with run.probe("paid-order"):
        run.order("7804bbf0-9bf3-4361-ae01-3b809d85308d")
        run.step("again")
        run.create("p2", "7804bbf09bf34361ae013b809d85308d")
        run.ledger("opened", "p2", reference="7804bbf09bf34361ae013b809d85308d")
        run.checkout("7804bbf0-9bf3-4361-ae01-3b809d85308d", "p2", purpose="again")
    assert run.finding(PAID, Verdict.FAIL).actual == {"payments opened": 1}


def test_a_session_that_leads_to_its_paid_order_passes() -> None:
    assert _checked_out_again(addresses_orders=False).finding(PAID, Verdict.PASS)


# return-twice


def _returned(*effects: int | None, paid_last: bool = True, **settings: Any) -> Written:
    """The first look is before the payment, the others after it."""
    run = Written(**settings)
    with run.probe("return-twice", clients=6):
        run.order()
        run.create()
        run.checkout()
        run.seen(paid=False, effects=effects[0])
        run.step("returns")
        for count in effects[1:]:
            run.page("return")
            run.seen(effects=count)
    if not paid_last:
        run.seen(paid=False)
    return run


def test_an_order_that_is_fulfilled_once_passes() -> None:
    assert _returned(0, 1, 1).finding(RETURN, Verdict.PASS).actual == {"effects": 1}


def test_an_order_that_is_fulfilled_twice_fails() -> None:
    found = _returned(0, 1, 2).finding(RETURN, Verdict.FAIL)
    assert found.actual == {"effects": 2}
    assert "6 client(s)" in found.title


def test_a_counter_that_counts_what_was_before_is_compared_with_it() -> None:
    assert _returned(7, 8, 8).finding(RETURN, Verdict.PASS).actual == {"effects": 1}


def test_a_paid_order_that_changes_its_state_again_fails() -> None:
    assert "changed its state" in _returned(0, 1, 1, paid_last=False).finding(RETURN, Verdict.FAIL).title


def test_without_a_declared_counter_the_finding_says_what_to_declare() -> None:
    judgement = _returned(None, None, None).judged(RETURN)
    assert judgement.verdict is Verdict.NOT_APPLICABLE
    assert judgement.findings[0].declare == "order.effects"


def test_an_order_that_is_never_paid_is_not_fulfilled() -> None:
    run = Written()
    with run.probe("return-twice", clients=1):
        run.order()
        run.seen(paid=False, effects=0)
    assert run.finding(RETURN, Verdict.NOT_EXERCISED)
    assert "flow.success" in run.causes(RETURN)


def test_a_return_that_crashes_when_it_comes_again_fails() -> None:
    run = Written()
    with run.probe("return-twice", clients=6):
        run.order()
        run.seen(paid=False, effects=0)
        run.page("return")
        run.seen(effects=1)
        run.page("reload", status=500, body="<h1>Internal Server Error</h1>")
        run.seen(effects=1)
    assert "crashed" in run.finding(RETURN, Verdict.FAIL).title


def test_a_return_that_always_crashes_is_judged_elsewhere() -> None:
    run = Written()
    with run.probe("return-twice", clients=1):
        run.order()
        run.seen(paid=False, effects=0)
        run.page("return", status=500, body="<h1>Internal Server Error</h1>")
        run.page("reload", status=500, body="<h1>Internal Server Error</h1>")
        run.seen(effects=1)
    assert run.finding(RETURN, Verdict.PASS)


def test_a_page_that_asks_to_come_back_later_is_no_crash() -> None:
    run = Written()
    with run.probe("return-twice", clients=1):
        run.order()
        run.seen(paid=False, effects=0)
        run.page("return")
        run.seen(effects=1)
        run.page("reload", status=503, body="<p>Please come back in a moment.</p>")
        run.seen(effects=1)
    assert run.finding(RETURN, Verdict.PASS)


# lost-answer


def _repeated(*keys: str, opened: int = 1) -> Written:
    run = Written()
    run.profile = replace(run.profile, idempotency=Idempotency(header="Idempotency-Key"))
    with run.probe("lost-answer"):
        run.order()
        for number, key in enumerate(keys):
            run.create(None if number == 0 else "p1", status=None if number == 0 else 200, idempotency_key=key)
        for number in range(opened):
            run.ledger("opened", f"p{number + 1}")
    return run


def test_the_same_key_again_passes() -> None:
    assert _repeated("k1", "k1").finding(LOST, Verdict.PASS)


def test_another_key_or_a_second_payment_warns() -> None:
    assert _repeated("k1", "k2").finding(LOST, Verdict.WARN)
    assert _repeated("k1", "k1", opened=2).finding(LOST, Verdict.WARN)


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [("refused", Verdict.NOT_APPLICABLE), ("elsewhere", Verdict.NOT_APPLICABLE), ("broken", Verdict.NOT_EXERCISED)],
)
def test_a_customer_who_is_turned_away_is_not_accused(outcome: str, verdict: Verdict) -> None:
    run = _repeated()
    with run.probe("lost-answer"):
        run.order()
        run.create(None, status=None, idempotency_key="k1")
        run.ledger("opened", "p1")
        run.checkout(payment="", outcome=outcome, purpose="again")
    assert run.judged(LOST).findings[-1].verdict is verdict


def test_another_order_for_the_second_try_is_not_accused() -> None:
    run = Written()
    run.profile = replace(run.profile, idempotency=Idempotency(header="Idempotency-Key"))
    with run.probe("lost-answer"):
        run.order("1")
        run.create(None, "shop-7", status=None, idempotency_key="k7")
        run.create("p2", "shop-8", idempotency_key="k8")
    assert run.judged(LOST).verdict is Verdict.NOT_APPLICABLE


def _of_calls(first: tuple[str, ...], again: tuple[str, ...]) -> Written:
    """Calls that the program made for the customer's first click and for the second, on a gateway whose keys stand for one call."""
    run = Written()
    run.profile = replace(run.profile, idempotency=Idempotency(header="Idempotency-Key", stands_for="call"))
    with run.probe("lost-answer"):
        run.order()
        for key in first:
            run.create(None, status=None, idempotency_key=key)
        run.ledger("opened", "p1")
        run.step("again")
        for key in again:
            run.create("p2", idempotency_key=key)
        run.ledger("opened", "p2")
    return run


def test_where_keys_stand_for_calls_the_next_click_may_have_another() -> None:
    assert _of_calls(("k1", "k1"), ("k2",)).finding(LOST, Verdict.PASS)
    assert _of_calls(("k1",), ("k2",)).judged(LOST).verdict is Verdict.NOT_APPLICABLE


def test_what_the_program_repeats_by_itself_has_the_same_key_there_too() -> None:
    assert _of_calls(("k1", "k2"), ()).finding(LOST, Verdict.WARN).actual == {"keys": 2, "payments": 1}


def test_a_lost_call_that_is_noted_after_the_next_click_belongs_to_the_first() -> None:
    run = Written()
    run.profile = replace(run.profile, idempotency=Idempotency(header="Idempotency-Key", stands_for="call"))
    with run.probe("lost-answer"):
        run.order()
        began = run.now
        run.ledger("opened", "p1")
        again = run.step("again").at
        run.now = began  # the end of its connection is seen only now
        run.create(None, status=None, idempotency_key="k1")
        run.now = again + 1
        run.create("p2", idempotency_key="k2")
        run.ledger("opened", "p2")
    assert run.judged(LOST).verdict is Verdict.NOT_APPLICABLE


def test_lost_answer_does_not_apply_where_there_is_no_idempotency_key() -> None:
    assert Written().judged(LOST).verdict is Verdict.NOT_APPLICABLE


def keyed(*keys: str | None) -> Written:
    """One order for each key."""
    run = Written("harbor")
    for n, key in enumerate(keys):
        run.create(f"p{n}", f"{n}", idempotency_key=key)
    return run


def test_every_call_that_opens_a_payment_carries_a_key() -> None:
    assert keyed("a", "b").finding("idempotency.key-sent", Verdict.PASS)
    assert keyed("a", None).finding("idempotency.key-sent", Verdict.WARN).actual == {"Harbor-Key": "absent"}
    assert keyed("a", "b" * 256).finding("idempotency.key-sent", Verdict.WARN).actual == {
        "Harbor-Key": "256 characters"
    }


def test_no_two_orders_share_a_key() -> None:
    assert keyed("a", "b").finding("idempotency.new-key-per-order", Verdict.PASS)
    assert keyed("a", "a").finding("idempotency.new-key-per-order", Verdict.FAIL).evidence


def test_the_same_order_again_may_have_the_same_key() -> None:
    run = keyed("a")
    run.create("p0", "0", idempotency_key="a")
    assert run.finding("idempotency.new-key-per-order", Verdict.PASS)


def test_a_call_that_was_refused_before_the_gateway_told_the_price_is_no_other_order() -> None:
    run = keyed("a")
    run.create(None, "0", amount=None, currency=None, status=503, idempotency_key="a")
    assert run.finding("idempotency.new-key-per-order", Verdict.PASS)
