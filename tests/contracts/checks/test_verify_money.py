"""verify.amount, verify.currency: what the gateway says was paid, and what the merchant believed."""

from __future__ import annotations

import pytest

from payproof.contracts.model import Verdict

from .written import Written


def wrong_money(
    *,
    field: str = "amount",
    amount: str | None = "999.00",
    currency: str = "XAF",
    paid: bool = True,
    flagged: str = "",
    effects: int | None = None,
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
        run.seen("1", paid, flagged=flagged, effects=effects)
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


def test_an_order_that_was_fulfilled_is_not_held_whatever_its_note_says() -> None:
    assert wrong_money(flagged="amount differs", effects=0).finding("verify.amount", Verdict.PASS)
    assert wrong_money(flagged="amount differs", effects=1).finding("verify.amount", Verdict.FAIL)


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


def test_who_has_the_gateway_take_discounts_off_is_not_accused_of_a_smaller_amount() -> None:
    def varied() -> Written:
        run = Written()
        run.create("p0", "0", varies=True)
        return run

    assert wrong_money(run=varied()).judged("verify.amount").verdict is Verdict.NOT_APPLICABLE
    another = wrong_money(field="currency", amount="5000.00", currency="XOF", run=varied())
    assert another.judged("verify.currency").verdict is Verdict.FAIL
