"""What is the sandbox's own trouble, and never the integration's: the relay says so, and every exchange leaves its entry."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from payproof.contracts.entries import Call
from payproof.contracts.faults import FaultSpec
from payproof.contracts.gateways.quatapay import profile
from payproof.contracts.profile import Limits
from payproof.simulator.relay import passages
from payproof.simulator.relay import upstream as way
from payproof.simulator.relay.rate_budget import RateBudget

from .test_relay import BASE, REAL_KEY, Bench, bench

TOKEN, CREATE, STATUS = f"{BASE}/authentication/token", f"{BASE}/payment/create", f"{BASE}/payment/status/P1"
GOOD: dict[str, dict[str, Any]] = {
    TOKEN: {"access_token": "T" * 40, "expire_time": 600},
    CREATE: {"token": "P1", "payment_url": "https://pay.example/pay/user/authentication/form/P1"},
    STATUS: {"token": "P1", "paid": False, "status": "CREATED", "amount": "1.00", "currency": "XAF"},
}


def _success(data: object) -> dict[str, object]:
    return {"message": {"code": 200, "success": ["SUCCESS"]}, "data": data, "type": "success"}


def _failure(status: int) -> dict[str, object]:
    return {"message": {"code": status, "error": ["Nothing of the kind"]}, "data": [], "type": "error"}


def _always(answer: Response) -> Callable[[Request], Awaitable[Response]]:
    async def given(request: Request) -> Response:
        return answer

    return given


def _complaint(answer: Response, path: str, method: str = "POST", **more: Any) -> str:
    async def scenario() -> str:
        async with bench(_always(answer)) as on:
            await on.http.request(method, path, **more)
            return on.relay.complaint()

    return asyncio.run(scenario())


@pytest.mark.parametrize("path", GOOD)
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_5xx_that_nobody_asked_for_is_the_sandboxs_trouble_and_is_quoted(path: str, status: int) -> None:
    complaint = _complaint(PlainTextResponse("upstream\n is overloaded", status), path)
    assert f"answered {status} to a " in complaint
    assert '"upstream is overloaded"' in complaint


@pytest.mark.parametrize("path", GOOD)
@pytest.mark.parametrize(
    "body", ["please try again later", '{"message": {"code": 200, "succ', "[1, 2]", "", "<html>Just a moment</html>"]
)
def test_an_answer_that_cannot_be_read_is_the_sandboxs_trouble(path: str, body: str) -> None:
    assert "cannot be read" in _complaint(Response(body, media_type="application/json"), path)


@pytest.mark.parametrize("path", GOOD)
@pytest.mark.parametrize("data", [{}, [], {"result": "ok"}, None])
def test_a_success_without_what_it_must_hold_is_the_sandboxs_trouble(path: str, data: object) -> None:
    assert "does not hold what it must" in _complaint(JSONResponse(_success(data)), path)


def test_a_page_for_browsers_in_place_of_a_refusal_is_the_sandboxs_trouble() -> None:
    assert "Just a moment" in _complaint(HTMLResponse("<h1>Just a moment</h1>", 403), CREATE)


@pytest.mark.parametrize("path", GOOD)
def test_a_good_answer_is_no_trouble(path: str) -> None:
    assert _complaint(JSONResponse(_success(GOOD[path])), path) == ""


@pytest.mark.parametrize("path", GOOD)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_an_answer_and_no_trouble(path: str, status: int) -> None:
    assert _complaint(JSONResponse(_failure(status), status), path) == ""


@pytest.mark.parametrize("status", [404, 405])
def test_an_address_that_the_sandbox_does_not_have_is_no_illness(status: int) -> None:
    assert _complaint(HTMLResponse("<h1>Not Found</h1>", status), CREATE) == ""


def test_what_the_sandbox_says_to_a_dead_bearer_is_no_trouble() -> None:
    async def answer(request: Request) -> Response:
        if request.url.path.endswith("/token"):
            return JSONResponse(_success(GOOD[TOKEN]))
        return PlainTextResponse("Server Error", 500)

    async def scenario() -> None:
        async with bench(answer) as on:
            await on.http.post(TOKEN, json={})
            on.relay.expire_tokens()
            answered = await on.http.post(CREATE, headers={"Authorization": f"Bearer {'T' * 40}"}, json={})
            assert (answered.status_code, on.relay.complaint()) == (401, "")

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (HTMLResponse("<h1>Bad Gateway</h1>", 502), "hosted checkout answered 502"),
        (PlainTextResponse("no healthy upstream"), "cannot be read"),
        (HTMLResponse("<form></form>"), ""),
        (HTMLResponse("<h1>Page Expired</h1>", 419), ""),
    ],
)
def test_a_page_of_the_hosted_checkout_that_fails_is_the_sandboxs_trouble(answer: Response, message: str) -> None:
    complaint = _complaint(answer, "/pay/preview/P1", "GET", headers={"Accept": "text/html,*/*"})
    assert message in complaint if message else not complaint


def test_a_picture_that_the_sandbox_does_not_deliver_is_no_trouble() -> None:
    headers = {"Accept": "image/png", "Sec-Fetch-Dest": "image"}
    assert _complaint(PlainTextResponse("", 503), "/pay/logo.png", "GET", headers=headers) == ""


def test_no_secret_is_in_what_is_quoted() -> None:
    assert REAL_KEY not in _complaint(PlainTextResponse(f"no such key: {REAL_KEY}", 500), TOKEN)


def _slow(seconds: float) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await request.receive()  # after the body, only the client's leaving is still to come
        return JSONResponse(_success(GOOD[TOKEN]))

    return answer


async def _entry(on: Bench) -> Call:
    """The one call of the journal, when its exchange is over."""
    written = asyncio.Event()
    on.journal.listeners.append(lambda entry: written.set() if isinstance(entry, Call) else None)
    found = [entry for entry in on.journal.entries if isinstance(entry, Call)]
    if not found:
        await asyncio.wait_for(written.wait(), 5)
    return next(entry for entry in on.journal.entries if isinstance(entry, Call))


def test_a_client_that_hangs_up_first_leaves_an_entry_and_no_trace(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with bench(_slow(60)) as on:
            with pytest.raises(httpx.ReadTimeout):
                await on.http.post(TOKEN, json={}, timeout=0.2)
            call = await _entry(on)
            assert (call.ending, call.response, call.event.operation) == ("hung_up", None, "token")
            complaint = on.relay.complaint()
            assert "the integration gave a token call up after 0." in complaint
            assert "the sandbox was still silent" in complaint

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    assert not caplog.records


def test_a_world_that_ends_during_a_call_leaves_an_entry_and_no_trace(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        made = Bench(_slow(60))
        await made.start()
        asked = asyncio.ensure_future(made.http.post(TOKEN, json={}))
        await made.arrived.wait()
        await made.stop()
        await asyncio.gather(asked, return_exceptions=True)
        assert [entry.ending for entry in made.journal.entries if isinstance(entry, Call)] == ["held"]

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    assert not caplog.records


def test_an_answer_later_than_the_guidance_is_the_sandboxs_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "PROFILE", replace(profile.PROFILE, limits=Limits(call=0.1)))

    async def scenario() -> None:
        async with bench(_slow(0.2)) as on:
            assert (await on.http.post(TOKEN, json={})).status_code == 200
            assert "for a token call; the guidance gives a call 0.1" in on.relay.complaint()

    asyncio.run(scenario())


def test_an_answer_that_drips_for_ever_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(way, "PATIENCE", 0.5)

    async def scenario() -> None:
        dripping = await asyncio.start_server(_drip, "127.0.0.1", 0)
        async with dripping, bench(_slow(0)) as on:
            port = dripping.sockets[0].getsockname()[1]
            on.upstream.sandbox = way.SandboxAddress(
                base_url=f"http://127.0.0.1:{port}/x", client_id="c", secret_key="s"
            )
            with pytest.raises(httpx.HTTPError):
                await on.http.post(TOKEN, json={}, timeout=5)
            assert "gave no answer" in on.relay.complaint()

    asyncio.run(scenario())


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
    with contextlib.suppress(OSError), contextlib.closing(writer):
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_an_answer_without_an_end_is_the_sandboxs_trouble_and_is_not_kept(coding: str) -> None:
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        chunk = bytes(1024 * 1024) if coding == "identity" else gzip.compress(bytes(1024 * 1024)) * 64
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: 10000000000\r\n\r\n"
        with contextlib.suppress(OSError), contextlib.closing(writer):
            writer.write(head.encode())
            while sent < 400:
                writer.write(chunk)
                await writer.drain()
                sent += 1

    async def scenario() -> None:
        flooding = await asyncio.start_server(flood, "127.0.0.1", 0)
        async with flooding, bench(_slow(0)) as on:
            port = flooding.sockets[0].getsockname()[1]
            on.upstream.sandbox = way.SandboxAddress(
                base_url=f"http://127.0.0.1:{port}/x", client_id="c", secret_key="s"
            )
            with pytest.raises(httpx.HTTPError):
                await on.http.post(TOKEN, json={}, timeout=20)
            assert "longer than 8,388,608 bytes" in on.relay.complaint()

    asyncio.run(scenario())
    assert sent < 200


def test_a_packed_answer_is_handed_on_unpacked() -> None:
    packed = Response(gzip.compress(json.dumps(_success(GOOD[STATUS])).encode()), headers={"Content-Encoding": "gzip"})

    async def scenario() -> None:
        async with bench(_always(packed)) as on:
            answer = await on.http.get(STATUS)
            assert "content-encoding" not in answer.headers
            assert answer.json()["data"]["token"] == "P1"
            assert on.relay.complaint() == ""

    asyncio.run(scenario())


def test_a_call_that_is_unanswered_when_its_probe_ends_has_kept_it_from_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passages, "SILENT", 0.0)

    async def scenario() -> None:
        async with bench(_slow(0.4)) as on:
            await on.relay.ready("one probe")
            asked = asyncio.ensure_future(on.http.post(TOKEN, json={}))
            await on.arrived.wait()
            assert "was still silent on a token call" in on.relay.complaint()
            await on.relay.ready("the next probe")
            assert (await asked).status_code == 200
            assert on.relay.complaint() == ""

    asyncio.run(scenario())


def test_the_next_probe_waits_for_what_the_last_one_began_and_does_not_inherit_its_trouble() -> None:
    async def late(request: Request) -> Response:
        await asyncio.sleep(0.3)
        return PlainTextResponse("", 503)

    async def scenario() -> None:
        async with bench(late) as on:
            await on.relay.ready("one probe")
            asked = asyncio.ensure_future(on.http.post(TOKEN, json={}))
            await on.arrived.wait()
            await on.relay.ready("the next probe")
            assert len([entry for entry in on.journal.entries if isinstance(entry, Call)]) == 1
            assert on.relay.complaint() == ""
            await asked

    asyncio.run(scenario())


def test_a_client_that_left_because_of_our_own_fault_is_no_trouble_of_the_sandboxs() -> None:
    async def scenario() -> None:
        async with bench(_slow(60)) as on:
            on.relay.faults.arm(FaultSpec(name="delay", params={"seconds": 0.2}))
            with pytest.raises(httpx.ReadTimeout):
                await on.http.post(TOKEN, json={}, timeout=0.5)
            call = await _entry(on)
            assert (call.ending, call.fault) == ("hung_up", "delay")
            assert on.relay.complaint() == ""

    asyncio.run(scenario())


def test_a_world_that_ends_while_a_call_is_held_back_leaves_an_entry_and_no_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        made = Bench(_slow(0))
        await made.start()
        holding = asyncio.Event()

        async def sleep(seconds: float) -> None:
            holding.set()
            await asyncio.sleep(seconds)

        made.upstream.rate_budget = RateBudget(1, 100, sleep=sleep)
        await made.http.post(TOKEN, json={})
        asked = asyncio.ensure_future(made.http.post(TOKEN, json={}))
        await holding.wait()
        await made.stop()
        await asyncio.gather(asked, return_exceptions=True)
        assert [entry.ending for entry in made.journal.entries if isinstance(entry, Call)] == ["answered", "held"]
        assert len(made.seen) == 1, "it went out though nobody waited for it any more"

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    assert not caplog.records
