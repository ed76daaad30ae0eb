"""The relay: what it sends on, what it brings back, and how polite it is."""

from __future__ import annotations

import asyncio
import base64
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from payproof.contracts.entries import Ledger
from payproof.contracts.journal import Journal
from payproof.contracts.profile import load
from payproof.simulator import GatewayServer
from payproof.simulator.relay import rate_budget as manners
from payproof.simulator.relay import rewrite
from payproof.simulator.relay.rate_budget import BudgetSpent, RateBudget
from payproof.simulator.relay.relay import Relay
from payproof.simulator.relay.sandbox_exchange import SandboxExchange
from payproof.simulator.relay.upstream import SandboxAddress, Upstream

BASE = "/pay/sandbox/api/v1"
REAL_ID, REAL_KEY = "r" * 40, "k" * 40


class Bench:
    """A relay in front of a small server that notes what reaches it, both on loopback ports."""

    def __init__(self, answer: Callable[[Request], Awaitable[Response]], path: str = "/their/api") -> None:
        self.seen: list[tuple[Request, bytes]] = []
        self.arrived = asyncio.Event()
        self.taped: list[SandboxExchange] = []
        self._answer = answer
        methods = ["GET", "POST"]
        self.theirs = GatewayServer(Starlette(routes=[Route("/{rest:path}", self._keep, methods=methods)]))
        self._path = path

    async def _keep(self, request: Request) -> Response:
        self.seen.append((request, await request.body()))
        self.arrived.set()
        return await self._answer(request)

    async def start(self) -> None:
        await self.theirs.start()
        self.origin = f"http://127.0.0.1:{self.theirs.port}"
        sandbox = SandboxAddress(base_url=self.origin + self._path, client_id=REAL_ID, secret_key=REAL_KEY)
        self.upstream = Upstream(sandbox, RateBudget(600, 600))
        self.journal = Journal()
        self.relay = Relay(self.upstream, load("quatapay"), journal=self.journal, seed=1, on_exchange=self.taped.append)
        self._ours = GatewayServer(self.relay.app, journal=self.journal, faults=self.relay.faults)
        await self._ours.start()
        self.ours = f"http://127.0.0.1:{self._ours.port}"
        self.http = httpx.AsyncClient(base_url=self.ours, trust_env=False)

    async def stop(self) -> None:
        await self.http.aclose()
        await self.relay.aclose()
        await self._ours.stop()
        await self.upstream.aclose()
        await self.theirs.stop()


@asynccontextmanager
async def bench(answer: Callable[[Request], Awaitable[Response]], **more: Any) -> AsyncGenerator[Bench]:
    made = Bench(answer, **more)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def _ok(request: Request) -> Response:
    return JSONResponse({"message": {"code": 200, "success": ["SUCCESS"]}, "data": {}, "type": "success"})


def test_it_forwards_to_the_configured_host_whatever_host_the_client_names() -> None:
    async def scenario() -> None:
        async with bench(_ok) as on:
            await on.http.post(f"{BASE}/authentication/token?a=1", headers={"Host": "evil.example"}, json={})
            ((request, _),) = on.seen
            assert str(request.url) == f"{on.origin}/their/api/authentication/token?a=1"
            assert request.headers["host"] == on.origin.removeprefix("http://")

    asyncio.run(scenario())


def test_the_integrations_credentials_become_the_sandboxs_in_json_form_and_basic() -> None:
    async def scenario() -> None:
        async with bench(_ok) as on:
            ours = on.relay.merchant
            pair = {"client_id": ours.client_id, "secret_id": ours.secret_key}
            path = f"{BASE}/authentication/token"
            await on.http.post(path, json=pair)
            await on.http.post(path, data=pair)
            basic = base64.b64encode(f"{ours.client_id}:{ours.secret_key}".encode()).decode()
            await on.http.post(path, headers={"Authorization": f"Basic {basic}"})
            (_, as_json), (_, as_form), (request, _) = on.seen
            for body in (as_json, as_form):
                assert REAL_ID.encode() in body
                assert REAL_KEY.encode() in body
                assert ours.secret_key.encode() not in body
            decoded = base64.b64decode(request.headers["authorization"].split()[1]).decode()
            assert decoded == f"{REAL_ID}:{REAL_KEY}"

    asyncio.run(scenario())


