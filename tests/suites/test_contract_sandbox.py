"""``payproof contract`` at a server that somebody else wrote: what it says once, what it stops for, and what it must not miss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from payproof.contracts.model import PayproofError
from payproof.suites.commands.contract import exit_code
from payproof.suites.config import make_config
from payproof.suites.conformance.contract import BrokenRule, SuiteResult, Where, perform, sandbox
from payproof.suites.conformance.contract.showing import lines
from payproof.suites.conformance.contract.values import APART

from ..conftest import IndependentSandbox  # noqa: TID252

Start = Callable[..., IndependentSandbox]


def _where(server: IndependentSandbox, **more: Any) -> Where:
    shop = {
        "command": ["true"],
        "checkout": {"path": "/c", "currencies": ["XAF", "USD"]},
        "order": {"path": "/o/{order.id}", "status": "json:/s"},
    }
    table = {"gateway": "qrpay", "integration": shop, "sandbox": server.table(**more)}
    # As a server of our own: it is started with another limit than the platform's, so that it does not hold the tests up.
    return replace(sandbox(make_config(table, folder=Path(), place="test", environ={})), rate=0)


def _result(server: IndependentSandbox, *, budget: int = 90, seed: int = 1, **more: Any) -> SuiteResult:
    return perform(_where(server, **more), budget=budget, seed=seed)


def _second_merchant(server: IndependentSandbox) -> dict[str, str]:
    made = httpx.post(f"{server.control}/merchants", json={"mode": "SANDBOX"}).json()
    return {"client_id": made["client_id"], "secret_key": made["secret_id"]}


def test_an_assumed_route_that_is_not_there_is_asked_for_once_and_said_in_one_line(independent_sandbox: Start) -> None:
    server = independent_sandbox("--plant", "no-status-post")
    result = _result(server, budget=200)
    assert result.failures == ()
    (note,) = [note for note in result.notes if "/payment/status" in note]
    assert note.startswith("POST /payment/status is not there (HTTP 405: ")
    assert "the contract only assumes it (choice 4; K2)" in note
    asked = [
        seen for seen in server.requests() if seen["method"] == "POST" and seen["path"].endswith("/payment/status")
    ]
    assert len(asked) <= 2, "once as a route, and once as a method that the path does not have"
    assert exit_code(result) == 0
    assert "statusByPost" not in {covered.operation for covered in result.covered}


def test_without_any_way_to_ask_for_a_payment_nothing_is_kept(independent_sandbox: Start) -> None:
    plants = ("no-status-path", "no-status-query", "no-status-post")
    result = _result(independent_sandbox(*(word for plant in plants for word in ("--plant", plant))))
    assert len([note for note in result.notes if "is not there" in note]) == 3
    assert exit_code(result) == 2


@pytest.mark.parametrize("seed", range(3))
def test_an_amount_below_nothing_is_tried_whatever_the_seed(independent_sandbox: Start, seed: int) -> None:
    result = _result(independent_sandbox("--plant", "negative-amount"), budget=60, seed=seed)
    found = [each for each in result.failures if each.check == "answers_as_in_the_example"]
    assert any('example "amount-negative": HTTP 200' in each.message for each in found)


def test_a_merchant_who_is_told_of_anothers_payment_is_found(independent_sandbox: Start) -> None:
    server = independent_sandbox("--plant", "any-merchant")
    result = _result(server, other=_second_merchant(server))
    assert {each.check for each in result.failures} == {APART}
    assert len({each.operation for each in result.failures}) == 3
    shown = "\n".join(lines(result))
    assert "HTTP 200 to another merchant who asks for this payment" in shown


def test_merchants_that_are_kept_apart_are_no_finding(independent_sandbox: Start) -> None:
    server = independent_sandbox()
    result = _result(server, other=_second_merchant(server))
    assert (result.failures, dict(result.untried)) == ((), {})


def test_without_a_second_merchant_it_is_said_that_nothing_was_tried(independent_sandbox: Start) -> None:
    result = perform(replace(_where(independent_sandbox()), rate=6000), budget=90, seed=1)
    assert dict(result.untried) == {APART: "it needs a second merchant: [sandbox.other]"}
    assert f"{APART} was not tried: it needs a second merchant: [sandbox.other]" in result.notes


def test_no_credential_of_the_second_merchant_is_shown(independent_sandbox: Start) -> None:
    server = independent_sandbox("--plant", "any-merchant")
    other = _second_merchant(server)
    where = _where(server, other=other)
    text = repr(perform(where, budget=90, seed=1)) + repr(where)
    assert not [value for value in other.values() if value in text]


def test_pages_on_another_host_are_said(independent_sandbox: Start) -> None:
    result = _result(independent_sandbox("--plant", "foreign-pages"))
    assert "payment_url leads to checkout.elsewhere.test, which is not the server's own host" in result.notes


def test_where_no_token_is_given_nothing_else_is_asked_and_the_remedy_fits(independent_sandbox: Start) -> None:
    moved = independent_sandbox("--plant", "moved")
    with pytest.raises(PayproofError, match="gives no access token: HTTP 301") as caught:
        _result(moved)
    assert "sandbox.base_url" in caught.value.remedy
    assert len(moved.requests()) == 1
    with pytest.raises(PayproofError, match="HTTP 400") as caught:
        _result(independent_sandbox(), secret_key="n" * 100)
    assert caught.value.remedy == "check sandbox.client_id and sandbox.secret_key"


def test_a_second_429_ends_it(independent_sandbox: Start) -> None:
    server = independent_sandbox("--plant", "limited")
    with pytest.raises(PayproofError, match=r"HTTP 429 .*also after the pause that it asked for") as caught:
        _result(server)
    assert "credentials" not in caught.value.remedy
    assert len(server.requests()) == 2


def test_all_findings_are_shown_when_they_are_asked_for(independent_sandbox: Start) -> None:
    result = _result(independent_sandbox(), budget=20)
    failure = BrokenRule(
        check="answers", operation="create", phase="fuzzing", message="none", curl="curl " + "x" * 3000
    )
    many = replace(result, failures=(failure,) * 25)
    short, whole = "\n".join(lines(many)), "\n".join(lines(many, verbose=True))
    assert short.count("✗ answers") == 20
    assert "... and 5 more: --verbose shows them all" in short
    assert whole.count("✗ answers") == 25
    assert whole.count("x" * 3000) == 25
