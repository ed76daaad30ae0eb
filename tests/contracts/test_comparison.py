"""The one comparer, the one reader of fields, and what is left out as volatile."""

from __future__ import annotations

import pytest

from payproof.contracts.comparing import fields
from payproof.contracts.comparing.comparison import ABSENT, FactPair, differing, pairs, same, shown
from payproof.contracts.comparing.volatile import TRANSPORT, UNIMPORTANT, is_date, shape
from payproof.contracts.model import Json


def test_every_fact_of_either_side_is_compared_once_and_in_order() -> None:
    before: dict[str, Json] = {"status": 200, "body.a": 1, "body.gone": "x"}
    after: dict[str, Json] = {"body.a": "1", "status": 200, "body.new": None}
    assert [pair.path for pair in pairs(before, after)] == ["status", "body.a", "body.gone", "body.new"]
    assert list(differing(before, after)) == [
        FactPair("body.a", 1, "1"),
        FactPair("body.gone", "x", ABSENT),
        FactPair("body.new", ABSENT, None),
    ]


def test_values_differ_in_type_too() -> None:
    assert same("1", "1")
    assert not same("1", 1)
    assert not same(1, True)
    assert not same(None, ABSENT)
    assert same({"a": [1]}, {"a": [1]})
    assert (shown("é"), shown(None), shown(ABSENT)) == ('"é"', "null", "not there")


def test_fields_are_flat_and_a_list_of_texts_may_stay_in_one_piece() -> None:
    value: Json = {"a": {"b": ["x", "y"], "c": [{"d": 1}]}, "e": {}, "f": []}
    assert fields.flat(value) == {"a.b[0]": "x", "a.b[1]": "y", "a.c[0].d": 1, "e": {}, "f": []}
    assert fields.flat(value, "body", lists=False) == {
        "body.a.b": ["x", "y"], "body.a.c[0].d": 1, "body.e": {}, "body.f": []
    }  # fmt: skip
    assert fields.flat({}, "body") == {"body": {}}
    assert fields.flat([1, 2], "body", lists=False) == {"body": [1, 2]}


@pytest.mark.parametrize(
    ("path", "without"),
    [
        ("/payment/status/AbC123xYz9", "/payment/status/{id}"),
        ("/orders/17", "/orders/{id}"),
        ("/token/__access-token-1__", "/token/{id}"),
        ("/payment/create", "/payment/create"),
    ],
)
def test_ids_are_left_out_of_a_path(path: str, without: str) -> None:
    assert shape(f"https://gateway.test{path}?a=1") == without


def test_what_only_the_way_adds_is_left_out() -> None:
    assert TRANSPORT < UNIMPORTANT
    assert "content-type" not in UNIMPORTANT
    assert is_date("Mon, 23 Nov 2026 10:00:00 GMT")
    assert not is_date("POST, GET")