def test_after_a_rotation_only_the_new_secret_becomes_the_sandboxs_and_after_a_revocation_none() -> None:
    async def scenario() -> None:
        async with bench(_ok) as on:
            old = on.relay.merchant
            new = on.relay.rotate_secret()
            path = f"{BASE}/authentication/token"
            await on.http.post(path, json={"client_id": old.client_id, "secret_id": old.secret_key})
            await on.http.post(path, json={"client_id": new.client_id, "secret_id": new.secret_key})
            on.relay.revoke_secret()
            await on.http.post(path, json={"client_id": new.client_id, "secret_id": new.secret_key})
            has_key = [REAL_KEY.encode() in body for _, body in on.seen]
            assert has_key == [False, True, False]

    asyncio.run(scenario())


def test_the_payment_url_a_location_and_a_page_lead_through_the_relay() -> None:
    async def answer(request: Request) -> Response:
        site = f"http://{request.headers['host']}"
        if request.url.path.endswith("/create"):
            escaped = f"{site}/pay/form/P1".replace("/", "\\/")
            body = '{"message":{"code":200,"success":["CREATED"]},"data":{"token":"P1","payment_url":"%s"},"type":"success"}'
            return Response(body % escaped, media_type="application/json")
        if request.url.path == "/pay/form/P1":
            return RedirectResponse(f"{site}/pay/preview/P1", 302)
        page = f'<form action="{site}/pay/submit"></form><a href="{site}0/other">other port</a>'
        answer = Response(page, media_type="text/html; charset=utf-8")
        answer.headers["set-cookie"] = "sid=abcdef; Domain=sandbox.example; Path=/; HttpOnly"
        return answer

    async def scenario() -> None:
        async with bench(answer) as on:
            made = (await on.http.post(f"{BASE}/payment/create", json={"amount": "5.00", "currency": "XAF"})).json()
            url = made["data"]["payment_url"]
            assert url == f"{on.ours}/pay/form/P1"
            assert on.relay.payment_at(url) == "P1"
            moved = await on.http.get(url, headers={"Referer": f"{on.ours}/x", "Origin": on.ours})
            assert moved.headers["location"] == f"{on.ours}/pay/preview/P1"
            assert on.seen[-1][0].headers["referer"] == f"{on.origin}/x"
            assert on.seen[-1][0].headers["origin"] == on.origin
            shown = await on.http.get("/pay/preview/P1")
            assert f'action="{on.ours}/pay/submit"' in shown.text
            assert f'href="{on.origin}0/other"' in shown.text, "another port is another origin"
            assert shown.headers["set-cookie"] == "sid=abcdef; Path=/; HttpOnly"

    asyncio.run(scenario())


def test_a_dead_bearer_is_replaced_and_a_sandbox_that_does_not_say_401_is_helped_to() -> None:
    async def answer(request: Request) -> Response:
        if request.url.path.endswith("/token"):
            data = {"access_token": "T" * 40, "expire_time": 600}
            return JSONResponse({"message": {"code": 200, "success": ["SUCCESS"]}, "data": data, "type": "success"})
        error: dict[str, Any] = {
            "message": {"code": 403, "error": ["Requested with invalid token!"]},
            "data": [],
            "type": "error",
        }
        return JSONResponse(error, 403)

    async def scenario() -> None:
        async with bench(answer) as on:
            await on.http.post(f"{BASE}/authentication/token", json={})
            bearer = {"Authorization": f"Bearer {'T' * 40}"}
            before = await on.http.post(f"{BASE}/payment/create", headers=bearer, json={})
            assert on.relay.expire_tokens() == 1
            after = await on.http.post(f"{BASE}/payment/create", headers=bearer, json={})
            assert (before.status_code, after.status_code) == (403, 401)
            assert "T" * 40 in on.seen[1][0].headers["authorization"]
            assert "T" * 40 not in on.seen[2][0].headers["authorization"], "the live token went out"

    asyncio.run(scenario())


@pytest.mark.parametrize(("spelled", "expected"), [("5000.00", "999.00"), (5000, 999), (5000.5, 999.0)])
def test_a_changed_amount_keeps_the_type_that_the_sandbox_tells_it_in(spelled: Any, expected: Any) -> None:
    async def answer(request: Request) -> Response:
        data: dict[str, Any] = {"token": "P1", "payment_url": "http://x/pay/user/authentication/form/P1"}
        if "/status/" in request.url.path:
            data = {"token": "P1", "amount": spelled, "currency": "XAF", "paid": True, "status": "SUCCESS"}
        return JSONResponse({"message": {"code": 200, "success": ["OK"]}, "data": data, "type": "success"})

    async def scenario() -> None:
        async with bench(answer) as on:
            fields = {"amount": str(spelled), "currency": "XAF", "return_url": "https://shop.example/r", "custom": "1"}
            await on.http.post(f"{BASE}/payment/create", json=fields)
            on.relay.tamper("P1", amount="999.00", currency="XOF")
            data = (await on.http.get(f"{BASE}/payment/status/P1")).json()["data"]
            assert (data["amount"], type(data["amount"]), data["currency"]) == (expected, type(expected), "XOF")
            charged = [e for e in on.journal.entries if isinstance(e, Ledger) and e.event == "charged"]
            assert [float(entry.amount) for entry in charged] == [float(spelled)], "the books tell the truth"

    asyncio.run(scenario())


