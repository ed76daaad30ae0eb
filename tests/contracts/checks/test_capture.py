"""capture.once: what a capture without an answer leads to."""

from __future__ import annotations

from typing import Any

from payproof.contracts.model import Verdict

from .written import Written

ONCE = "capture.once"


def answer_lost(*, of: str = "p1", twice: bool = False, flagged: str = "", **settings: Any) -> Written:
    run = Written("harbor", **settings)
    with run.probe("lost-capture"):
        run.order()
        run.checkout()
        run.ledger("charged")
        run.call("take", payment=of, fault="dropped", status=None)
        run.step("again")
        run.checkout(payment="p2", purpose="again")
        if twice:
            run.ledger("charged", "p2")
        run.seen(flagged=flagged)
    return run


def test_an_order_that_is_charged_once_passes_and_twice_fails() -> None:
    answer_lost().finding(ONCE, Verdict.PASS)
    found = answer_lost(twice=True).finding(ONCE, Verdict.FAIL)
    assert isinstance(found.actual, dict)
    assert found.actual["charged"] == 2


def test_a_second_charge_that_is_shown_to_a_person_passes() -> None:
    answer_lost(twice=True, flagged="paid twice").finding(ONCE, Verdict.PASS)


def test_another_orders_lost_answer_says_nothing() -> None:
    answer_lost(of="p9").finding(ONCE, Verdict.NOT_EXERCISED)


def test_where_nobody_can_ask_for_the_same_order_again_it_does_not_apply() -> None:
    assert Written("harbor", addresses_orders=False).judged(ONCE).verdict is Verdict.NOT_APPLICABLE
