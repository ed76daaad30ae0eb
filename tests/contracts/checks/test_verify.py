"""Guideline 3, verify.*: what the gateway said, and what the merchant believed."""

from __future__ import annotations

import pytest

from payproof.contracts.judge import judge
from payproof.contracts.model import Verdict

from .written import Written

# -- verify.status-checked -------------------------------------------------------------------------------------------


def test_status_checked_passes_when_each_paid_order_was_asked_about() -> None:
    run = Written()
    with run.probe("control"):
        run.order()
        run.bought()
    assert run.finding("verify.status-checked", Verdict.PASS)


def test_status_checked_fails_when_nobody_asked() -> None:
    run = Written()
    with run.probe("control"):
        run.order()
        run.bought(verified=False)
    assert run.finding("verify.status-checked", Verdict.FAIL).actual == {"status checks answered": 0, "order": "paid"}


def test_status_checked_accepts_a_check_from_a_background_job() -> None:
    run = Written()
    with run.probe("control"):
        run.order()
        run.create()
        run.ledger("opened")
        run.checkout()
        run.ledger("charged")
        run.page("return")
        run.seen(paid=False)
        run.passes(20)
        run.status()
        run.seen()
    assert run.finding("verify.status-checked", Verdict.PASS)


def test_status_checked_cannot_be_told_where_no_order_was_paid() -> None:
    run = Written()
    with run.probe("cancelled"):
        run.order()
        run.create()
        run.checkout()
        run.seen(paid=False)
    assert "no order was seen paid" in run.finding("verify.status-checked", Verdict.NOT_EXERCISED).title


# -- returns that prove nothing --------------------------------------------------------------------------------------


def returned(
    probe: str, step: str, *, paid: bool | None, asked: bool = True, role: str = "main", run: Written | None = None
) -> Written:
    """An unpaid order whose customer comes back with an address that proves nothing."""
    run = run or Written()
    with run.probe(probe):
        if probe == "replayed-return":
            run.order("1", "paid")
            run.bought("1", "p1", verified=asked)
        run.order("2", role)
        run.create("p2", "2")
        run.ledger("opened", "p2", reference="2")
        run.checkout("2", "p2")
        run.step(step)
        began = run.now
        if asked:
            run.status("p2", paid=False)
        run.page("return", "2", began=began)
        run.seen("2", paid)
    return run


RETURNS = [
    ("verify.forged-return", "forged-return", "forged", "main"),
    ("verify.failed-return", "refused", "refused", "main"),
    ("verify.other-payment", "replayed-return", "replayed", "unpaid"),
]


@pytest.mark.parametrize(("requirement", "probe", "step", "role"), RETURNS)
def test_an_order_that_stays_unpaid_passes(requirement: str, probe: str, step: str, role: str) -> None:
    found = returned(probe, step, paid=False, role=role).finding(requirement, Verdict.PASS)
    assert len(found.evidence) == 3


@pytest.mark.parametrize(("requirement", "probe", "step", "role"), RETURNS)
def test_an_order_that_becomes_paid_fails(requirement: str, probe: str, step: str, role: str) -> None:
    found = returned(probe, step, paid=True, role=role).finding(requirement, Verdict.FAIL)
    assert found.actual == {"paid": True, "state": "paid", "charged": 0}


@pytest.mark.parametrize(("requirement", "probe", "step", "role"), RETURNS)
def test_an_error_page_is_no_accusation(requirement: str, probe: str, step: str, role: str) -> None:
    run = Written()
    with run.probe(probe):
        run.order("2", role)
        run.checkout("2", "p2")
        run.step(step)
        run.page("return", "2", status=403, body="<p>This payment cannot be confirmed.</p>")
        run.seen("2", paid=False)
    assert run.finding(requirement, Verdict.PASS)


@pytest.mark.parametrize(("requirement", "probe", "step", "role"), RETURNS)
def test_a_checkout_that_did_not_come_about_is_the_reason(requirement: str, probe: str, step: str, role: str) -> None:
    run = Written()
    with run.probe(probe):
        run.order("2", role)
        page = run.page("checkout", "2", status=500, body="")
        run.checkout("2", "", outcome="broken", page=page.n)
    found = run.finding(requirement, Verdict.NOT_EXERCISED)
    assert found.title == "order 2 could not be checked out: broken (HTTP 500)"
    assert len(found.evidence) == 2


