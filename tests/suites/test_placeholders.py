"""Placeholders: what is filled, what is left alone, what is refused."""

from __future__ import annotations

import pytest

from payproof.contracts.model import Json, PayproofError
from payproof.suites.config.placeholders import fill, fill_json, names

VALUES = {
    "port": "8080",
    "order.id": "17",
    "order.amount": "5000.00",
    "order.currency": "USD",
    "gateway.client_id": "abc",
}


def test_values_are_put_in() -> None:
    assert fill("http://127.0.0.1:{port}/{order.id}", VALUES) == "http://127.0.0.1:8080/17"


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{{port}}", "{port}"),
        ("{{{port}}}", "{8080}"),
        ('{"a":{"b":"{port}"}}', '{"a":{"b":"8080"}}'),
        ("a{2,3} {} { port }", "a{2,3} {} { port }"),
        ("", ""),
    ],
)
def test_other_braces_are_left_alone(text: str, filled: str) -> None:
    assert fill(text, VALUES) == filled


def test_an_unknown_placeholder_is_refused_with_a_suggestion() -> None:
    with pytest.raises(PayproofError) as caught:
        fill("{order.idd}", VALUES, "integration.order.path")
    assert caught.value.place == "integration.order.path"
    assert '"{order.idd}"' in caught.value.message
    assert 'did you mean "{order.id}"?' in caught.value.remedy


@pytest.mark.parametrize(
    ("amount", "currency", "form", "value"),
    [
        ("5000.00", "USD", "number", 5000),
        ("1234.56", "USD", "number", 1234.56),
        ("1234.56", "USD", "minor", 123456),
        ("5000.00", "XAF", "minor", 5000),
        ("1.234", "KWD", "minor", 1234),
    ],
)
def test_an_amount_can_be_a_json_number(amount: str, currency: str, form: str, value: float) -> None:
    values = {**VALUES, "order.amount": amount, "order.currency": currency}
    filled = fill_json(f"{{order.amount:{form}}}", values)
    assert filled == value
    assert type(filled) is type(value)


def test_within_a_longer_text_a_number_stays_text() -> None:
    assert fill_json("{order.amount:minor} cents", VALUES) == "500000 cents"


def test_json_is_filled_at_every_depth() -> None:
    data: Json = {"order": {"id": "{order.id}", "lines": [{"amount": "{order.amount:number}"}, None, True, 5]}}
    assert fill_json(data, VALUES) == {"order": {"id": "17", "lines": [{"amount": 5000}, None, True, 5]}}


@pytest.mark.parametrize("text", ["{order.id:cents}", "{gateway.client_id:minor}", "{order.amount:}"])
def test_what_is_no_number_is_not_written_as_one(text: str) -> None:
    with pytest.raises(PayproofError, match="cannot be written as a number"):
        fill_json(text, VALUES)


def test_names_of_a_text() -> None:
    assert list(names("{port} {order.amount:minor} {{port}}")) == ["port", "order.amount"]
