from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from payproof.contracts.entries import Call
from payproof.simulator.testing import GatewayThread

Answer = Callable[..., httpx.Response]
Start = Callable[..., GatewayThread]
Opened = Callable[..., tuple[str, str]]
Issue = Callable[[GatewayThread], str]


def test_an_unpaid_payment_is_told_apart_from_an_unreachable_gateway(
    gateway: GatewayThread, opened: Opened, check: Answer
) -> None:
    payment, _ = opened(gateway)
    response = check(gateway, payment)
    assert response.status_code == 200
    assert response.json() == {
        "message": {"code": 200, "success": ["SUCCESS"]},
        "data": {
            "token": payment, "trx_id": None, "payer": None, "amount": "5000.00", "currency": "XAF",
            "custom": "order-1", "status": "CREATED", "paid": False,
        },
        "type": "success",
    }  # fmt: skip


def test_a_paid_payment_names_its_transaction_and_payer(gateway: GatewayThread, opened: Opened, check: Answer) -> None:
    payment, url = opened(gateway)
    back = httpx.URL(gateway.pay(url)).params
    data = check(gateway, payment).json()["data"]
    assert (data["status"], data["paid"], data["trx_id"]) == ("SUCCESS", True, back["data[trx_id]"])
    assert data["payer"] == {"username": "appdevs", "email": "sandbox@appdevs.net"}


@pytest.mark.parametrize("form", ["path", "query", "post", "post-form", "credentials"])
def test_the_check_has_three_forms(
    gateway: GatewayThread, opened: Opened, issue: Issue, http: httpx.Client, form: str
) -> None:
    payment, _ = opened(gateway)
    url, bearer = f"{gateway.base_url}/payment/status", {"Authorization": f"Bearer {issue(gateway)}"}
    keys = {"client_id": gateway.client_id, "secret_id": gateway.secret_key, "token": payment}
    responses = {
        "path": lambda: http.get(f"{url}/{payment}", headers=bearer),
        "query": lambda: http.get(url, params={"token": payment}, headers=bearer),
        "post": lambda: http.post(url, json={"token": payment}, headers=bearer),
        "post-form": lambda: http.post(url, data={"token": payment}, headers=bearer),
        "credentials": lambda: http.post(url, json=keys),
    }
    response = responses[form]()
    assert (response.status_code, response.json()["data"]["token"]) == (200, payment)
    call = gateway.journal()[-1]
    assert isinstance(call, Call)
    assert (call.event.operation, call.event.payment, call.payment_status.paid) == ("status", payment, False)


def test_wrong_credentials_are_refused_as_at_the_token_call(gateway: GatewayThread, http: httpx.Client) -> None:
    keys = {"client_id": gateway.client_id, "secret_id": "wrong", "token": "x"}
    response = http.post(f"{gateway.base_url}/payment/status", json=keys)
    assert (response.status_code, response.json()["message"]["error"]) == (400, ["Invalid secret ID"])


@pytest.mark.parametrize("form", ["unknown", "foreign"])
def test_an_unknown_or_foreign_payment_is_404_in_the_envelope(
    gateway: GatewayThread, opened: Opened, issue: Issue, authenticate: Answer, http: httpx.Client, form: str
) -> None:
    payment, _ = opened(gateway)
    token = issue(gateway)
    if form == "foreign":
        other = gateway.add_merchant()
        answer = authenticate(gateway, client_id=other.client_id, secret_id=other.secret_key)
        token = answer.json()["data"]["access_token"]
    path = {"unknown": "/" + "x" * 60, "foreign": f"/{payment}"}[form]
    response = http.get(f"{gateway.base_url}/payment/status{path}", headers={"Authorization": f"Bearer {token}"})
    assert (response.status_code, response.json()["message"]["error"]) == (404, ["Payment not found"])


@pytest.mark.parametrize("body", [None, {}, {"token": ""}, {"token": []}])
def test_a_check_that_names_no_payment_is_400(
    gateway: GatewayThread, issue: Issue, http: httpx.Client, body: dict[str, object] | None
) -> None:
    url, bearer = f"{gateway.base_url}/payment/status", {"Authorization": f"Bearer {issue(gateway)}"}
    response = http.get(url, headers=bearer) if body is None else http.post(url, json=body, headers=bearer)
    assert (response.status_code, response.json()["message"]["error"]) == (400, ["The token field is required."])


def test_without_a_bearer_it_is_403(gateway: GatewayThread, opened: Opened, http: httpx.Client) -> None:
    payment, _ = opened(gateway)
    assert http.get(f"{gateway.base_url}/payment/status/{payment}").status_code == 403


def test_a_tampered_payment_lies_for_good(gateway: GatewayThread, opened: Opened, check: Answer) -> None:
    payment, url = opened(gateway)
    gateway.tamper(payment, amount="1.00", currency="USD")
    gateway.pay(url)
    data = check(gateway, payment).json()["data"]
    assert (data["amount"], data["currency"], data["paid"]) == ("1.00", "USD", True)
    view = gateway.payment(payment)
    assert view
    assert (view.amount, view.currency) == ("5000.00", "XAF")


def test_a_forged_return_looks_perfect_and_pays_nothing(gateway: GatewayThread, opened: Opened, check: Answer) -> None:
    payment, _ = opened(gateway)
    forged = httpx.URL(gateway.forged_return(payment)).params
    assert (forged["type"], forged["data[token]"], forged["data[custom]"]) == ("success", payment, "order-1")
    assert len(forged["data[trx_id]"]) == 16
    assert check(gateway, payment).json()["data"]["paid"] is False


@pytest.mark.parametrize("wish", [{"amount": "5.03"}, {"custom": "o payproof:check=500"}])
def test_magic_values_break_the_check(
    gateway: GatewayThread, opened: Opened, check: Answer, wish: dict[str, str]
) -> None:
    assert check(gateway, opened(gateway, **wish)[0]).status_code == 500


def test_a_paid_payment_outlives_its_token_as_documented(gateway: GatewayThread, opened: Opened, check: Answer) -> None:
    payment, url = opened(gateway)
    gateway.pay(url)
    gateway.advance(86_400)
    assert check(gateway, payment).json()["data"]["paid"] is True


def test_the_observed_servers_forget_a_paid_payment(qrpay: GatewayThread, opened: Opened, check: Answer) -> None:
    payment, url = opened(qrpay)
    qrpay.pay(url)
    qrpay.advance(600)
    assert check(qrpay, payment).status_code == 404
    view = qrpay.payment(payment)
    assert view
    assert view.paid


def test_a_configured_path_is_served(start: Start, opened: Opened, issue: Issue, http: httpx.Client) -> None:
    gateway = start(knobs={"status_routes": ["/payment/check/{token}"]})
    payment, _ = opened(gateway)
    url = f"{gateway.base_url}/payment/check/{payment}"
    assert http.get(url, headers={"Authorization": f"Bearer {issue(gateway)}"}).json()["data"]["token"] == payment