def test_a_sandbox_that_does_not_answer_is_nobodys_fault() -> None:
    async def scenario() -> None:
        async with bench(_ok) as on:
            await on.theirs.stop()
            with pytest.raises(httpx.HTTPError):
                await on.http.post(f"{BASE}/payment/create", json={})
            assert "gave no answer" in on.relay.complaint()
            await on.relay.ready("the next probe")
            assert on.relay.complaint() == ""

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "sent", ["/pay/api/v1", f"{BASE}/../../../api/v1", "/pay/./%61pi/v1", "/pay//sandbox/%2e%2e/API/v1"]
)
def test_no_spelling_of_the_live_address_is_forwarded(sent: str) -> None:
    async def scenario() -> None:
        async with bench(_ok, path=BASE) as on:
            url = httpx.URL(on.ours).copy_with(raw_path=f"{sent}/authentication/token".encode())
            answer = await on.http.post(url, json={"client_id": on.relay.merchant.client_id})
            assert (answer.status_code, on.seen) == (403, [])
            assert any("live address" in hint for hint in on.upstream.hints)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "location", ["/pay/api/v1/payment/create", "../../../../api/v1/x", "https://quatapay.com/pay/%61pi/v1"]
)
def test_a_redirect_to_the_live_gateway_is_not_passed_on(location: str) -> None:
    async def elsewhere(request: Request) -> Response:
        answer = Response(status_code=307)
        answer.raw_headers.append((b"location", location.encode()))
        return answer

    async def scenario() -> None:
        async with bench(elsewhere, path=BASE) as on:
            with pytest.raises(httpx.HTTPError):
                await on.http.post(f"{BASE}/payment/create", json={})
            assert "redirects to a live address" in on.relay.complaint()

    asyncio.run(scenario())


def test_the_tape_hears_upstream_addresses_and_real_answers() -> None:
    async def scenario() -> None:
        async with bench(_ok) as on:
            await on.http.post(f"{BASE}/authentication/token", json={"client_id": on.relay.merchant.client_id})
            (taped,) = on.taped
            assert taped.request.url == f"{on.origin}/their/api/authentication/token"
            assert REAL_ID in taped.request.body
            assert (taped.kind, taped.response.status) == ("api", 200)

    asyncio.run(scenario())


def test_probes_wait_until_their_requests_fit_into_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manners, "WINDOW", 0.4)
    monkeypatch.setattr(manners, "_ON_THE_WAY", 0.0)

    async def scenario() -> None:
        notes: list[str] = []
        polite = RateBudget(20, 1000, note=notes.append)
        share = await polite.admit()
        for _ in range(12):
            polite.spend(share)
        polite.release(share)
        before = time.monotonic()
        await polite.admit()
        assert time.monotonic() - before >= 0.3
        assert polite.busiest == 12
        assert polite.waited > 0

    asyncio.run(scenario())


def test_a_probe_does_not_begin_on_what_was_promised_to_another() -> None:
    async def scenario() -> None:
        polite = RateBudget(20, 1000)
        first = await polite.admit()
        second = asyncio.ensure_future(polite.admit())
        await asyncio.sleep(0.05)
        assert not second.done()
        polite.release(first)
        assert (await asyncio.wait_for(second, 5)).left == manners.RESERVE

    asyncio.run(scenario())


def test_a_spent_budget_admits_no_further_probe() -> None:
    async def scenario() -> None:
        polite = RateBudget(100, 2)
        await polite.admit()
        polite.spend()
        polite.spend()
        with pytest.raises(BudgetSpent, match="budget of 2"):
            await polite.admit()

    asyncio.run(scenario())


