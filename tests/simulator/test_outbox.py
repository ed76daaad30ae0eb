"""Notices: signed afresh at real time, repeated by the gateway's clock, and everything that can be done to them on the way."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from harbor.dialect import Harbor
from receiver import Received, Receiver

from payproof.contracts.entries import Delivery, Forgery
from payproof.contracts.model import PayproofError
from payproof.contracts.profile import load
from payproof.simulator.books.records import Payment
from payproof.simulator.control.control import control
from payproof.simulator.notices.forging import SPELLINGS, Spelling, signed, spelled
from payproof.simulator.testing import GatewayThread


@pytest.fixture
def gateway() -> Iterator[GatewayThread]:
    with GatewayThread("harbor") as gateway:
        yield gateway


@pytest.fixture
def shop(gateway: GatewayThread) -> Iterator[Receiver]:
    with Receiver() as shop:
        gateway.notify(shop.url)
        yield shop


def secret(gateway: GatewayThread) -> str:
    return gateway.merchant.credentials["notice-secret"]


def opened(gateway: GatewayThread) -> str:
    """A payment of 12.34 EUR."""
    with httpx.Client(base_url=gateway.url) as http:
        pair = (gateway.client_id, gateway.secret_key)
        token = http.post("/oauth/token", auth=pair).json()["access_token"]
        order = {"ref": "order-1", "total": {"minor": 1234, "code": "EUR"}}
        asked = {"order": order, "back": "https://shop.test/back", "abort": "https://shop.test/stop"}
        return str(http.post("/orders", json=asked, headers={"Authorization": f"Bearer {token}"}).json()["id"])


def approved(gateway: GatewayThread) -> str:
    payment = opened(gateway)
    payer = gateway.profile.payers["paid"]
    answer = httpx.post(f"{gateway.url}/p/{payment}", data={"who": payer.login, "pin": payer.password})
    assert answer.status_code == 303
    return payment


def right(gateway: GatewayThread, got: Received, key: str = "") -> bool:
    at, _, mac = got.headers.get("harbor-sign", "").removeprefix("t=").partition(";h=")
    return mac == hmac.new((key or secret(gateway)).encode(), f"{at}.".encode() + got.body, hashlib.sha256).hexdigest()


def signed_at(got: Received) -> int:
    return int(got.headers["harbor-sign"].removeprefix("t=").partition(";")[0])


def test_what_happens_is_told_once_signed_and_journaled(gateway: GatewayThread, shop: Receiver) -> None:
    payment = approved(gateway)
    (delivery,) = gateway.deliveries()
    (got,) = shop.got
    assert right(gateway, got)
    assert (got.path, got.headers["content-type"]) == ("/notices", "application/json")
    assert json.loads(got.body)["order"]["id"] == payment
    assert (delivery.event, delivery.payment, delivery.attempt) == ("order.approved", payment, 1)
    assert delivery.accepted
    assert delivery.genuine
    assert delivery.request.body == got.body.decode()
    assert [notice.state for notice in gateway.notices()] == ["taken"]


def test_the_secret_of_notices_is_in_no_entry(gateway: GatewayThread, shop: Receiver) -> None:
    approved(gateway)
    gateway.deliveries()
    assert secret(gateway) not in repr(gateway.journal())
    assert gateway.simulator.journal.redactor.redact(secret(gateway)) == "<notice-secret-1>"


def test_without_an_endpoint_nobody_is_told(gateway: GatewayThread) -> None:
    approved(gateway)
    assert gateway.deliveries() == ()
    assert gateway.notices() == ()


def test_one_event_may_be_told_in_several_notices_each_repeated_by_itself(
    gateway: GatewayThread, shop: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    notices = Harbor.notices

    def touched_too(self: Harbor, payment: Payment, event: str) -> tuple[tuple[str, bytes], ...]:
        body = {"kind": "order.touched", "nr": f"t-{event}", "order": {"id": payment.payment}}
        own = notices(self, payment, event)
        return ((f"t-{event}", json.dumps(body).encode()), *own) if own else ()

    monkeypatch.setattr(Harbor, "notices", touched_too)
    shop.answers = [503]  # to whichever arrives first
    payment = approved(gateway)
    sent = gateway.deliveries()
    assert {each.event for each in sent} == {"order.touched", "order.approved"}
    assert [notice.state for notice in gateway.notices()].count("waiting") == 1
    gateway.advance(11)
    (refused,) = [each for each in sent if not each.accepted]
    (again,) = gateway.deliveries()[2:]
    assert (again.id, again.attempt, again.accepted) == (refused.id, 2, True)
    assert gateway.forge_notice(payment, "half").event == "order.taken", "which of several says that it was paid"


def test_a_gateway_without_notices_sends_none(shop: Receiver) -> None:
    with GatewayThread() as other:
        other.notify(shop.url)
        assert not other.simulator.clock.listeners
        with pytest.raises(PayproofError, match="no secret for notices"):
            other.simulator.roll_notice_secret(other.merchant)


@pytest.mark.parametrize("answer", [503, 404, 302, None])
def test_anything_but_2xx_is_repeated_by_the_gateways_clock(
    gateway: GatewayThread, shop: Receiver, answer: int | None
) -> None:
    shop.answers = [answer, answer]
    approved(gateway)
    first = gateway.deliveries()
    assert [each.accepted for each in first] == [False]
    assert gateway.notices()[0].state == "waiting"
    gateway.advance(9)
    assert len(gateway.deliveries()) == 1, "the schedule says ten seconds"
    gateway.advance(1.1)
    assert len(gateway.deliveries()) == 2
    gateway.advance(59)
    assert len(gateway.deliveries()) == 2, "and then sixty"
    gateway.advance(1.1)
    assert [(each.attempt, each.accepted) for each in gateway.deliveries()] == [(1, False), (2, False), (3, True)]
    gateway.advance(100_000)
    assert len(gateway.deliveries()) == 3
    assert len({got.body for got in shop.got}) == 1


def test_the_last_attempt_of_the_schedule_is_the_last(gateway: GatewayThread, shop: Receiver) -> None:
    shop.answers = [500, 500, 500, 500, 500]
    approved(gateway)
    for seconds in (*gateway.profile.notices.retries, 100_000) if gateway.profile.notices else ():
        gateway.deliveries()
        gateway.advance(seconds)
    assert len(gateway.deliveries()) == 4
    assert gateway.notices()[0].state == "given up"


def test_each_attempt_is_signed_at_real_time_however_far_the_gateways_clock_went(
    gateway: GatewayThread, shop: Receiver
) -> None:
    shop.answers = [500]
    gateway.advance(86_400)
    approved(gateway)
    gateway.deliveries()
    gateway.simulator.outbox._real_time = lambda: time.time() + 7  # pyright: ignore[reportPrivateUsage]
    gateway.advance(10.1)
    gateway.deliveries()
    first, second = shop.got
    assert abs(signed_at(first) - time.time()) < 60
    assert signed_at(second) - signed_at(first) >= 7
    assert right(gateway, first)
    assert right(gateway, second)


def test_while_a_secret_is_rolled_the_scheme_is_given_both(gateway: GatewayThread, shop: Receiver) -> None:
    row = next(gateway.simulator.store.merchants())  # pyright: ignore[reportPrivateUsage]
    old = secret(gateway)
    gateway.merchant = gateway.simulator.roll_notice_secret(gateway.merchant)
    assert secret(gateway) != old
    assert row.good("notice-secret", 86_400, gateway.simulator.clock) == (secret(gateway), old)
    gateway.advance(86_401)
    assert row.good("notice-secret", 86_400, gateway.simulator.clock) == (secret(gateway),)
    approved(gateway)
    gateway.deliveries()
    assert right(gateway, shop.got[0])
    assert not right(gateway, shop.got[0], old)


def test_what_is_kept_back_comes_in_the_order_that_is_asked_for(gateway: GatewayThread, shop: Receiver) -> None:
    gateway.hold_notices()
    first, second = approved(gateway), approved(gateway)
    assert gateway.deliveries() == ()
    ids = [notice.id for notice in gateway.notices()]
    released = gateway.release_notices([ids[1]])
    assert [each.payment for each in released] == [second, first]
    third = approved(gateway)
    assert gateway.deliveries()[-1].payment == third, "and what comes later is sent"


def test_what_is_lost_is_not_repeated(gateway: GatewayThread, shop: Receiver) -> None:
    gateway.lose_notices()
    approved(gateway)
    gateway.advance(100_000)
    assert gateway.release_notices() == []
    assert shop.got == []


@pytest.mark.parametrize("at_once", [False, True])
def test_the_same_bytes_come_again(gateway: GatewayThread, shop: Receiver, at_once: bool) -> None:
    approved(gateway)
    gateway.deliveries()
    again = gateway.repeat_notice(gateway.notices()[0].id, 4, at_once=at_once)
    assert sorted(each.attempt for each in again) == [2, 3, 4, 5]
    assert len({got.body for got in shop.got}) == 1
    assert all(right(gateway, got) for got in shop.got)
    with pytest.raises(PayproofError, match="no notice"):
        gateway.repeat_notice("unknown")


def test_a_gateway_does_not_wait_for_the_shop(gateway: GatewayThread, shop: Receiver) -> None:
    shop.gate.clear()
    payment = approved(gateway)
    assert gateway.payment(payment), "the page was answered while the notice was not"
    shop.gate.set()
    assert len(gateway.deliveries()) == 1


def test_a_page_can_wait_for_the_notice_before_it_sends_the_customer_back(
    gateway: GatewayThread, shop: Receiver
) -> None:
    deps: Any = getattr(gateway.simulator.dialect, "deps")  # noqa: B009  # the test's own dialect
    gateway.hold_notices()
    payment = approved(gateway)
    row = deps.store.payment(payment)
    gateway._wait_for(deps.notified(row, 5))  # pyright: ignore[reportPrivateUsage]  # nothing is under way
    shop.gate.clear()
    gateway._do(lambda: setattr(gateway.simulator.outbox, "mode", "send"))  # pyright: ignore[reportPrivateUsage]
    gateway._do(lambda: deps.store.approve(row, payer=row.payer, status="approved"))  # pyright: ignore[reportPrivateUsage]
    gateway._wait_for(deps.notified(row, 0.05))  # pyright: ignore[reportPrivateUsage]  # longer it does not wait
    assert not any(isinstance(entry, Delivery) for entry in gateway.journal())
    shop.gate.set()
    gateway._wait_for(deps.notified(row, 10))  # pyright: ignore[reportPrivateUsage]
    assert any(isinstance(entry, Delivery) for entry in gateway.journal())


@pytest.mark.parametrize(
    ("how", "signature"),
    [("unsigned", False), ("empty", True), ("half", True), ("other-secret", True), ("other-body", True)],
)
def test_a_forged_notice_claims_a_payment_and_its_signature_is_wrong(
    gateway: GatewayThread, shop: Receiver, how: Forgery, signature: bool
) -> None:
    payment = opened(gateway)
    delivery = gateway.forge_notice(payment, how)
    (got,) = shop.got
    assert (delivery.forged, delivery.paid, delivery.payment) == (how, True, payment)
    assert ("harbor-sign" in got.headers) is signature
    assert not right(gateway, got)
    assert json.loads(got.body)["order"]["state"] == "taken"
    view = gateway.payment(payment)
    assert view is not None
    assert not view.paid
    if how == "half":
        assert 25 <= len(got.headers["harbor-sign"].partition(";h=")[2]) <= 36
    if how == "empty":
        assert len(got.headers["harbor-sign"].partition(";h=")[2]) <= 2


def test_an_old_notice_is_rightly_signed_and_an_hour_old(gateway: GatewayThread, shop: Receiver) -> None:
    gateway.forge_notice(opened(gateway), "old")
    assert right(gateway, shop.got[0])
    assert 3590 <= time.time() - signed_at(shop.got[0]) <= 3660


def test_a_shop_that_does_not_answer_in_time_is_hung_up_on(shop: Receiver) -> None:
    profile = load("harbor")
    shop.gate.clear()
    with GatewayThread(replace(profile, limits=replace(profile.limits, notice=0.1))) as hasty:
        hasty.notify(shop.url)
        approved(hasty)
        (delivery,) = hasty.deliveries()
        assert delivery.problem == "no answer within 0.1 s"
        assert hasty.notices()[0].state == "waiting"


def test_a_shop_that_is_not_there_is_told_again_later(gateway: GatewayThread) -> None:
    with Receiver() as gone:
        pass
    gateway.notify(gone.url)
    approved(gateway)
    (delivery,) = gateway.deliveries()
    assert delivery.problem == "the connection was refused"
    assert gateway.notices()[0].due is not None


def test_what_waits_for_its_next_time_can_be_sent_at_once(gateway: GatewayThread, shop: Receiver) -> None:
    shop.answers = [503]
    approved(gateway)
    gateway.deliveries()
    gateway._wait_for(gateway.simulator.outbox.hasten())  # pyright: ignore[reportPrivateUsage]
    assert [delivery.attempt for delivery in gateway.deliveries()] == [1, 2]
    assert (gateway.notices()[0].state, gateway.notices()[0].due) == ("taken", None)


def test_a_connection_that_closes_as_it_is_made_is_one_that_ended(
    gateway: GatewayThread, shop: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """anyio asks the socket for its peer, and there is no socket any more."""

    async def closed(*_: object, **__: object) -> httpx.Response:
        raise AttributeError("'NoneType' object has no attribute 'getpeername'")

    gateway.notify(shop.url)
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", closed)
    approved(gateway)
    (delivery,) = gateway.deliveries()
    assert delivery.problem == "the connection ended without an answer (AttributeError)"
    assert gateway.notices()[0].due is not None


def test_a_gateway_that_ends_leaves_nothing_behind(shop: Receiver, gateway: GatewayThread) -> None:
    shop.gate.clear()
    with GatewayThread("harbor") as other:
        other.notify(shop.url)
        approved(other)
    assert not any(isinstance(entry, Delivery) for entry in other.simulator.journal.entries)


@pytest.mark.parametrize("how", SPELLINGS)
def test_a_body_can_say_the_same_in_other_bytes(how: Spelling) -> None:
    plain = json.dumps(
        {"kind": "order.taken", "order": {"id": "a/b", "total": {"minor": 1}, "list": ["x", {}]}}
    ).encode()
    other = spelled(plain, how)
    assert other is not None
    assert other != plain
    assert json.loads(other) == json.loads(plain)
    assert json.dumps(json.loads(other)).encode() != other or how == "other-order"
    if how == "escaped":
        assert b"\\/" in other
        assert b"\\u0061" in other
    assert spelled(b"kind=order.taken", how) is None


def test_the_control_port_does_it_too(gateway: GatewayThread, shop: Receiver) -> None:
    async def scenario() -> None:
        app = control(gateway.simulator, "word")
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://control", headers={"X-Payproof-Token": "word"}
        ) as http:
            assert (await http.post("/notices/endpoint", json={"url": "nowhere"})).status_code == 400
            assert (await http.post("/notices/endpoint", json={"url": shop.url})).status_code == 200
            assert (await http.post("/notices/hold")).status_code == 200
            payment = await asyncio.to_thread(approved, gateway)
            (row,) = (await http.get("/notices")).json()
            assert (row["payment"], row["state"]) == (payment, "held")
            (released,) = (await http.post("/notices/release")).json()
            assert released["response"]["status"] == 200
            again = await http.post("/notices/repeat", json={"id": row["id"], "times": 2})
            assert [each["attempt"] for each in again.json()] == [2, 3]
            forged = await http.post("/notices/forge", json={"payment": payment, "how": "unsigned"})
            assert forged.json()["forged"] == "unsigned"

    gateway._wait_for(scenario())  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize("how", ["half", "empty", "other-secret"])
def test_every_signature_of_a_header_is_weakened(how: Forgery) -> None:
    notices = load("quay").notices
    assert notices is not None
    (_, (_, right)) = notices.sign(("known-secret",), b"{}", 1)
    (_, (_, forged)) = signed(notices, ("known-secret",), b"{}", 1, how)
    names = [(part.partition("=")[0], part.partition("=")[2]) for part in right.split(";")]
    weak = {name: value for name, _, value in (part.partition("=") for part in forged.split(";"))}
    assert list(weak) == [name for name, _ in names] == ["t", "h", "g"]
    assert weak["t"] == "1"
    for name, value in names[1:]:
        assert value not in weak[name]
        assert how != "half" or 0 < len(weak[name]) < len(value)
        assert how != "empty" or weak[name] == ""


def test_every_notice_that_tells_of_a_success_is_forged() -> None:
    """Quay tells of an order that was taken, and of the money, which it calls by an id of its own."""
    with GatewayThread("quay") as gateway, Receiver() as shop:
        gateway.notify(shop.url)
        asked = {"order": {"ref": "order-1", "total": {"minor": 1234, "code": "eur"}}, "back": "https://shop.test/back"}
        key = {"Authorization": f"Bearer {gateway.secret_key}"}
        payment = str(httpx.post(f"{gateway.url}/orders", json=asked, headers=key).json()["id"])
        gateway.forge_notice(payment, "other-secret")
        assert [json.loads(got.body)["kind"] for got in shop.got] == ["money.arrived", "order.taken"]
        assert {delivery.payment for delivery in gateway.deliveries()} == {payment}


def test_what_the_dialect_keeps_of_a_payment_is_in_no_notice_of_an_unknown_one(
    gateway: GatewayThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment, told = opened(gateway), list[Payment]()
    notices = Harbor.notices

    def noted(self: Harbor, payment: Payment, event: str) -> tuple[tuple[str, bytes], ...]:
        told.append(payment)
        return notices(self, payment, event)

    monkeypatch.setattr(Harbor, "notices", noted)
    (notice,) = gateway.simulator.outbox.claims(payment, foreign="another")
    assert (told[0].reference, dict(told[0].extra)) == ("another", {})
    assert notice.payment != payment
