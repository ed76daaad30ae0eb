"""Amounts are decimals; floats and wishes are not."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payproof.contracts import money
from payproof.contracts.profile import Money, load


@pytest.mark.parametrize(
    ("wire", "amount"),
    [
        ("5000.00", Decimal("5000")),
        (5000, Decimal(5000)),
        (1234.56, Decimal("1234.56")),
        (" 1.50 ", Decimal("1.5")),
        ("100.00000000", Decimal(100)),
    ],
)
def test_wire_values_that_mean_an_amount(wire: object, amount: Decimal) -> None:
    assert money.parse(wire) == amount


@pytest.mark.parametrize("wire", [None, True, "", "five", "NaN", "Infinity", [], {}, "1,000.00"])
def test_wire_values_that_mean_none(wire: object) -> None:
    assert money.parse(wire) is None


@given(st.decimals(min_value="0.01", max_value="99999999", places=2))
def test_an_amount_survives_writing_and_reading(amount: Decimal) -> None:
    assert money.parse(f"{amount:.2f}") == amount
    assert f"{amount:.2f}" in money.spellings(amount, "USD")


def test_people_read_thousands_and_currency() -> None:
    assert money.show("10000.00", "XAF") == "10,000.00 XAF"


def test_minor_units_follow_the_currency() -> None:
    assert money.exponent("XAF") == 0
    assert "123456" in money.spellings(Decimal("1234.56"), "USD")


@pytest.mark.parametrize(
    ("gateway", "amount", "currency", "shown"),
    [
        ("quatapay", "5000", "XAF", "5,000.00 XAF"),
        ("harbor", "5000.00", "JPY", "5,000 JPY"),
        ("harbor", "5000", "EUR", "5,000.00 EUR"),
        ("harbor", "1.5", "TND", "1.500 TND"),
        ("harbor", "0.5", "JPY", "0.5 JPY"),
    ],
)
def test_people_read_the_decimals_of_the_gateway_and_nothing_is_rounded_away(
    gateway: str, amount: str, currency: str, shown: str
) -> None:
    assert load(gateway).money.show(amount, currency) == shown


def test_text_has_the_decimals_that_the_gateway_declares_for_a_currency_else_two() -> None:
    own = Money(spelling="text", exponents={"HUF": 0, "JPY": 0})
    assert [own.decimals(currency) for currency in ("JPY", "huf", "USD", "XAF")] == [0, 0, 2, 2]


def test_what_is_read_off_a_journal_is_shown_as_it_is_written() -> None:
    assert [money.show(amount, "JPY") for amount in ("5000", "5000.00", "none")] == [
        "5,000 JPY",
        "5,000.00 JPY",
        "none JPY",
    ]
