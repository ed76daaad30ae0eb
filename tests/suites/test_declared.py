"""What the configuration declares of an order must be found on the paid order of control."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from payproof.contracts.entries import Page, Request, Response
from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Outcome, PayproofError
from payproof.suites.config import Config, make_config
from payproof.suites.driver.declared import unmatched
from payproof.suites.driver.flags import flag, holds
from payproof.suites.run.plan import Options
from payproof.suites.run.runner import perform
from payproof.suites.selftest.selftest import shop

JSON = '{"id": "1001", "status": "paid", "shipments": 1, "order": {"memo": null, "notes": []}}'


def _config(**order: Any) -> Config:
    order = {"path": "/orders/{order.id}", "status": "json:/status", **order}
    tables = {"integration": {"command": ["true"], "checkout": {"path": "/checkout"}, "order": order}}
    return make_config(tables, folder=Path.cwd(), place="test", environ={})


def _page(body: str, kind: str = "application/json") -> Page:
    response = Response(status=200, headers=(("content-type", kind),), body=body, size=len(body))
    return Page(
        began=0, ended=0, where="integration", request=Request(method="GET", url="/orders/1"), response=response
    )


@pytest.mark.parametrize("effects", ["json:/shipments", "header:content-type"])
def test_a_counter_that_is_there_is_fine(effects: str) -> None:
    assert unmatched(_config(effects=effects), _page(JSON, "1")) == ()


def test_a_counter_that_is_nowhere_is_told_with_what_stands_there() -> None:
    (problem,) = unmatched(_config(effects="json:/parcels"), _page(JSON))
    assert 'integration.order.effects = "json:/parcels" matches nothing' in problem
    assert "/shipments" in problem
    assert "/order/memo" in problem


def test_a_counter_that_is_no_number_is_told() -> None:
    (problem,) = unmatched(_config(effects="json:/status"), _page(JSON))
    assert '"paid"' in problem
    assert "no number" in problem


def test_a_counter_on_a_page_is_told_with_the_pages_words() -> None:
    (problem,) = unmatched(_config(effects="html:#parcels"), _page("<p>Order 1001 is paid</p>", "text/html"))
    assert "Order 1001 is paid" in problem


@pytest.mark.parametrize(
    "pointer",
    [
        "json:/note",
        "json:/order/memo",
        "json:/order/memo/text",
        "json:/order/notes/0/text",
        "html:#flag",
        "header:X-Held",
    ],
)
def test_a_flag_may_be_absent_while_nothing_is_flagged(pointer: str) -> None:
    assert unmatched(_config(flagged={pointer: ["double"]}), _page(JSON)) == ()


@pytest.mark.parametrize("pointer", ["json:/payment/note", "json:/status/note"])
def test_a_flag_below_something_that_is_not_there_is_told(pointer: str) -> None:
    (problem,) = unmatched(_config(flagged={pointer: ["double"]}), _page(JSON))
    assert "can match nothing" in problem


def test_a_flag_in_the_json_of_a_page_that_is_none_is_told() -> None:
    (problem,) = unmatched(_config(flagged={"json:/note": ["double"]}), _page("<p>paid</p>", "text/html"))
    assert "not a JSON object" in problem


def test_a_counter_of_problems_that_is_no_number_is_told() -> None:
    (problem,) = unmatched(_config(flagged={"json:/status": "not zero"}), _page(JSON))
    assert (
        problem
        == 'integration.order.flagged."json:/status" finds "paid" on the page of the paid order, which is no number.'
    )


@pytest.mark.parametrize("rule", [["paid"], "not empty"])
def test_a_flag_that_an_order_without_trouble_shows_is_told(rule: Any) -> None:
    (problem,) = unmatched(_config(flagged={"json:/status": rule}), _page(JSON))
    assert 'already says "paid"' in problem


@pytest.mark.parametrize(
    ("rule", "value", "shows"),
    [
        ("not zero", "2", True),
        ("not zero", "0", False),
        ("not zero", "0.00", False),
        ("not zero", "none", False),
        ("not empty", "[]", False),
        ("not empty", '["paid twice"]', True),
        ("not empty", " ", False),
        ("not empty", "call us", True),
        (("not zero",), "this is NOT ZERO", True),
        (("double payment",), "2", False),
    ],
)
def test_a_rule_says_when_an_order_needs_a_person(rule: Any, value: str, shows: bool) -> None:
    assert holds(rule, value) is shows


def test_a_flag_tells_where_it_stands() -> None:
    rules = {"json:/note": ("double",), "json:/shipments": "not zero"}
    assert flag(_page(JSON), rules) == "json:/shipments is not zero: 1"
    assert flag(_page(JSON), {"json:/note": "not empty"}) == ""


def test_a_rule_that_is_none_is_refused_with_the_ways_to_write_it() -> None:
    with pytest.raises(PayproofError) as refused:
        _config(flagged={"json:/problems": "nonzero"})
    assert '["nonzero"], or "not zero" or "not empty"' in str((refused.value.message, refused.value.remedy))


def test_a_run_whose_counter_is_nowhere_is_not_scored_and_says_why() -> None:
    config = shop("pointed-nowhere")
    order = config.integration.order.model_copy(update={"effects": "json:/parcels"})
    config = config.model_copy(update={"integration": config.integration.model_copy(update={"order": order})})
    run = asyncio.run(perform(config, Options(quick=True, seed=5)))
    result = judge(run, config.profile)
    assert result.outcome is Outcome.NOT_SCORED
    assert "order.effects" in result.diagnosis[0]
