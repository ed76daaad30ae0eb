"""Faults of the wire in front of a sandbox: the relay makes them, and what reaches the sandbox is what their phase says."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from payproof.contracts.entries import Call, Connection
from payproof.contracts.faults import FaultSpec

from .test_relay import BASE, Bench, bench

DATA = {"token": "P1", "payment_url": "https://pay.example/pay/user/authentication/form/P1"}


async def _created(request: Request) -> Response:
    return JSONResponse({"message": {"code": 200, "success": ["SUCCESS"]}, "data": DATA, "type": "success"})


async def _call(on: Bench, timeout: float = 20) -> httpx.Response | httpx.TransportError:
    try:
        return await on.http.post(f"{BASE}/payment/create", json={"custom": "order-1"}, timeout=timeout)
    except httpx.TransportError as error:
        return error


@pytest.mark.parametrize(
    ("name", "params", "after_effect", "seen", "reached"),
    [
        ("reset", {}, False, httpx.ReadError, 0),
        ("reset", {}, True, httpx.ReadError, 1),
        ("dropped", {}, False, httpx.RemoteProtocolError, 0),
        ("half-status-line", {}, True, httpx.RemoteProtocolError, 1),
        ("reset-in-body", {}, False, httpx.ReadError, 1),
        ("length-too-long", {}, False, httpx.RemoteProtocolError, 1),
        ("chunk-cut", {}, False, httpx.RemoteProtocolError, 1),
        ("stall", {"keep": 0.5}, False, httpx.ReadTimeout, 1),
        ("drip-headers", {"seconds": 0.001}, False, httpx.Response, 1),
        ("silent", {}, False, httpx.ReadTimeout, 0),
        ("reset-on-accept", {}, False, httpx.ReadError, 0),
        ("refuse", {}, False, httpx.ConnectError, 0),
        ("backlog", {}, False, httpx.ConnectTimeout, 0),
    ],
)
def test_the_relay_makes_it_and_the_sandbox_sees_what_it_should(
    name: str, params: Any, seen: type[Any], reached: int, *, after_effect: bool
) -> None:
    async def scenario() -> None:
        async with bench(_created) as on:
            number = on.relay.faults.arm(FaultSpec(name=name, params=params, after_effect=after_effect))
            assert isinstance(await _call(on, 0.8 if issubclass(seen, httpx.TimeoutException) else 20), seen)
            assert len(on.seen) == reached
            on.relay.faults.clear(number)
            assert isinstance(await _call(on), httpx.Response)
            assert on.relay.complaint() == "", "it was ours, and not the sandbox's"
            entries = [entry for entry in on.journal.entries if isinstance(entry, Call | Connection)]
            assert {entry.fault for entry in entries} - {""} == ({name} if name != "refuse" else set())

    asyncio.run(scenario())