@pytest.mark.parametrize(("requirement", "probe", "step", "role"), RETURNS)
def test_an_order_that_cannot_be_read_is_no_pass(requirement: str, probe: str, step: str, role: str) -> None:
    found = returned(probe, step, paid=None, role=role).finding(requirement, Verdict.NOT_EXERCISED)
    assert "could not be read" in found.title


def test_whoever_never_asks_is_taken_in_by_a_forgery_and_not_by_another_payment() -> None:
    run = returned("forged-return", "forged", paid=True, asked=False)
    returned("replayed-return", "replayed", paid=True, asked=False, role="unpaid", run=run)
    found = run.finding("verify.other-payment", Verdict.NOT_EXERCISED)
    assert found.because == "verify.forged-return"


def test_another_payment_that_is_remembered_as_paid_fails_though_the_gateway_is_not_asked_again() -> None:
    run = returned("forged-return", "forged", paid=False)
    with run.probe("replayed-return"):
        run.order("1", "paid")
        run.bought("1", "p1")
        run.order("4", "unpaid")
        run.create("p4", "4")
        run.ledger("opened", "p4", reference="4")
        run.checkout("4", "p4")
        run.step("replayed")
        run.page("return", "4")
        run.seen("4")
    assert run.finding("verify.other-payment", Verdict.FAIL)


# -- verify.amount and verify.currency -------------------------------------------------------------------------------


def wrong_money(
    *,
    field: str = "amount",
    amount: str | None = "999.00",
    currency: str = "XAF",
    paid: bool = True,
    flagged: str = "",
    asked: bool = True,
    answer_paid: bool = True,
    run: Written | None = None,
) -> Written:
    run = run or Written()
    with run.probe("wrong-money", field=field):
        run.order("1")
        run.create("p1", "1")
        run.ledger("opened", "p1", reference="1")
        run.checkout("1", "p1")
        run.step("tampered", field=field, answered="999.00")
        run.ledger("charged", "p1", reference="1")
        if asked:
            run.status("p1", paid=answer_paid, amount=amount, currency=currency)
        run.page("return", "1")
        run.seen("1", paid, flagged=flagged)
    return run


def test_an_order_that_is_paid_with_too_little_fails() -> None:
    found = wrong_money().finding("verify.amount", Verdict.FAIL)
    assert (found.expected, found.actual) == ({"amount": "5000.00"}, {"amount": "999.00", "paid": True})


def test_an_order_that_is_paid_in_another_currency_fails() -> None:
    found = wrong_money(field="currency", amount="5000.00", currency="XOF").finding("verify.currency", Verdict.FAIL)
    assert found.actual == {"currency": "XOF", "paid": True}


def test_an_order_that_is_not_taken_for_paid_passes() -> None:
    assert wrong_money(paid=False).finding("verify.amount", Verdict.PASS)
    assert wrong_money(field="currency", currency="XOF", paid=False).finding("verify.currency", Verdict.PASS)


@pytest.mark.parametrize("paid", [True, False])
def test_a_held_order_passes(paid: bool) -> None:
    found = wrong_money(paid=paid, flagged="amount differs").finding("verify.amount", Verdict.PASS)
    assert "held for a person" in found.title


@pytest.mark.parametrize("amount", ["5000.00", "5000.00000000", "5000", "6000.00", None])
def test_what_the_answer_did_not_say_is_held_against_nobody(amount: str | None) -> None:
    found = wrong_money(amount=amount).finding("verify.amount", Verdict.NOT_EXERCISED)
    assert "no lie" in found.title
    assert len(found.evidence) == 2


def test_a_currency_in_small_letters_is_the_same_currency() -> None:
    run = wrong_money(field="currency", currency="xaf")
    assert run.finding("verify.currency", Verdict.NOT_EXERCISED)


def test_a_better_answer_before_the_order_was_seen_paid_excuses_it() -> None:
    run = Written()
    with run.probe("wrong-money", field="amount"):
        run.order("1")
        run.create("p1", "1")
        run.checkout("1", "p1")
        run.step("tampered")
        run.ledger("charged", "p1", reference="1")
        run.status("p1", amount="999.00")
        run.status("p1", amount="5000.00")
        run.seen("1")
    assert run.finding("verify.amount", Verdict.NOT_EXERCISED)


def test_what_was_said_after_the_order_was_seen_paid_did_not_make_it_paid() -> None:
    run = Written()
    with run.probe("wrong-money", field="amount"):
        run.order("1")
        run.create("p1", "1")
        run.checkout("1", "p1")
        run.step("tampered")
        run.ledger("charged", "p1", reference="1")
        run.seen("1")
        run.status("p1", amount="999.00")
    assert run.finding("verify.amount", Verdict.NOT_EXERCISED).because == "verify.status-checked"