def test_an_origin_is_not_replaced_within_a_longer_one() -> None:
    text = "https://a.example/x https://a.example:8443/x https://a.example.org/x"
    swapped = rewrite.swap(text, "https://a.example", "https://ours")
    assert swapped == "https://ours/x https://a.example:8443/x https://a.example.org/x"


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("kind", ["application/json", "text/html", "application/octet-stream"])
def test_a_token_that_the_profile_cannot_read_does_not_stand_in_the_journal(coding: str, kind: str) -> None:
    token = "Zz91kQw7Lm3Xc5Vb8Nn2Hg4Jf6Dd0Ss1"

    async def answer(request: Request) -> Response:
        text = f'{{"data": {{"accessToken": "{token}"}}}} served by node 7'
        return Response(text.encode(coding), media_type=kind)

    async def scenario() -> None:
        async with bench(answer) as on:
            await on.http.post(f"{BASE}/authentication/token", json={})
            await on.http.post(f"{BASE}/payment/create", headers={"Authorization": f"Bearer {token}"}, json={})
            written = repr(on.journal.entries).replace("\\x00", "")
            assert token not in written
            assert token[:12] not in written
            assert written.count("<access-token-1") >= 3

    asyncio.run(scenario())


class _Hours:
    """A clock that only moves when somebody waits, and notes when each request went out."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sent: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)

    def most_in_a_minute(self) -> int:
        return max(sum(start <= at <= start + manners.WINDOW for at in self.sent) for start in self.sent)


@pytest.mark.parametrize("rate", [1, 10, 50])
@pytest.mark.parametrize("seed", range(4))
def test_no_minute_of_a_run_has_more_requests_than_the_rate(rate: int, seed: int) -> None:
    """Probes of every length side by side, also some that need more than was set aside for them, and background calls."""
    rng, hours = random.Random(seed), _Hours()

    async def call(polite: RateBudget, share: manners.Reservation | None) -> None:
        await hours.sleep(rng.random())
        await polite.go(lambda: share)
        hours.sent.append(hours.now)

    async def world(polite: RateBudget, name: str) -> None:
        for number in range(4):
            share = await polite.admit(f"{name} {number}")
            for _ in range(rng.choice([2, 8, manners.RESERVE, 3 * manners.RESERVE])):
                await call(polite, share)
            polite.release(share)
            await call(polite, None)

    async def scenario() -> None:
        polite = RateBudget(rate, 100_000, clock=hours.clock, sleep=hours.sleep)
        await asyncio.gather(*(world(polite, f"world {number}") for number in range(3)))
        assert hours.most_in_a_minute() <= rate
        assert polite.busiest <= rate

    asyncio.run(scenario())


def test_what_a_probe_needed_is_set_aside_for_it_the_next_time() -> None:
    hours = _Hours()

    async def scenario() -> None:
        polite = RateBudget(40, 1000, needs={"crowd": 20}, clock=hours.clock, sleep=hours.sleep)
        share = await polite.admit("crowd")
        assert share.left == 20
        held = [await polite.go(lambda: share) for _ in range(30)]
        assert held == [0.0] * 30
        polite.release(share)
        before = hours.now
        again = await polite.admit("crowd")
        assert again.left == 30
        assert hours.now - before >= 60, "it began before its requests fitted into the minute"

    asyncio.run(scenario())


def test_a_call_that_the_rate_held_back_is_our_doing_and_spoils_the_probe_run() -> None:
    async def issued(request: Request) -> Response:
        data = {"access_token": "T" * 40, "expire_time": 600}
        return JSONResponse({"message": {"code": 200, "success": ["SUCCESS"]}, "data": data, "type": "success"})

    async def scenario() -> None:
        async with bench(issued) as on:
            hours = _Hours()
            on.upstream.rate_budget = RateBudget(3, 100, clock=hours.clock, sleep=hours.sleep)
            await on.relay.ready("a long probe")
            for _ in range(3):
                await on.http.post(f"{BASE}/authentication/token", json={})
            assert "held" not in on.relay.complaint()
            await on.http.post(f"{BASE}/authentication/token", json={})
            assert "payproof held a token call back for 6" in on.relay.complaint()
            assert "sandbox.rate" in on.relay.complaint()

    asyncio.run(scenario())


def test_no_header_takes_a_call_to_another_address_of_the_sandbox() -> None:
    live = f"{BASE.replace('/sandbox', '')}/payment/create"

    async def scenario() -> None:
        async with bench(_ok) as on:
            headers = {"X-Original-URL": live, "X-Rewrite-Url": live, "X-Shop": "1"}
            await on.http.post(f"{BASE}/authentication/token", json={}, headers=headers)
            assert on.seen[-1][0].headers["x-shop"] == "1"
            assert live not in str(on.seen[-1][0].headers)

    asyncio.run(scenario())
