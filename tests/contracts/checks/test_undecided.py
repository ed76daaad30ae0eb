"""flow.pending*: the customer has done their part, and the money comes later, or never."""

from __future__ import annotations

import pytest

from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Verdict

from .written import Written

PENDING, SUCCESS, FAILURE, AGAIN = (f"flow.pending{which}" for which in ("", "-success", "-failure", "-again"))


def decided(
    *, came: bool, early: bool = False, late: bool = True, status: int = 200, another: str = "1", called: str = ""
) -> Written:
    """One probe run: ``early``: the order is paid before it is decided; ``late``: it is once there is money for it; ``another``: the order
    that the customer's next try is for; ``called``: its state before it is decided."""
    run = Written("quay", notices=True)
    with run.probe("undecided", came=came):
        run.order("1")
        run.create("p1", "1")
        run.ledger("opened", "p1", reference="1")
        run.checkout("1", "p1")
        run.ledger("pending", "p1", reference="1")
        run.step(StepName.PENDING)
        run.page("return", "1", status=status, body="" if status == 500 else "<p>Thank you.</p>")
        run.seen("1", early, **({"state": called} if called else {}))
        run.step(StepName.DECIDED)
        run.ledger("charged" if came else "declined", "p1", reference="1")
        run.seen("1", early or (came and late))
        if not came:
            run.step(StepName.AGAIN)
            run.checkout(another, "p2" if late else "")
            if late:
                run.ledger("charged", "p2", reference=another)
            run.seen(another, late)
    return run


def test_an_order_that_waits_for_its_money_passes() -> None:
    run = decided(came=True)
    assert run.finding(PENDING, Verdict.PASS)
    assert run.finding(SUCCESS, Verdict.PASS)


def test_an_order_that_is_paid_before_its_money_fails() -> None:
    found = decided(came=True, early=True).finding(PENDING, Verdict.FAIL)
    assert "has no money for it yet" in found.title


def test_an_error_page_while_it_is_not_decided_fails() -> None:
    assert "error page" in decided(came=True, status=500).finding(PENDING, Verdict.FAIL).title


def test_money_that_comes_and_pays_nothing_fails() -> None:
    assert decided(came=True, late=False).finding(SUCCESS, Verdict.FAIL).actual == {"paid": False, "state": "pending"}


def test_money_that_never_comes_leaves_an_order_that_can_be_paid_again() -> None:
    assert decided(came=False).finding(FAILURE, Verdict.PASS)
    assert "cannot be paid any more" in decided(came=False, late=False).finding(FAILURE, Verdict.FAIL).title


def test_a_gateway_that_decides_at_once_has_no_such_thing() -> None:
    assert Written("harbor").finding(PENDING, Verdict.NOT_APPLICABLE)


def test_who_makes_another_order_for_another_try_is_judged_by_that_one() -> None:
    assert decided(came=False, another="2").finding(FAILURE, Verdict.PASS)
    assert (
        "cannot be paid any more" in decided(came=False, late=False, another="2").finding(FAILURE, Verdict.FAIL).title
    )
    assert (
        decided(came=False, early=True, another="2")
        .finding(FAILURE, Verdict.NOT_EXERCISED)
        .title.endswith("its money never came")
    )


@pytest.mark.parametrize("state", ["failed", "Payment failed", "CANCELLED", "order_declined"])
def test_an_order_that_is_called_failed_before_it_is_decided_fails(state: str) -> None:
    run = decided(came=True, called=state)
    assert run.finding(PENDING, Verdict.FAIL).actual == {"state": state}


@pytest.mark.parametrize("state", ["pending", "not failed yet", "processing", "unpaid", "waiting for the bank"])
def test_an_order_with_a_state_of_its_own_before_it_is_decided_passes(state: str) -> None:
    assert decided(came=True, called=state).finding(PENDING, Verdict.PASS)


def started_again(payment: str, *, flagged: bool = False) -> Written:
    """While the first payment is not decided, the customer starts again, and pays ``payment`` if there is one."""
    run = Written("quay", notices=True)
    with run.probe("undecided-again"):
        run.order("1")
        run.create("p1", "1")
        run.ledger("opened", "p1", reference="1")
        run.checkout("1", "p1")
        run.ledger("pending", "p1", reference="1")
        run.step(StepName.PENDING)
        run.step(StepName.AGAIN)
        run.checkout("1", payment, purpose="again")
        if payment:
            run.ledger("charged", payment, reference="1")
        run.step(StepName.DECIDED, came=True)
        run.ledger("charged", "p1", reference="1")
        run.seen("1", True, flagged=flagged)
    return run


def test_who_pays_again_before_it_is_decided_is_charged_twice_and_somebody_has_to_see_it() -> None:
    found = started_again("p2").finding(AGAIN, Verdict.FAIL)
    assert found.title.startswith("charged twice")
    assert started_again("p2", flagged=True).finding(AGAIN, Verdict.PASS)
    assert started_again("").finding(AGAIN, Verdict.PASS)
