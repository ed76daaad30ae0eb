"""contract.request on hand-written journals: what is found, by its place, and who must not be accused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from payproof.contracts.contract import Contract, contract_of
from payproof.contracts.contract.api import ApiContract
from payproof.contracts.contract.document import document_of
from payproof.contracts.contract.requests import problems
from payproof.contracts.entries import BODY_LIMIT, Call, Headers, Request, Response
from payproof.contracts.journal import Journal
from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Judgement, Level, Verdict
from payproof.contracts.profile import load
from payproof.contracts.run import RecordedWorld, Run

HOST = "https://localhost:8443"
BASE = f"{HOST}/pay/sandbox/api/v1"
CREATE, STATUS, TOKEN = f"{BASE}/payment/create", f"{BASE}/payment/status", f"{BASE}/authentication/token"
JSON = ("Content-Type", "application/json")
BEARER = ("Authorization", "Bearer <access-token-1>")
ORDER: dict[str, Any] = {
    "amount": "5000.00",
    "currency": "XAF",
    "return_url": "https://shop.example/return/1",
    "cancel_url": "https://shop.example/cancel/1",
    "custom": "order-1",
}
KEYS = {"client_id": "<client-id>", "secret_id": "<secret-key>"}


def a_call(
    url: str = CREATE, body: Any = ..., *, method: str = "POST", headers: Headers = (JSON, BEARER), **fields: Any
) -> Call:
    """A create call as it should be, but for what is given."""
    given = ORDER if body is ... else body
    text = given if isinstance(given, str) else json.dumps(given)
    request = Request(method=method, url=url, headers=headers, body=text)
    answer: dict[str, Any] = {"began": 0.0, "ended": 0.1, "ending": "answered", "response": Response(status=200)}
    return Call(**(answer | fields), request=request)


def judged(*calls: Call, gateway: str = "quatapay") -> Judgement:
    journal = Journal()
    for call in calls:
        journal.add(call)
    run = Run(gateway=gateway, worlds=(RecordedWorld(name="main", entries=tuple(journal.entries)),))
    result = judge(run, load(gateway))
    return next(found for found in result.judgements if found.requirement == "contract.request")


def wrong(*calls: Call, gateway: str = "quatapay") -> dict[str, Any]:
    """Place -> what was there, for every finding."""
    found = judged(*calls, gateway=gateway)
    places: dict[str, Any] = {}
    for finding in found.findings:
        if finding.verdict is Verdict.WARN:
            assert isinstance(finding.actual, dict)
            assert isinstance(finding.expected, dict)
            assert set(finding.actual) <= set(finding.expected)
            assert finding.evidence
            places |= finding.actual
    assert bool(places) is (found.verdict is Verdict.WARN)
    return places


def test_a_broken_contract_warns_and_names_field_count_source_and_evidence() -> None:
    found = judged(a_call(), a_call(body=ORDER | {"amount": "5,000.00"}), a_call(body=ORDER | {"amount": "9,000.00"}))
    assert (found.verdict, found.level) == (Verdict.WARN, Level.SHOULD)
    (finding,) = found.findings
    assert finding.title == "2 of 3 create calls: body /amount is 5,000.00"
    assert finding.expected == {
        "body /amount": 'a decimal above 0 with at most 2 decimals, like "5000.00"',
        "known from": "documented: Q3; choice 9",
    }
    assert finding.actual == {"body /amount": "5,000.00"}
    assert [str(pointer) for pointer in finding.evidence] == ["main#2", "main#3"]


def test_good_calls_pass_and_are_counted() -> None:
    ping = a_call(f"{BASE}/health", "", method="GET", headers=())
    found = judged(a_call(TOKEN, KEYS, headers=(JSON,)), a_call(), a_call(f"{STATUS}/p1", "", method="GET"), ping)
    assert found.verdict is Verdict.PASS
    assert found.findings[0].actual == {
        "calls": {"token": 1, "create": 1, "status": 1},
        "calls to addresses outside the contract": ["GET pay/sandbox/api/v1/health"],
    }


def test_without_a_call_nothing_is_said() -> None:
    assert judged().verdict is Verdict.NOT_EXERCISED
    assert judged(a_call(f"{HOST}/health", "", method="GET")).verdict is Verdict.NOT_EXERCISED


# Who must not be accused

FORM = ("Content-Type", "application/x-www-form-urlencoded")
MULTIPART = ("Content-Type", "multipart/form-data; boundary=b")
PARTS = "".join(
    f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in ORDER.items()
)
WITHOUT_CANCEL = {name: value for name, value in ORDER.items() if name not in ("cancel_url", "custom")}


@pytest.mark.parametrize(
    "call",
    [
        a_call(body=ORDER | {"amount": 5000}),
        a_call(body=ORDER | {"amount": 1234.56}),
        a_call(body=ORDER | {"amount": "5000"}),
        a_call(body=ORDER | {"amount": " 5000.5 "}),
        a_call(body=ORDER | {"amount": "0.01"}),
        a_call(body=WITHOUT_CANCEL),
        a_call(body=ORDER | {"cancel_url": "", "custom": ""}),
        a_call(body=ORDER | {"cancel_url": None, "custom": None}),
        a_call(body=ORDER | {"custom": "é" * 255}),
        a_call(body=ORDER | {"currency": "XTS"}),
        a_call(body=ORDER | {"return_url": "http://shop.example/return", "cancel_url": "http://shop.example/cancel"}),
        a_call(body=ORDER | {"return_url": "https://127.0.0.1:54321/wp/?wc-api=pay&order=1#top"}),
        a_call(body=ORDER | {"return_url": "https://bücher.example/zurück?name=Müller"}),
        a_call(body=ORDER | {"return_url": "https://shop.example/return?key=<secret-key:part>"}),
        a_call(body=ORDER | {"reference": "x", "webhook_url": 17}),
        a_call(f"{CREATE}/"),
        a_call(f"{HOST}/pay/api/v1/payment/create"),
        a_call(headers=(("content-type", "application/json; charset=utf-8"), ("authorization", "bearer <access-token-1>"))),
        a_call(headers=(("content-type", "application/vnd.shop+json"), BEARER)),
        a_call(body="amount=5000.00&currency=XAF&return_url=https%3A%2F%2Fs.example%2Fr", headers=(FORM, BEARER)),
        a_call(body=PARTS + "--b--\r\n", headers=(MULTIPART, BEARER)),
        a_call(f"{CREATE}?amount=5000.00&currency=XAF&return_url=https%3A%2F%2Fs.example%2Fr", "", headers=(BEARER,)),
        a_call(TOKEN, KEYS, headers=(JSON, ("Authorization", "Basic eDp5"))),
        a_call(f"{STATUS}/p1/", "", method="GET", headers=(JSON, BEARER)),
        a_call(f"{STATUS}/p1", "{}", method="GET"),
        a_call(f"{STATUS}/p1", "", method="HEAD"),
        a_call(f"{STATUS}?token=p1", "", method="GET"),
        a_call(STATUS, {"token": "p1"}),
        a_call(STATUS, {"token": "p1", **KEYS}, headers=(JSON,)),
        a_call(CREATE, "", method="OPTIONS", headers=()),
        a_call(f"{BASE}/payment/refund", "{}"),
        a_call(f"{HOST}/favicon.ico", "", method="GET", headers=()),
        a_call(body="{" + " " * BODY_LIMIT),
        a_call(body='{"amount": "50', ending="hung_up", response=None),
        a_call(body='{"amount": "50', ending="cut", response=None),
    ],
)  # fmt: skip
def test_what_the_contract_leaves_open_is_no_finding(call: Call) -> None:
    assert wrong(a_call(), call) == {}


# What is found


@pytest.mark.parametrize(
    ("call", "place", "actual"),
    [
        (a_call(method="PUT"), "method", "PUT"),
        (a_call(method="GET", body=""), "method", "GET"),
        (a_call(f"{BASE}/payments/create"), "path", "/payments/create"),
        (a_call(f"{HOST}/payment/create"), "path", "/payment/create"),
        (a_call(f"{BASE}/payment/create.php"), "path", "/payment/create.php"),
        (a_call(f"{BASE}//payment/create"), "path", "//payment/create"),
        (a_call(headers=(("Content-Type", "text/plain"), BEARER)), "header content-type", "text/plain"),
        (a_call(headers=(BEARER,)), "header content-type", "missing"),
        (a_call(body="amount=5&currency=XAF"), "body", "amount=5&currency=XAF"),
        (a_call(body="[]"), "body", "[]"),
        (a_call(headers=(JSON,)), "header authorization", "missing"),
        (a_call(headers=(JSON, ("Authorization", "<access-token-1>"))), "header authorization", "<access-token-1>"),
        (a_call(headers=(JSON, ("Authorization", "Bearer"))), "header authorization", "Bearer"),
        (a_call(headers=(JSON, ("Authorization", "Token <access-token-1>"))), "header authorization", "Token <access-token-1>"),
        (a_call(headers=(JSON, ("Authorization", "Bearer Bearer x"))), "header authorization", "Bearer Bearer x"),
        (a_call(f"{STATUS}/p1", "", method="GET", headers=()), "header authorization", "missing"),
        (a_call(STATUS, {"token": "p1"}, headers=(JSON,)), "header authorization", "missing"),
        (a_call(STATUS, {"token": "p1", "client_id": "<client-id>"}, headers=(JSON,)), "header authorization", "missing"),
        (a_call(STATUS, "", method="GET"), "query token", "missing"),
        (a_call(STATUS, {"tokn": "p1"}), "body /token", "missing"),
        (a_call(TOKEN, {"client_id": "<client-id>"}, headers=(JSON,)), "body /secret_id", "missing"),
        (a_call(TOKEN, KEYS | {"client_id": 17}, headers=(JSON,)), "body /client_id", 17),
        (a_call(body=ORDER | {"amount": True}), "body /amount", True),
        (a_call(body=ORDER | {"amount": {"value": "1"}}), "body /amount", {"value": "1"}),
        (a_call(body=ORDER | {"amount": ["5000.00"]}), "body /amount", ["5000.00"]),
        (a_call(body=ORDER | {"amount": ""}), "body /amount", ""),
        (a_call(body=ORDER | {"amount": None}), "body /amount", None),
        (a_call(body=ORDER | {"amount": "5000.000"}), "body /amount", "5000.000"),
        (a_call(body=ORDER | {"amount": 1234.567}), "body /amount", 1234.567),
        (a_call(body=ORDER | {"amount": "5 000"}), "body /amount", "5 000"),
        (a_call(body=ORDER | {"amount": "5000.00 XAF"}), "body /amount", "5000.00 XAF"),
        (a_call(body=ORDER | {"amount": "$5"}), "body /amount", "$5"),
        (a_call(body=ORDER | {"amount": "5E+3"}), "body /amount", "5E+3"),
        (a_call(body=ORDER | {"amount": "0.00"}), "body /amount", "0.00"),
        (a_call(body=ORDER | {"amount": -5}), "body /amount", -5),
        (a_call(body=ORDER | {"currency": "xaf"}), "body /currency", "xaf"),
        (a_call(body=ORDER | {"currency": "FCFA"}), "body /currency", "FCFA"),
        (a_call(body=ORDER | {"currency": 950}), "body /currency", 950),
        (a_call(body=ORDER | {"return_url": "/return/1"}), "body /return_url", "/return/1"),
        (a_call(body=ORDER | {"return_url": "shop.example/r"}), "body /return_url", "shop.example/r"),
        (a_call(body=ORDER | {"cancel_url": "cancel"}), "body /cancel_url", "cancel"),
        (a_call(body=ORDER | {"custom": 17}), "body /custom", 17),
        (a_call(body=ORDER | {"custom": "x" * 256}), "body /custom", f"{'x' * 200}… (256 characters)"),
        (
            a_call(body="amount=5%2C000&currency=XAF&return_url=https://s.example/", headers=(FORM, BEARER)),
            "body /amount",
            "5,000",
        ),
    ],
)  # fmt: skip
def test_what_the_contract_forbids_is_found_with_its_place(call: Call, place: str, actual: Any) -> None:
    assert wrong(a_call(), call) == {place: actual}


def test_every_missing_field_is_a_finding_of_its_own() -> None:
    assert wrong(a_call(body="{}")) == {
        "body /amount": "missing", "body /currency": "missing", "body /return_url": "missing",
    }  # fmt: skip


def test_the_observed_servers_ask_for_more() -> None:
    assert wrong(a_call(), gateway="qrpay") == {}
    assert wrong(a_call(body=ORDER | {"custom": None}), gateway="qrpay") == {}
    assert wrong(a_call(body=ORDER | {"amount": 5000}), gateway="qrpay") == {"body /amount": 5000}
    assert wrong(a_call(body=WITHOUT_CANCEL), gateway="qrpay") == {
        "body /cancel_url": "missing",
        "body /custom": "missing",
    }
    assert wrong(a_call(body=ORDER | {"cancel_url": ""}), gateway="qrpay") == {"body /cancel_url": ""}


def test_the_first_payment_is_judged_also_when_it_did_not_go_through() -> None:
    journal = Journal()
    journal.add(a_call(headers=(("Content-Type", "text/plain"), BEARER), response=Response(status=400)))
    run = Run(
        gateway="quatapay",
        worlds=(RecordedWorld(name="main", entries=tuple(journal.entries)),),
        scored=False,
        diagnosis=("The gateway refused the create call.",),
    )
    found = next(j for j in judge(run, load("quatapay")).judgements if j.requirement == "contract.request")
    assert found.verdict is Verdict.WARN


# What a server has to refuse lies further out than what should be sent


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({}, []),
        ({"amount": "5000.000"}, []),
        ({"amount": "+5e3"}, []),
        ({"currency": "xaf"}, []),
        ({"return_url": "ftp://shop.example/"}, []),
        ({"amount": "five"}, ["body /amount"]),
        ({"amount": "0.0"}, ["body /amount"]),
        ({"amount": True, "currency": None}, ["body /amount", "body /currency"]),
        ({"return_url": "/return"}, ["body /return_url"]),
        ({"custom": 17}, ["body /custom"]),
    ],
)
def test_between_right_and_refused_lies_what_servers_take(changes: dict[str, Any], places: list[str]) -> None:
    contract: Contract = contract_of(load("quatapay"))
    found = contract.refused(a_call(body=ORDER | changes).request)
    assert sorted(problem.place for problem in found) == places


def test_json_that_does_not_say_so_must_be_refused() -> None:
    found = contract_of(load("quatapay")).refused(a_call(headers=(("Content-Type", "text/plain"), BEARER)).request)
    assert [problem.place for problem in found] == ["body /amount", "body /currency", "body /return_url"]


@pytest.mark.parametrize("scheme", ["Bearer", "Basic", "basic"])
def test_a_key_travels_by_each_scheme_that_the_contract_names(scheme: str) -> None:
    asked = Request(method="GET", url=f"{HOST}/orders/{'a1' * 13}", headers=(("Authorization", f"{scheme} abcdefgh"),))
    assert contract_of(load("quay")).request_problems(asked) == ()
    (refused,) = contract_of(load("quay")).request_problems(replace(asked, headers=(("Authorization", "Digest x"),)))
    assert refused.expected == "Bearer and the access token, or Basic and the credentials"
    if scheme != "Bearer":
        assert contract_of(load("harbor")).request_problems(asked)
        token = Request(method="POST", url=f"{HOST}/oauth/token", headers=asked.headers)
        assert contract_of(load("harbor")).request_problems(token) == ()


def test_what_servers_take_is_said_at_any_depth() -> None:
    deep: dict[str, Any] = {
        "type": "array",
        "items": {"type": "object", "properties": {"note": {"type": "string", "x-accepted": {}}}},
    }
    contract = a_contract({"units": deep}, [])
    assert [problem.place for problem in contract.request_problems(an_order(b'{"units": [{"note": 7}]}'))] == [
        "body /units/0/note"
    ]
    assert list(contract.refused(an_order(b'{"units": [{"note": 7}]}'))) == []
    assert [problem.place for problem in contract.refused(an_order(b'{"units": 7}'))] == ["body /units"]


def test_a_header_that_the_contract_describes_is_read_off_the_headers() -> None:
    key = {
        "name": "Key",
        "in": "header",
        "required": True,
        "description": "A key.",
        "schema": {"type": "string", "maxLength": 3},
    }
    contract = a_contract({}, [key])
    assert list(contract.request_problems(an_order(b"{}", ("KEY", "abc")))) == []
    assert [problem.place for problem in contract.request_problems(an_order(b"{}", ("key", "abcd")))] == ["header Key"]
    (missing,) = contract.request_problems(an_order(b'{"Key": "abc"}'))
    assert (missing.place, missing.actual) == ("header Key", "missing")


def a_contract(properties: dict[str, Any], parameters: list[dict[str, Any]]) -> Contract:
    body = {"content": {"application/json": {"schema": {"type": "object", "properties": properties}}}}
    order: dict[str, Any] = {
        "operationId": "order",
        "security": [],
        "parameters": parameters,
        "requestBody": body,
        "responses": {},
    }
    document: dict[str, Any] = {
        "servers": [{"url": ""}],
        "paths": {"/orders": {"post": order}},
        "components": {"schemas": {}},
    }
    return Contract("harbor", document=document)


def an_order(body: bytes, *headers: tuple[str, str]) -> Request:
    return Request(
        method="POST",
        url="https://g.test/orders",
        headers=(("Content-Type", "application/json"), *headers),
        body=body.decode(),
    )


@pytest.mark.parametrize(("plain", "found"), [(True, {"body /order/total/minor": 500000.0}), (False, {})])
def test_an_integer_with_a_decimal_point_is_none_where_the_contract_says_so(plain: bool, found: dict[str, Any]) -> None:
    document: dict[str, Any] = {**document_of("harbor"), "x-wire": {"integers": {"plain": plain}}}
    api = ApiContract("harbor", document=document)
    asked = {"order": {"ref": "1", "total": {"minor": 500000.0, "code": "EUR"}}, "back": "https://shop.example/back"}
    request = Request(method="POST", url=f"{HOST}/orders", headers=(JSON, BEARER), body=json.dumps(asked))
    assert {each.place: each.actual for each in problems(api, api.match(request), request)} == found


# Forms and queries hold nothing but text


def counted(of: str, value: str, *, how: tuple[str, str] = FORM) -> list[str]:
    """Places that are wrong in a call whose contract asks for a number, or a truth value, of that type."""
    node: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Counting", "version": "1"},
        "servers": [{"url": ""}],
        "components": {"schemas": {"Count": {"type": of}}},
        "paths": {
            "/orders": {
                "post": {
                    "operationId": "order",
                    "x-operation": "order",
                    "parameters": [{"name": "Count", "in": "header", "description": "A count.", "schema": {"type": of}}],
                    "requestBody": {"content": {how[1].partition(";")[0]: {"schema": {"type": "object", "properties": {
                        "count": {"$ref": "#/components/schemas/Count"}}}}}},
                    "responses": {"200": {"description": "An order."}},
                }
            }
        },
    }  # fmt: skip
    api = ApiContract("invented", document=node)
    body = json.dumps({"count": value}) if how == JSON else f"count={value}"
    request = Request(method="POST", url=f"{HOST}/orders", headers=(how, ("Count", value)), body=body)
    return [problem.place for problem in problems(api, api.match(request), request)]


@pytest.mark.parametrize(
    ("of", "value"), [("integer", "5000"), ("integer", "-1"), ("number", "12.50"), ("boolean", "true"), ("string", "5")]
)
def test_a_number_in_a_form_or_a_header_is_its_text(of: str, value: str) -> None:
    assert counted(of, value) == []


@pytest.mark.parametrize(
    ("of", "value"), [("integer", "50.5"), ("integer", "5,000"), ("number", "many"), ("boolean", "yes")]
)
def test_a_text_that_spells_no_number_is_none_in_a_form_either(of: str, value: str) -> None:
    assert set(counted(of, value)) == {"body /count", "header Count"}


def test_a_number_in_json_is_no_text() -> None:
    assert counted("integer", "5000", how=JSON) == ["body /count"]
