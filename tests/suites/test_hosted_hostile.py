"""Hosted pages without end in a real browser: each comes to an end within the customer's patience, and is said to be stuck."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import psutil
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from payproof.contracts.entries import Page
from payproof.contracts.journal import Journal
from payproof.contracts.model import PayproofError
from payproof.contracts.profile import HostedRecipe, Payer
from payproof.simulator import GatewayServer
from payproof.suites.customer.browser import Browser, BrowserTab, tab
from payproof.suites.customer.customer import Customer
from payproof.suites.customer.routing import Routing

PATIENCE = 2.0
HANGS_AFTER = 150.0
"""Seconds: far more than the customer's patience, on a busy machine too."""
RECIPE = HostedRecipe(fill=lambda fields, payer: None, cancel=".cancel", problem=".process-error")
PAYER = Payer("ada@example.test", "a-long-password-of-ada", "paid")
SCRIPTS = {
    "spins": "while (true);",
    "reloads": "location.reload()",
    "walks": "location.href = '/walks?' + Math.random()",
    "asks": "while (true) alert('still there?')",
    "grows": "setInterval(() => { for (let i = 0; i < 2000; i++) document.body.append(document.createElement('p')) }, 1)",
    "opens": "setInterval(() => window.open('/opens'), 20)",
    "calls": "setInterval(() => { for (let i = 0; i < 50; i++) fetch('/calls?' + Math.random()) }, 10)",
}


async def _endless(kind: str, more: dict[str, str] | None = None) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b"<p>Please wait"
        while True:
            yield b"x" * 65_536
            await asyncio.sleep(0)

    return StreamingResponse(parts(), media_type=kind, headers=more)


async def page(request: Request) -> Response:
    name = request.path_params["name"]
    if name in SCRIPTS:
        return HTMLResponse(f"<body><p>Please wait<script>{SCRIPTS[name]}</script>")
    if name == "loops":
        return RedirectResponse(f"/loops?{int(request.url.query or 0) + 1}", 302)
    if name == "huge":
        return HTMLResponse("<div>" * 6_000_000)
    if name == "endless":
        return await _endless("text/html")
    if name == "file":
        return await _endless("application/octet-stream", {"Content-Disposition": "attachment; filename=x.bin"})
    if name == "endless-script":
        return await _endless("text/javascript")
    return HTMLResponse("<body><p>Please wait<script src='/endless-script'></script>")


@pytest.fixture(scope="module")
def opened() -> Iterator[Callable[[str, Journal], BrowserTab]]:
    """Opens such a page; one browser for all of them."""
    pytest.importorskip("playwright", reason="Playwright is not installed: pip install payproof[browser]")
    try:
        browser = Browser()
    except PayproofError as error:
        pytest.skip(f"{error.message}: {error.remedy}")
    gateway = GatewayServer(Starlette(routes=[Route("/{name:path}", page, methods=["GET", "POST"])]))

    async def open_(name: str, journal: Journal) -> BrowserTab:
        place = Routing("https://shop.localhost", "http://127.0.0.1:9", f"http://localhost:{gateway.port}")
        customer = Customer(place, journal, RECIPE, name=name, outside=httpx.AsyncHTTPTransport())
        async with asyncio.timeout(HANGS_AFTER):
            return await BrowserTab(browser, customer, PAYER, "7").open(f"{place.gateway_url}/{name}")

    with asyncio.Runner() as loop:
        loop.run(gateway.start())
        yield lambda name, journal: loop.run(open_(name, journal))
        loop.run(browser.aclose())
        loop.run(gateway.stop())


@pytest.mark.parametrize("name", [*SCRIPTS, "loops", "huge", "endless", "file", "waits-for-a-script"])
def test_a_page_without_end_comes_to_an_end(
    opened: Callable[[str, Journal], BrowserTab], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(tab, "PATIENCE", PATIENCE)
    monkeypatch.setattr(tab, "CLOSES_WITHIN", PATIENCE)
    journal, memory = Journal(clock=time.monotonic), psutil.Process().memory_info().rss
    ended = opened(name, journal)
    assert ended.state in ("stuck", "no_answer"), ended.state
    assert ended.reason
    assert psutil.Process().memory_info().rss - memory < 400e6
    kept = [len(entry.response.body) for entry in journal.entries if isinstance(entry, Page) and entry.response]
    assert sum(kept) < 64e6
