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