def test_whoever_never_asks_cannot_be_lied_to() -> None:
    found = wrong_money(asked=False).finding("verify.amount", Verdict.NOT_EXERCISED)
    assert found.because == "verify.status-checked"


def test_an_answer_that_calls_the_payment_unpaid_tells_no_lie() -> None:
    found = wrong_money(answer_paid=False, paid=False).finding("verify.amount", Verdict.NOT_EXERCISED)
    assert "no answer said that the payment was paid" in found.title


def test_a_lie_that_was_never_prepared_says_why() -> None:
    run = Written()
    with run.probe("wrong-money", field="amount"):
        run.order("1")
        run.checkout("1", "")
    assert "could not be checked out" in run.finding("verify.amount", Verdict.NOT_EXERCISED).title


# -- verify.unreachable ----------------------------------------------------------------------------------------------


def unverified(
    fault: str = "status",
    *,
    early: bool = False,
    asked: bool = True,
    later: tuple[bool | None, ...] = (),
    flagged: str = "",
    order: str = "1",
    payment: str = "p1",
    run: Written | None = None,
) -> Written:
    """A paid order whose check fails; ``later``: the looks after it works again."""
    run = run or Written()
    with run.probe("unverified", fault=fault):
        run.order(order, "unverified")
        run.create(payment, order)
        run.ledger("opened", payment, reference=order)
        run.checkout(order, payment)
        run.ledger("charged", payment, reference=order)
        run.step("paid")
        run.armed(fault, "status")
        if asked:
            run.status(payment, paid=None, status=500, fault=fault)
        run.page("return", order, status=503)
        run.seen(order, early)
        run.cleared(fault, "status")
        run.step("mended", promised=60)
        run.page("reload", order)
        for paid in later:
            run.seen(order, paid, flagged=flagged)
    return run


def settled(run: Written, order: str = "1", *, seconds: float = 60, paid: bool = False, flagged: str = "") -> Written:
    """The last wait of the world, and a look at its end."""
    with run.probe("settle"):
        run.step("last-wait", promised=60)
        run.page("reload", order)
        run.passes(seconds)
        run.seen(order, paid, flagged=flagged)
    return run


def test_pending_and_then_paid_passes() -> None:
    assert unverified(later=(True,)).finding("verify.unreachable", Verdict.PASS)


def test_paid_before_it_was_verified_fails() -> None:
    found = unverified(early=True, later=(True,)).finding("verify.unreachable", Verdict.FAIL)
    assert "while the status check failed" in found.title


def test_an_order_that_is_lost_for_good_fails() -> None:
    found = settled(unverified(later=(False,))).finding("verify.unreachable", Verdict.FAIL)
    assert "stays pending" in found.title


def test_a_background_job_that_needs_its_time_passes() -> None:
    run = settled(unverified(later=(False,)), seconds=50, paid=True)
    assert run.finding("verify.unreachable", Verdict.PASS)


def test_a_held_order_passes_at_once() -> None:
    found = unverified(later=(False,), flagged="check by hand").finding("verify.unreachable", Verdict.PASS)
    assert "held for a person" in found.title


def test_an_order_that_is_held_at_last_passes() -> None:
    run = settled(unverified(later=(False,)), seconds=5, flagged="check by hand")
    assert run.finding("verify.unreachable", Verdict.PASS)


def test_what_was_looked_at_too_briefly_is_neither_lost_nor_a_pass() -> None:
    run = unverified(later=(False,))
    unverified("html", later=(True,), order="2", payment="p2", run=run)
    found = run.finding("verify.unreachable", Verdict.NOT_EXERCISED)
    assert "nobody looked for the 60 s" in found.title
    assert len(found.evidence) == 3
    assert any(reason.startswith("verify.unreachable: ") for reason in judge(run.run(), run.profile).reasons)


def test_one_kind_of_failure_that_loses_the_order_fails_though_the_others_go_well() -> None:
    run = unverified(later=(True,))
    unverified("html", later=(False,), order="2", payment="p2", run=run)
    settled(run, "2")
    assert "(html)" in run.finding("verify.unreachable", Verdict.FAIL).title


def test_the_time_in_which_other_stories_broke_the_check_again_is_not_counted() -> None:
    run = unverified(later=(False,))
    run.passes(120)
    settled(run, seconds=20)
    assert run.finding("verify.unreachable", Verdict.NOT_EXERCISED)


