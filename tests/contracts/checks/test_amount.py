"""amount.sent, currency.sent: what the create call asks for."""

from __future__ import annotations

from typing import Any

import pytest

from payproof.contracts.model import Verdict

from .written import Written

AMOUNT, CURRENCY = "amount.sent", "currency.sent"


def _asked(amount: str | None, order: str = "5000.00", currency: str = "XAF", **settings: Any) -> Written:
    run = Written(**settings)
    with run.probe("steady"):
        run.create(amount=amount, currency=currency)
        run.checkout(amount=order, currency=currency)
    return run


@pytest.mark.parametrize("amount", ["5000.00", "5000", "5000.0"])
def test_the_orders_amount_passes_in_every_spelling(amount: str) -> None:
    assert _asked(amount).finding(AMOUNT, Verdict.PASS).evidence


@pytest.mark.parametrize("amount", ["4999.99", "50.00", "500000", None, "abc"])
def test_another_amount_fails(amount: str | None) -> None:
    found = _asked(amount).finding(AMOUNT, Verdict.FAIL)
    assert found.expected == {"amount": "5000.00"}
    assert found.actual == {"amount": amount}


@pytest.mark.parametrize(
    ("fee", "amount"), [("150.00", "5150.00"), ("1.5%", "5075.00"), ("1.5%", "5075.01"), ("150.00", "5000.00")]
)
def test_a_declared_fee_is_added(fee: str, amount: str) -> None:
    assert _asked(amount, fee=fee).finding(AMOUNT, Verdict.PASS)


def test_a_fee_does_not_excuse_another_amount() -> None:
    assert _asked("5100.00", fee="150.00").finding(AMOUNT, Verdict.FAIL)


def test_an_amount_that_was_refused_had_more_decimals_than_the_gateway_takes() -> None:
    run = Written("harbor")
    with run.probe("steady"):
        run.create(None, amount="250.00", spelled="250.00", currency="JPY", status=422, errors=("decimals",))
    found = run.finding(AMOUNT, Verdict.FAIL)
    assert (found.expected, found.actual) == ({"decimals": 0}, {"amount": "250.00", "answer": ["decimals"]})


def test_a_call_that_was_refused_for_its_token_is_not_judged_by_its_decimals() -> None:
    run = Written("harbor")
    with run.probe("token-expired"):
        run.create(None, amount="250.00", spelled="250.00", currency="JPY", status=401, errors=("token",))
    run.finding(AMOUNT, Verdict.NOT_EXERCISED)


def test_an_amount_that_was_refused_for_something_else_is_not_judged_by_its_decimals() -> None:
    run = Written("harbor")
    with run.probe("steady"):
        run.create(None, amount="1.00", spelled="1.00", currency="EUR", status=422, errors=("currency",))
    assert run.finding(AMOUNT, Verdict.NOT_EXERCISED)


def _large(amount: str | None, *, outcome: str = "refused", sold: bool = True, **more: Any) -> Written:
    run = Written()
    if sold:
        with run.probe("steady"):
            run.create()
            run.checkout()
    with run.probe("large-amount"):
        if amount is not None:
            run.create(None, "1002", amount=amount, status=400, **more)
        run.checkout("1002", "", amount="12345.00", outcome=outcome)
    return run


def test_a_large_amount_in_a_spelling_that_the_gateway_refuses_fails() -> None:
    found = _large("12,345.00", errors=("amount is no number",)).finding(AMOUNT, Verdict.FAIL)
    assert (found.expected, found.actual) == ({"amount": "12345.00"}, {"amount": "12,345.00"})


def test_a_shop_that_breaks_at_a_large_order_fails() -> None:
    assert _large(None, outcome="broken").finding(AMOUNT, Verdict.FAIL).actual == {"checkout": "broken"}


@pytest.mark.parametrize(
    "run",
    [
        _large(None),
        _large("12345.00", errors=("more than this merchant may ask for",)),
        _large("12345.00", outcome="broken", errors=("more than this merchant may ask for",)),
        _large("1", fault="reset"),
    ],
)
def test_a_large_order_that_shop_or_gateway_refuses_is_no_mistake(run: Written) -> None:
    assert run.finding(AMOUNT, Verdict.PASS)


def test_a_shop_that_breaks_and_sold_nothing_in_that_currency_is_not_judged_by_a_large_order() -> None:
    assert _large(None, outcome="broken", sold=False).finding(AMOUNT, Verdict.NOT_EXERCISED)


def test_a_price_that_nobody_told_is_asked_for() -> None:
    assert _asked("77.00", sets_amount=False).finding(AMOUNT, Verdict.NOT_EXERCISED).declare == "checkout.amount"


def test_without_a_create_call_no_amount_is_judged() -> None:
    assert Written().finding(AMOUNT, Verdict.NOT_EXERCISED)


# currency.sent


def _in(sent: str | None, **settings: Any) -> Written:
    run = Written(**settings)
    with run.probe("steady"):
        run.create(currency=sent)
        run.checkout()
    return run


@pytest.mark.parametrize("sent", ["XAF", "xaf"])
def test_the_orders_currency_passes(sent: str) -> None:
    assert _in(sent).finding(CURRENCY, Verdict.PASS)


@pytest.mark.parametrize("sent", ["EUR", "", None])
def test_another_currency_fails(sent: str | None) -> None:
    assert _in(sent).finding(CURRENCY, Verdict.FAIL).expected == {"currency": "XAF"}


def test_a_currency_that_the_checkout_cannot_set_is_the_shops_own() -> None:
    assert _in("EUR", sets_currency=False).finding(CURRENCY, Verdict.PASS)


def test_a_driver_that_names_no_currency_may_drive_a_shop_that_sells_in_one() -> None:
    """It was asked for an order of 1,234.56 USD, and the shop knows francs only."""
    run = Written(names_currencies=False)
    with run.probe("steady"):
        run.create()
        run.checkout()
        run.create("p2", "1002", amount="1235.00", currency="XAF")
        run.checkout("1002", "p2", amount="1234.56", currency="USD")
    assert run.finding(CURRENCY, Verdict.NOT_EXERCISED).declare == "checkout.currencies"
    assert run.finding(AMOUNT, Verdict.PASS)


def test_a_driver_that_names_no_currency_and_gets_a_third_one_fails() -> None:
    assert _in("EUR", names_currencies=False).finding(CURRENCY, Verdict.FAIL)


def test_without_a_create_call_no_currency_is_judged() -> None:
    assert Written().finding(CURRENCY, Verdict.NOT_EXERCISED)
