"""How a recording answers an integration again, and says what is not as recorded."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from payproof.contracts.entries import ReplayDifference
from payproof.contracts.model import PayproofError
from payproof.contracts.run import RecordedWorld, Run, dump
from payproof.contracts.run import load as load_run
from payproof.simulator.cassettes import read
from payproof.simulator.cassettes.values import headers_for_client

from .cassette_stage import API, OURS, UPSTREAM, Shop, Stage, Studio, bought


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def test_a_correct_shop_is_answered_as_recorded_without_a_difference(studio: Studio) -> None:
    stage = Stage(studio.record(bought()))
    payment, back = stage.play(bought())
    assert stage.differences == []
    assert payment == studio.sim.payments()[-1].payment
    assert back.startswith("https://other-shop.test:25000/return?order=order-10001&message")
    assert stage.cassette.payment(payment) == replace(
        studio.sim.payments()[-1],
        return_url="https://other-shop.test:25000/return?order=order-10001",
        cancel_url="https://other-shop.test:25000/cancel",
    )


def test_the_shops_own_reference_and_addresses_take_the_place_of_the_recorded_ones(studio: Studio) -> None:
    stage = Stage(studio.record(bought()))

    async def scenario(shop: Shop) -> tuple[str, str]:
        return await shop.buy("mine-77", return_url="https://other-shop.test:25000/back")

    _, back = stage.play(scenario)
    assert back.startswith("https://other-shop.test:25000/back?message")
    assert httpx.URL(back).params["data[custom]"] == "mine-77"
    assert stage.differences == []


def test_credentials_are_fresh_in_every_world(studio: Studio) -> None:
    recording = studio.record(bought())
    stages = [Stage(recording), Stage(recording)]
    tokens = {stage.play(lambda shop: shop.authenticate()).json()["data"]["access_token"] for stage in stages}
    ids = {stage.cassette.merchant.client_id for stage in stages}
    assert len(tokens) == len(ids) == 2
    assert {len(token) for token in tokens} == {350}
    assert studio.keys[0] not in ids


def test_payment_url_leads_through_the_cassette_also_where_slashes_are_escaped(tmp_path: Path) -> None:
    for escaped in (True, False):
        folder = tmp_path / str(escaped)
        stage = Stage(Studio(folder, escaped_slashes=escaped).record(bought()))

        async def scenario(shop: Shop) -> httpx.Response:
            await shop.authenticate()
            return await shop.create("order-10001")

        answer = stage.play(scenario)
        assert answer.json()["data"]["payment_url"].startswith(f"{OURS}/pay/sandbox/")
        assert (r"https:\/\/" in answer.text) is escaped


def test_nobody_is_told_of_a_payment_before_the_customer_has_paid(studio: Studio) -> None:
    stage = Stage(studio.record(bought()))

    async def scenario(shop: Shop) -> tuple[httpx.Response, httpx.Response]:
        await shop.authenticate()
        data = (await shop.create("order-10001")).json()["data"]
        early = await shop.status(data["token"])
        await shop.pay(data["payment_url"])
        return early, await shop.status(data["token"])

    early, late = stage.play(scenario)
    assert early.status_code == 501
    assert early.headers["X-Payproof-Cassette"] == "unexpected"
    assert late.json()["data"]["paid"] is True
    assert ("unexpected", "status", "") in stage.differences
    assert not any(view.paid for view in Stage(stage.cassette.recording).cassette.payments())


def test_asking_again_is_answered_again_and_said(studio: Studio) -> None:
    stage = Stage(studio.record(bought()))

    async def scenario(shop: Shop) -> httpx.Response:
        payment, _ = await shop.buy("order-10001")
        return await shop.status(payment)

    assert stage.play(scenario).json()["data"]["paid"] is True
    assert stage.differences == [("repeated", "status", "")]


def test_a_token_that_is_asked_for_once_more_is_another_one(studio: Studio) -> None:
    stage = Stage(studio.record(bought()))

    async def scenario(shop: Shop) -> list[str]:
        return [(await shop.authenticate()).json()["data"]["access_token"] for _ in range(4)]

    assert len(set(stage.play(scenario))) == 4
    assert stage.differences[:2] == [("repeated", "token", "")] * 2


def test_a_call_that_was_recorded_and_never_came_is_said_at_the_end(studio: Studio) -> None:
    stage = Stage(studio.record(bought()))

    async def scenario(shop: Shop) -> None:
        await shop.authenticate()
        await shop.pay((await shop.create("order-10001")).json()["data"]["payment_url"])

    stage.play(scenario)
    assert stage.differences == [("missing", "token", ""), ("missing", "status", "")]


def test_a_recording_that_was_never_asked_says_so_once(studio: Studio) -> None:
    recording = studio.record(bought())
    stage = Stage(recording)
    stage.play(lambda shop: asyncio.sleep(0))
    assert stage.differences == [("missing", "", "")]


def test_probes_that_did_not_run_are_not_missed(studio: Studio) -> None:
    async def record(shop: Shop) -> None:
        await shop.buy("order-10001")
        studio.transport.probe = "steady"
        await shop.buy("order-10002")

    stage = Stage(studio.record(record))
    stage.play(bought())
    assert stage.differences == []


def test_another_order_of_calls_is_said(studio: Studio) -> None:
    async def record(shop: Shop) -> None:
        await shop.authenticate()
        first = (await shop.create("order-10001")).json()["data"]["token"]
        await shop.status(first)
        await shop.authenticate()
        await shop.create("order-10002")

    async def replay(shop: Shop) -> None:
        await shop.authenticate()
        first = (await shop.create("order-10001")).json()["data"]["token"]
        await shop.authenticate()
        await shop.create("order-10002")
        await shop.status(first)

    stage = Stage(studio.record(record))
    stage.play(replay)
    assert ("order", "status", "") in stage.differences


CHANGES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "another amount": ({"amount": "4999.00"}, 'field "amount"', "5000.00", "4999.00"),
    "an amount of another type": ({"amount": 5000}, 'field "amount"', "text 5000.00", "number 5000"),
    "another currency": ({"currency": "USD"}, 'field "currency"', "XAF", "USD"),
    "no custom field": ({"custom": ...}, 'field "custom"', "order-10001", "not sent"),
    "a field more": ({"note": "hello"}, 'field "note"', "not sent", "hello"),
    "no cancel_url": ({"cancel_url": ...}, 'field "cancel_url"', "https://shop.example/cancel", "not sent"),
    "an insecure return_url": ({"return_url": "http://other-shop.test/return"}, "return url scheme", "https", "http"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_a_request_says_otherwise_is_said(studio: Studio, case: str) -> None:
    changes, name, recorded, actual = CHANGES[case]
    stage = Stage(studio.record(bought()))

    async def scenario(shop: Shop) -> None:
        await shop.authenticate()
        await shop.create("order-10001", **changes)

    stage.play(scenario)
    found = stage.difference(name)
    assert (found.what, found.operation, found.recorded, found.actual) == ("changed", "create", recorded, actual)


def test_another_content_type_and_another_query_are_said(studio: Studio) -> None:
    stage = Stage(studio.record(bought()))

    async def scenario(shop: Shop) -> None:
        await shop.authenticate()
        await shop.http.post(
            f"{API}/payment/create?debug=1",
            data=shop.order("order-10001"),
            headers={"Authorization": f"Bearer {shop.token}"},
        )

    stage.play(scenario)
    changed = [name for what, operation, name in stage.differences if (what, operation) == ("changed", "create")]
    assert changed == ["content type", 'query "debug"']


def test_another_access_token_than_the_recorded_one_is_said_without_showing_it(studio: Studio) -> None:
    async def record(shop: Shop) -> None:
        await shop.buy("order-10001")
        await shop.buy("order-10002")

    async def replay(shop: Shop) -> None:
        await shop.buy("order-10001")
        await shop.create("order-10002")
        shop.token = "made-up-by-the-shop-itself"
        await shop.status("nothing-like-it")

    stage = Stage(studio.record(record))
    stage.play(replay)
    found = stage.difference("access token")
    assert (found.recorded, found.actual) == ("__access-token-3__", "__access-token-2__")
    assert "made-up-by-the-shop-itself" not in repr(
        [e for e in stage.journal.entries if isinstance(e, ReplayDifference)]
    )


def test_wrong_credentials_are_said(studio: Studio) -> None:
    stage = Stage(studio.record(bought()))
    stage.shop.keys = (stage.shop.keys[0], "x" * 100)
    stage.play(lambda shop: shop.authenticate())
    found = stage.difference("secret key")
    assert (found.recorded, found.actual) == ("__secret-key-1__", "one that was not given out here")


def test_pages_that_nobody_recorded_are_not_made_up(studio: Studio) -> None:
    stage = Stage(studio.record(bought()))
    answer = stage.play(lambda shop: shop.http.get("/pay/sandbox/v1/user/authentication/form/somebody-elses"))
    assert answer.status_code == 501
    assert ("unexpected", "page", "") in stage.differences


def test_a_refused_payment_can_be_replayed_and_is_a_power(studio: Studio) -> None:
    refused = studio.profile.payers["refused"]

    async def scenario(shop: Shop) -> str:
        await shop.authenticate()
        return await shop.pay((await shop.create("order-10001")).json()["data"]["payment_url"], refused)

    recording = studio.record(scenario)
    stage = Stage(recording)
    assert stage.cassette.powers == {"refusal"}
    assert "type=error" in stage.play(scenario)
    assert stage.differences == []
    assert [view.paid for view in stage.cassette.payments()] == [False]


def test_a_recording_of_a_sandbox_in_a_folder_is_played_at_the_profiles_own_path(tmp_path: Path) -> None:
    path = Studio(tmp_path, escaped_slashes=False).record(bought()).path
    text = path.read_text().replace("/pay/sandbox/api/v1", "/folder/pay/sandbox/api/v1")
    path.write_text(text.replace("/pay/sandbox/v1", "/folder/pay/sandbox/v1").replace("/folder/folder", "/folder"))
    recording = read(path)
    assert [each.operation for each in recording.exchanges if each.kind == "api"] == [
        "token",
        "create",
        "token",
        "status",
    ]
    stage = Stage(recording)

    async def scenario(shop: Shop) -> str:
        await shop.authenticate()
        return str((await shop.create("order-10001")).json()["data"]["payment_url"])

    assert "/folder/pay/sandbox/v1/user/" in stage.play(scenario)
    assert not [each for each in stage.differences if each[0] == "changed"]


def test_cookies_are_as_young_in_a_replay_as_they_were() -> None:
    then = "s=1; Expires=Mon, 01 Jun 2026 10:00:00 GMT; Domain=sandbox.example; Path=/"
    found = headers_for_client((("Set-Cookie", then), ("Date", "x")), ((OURS, UPSTREAM),), timedelta(days=30))
    assert found == [("Set-Cookie", "s=1; Expires=Wed, 01 Jul 2026 10:00:00 GMT; Path=/")]


def test_differences_survive_a_run_file(studio: Studio) -> None:
    stage = Stage(studio.record(bought()))
    stage.play(lambda shop: shop.authenticate())
    run = Run(gateway="qrpay", worlds=(RecordedWorld(name="main", entries=tuple(stage.journal.entries)),))
    again = load_run(dump(run))
    assert again.worlds[0].entries == run.worlds[0].entries
    assert list(again.worlds[0].of(ReplayDifference))


def test_a_recording_has_no_power_over_what_was_recorded(studio: Studio) -> None:
    cassette = Stage(studio.record(bought())).cassette
    assert cassette.powers == frozenset()
    with pytest.raises(PayproofError, match="clock"):
        asyncio.run(cassette.advance(1))
    for use in (cassette.expire_tokens, cassette.rotate_secret, cassette.revoke_secret, lambda: cassette.tamper("p")):
        with pytest.raises(PayproofError, match="no power"):
            use()
