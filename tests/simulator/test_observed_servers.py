"""The profile qrpay: the access token is the payment (gateway-facts 3.4)."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from payproof.contracts.entries import Ledger
from payproof.simulator.testing import GatewayThread

Answer = Callable[..., httpx.Response]
Start = Callable[..., GatewayThread]
Issue = Callable[[GatewayThread], str]


def test_a_second_create_overwrites_the_first_order(qrpay: GatewayThread, create: Answer, issue: Issue) -> None:
    token = issue(qrpay)
    first = create(qrpay, token=token, custom="order-1", amount="10.00").json()["data"]
    second = create(qrpay, token=token, custom="order-2", amount="99.00").json()["data"]
    assert first == second
    (view,) = qrpay.payments()
    assert (view.reference, view.amount) == ("order-2", "99.00")
    books = [entry.event for entry in qrpay.journal() if isinstance(entry, Ledger)]
    assert books == ["token_issued", "opened", "updated"]


def test_a_paid_token_is_refused(qrpay: GatewayThread, create: Answer, issue: Issue) -> None:
    token = issue(qrpay)
    qrpay.pay(create(qrpay, token=token).json()["data"]["payment_url"])
    response = create(qrpay, token=token)
    assert (response.status_code, response.json()["message"]["error"]) == (400, ["Requested with invalid token!"])


def test_an_expired_token_is_401_until_the_next_token_call_and_403_after(
    qrpay: GatewayThread, create: Answer, issue: Issue
) -> None:
    token = issue(qrpay)
    qrpay.advance(601)
    assert create(qrpay, token=token).status_code == 401
    issue(qrpay)
    response = create(qrpay, token=token)
    assert (response.status_code, response.json()["message"]["error"]) == (403, ["Requested with invalid token!"])


def test_any_merchant_s_token_call_purges_everybody(
    qrpay: GatewayThread, authenticate: Answer, issue: Issue, create: Answer
) -> None:
    token = issue(qrpay)
    other = qrpay.add_merchant()
    qrpay.advance(601)
    authenticate(qrpay, client_id=other.client_id, secret_id=other.secret_key)
    assert create(qrpay, token=token).status_code == 403


def test_a_refused_token_call_purges_nothing(
    qrpay: GatewayThread, authenticate: Answer, issue: Issue, create: Answer
) -> None:
    token = issue(qrpay)
    qrpay.advance(601)
    authenticate(qrpay, secret_id="wrong")
    assert create(qrpay, token=token).status_code == 401


def test_an_old_token_expires_its_payment(qrpay: GatewayThread, create: Answer, issue: Issue) -> None:
    token = issue(qrpay)
    create(qrpay, token=token)
    qrpay.advance(601)
    create(qrpay, token=token)
    assert qrpay.payments()[0].status == "EXPIRED"


def test_documented_tokens_stay_401(gateway: GatewayThread, create: Answer, issue: Issue) -> None:
    token = issue(gateway)
    gateway.advance(601)
    issue(gateway)
    assert create(gateway, token=token).status_code == 401


def test_sixty_requests_a_minute_then_429_outside_the_envelope(qrpay: GatewayThread, http: httpx.Client) -> None:
    url, headers = f"{qrpay.base_url}/payment/create", {"Accept": "application/json", "X-Forwarded-For": "203.0.113.9"}
    first = http.post(url, headers=headers)
    assert (first.headers["x-ratelimit-limit"], first.headers["x-ratelimit-remaining"]) == ("60", "59")
    for _ in range(59):
        assert http.post(url, headers=headers).status_code == 403
    over = http.post(url, headers=headers)
    assert (over.status_code, over.json()) == (429, {"message": "Too Many Attempts."})
    assert 1 <= int(over.headers["retry-after"]) <= 60
    assert {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"} <= set(over.headers)
    qrpay.advance(60)
    assert http.post(url, headers=headers).status_code == 403


def test_a_deployment_may_advertise_another_life_than_it_keeps(
    start: Start, authenticate: Answer, create: Answer
) -> None:
    gateway = start("qrpay", knobs={"advertised_life": 60_000_000})
    data = authenticate(gateway).json()["data"]
    assert data["expire_time"] == 60_000_000
    gateway.advance(601)
    assert create(gateway, token=data["access_token"]).status_code == 401
