"""A running gateway, and the calls that nearly every test makes, as fixtures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from payproof.simulator.testing import GatewayThread

Start = Callable[..., GatewayThread]
Answer = Callable[..., httpx.Response]

ORDER = {
    "amount": "5000.00",
    "currency": "XAF",
    "return_url": "https://shop.example/return",
    "cancel_url": "https://shop.example/cancel",
    "custom": "order-1",
}


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:
        yield lambda *args, **kwargs: stack.enter_context(GatewayThread(*args, **kwargs))


@pytest.fixture
def gateway(start: Start) -> GatewayThread:
    return start()


@pytest.fixture
def qrpay(start: Start) -> GatewayThread:
    return start("qrpay")


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=10, verify=False) as client:  # loading the certificate store takes longer than a test
        yield client


@pytest.fixture
def authenticate(http: httpx.Client) -> Answer:
    def call(gateway: GatewayThread, **changes: Any) -> httpx.Response:
        keys = {"client_id": gateway.client_id, "secret_id": gateway.secret_key} | changes
        sent = {name: value for name, value in keys.items() if value is not ...}
        return http.post(f"{gateway.base_url}/authentication/token", json=sent)

    return call


@pytest.fixture
def issue(authenticate: Answer) -> Callable[[GatewayThread], str]:
    return lambda gateway: str(authenticate(gateway).json()["data"]["access_token"])


@pytest.fixture
def create(http: httpx.Client, issue: Callable[[GatewayThread], str]) -> Answer:
    """``...`` as a field's value leaves the field out; ``token`` is issued when none is given."""

    def call(gateway: GatewayThread, *, token: str | None = None, **changes: Any) -> httpx.Response:
        fields = {name: value for name, value in (ORDER | changes).items() if value is not ...}
        headers = {"Authorization": f"Bearer {token or issue(gateway)}"}
        return http.post(f"{gateway.base_url}/payment/create", json=fields, headers=headers)

    return call


@pytest.fixture
def opened(create: Answer) -> Callable[..., tuple[str, str]]:
    """(payment, payment_url) of a new payment."""

    def call(gateway: GatewayThread, **changes: Any) -> tuple[str, str]:
        data = create(gateway, **changes).json()["data"]
        return data["token"], data["payment_url"]

    return call


@pytest.fixture
def check(http: httpx.Client, issue: Callable[[GatewayThread], str]) -> Answer:
    def call(gateway: GatewayThread, payment: str, *, token: str | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or issue(gateway)}"}
        return http.get(f"{gateway.base_url}/payment/status/{payment}", headers=headers)

    return call
