from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from payproof.simulator.testing import GatewayThread

Answer = Callable[..., httpx.Response]
Start = Callable[..., GatewayThread]
Issue = Callable[[GatewayThread], str]
INVALID_TOKEN = "Requested with invalid token!"


def errors(response: httpx.Response) -> list[str]:
    body = response.json()
    assert (body["data"], body["type"], body["message"]["code"]) == ([], "error", response.status_code)
    return list(body["message"]["error"])


def test_success_names_the_payment_and_its_page(gateway: GatewayThread, create: Answer) -> None:
    body = create(gateway).json()
    assert (body["message"], body["type"]) == ({"code": 200, "success": ["CREATED"]}, "success")
    payment = body["data"]["token"]
    assert re.fullmatch(r"[A-HJKM-Za-z1-9]{60}", payment)
    assert body["data"]["payment_url"] == f"{gateway.url}/pay/sandbox/v1/user/authentication/form/{payment}"


@pytest.mark.parametrize("name", ["quatapay", "qrpay"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"}])
def test_no_bearer_is_403(start: Start, http: httpx.Client, name: str, headers: dict[str, str]) -> None:
    response = http.post(f"{start(name).base_url}/payment/create", headers=headers)
    assert (response.status_code, errors(response)) == (403, ["Access denied! Token not found"])


def test_an_unknown_token_is_403(gateway: GatewayThread, create: Answer) -> None:
    response = create(gateway, token="x" * 350)
    assert (response.status_code, errors(response)) == (403, [INVALID_TOKEN])


@pytest.mark.parametrize(("name", "later"), [("quatapay", 401), ("qrpay", 403)])
def test_a_token_from_before_the_gateway_began_has_expired_and_is_purged_like_any_other(
    start: Start, create: Answer, issue: Issue, name: str, later: int
) -> None:
    gateway = start(name)
    gateway.simulator.store.had_earlier_tokens = True
    assert create(gateway, token="x" * 350).status_code == 401
    assert create(gateway, token="x" * 20).status_code == 403
    assert "x" * 350 not in repr(gateway.journal)
    issue(gateway)
    assert create(gateway, token="y" * 350).status_code == later


def test_both_can_be_401_by_knob(start: Start, create: Answer, http: httpx.Client) -> None:
    gateway = start(knobs={"unknown_token_status": 401, "no_bearer_status": 401})
    response = create(gateway, token="x" * 350)
    assert (response.status_code, response.json()["message"]["code"]) == (401, 401)
    assert http.post(f"{gateway.base_url}/payment/create").status_code == 401


@pytest.mark.parametrize("name", ["quatapay", "qrpay"])
def test_a_token_is_good_at_600_seconds_and_expired_after(
    start: Start, create: Answer, issue: Issue, name: str
) -> None:
    gateway = start(name)
    token = issue(gateway)
    gateway.advance(600)
    assert create(gateway, token=token).status_code == 200
    gateway.advance(1)
    response = create(gateway, token=token)
    assert (response.status_code, errors(response)) == (401, ["Request token is expired"])


def test_a_young_token_that_the_gateway_revoked_is_expired(
    gateway: GatewayThread, create: Answer, issue: Issue
) -> None:
    token = issue(gateway)
    assert gateway.expire_tokens() == 1
    assert create(gateway, token=token).status_code == 401
    assert create(gateway).status_code == 200


def test_as_documented_one_token_makes_many_payments(gateway: GatewayThread, create: Answer, issue: Issue) -> None:
    token = issue(gateway)
    made = {create(gateway, token=token, custom=f"o-{n}").json()["data"]["token"] for n in range(3)}
    assert len(made) == 3


BAD_FIELDS: list[tuple[dict[str, Any], list[str]]] = [
    ({"amount": ...}, ["The amount field is required."]),
    ({"amount": ""}, ["The amount field is required."]),
    ({"amount": "   "}, ["The amount field is required."]),
    ({"amount": None}, ["The amount field is required."]),
    ({"amount": "abc"}, ["The amount must be a number.", "The amount must be greater than 0."]),
    ({"amount": "NaN"}, ["The amount must be a number.", "The amount must be greater than 0."]),
    ({"amount": "1,000"}, ["The amount must be a number.", "The amount must be greater than 0."]),
    ({"amount": "1_000"}, ["The amount must be a number.", "The amount must be greater than 0."]),
    ({"amount": True}, ["The amount must be a number.", "The amount must be greater than 0."]),
    ({"amount": "0"}, ["The amount must be greater than 0."]),
    ({"amount": "-5"}, ["The amount must be greater than 0."]),
    ({"currency": ...}, ["The currency field is required."]),
    ({"currency": "xaf"}, ["The selected currency is invalid."]),
    ({"currency": "XTS"}, ["The selected currency is invalid."]),
    ({"currency": 5}, ["The currency must be a string."]),
    ({"return_url": ""}, ["The return url field is required."]),
    ({"return_url": "shop/return"}, ["The return url must be a valid URL."]),
    ({"return_url": "javascript:alert(1)"}, ["The return url must be a valid URL."]),
    ({"cancel_url": "nowhere"}, ["The cancel url must be a valid URL."]),
    ({"custom": "x" * 256}, ["The custom must not be greater than 255 characters."]),
    ({"custom": 17}, ["The custom must be a string."]),
    (
        {"amount": ..., "currency": ..., "return_url": ..., "cancel_url": ..., "custom": ...},
        ["The amount field is required.", "The currency field is required.", "The return url field is required."],
    ),
]


@pytest.mark.parametrize(("changes", "texts"), BAD_FIELDS)
def test_bad_fields_are_told_together(
    gateway: GatewayThread, create: Answer, changes: dict[str, Any], texts: list[str]
) -> None:
    response = create(gateway, **changes)
    assert (response.status_code, errors(response)) == (400, texts)


@pytest.mark.parametrize(
    "changes",
    [{"cancel_url": ...}, {"cancel_url": ""}, {"custom": ...}, {"custom": None}, {"amount": 5000.5}, {"amount": 12},
     {"amount": "1e3"}, {"return_url": "http://127.0.0.1:5000/back"}, {"custom": "x" * 255}],
)  # fmt: skip
def test_what_the_documents_allow_is_taken(gateway: GatewayThread, create: Answer, changes: dict[str, Any]) -> None:
    assert create(gateway, **changes).status_code == 200


QRPAY_FIELDS: list[tuple[dict[str, Any], int, list[str]]] = [
    ({"cancel_url": ...}, 400, ["The cancel url field is required."]),
    ({"cancel_url": ""}, 400, ["The cancel url field is required."]),
    ({"amount": 5000}, 400, ["The amount must be a string."]),
    ({"amount": 0}, 400, ["The amount must be a string.", "The amount must be greater than 0."]),
    ({"custom": ...}, 500, ["Failed to create payment! Please try again"]),
]


@pytest.mark.parametrize(("changes", "status", "texts"), QRPAY_FIELDS)
def test_the_observed_servers_are_stricter(
    qrpay: GatewayThread, create: Answer, changes: dict[str, Any], status: int, texts: list[str]
) -> None:
    response = create(qrpay, **changes)
    assert (response.status_code, errors(response)) == (status, texts)


@pytest.mark.parametrize("custom", ["", None])
def test_the_observed_servers_take_an_empty_custom(qrpay: GatewayThread, create: Answer, custom: str | None) -> None:
    assert create(qrpay, custom=custom).status_code == 200


def test_switches_refuse_http_and_third_decimals(start: Start, create: Answer) -> None:
    gateway = start(knobs={"refuse_http_urls": True, "strict_decimals": True})
    response = create(gateway, return_url="http://a.example/", cancel_url="http://a.example/", amount="1.005")
    assert errors(response) == [
        "The amount must not have more than 2 decimal places.",
        "The return url must use HTTPS.",
        "The cancel url must use HTTPS.",
    ]
    assert create(gateway, return_url="http://localhost/", cancel_url="http://127.0.0.1/").status_code == 200


@pytest.mark.parametrize("amount", ["1e20", "1e900"])
def test_an_amount_beyond_the_column_is_a_storage_error(gateway: GatewayThread, create: Answer, amount: str) -> None:
    response = create(gateway, amount=amount)
    assert (response.status_code, errors(response)) == (500, ["Failed to create payment! Please try again"])


def test_an_exponent_of_a_million_digits_harms_nobody(gateway: GatewayThread, create: Answer) -> None:
    assert create(gateway, amount="1e999999999").status_code == 400


def test_a_merchant_that_is_gone_cannot_create(gateway: GatewayThread, create: Answer, issue: Issue) -> None:
    token = issue(gateway)
    gateway.simulator.store.merchant(gateway.client_id).gone = True
    response = create(gateway, token=token)
    assert (response.status_code, errors(response)) == (400, ["Merchant does't exists"])


def test_a_sandbox_token_on_the_live_path_is_refused(gateway: GatewayThread, http: httpx.Client, issue: Issue) -> None:
    fields = {"amount": "1", "currency": "XAF", "return_url": "https://a.example/"}
    headers = {"Authorization": f"Bearer {issue(gateway)}"}
    response = http.post(f"{gateway.url}/pay/api/v1/payment/create", json=fields, headers=headers)
    assert (response.status_code, errors(response)) == (400, ["Requested with invalid credentials"])


def test_amounts_are_rounded_to_two_places(gateway: GatewayThread, create: Answer) -> None:
    create(gateway, amount="10.005")
    assert gateway.payments()[0].amount == "10.01"


def test_a_trailing_slash_is_accepted(gateway: GatewayThread, http: httpx.Client) -> None:
    assert http.post(f"{gateway.base_url}/payment/create/").status_code == 403


@pytest.mark.parametrize("path", ["/authentication/token", "/payment/create"])
def test_get_on_a_post_route_is_405_outside_the_envelope(gateway: GatewayThread, http: httpx.Client, path: str) -> None:
    response = http.get(gateway.base_url + path)
    assert (response.status_code, response.json()) == (405, {"message": "Method Not Allowed"})
    assert response.headers["allow"] == "POST"


def test_an_unknown_path_is_404_outside_the_envelope(gateway: GatewayThread, http: httpx.Client) -> None:
    response = http.get(f"{gateway.base_url}/payment/verify")
    assert (response.status_code, response.json()) == (404, {"message": "Not Found"})


def test_the_observed_servers_answer_pages_unless_json_is_wanted(qrpay: GatewayThread, http: httpx.Client) -> None:
    url = f"{qrpay.base_url}/nowhere"
    assert http.get(url).headers["content-type"].startswith("text/html")
    wanted = {"Accept": "application/json"}
    lost = "The route pay/sandbox/api/v1/nowhere could not be found."
    assert http.get(url, headers=wanted).json() == {"message": lost}
    create = "pay/sandbox/api/v1/payment/create"
    refused = f"The GET method is not supported for route {create}. Supported methods: POST."
    assert http.get(f"{qrpay.base_url}/payment/create", headers=wanted).json() == {"message": refused}


def test_the_observed_servers_look_a_currency_up_whatever_its_letter_case(
    gateway: GatewayThread, qrpay: GatewayThread, create: Answer
) -> None:
    assert (create(gateway, currency="xaf").status_code, create(qrpay, currency="xaf").status_code) == (400, 200)


def test_the_observed_servers_escape_slashes(qrpay: GatewayThread, create: Answer) -> None:
    assert '"payment_url":"http:\\/\\/127.0.0.1:' in create(qrpay).text


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"amount": "4.01"}, 400), ({"amount": "4.03"}, 403), ({"amount": "4.29"}, 429), ({"amount": 5.01}, 500),
     ({"amount": "5.02"}, 502), ({"custom": "o-1 payproof:status=503"}, 503),
     ({"custom": "payproof:error=currency"}, 400)],
)  # fmt: skip
def test_magic_values_ask_for_an_answer(
    gateway: GatewayThread, create: Answer, changes: dict[str, Any], status: int
) -> None:
    assert create(gateway, **changes).status_code == status
    assert gateway.payments() == ()


def test_magic_values_can_be_switched_off(start: Start, create: Answer) -> None:
    assert create(start(knobs={"magic_values": False}), amount="4.01").status_code == 200


@pytest.mark.parametrize("wish", ["html=204", "status=304", "status=999", "html=²00"])
def test_a_magic_status_that_cannot_be_sent_is_not_obeyed(gateway: GatewayThread, create: Answer, wish: str) -> None:
    assert create(gateway, custom=f"order payproof:{wish}").json()["type"] == "success"
