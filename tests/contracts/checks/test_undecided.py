"""flow.pending-success: who can know that the money came."""

from __future__ import annotations

from dataclasses import replace

import pytest

from payproof.contracts.model import Verdict
from payproof.contracts.steps import StepName

from .written import Written

ID = "flow.pending-success"


def came(*, paid: bool, notices: bool) -> Written:
    """The money of a pending payment came."""
    run = Written("harbor", notices=notices)
    run.profile = replace(run.profile, traits=replace(run.profile.traits, decides_later=60))
    with run.probe("undecided", came=True):
        run.order("1")
        run.create("p1", "1")
        run.checkout("1", "p1")
        run.ledger("pending", "p1", reference="1")
        run.step(StepName.PENDING)
        run.seen("1", False)
        run.step(StepName.DECIDED, came=True)
        run.ledger("charged", "p1", reference="1")
        run.seen("1", paid)
    return run


@pytest.mark.parametrize("notices", [True, False])
def test_an_order_that_is_paid_when_the_money_came_passes(notices: bool) -> None:
    came(paid=True, notices=notices).finding(ID, Verdict.PASS)


def test_who_is_told_of_it_and_leaves_the_order_unpaid_fails() -> None:
    came(paid=False, notices=True).finding(ID, Verdict.FAIL)


def test_who_takes_no_notices_is_not_asked_to_know() -> None:
    assert came(paid=False, notices=False).finding(ID, Verdict.NOT_APPLICABLE).declare == "[integration.webhook] path"
