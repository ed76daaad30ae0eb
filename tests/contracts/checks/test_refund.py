"""refund.noticed: what is given back at the gateway shows in the shop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from payproof.contracts.model import Verdict

from .written import Written

NOTICED = "refund.noticed"


def given_back(*, before: str = "{}", after: str = "{}", **seen: Any) -> Written:
    run = Written("harbor", notices=True, refunds=True)
    with run.probe("given-back-there"):
        run.order()
        run.bought()
        run.seen(page=run.page("order", body=before).n)
        run.step("given-back")
        run.delivery(event="order.returned", paid=False)
        run.seen(page=run.page("order", body=after).n, **seen)
    return run


def test_an_order_that_stays_as_it_was_is_shown() -> None:
    found = given_back().finding(NOTICED, Verdict.FAIL)
    assert found.actual == {"before": "paid", "after": "paid", "notice": "HTTP 200"}


@pytest.mark.parametrize(
    "changed", [{"paid": False, "state": "refunded"}, {"flagged": "look at this"}, {"after": '{"back": 5000}'}]
)
def test_a_state_a_mark_or_anything_else_that_has_changed_passes(changed: dict[str, Any]) -> None:
    given_back(**changed).finding(NOTICED, Verdict.PASS)


def test_an_order_that_cannot_be_read_afterwards_is_not_judged() -> None:
    given_back(paid=None).finding(NOTICED, Verdict.NOT_EXERCISED)


def test_a_gateway_that_tells_nobody_of_refunds_has_no_such_requirement() -> None:
    run = Written("harbor", notices=True, refunds=True)
    with run.probe("given-back-there"):
        run.order()
        run.bought()
        run.step("untold", "this gateway tells nobody of refunds")
    assert run.finding(NOTICED, Verdict.NOT_APPLICABLE).title == "this gateway tells nobody of refunds"


@pytest.mark.parametrize("missing", ["notices", "refunds"])
def test_what_is_not_declared_is_not_judged(missing: str) -> None:
    run = given_back()
    changes: dict[str, Any] = {missing: False}
    run.settings = replace(run.settings, **changes)
    assert run.finding(NOTICED, Verdict.NOT_APPLICABLE).declare


@pytest.mark.parametrize(
    ("asked", "verdict"),
    [
        ({"spelled": "100000"}, Verdict.PASS),  # a call that was refused: nothing says in which currency
        ({"spelled": "10000000"}, Verdict.FAIL),
        ({"spelled": "1000.00"}, Verdict.FAIL),
        ({}, Verdict.FAIL),
        ({"amount": "1000.00", "spelled": "100000", "currency": "EUR"}, Verdict.PASS),
    ],
)
def test_an_amount_without_a_currency_is_the_payments(asked: dict[str, Any], verdict: Verdict) -> None:
    run = Written("harbor", refunds=True)
    with run.probe("partial-refund"):
        run.order()
        run.create("p1", currency="EUR")
        run.step("refunded", amount="1000.00")
        run.call("refund", payment="p1", **asked)
    found = run.finding("refund.amount", verdict)
    assert ("all that is left" in found.title) is (not asked)
