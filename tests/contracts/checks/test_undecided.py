"""flow.pending*: the customer has done their part, and the money comes later, or never."""

from __future__ import annotations

from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Verdict

from .written import Written

PENDING, SUCCESS, FAILURE = "flow.pending", "flow.pending-success", "flow.pending-failure"


def decided(*, came: bool, early: bool = False, late: bool = True, status: int = 200) -> Written:
    """One probe run: ``early``: the order is paid before it is decided; ``late``: it is once there is money for it."""
    run = Written("quay", notices=True)
    with run.probe("undecided", came=came):
        run.order("1")
        run.create("p1", "1")
        run.ledger("opened", "p1", reference="1")
        run.checkout("1", "p1")
        run.ledger("pending", "p1", reference="1")
        run.step(StepName.PENDING)
        run.page("return", "1", status=status, body="" if status == 500 else "<p>Thank you.</p>")
        run.seen("1", early)
        run.step(StepName.DECIDED)
        run.ledger("charged" if came else "declined", "p1", reference="1")
        run.seen("1", early or (came and late))
        if not came:
            run.step(StepName.AGAIN)
            run.checkout("1", "p2" if late else "")
            if late:
                run.ledger("charged", "p2", reference="1")
            run.seen("1", late)
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