def test_a_truthful_answer_in_strange_wrapping_is_an_answer() -> None:
    run = Written()
    with run.probe("unverified", fault="oversized"):
        run.order("1", "unverified")
        run.create("p1", "1")
        run.checkout("1", "p1")
        run.ledger("charged", "p1", reference="1")
        run.step("paid")
        run.status("p1", paid=True, fault="oversized")
        run.page("return", "1")
        run.seen("1")
        run.step("mended", promised=60)
        run.seen("1")
    assert run.finding("verify.unreachable", Verdict.PASS)


def test_another_payments_answer_is_no_answer() -> None:
    run = Written()
    with run.probe("unverified", fault="other-payment"):
        run.order("1", "unverified")
        run.create("p1", "1")
        run.checkout("1", "p1")
        run.ledger("charged", "p1", reference="1")
        run.step("paid")
        run.status("p1", paid=True, answered="p9", fault="other-payment")
        run.page("return", "1")
        run.seen("1")
        run.step("mended", promised=60)
    assert run.finding("verify.unreachable", Verdict.FAIL)


def test_a_check_that_was_never_made_meets_no_failure() -> None:
    run = unverified(early=True, asked=False, later=(True,))
    assert run.finding("verify.unreachable", Verdict.NOT_EXERCISED).because == "verify.status-checked"


def test_a_payment_that_did_not_come_about_is_the_reason() -> None:
    run = Written()
    with run.probe("unverified", fault="cut"):
        run.order("1", "unverified")
        run.checkout("1", "")
    found = run.finding("verify.unreachable", Verdict.NOT_EXERCISED)
    assert found.title == "cut: order 1 could not be checked out: refused"


def test_a_status_check_that_was_never_answered_is_one_of_its_stories() -> None:
    run = Written()
    with run.probe("stalled", operation="status"):
        run.order("1", "unverified")
        run.create("p1", "1")
        run.checkout("1", "p1")
        run.ledger("charged", "p1", reference="1")
        run.step("paid")
        run.status("p1", paid=None, status=None, ending="hung_up", seconds=10, fault="never-answer")
        run.page("return", "1", status=503)
        run.seen("1", paid=False)
        run.step("mended", promised=60)
        run.seen("1")
    assert "no answer" in run.finding("verify.unreachable", Verdict.PASS).title


def unreached(how: str, *, early: bool = False, later: bool = True, asked: bool = True) -> Written:
    """The status check gets no connection, or no answer on one."""
    run = Written()
    with run.probe("network-error", operation="status", how=how):
        run.order("1", "unverified")
        run.create("p1", "1")
        run.ledger("opened", "p1", reference="1")
        run.checkout("1", "p1")
        run.ledger("charged", "p1", reference="1")
        run.step("paid")
        if how == "close" and asked:
            run.status("p1", paid=None, status=None, ending="cut", fault="dropped")
        run.page("return", "1", status=503)
        run.seen("1", early)
        run.step("tried")
        run.step("mended", promised=60)
        if asked:
            run.status("p1")
        run.seen("1", later)
    return run


@pytest.mark.parametrize(("how", "said"), [("refuse", "connection refused"), ("close", "closed without an answer")])
def test_a_connection_that_fails_is_one_of_its_stories(how: str, said: str) -> None:
    assert said in unreached(how).finding("verify.unreachable", Verdict.PASS).title
    assert unreached(how, early=True).finding("verify.unreachable", Verdict.FAIL)
    assert settled(unreached(how, later=False)).finding("verify.unreachable", Verdict.FAIL)


def test_whoever_never_asks_is_not_accused_for_a_closed_port() -> None:
    found = unreached("refuse", early=True, asked=False).finding("verify.unreachable", Verdict.NOT_EXERCISED)
    assert found.because == "verify.status-checked"


@pytest.mark.parametrize(("paid", "verdict"), [(True, Verdict.FAIL), (False, Verdict.PASS)])
def test_whoever_believes_notices_is_told_the_wrong_amount_by_one(paid: bool, verdict: Verdict) -> None:
    run = Written("harbor", notices=True)
    with run.probe("wrong-money", field="amount"):
        run.order("1")
        run.create("p1", "1")
        run.ledger("opened", "p1", reference="1")
        run.checkout("1", "p1")
        run.step("tampered", field="amount", answered="999.00")
        run.ledger("charged", "p1", reference="1")
        run.delivery("p1", amount="999.00", currency="XAF")
        run.delivery("p1", event="order.approved")
        run.seen("1", paid)
    run.finding("verify.amount", verdict)
