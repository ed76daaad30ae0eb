"""The invented gateway's notices and its shop, a program of its own: what the shop does with them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from ports import free_port

from payproof.contracts.entries import Forgery
from payproof.simulator.testing import GatewayThread

LIB = Path(__file__).parents[1] / "lib"


@dataclass
class Shop:
    gateway: GatewayThread
    http: httpx.Client

    def opened(self, order: str) -> str:
        body = {"order_id": order, "amount": "12.34", "currency": "EUR"}
        answer = self.http.post("/checkout", json=body)
        assert answer.status_code == 303, answer.text
        return urlsplit(answer.headers["location"]).path.removeprefix("/p/")

    def approved(self, order: str) -> str:
        """The customer agrees to pay, and never comes back."""
        payment, payer = self.opened(order), self.gateway.profile.payers["paid"]
        form = {"who": payer.login, "pin": payer.password}
        assert httpx.post(f"{self.gateway.url}/p/{payment}", data=form).status_code == 303
        return payment

    def state(self, order: str) -> tuple[str, int]:
        found = self.http.get(f"/orders/{order}").json()
        return str(found["status"]), int(found["shipments"])


def until_ready(process: subprocess.Popen[bytes], http: httpx.Client) -> None:
    deadline = time.monotonic() + 30
    while True:
        assert process.poll() is None, "the shop ended by itself"
        try:
            http.get("/health")
            return
        except httpx.TransportError:
            assert time.monotonic() < deadline, "the shop does not answer"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with GatewayThread("harbor") as gateway:
        port = free_port()
        env = {
            **os.environ, "PYTHONPATH": str(LIB), "PORT": str(port), "DATA_DIR": str(tmp_path),
            "PUBLIC_URL": "https://shop.test", "PAY_BASE_URL": gateway.base_url, "PAY_CLIENT_ID": gateway.client_id,
            "PAY_SECRET_KEY": gateway.secret_key, "NOTICE_SECRET": gateway.merchant.credentials["notice-secret"],
        }  # fmt: skip
        process = subprocess.Popen([sys.executable, "-m", "harbor.shop"], env=env, stdout=subprocess.DEVNULL)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as http:
                until_ready(process, http)
                gateway.notify(f"http://127.0.0.1:{port}/notices")
                yield Shop(gateway, http)
        finally:
            process.kill()
            process.wait()


def test_a_genuine_notice_is_taken_and_pays_the_order_of_a_customer_who_never_comes_back(shop: Shop) -> None:
    shop.approved("1001")
    taken = {each.event: each.accepted for each in shop.gateway.deliveries()}  # they may overtake each other
    assert taken == {"order.approved": True, "order.taken": True}
    assert shop.state("1001") == ("paid", 1)


@pytest.mark.parametrize("how", ["unsigned", "empty", "half", "other-secret", "other-body", "old"])
def test_a_forged_notice_is_refused_and_changes_nothing(shop: Shop, how: Forgery) -> None:
    payment = shop.opened("1001")
    delivery = shop.gateway.forge_notice(payment, how)
    assert delivery.response is not None
    assert delivery.response.status == 400
    assert shop.state("1001") == ("pending", 0)


def test_what_could_not_be_verified_is_told_again_by_the_schedule(shop: Shop) -> None:
    fault = shop.gateway.arm("status", operation="look", params={"status": 500})
    shop.approved("1001")
    (delivery,) = shop.gateway.deliveries()
    assert delivery.response is not None
    assert delivery.response.status == 503
    assert shop.state("1001") == ("pending", 0)
    shop.gateway.clear(fault)
    assert len(shop.gateway.deliveries()) == 1, "not before its time"
    shop.gateway.advance(10.1)
    assert [each.accepted for each in shop.gateway.deliveries()] == [False, True, True]
    assert shop.state("1001") == ("paid", 1)


def test_the_same_notice_at_once_and_again_delivers_once(shop: Shop) -> None:
    shop.gateway.hold_notices()
    shop.approved("1001")
    (notice,) = shop.gateway.notices()
    assert all(each.accepted for each in shop.gateway.repeat_notice(notice.id, 5, at_once=True))
    shop.gateway.release_notices()
    shop.gateway.deliveries()
    assert shop.state("1001") == ("paid", 1)


def test_notices_in_the_wrong_order_leave_the_order_paid(shop: Shop) -> None:
    shop.gateway.hold_notices()
    payment = shop.opened("1001")
    httpx.get(f"{shop.gateway.url}/p/{payment}/abort")
    payer = shop.gateway.profile.payers["paid"]
    httpx.post(f"{shop.gateway.url}/p/{payment}", data={"who": payer.login, "pin": payer.password})
    aborted, agreed = shop.gateway.notices()
    assert all(each.accepted for each in shop.gateway.release_notices([agreed.id, aborted.id]))
    assert shop.state("1001") == ("paid", 1)
