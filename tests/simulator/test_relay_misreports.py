"""The relay's lie about an amount: told in the spelling that the sandbox uses, or not at all."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from payproof.simulator.relay.tampering import misreported


def misreport(body: Any, *, real: str = "5000", amount: str | None = "999.00", currency: str | None = None) -> Any:
    answer = misreported(JSONResponse(body), Decimal(real), "XAF", amount, currency)
    assert dict(answer.raw_headers)[b"content-length"] == str(len(answer.body)).encode()
    return json.loads(bytes(answer.body))


def test_a_currency_is_told_otherwise_in_its_own_letter_case() -> None:
    for known, expected in (("XAF", "EUR"), ("xaf", "eur")):
        assert misreport({"currency": known}, amount=None, currency="EUR") == {"currency": expected}


@pytest.mark.parametrize(
    ("spelt", "expected"),
    [
        ("5000.00", "999.00"),
        ("5000.00000000", "999.00000000"),
        ("5000", "999"),
        ("5,000.00", "999.00"),
        ("5 000", "999"),
        (5000, 999),
        (5000.0, 999.0),
        (500000, 99900),
        ("500000", "99900"),
    ],
)
def test_every_spelling_of_the_amount_is_told_otherwise(spelt: Any, expected: Any) -> None:
    found = misreport({"data": {"amount": spelt, "trx": "T1"}})
    assert found == {"data": {"amount": expected, "trx": "T1"}}
    assert type(found["data"]["amount"]) is type(expected)


def test_nested_amounts_are_found() -> None:
    body = {"purchase": [{"amount": {"value": "5000.00", "currency_code": "XAF"}}]}
    found = misreport(body, currency="XOF")
    assert found == {"purchase": [{"amount": {"value": "999.00", "currency_code": "XOF"}}]}


def test_a_smaller_unit_is_looked_for_only_where_the_larger_is_not_told() -> None:
    assert misreport({"amount": "5000.00", "items": 500000}) == {"amount": "999.00", "items": 500000}


def test_a_part_of_a_unit_is_told_where_the_amount_was_whole() -> None:
    assert misreport({"amount": "5000"}, amount="4999.50") == {"amount": "4999.50"}


def test_a_status_code_in_the_envelope_is_no_amount() -> None:
    body = {"message": {"code": 200}, "amount": "200.00"}
    assert misreport(body, real="200") == {"message": {"code": 200}, "amount": "999.00"}


def test_an_answer_that_tells_no_amount_is_left_as_it_is() -> None:
    for answer in (JSONResponse({"paid": True, "ok": 1}), Response("maintenance"), JSONResponse({"amount": 0})):
        assert misreported(answer, Decimal(0), "XAF", "999.00", None) is answer
    assert misreport({"paid": True, "free": False}) == {"paid": True, "free": False}
