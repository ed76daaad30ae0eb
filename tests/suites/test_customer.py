"""The customer is like a browser, and what they are sent has an end."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import secrets
import time
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from payproof.contracts.entries import BODY_LIMIT, Page, Step
from payproof.contracts.journal import Journal
from payproof.contracts.model import PayproofError
from payproof.contracts.profile import Payer, load
from payproof.contracts.reading.pages import soup
from payproof.simulator import GatewayServer
from payproof.simulator.bounded_read import READ_LIMIT
from payproof.suites.config import make_config
from payproof.suites.customer.customer import Customer
from payproof.suites.customer.errands import Visit
from payproof.suites.customer.hosted import HostedTab
from payproof.suites.customer.navigation import Shown, headers, merged, shown
from payproof.suites.customer.routing import Routing
from payproof.suites.driver.driver import Order, Started
from payproof.suites.driver.recipe import RecipeDriver

GATEWAY = "https://localhost:9999"
PUBLIC = "https://shop-{port}.localhost"


@asynccontextmanager
async def a_customer(
    port: int,
    journal: Journal | None = None,
    *,
    patience: float = 20.0,
    gateway: str = GATEWAY,
    name: str = "customer 1",
) -> AsyncGenerator[Customer]:
    outside = httpx.AsyncHTTPTransport()
    place = Routing(PUBLIC.format(port=port), f"http://127.0.0.1:{port}", gateway)
    customer = Customer(
        place, journal or Journal(), load("quatapay").hosted, name=name, outside=outside, patience=patience
    )
    try:
        yield customer
    finally:
        await outside.aclose()


# Like a browser


def refused_by_referer(request: Request, token: str, form: dict[str, str], *, referer_only: bool) -> str:
    """Django's rules for a POST over HTTPS: origin, else referer, then the cookie and the form's token."""
    here = f"{request.headers.get('x-forwarded-proto', 'http')}://{request.headers['host']}"
    if "origin" in request.headers and not referer_only:
        if request.headers["origin"] != here:
            return f"Origin checking failed - {request.headers['origin']} does not match any trusted origins."
    elif here.startswith("https:"):
        referer = request.headers.get("referer", "")
        if not referer:
            return "Referer checking failed - no Referer."
        if not referer.startswith(f"{here}/"):
            return f"Referer checking failed - {referer} does not match any trusted origins."
    if not request.cookies.get("csrftoken"):
        return "CSRF cookie not set."
    given = form.get("csrfmiddlewaretoken") or request.headers.get("x-csrftoken", "")
    return "" if given == token else "CSRF token from POST incorrect."


class Guarded:
    """A shop that refuses forms as Django does; the token changes with every page."""

    def __init__(self, *, referer_only: bool = False) -> None:
        self.token, self.referer_only = "", referer_only
        self.seen: list[Request] = []
        self.forms: list[tuple[str, dict[str, str]]] = []
        routes: list[tuple[str, Callable[[Request], Awaitable[Response]]]] = [
            ("/cart", self._cart),
            ("/checkout", self._checkout),
            ("/api", self._api),
            ("/broken", self._broken),
            ("/empty", self._empty),
        ]
        self.app = Starlette(routes=[Route(path, page, methods=["GET", "POST"]) for path, page in routes])

    async def _form(self, request: Request) -> tuple[dict[str, str], str]:
        self.seen.append(request)
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        self.forms.append((request.url.path, form))
        return form, refused_by_referer(
            request, self.token, form, referer_only=self.referer_only
        ) if request.method == "POST" else ""

    async def _cart(self, request: Request) -> Response:
        _, refused = await self._form(request)
        if refused:
            return HTMLResponse(refused, 403)
        if request.method == "POST":
            return RedirectResponse("/cart", 303)
        self.token = secrets.token_hex(16)
        hidden = f"<input type=hidden name=csrfmiddlewaretoken value='{self.token}'>"
        answer = HTMLResponse(
            f"<form action=/search><input type=hidden name=not-this value=1></form>"
            f"<form method=post>{hidden}<input name=sku></form>"
            f"<form method=post action='/checkout'>{hidden}<input type=HIDDEN name=step value=2><input name=note value=n></form>"
        )
        answer.set_cookie("csrftoken", self.token, secure=True)
        return answer

    async def _checkout(self, request: Request) -> Response:
        form, refused = await self._form(request)
        if refused or form.get("step") != "2":
            return HTMLResponse(refused or "not complete", 403)
        return RedirectResponse(f"{GATEWAY}/pay", 303)

    async def _api(self, request: Request) -> Response:
        self.seen.append(request)
        return JSONResponse({"pay": f"{GATEWAY}/pay", "body": (await request.body()).decode()})

    async def _broken(self, request: Request) -> Response:
        return HTMLResponse("no", 500)

    async def _empty(self, request: Request) -> Response:
        return HTMLResponse("<p>Your cart is empty</p>")


def started(shop: Guarded, checkout: dict[str, Any], *, times: int = 1) -> list[Started]:
    """What comes of a recipe's checkout; from the second time on the customer submits again."""

    async def play() -> list[Started]:
        server = GatewayServer(shop.app)
        await server.start()
        table = {"checkout": {"path": "/checkout", **checkout}, "order": {"path": "/o", "status": "json:/s"}}
        config = make_config({"integration": {"name": "s", "command": ["x"], **table}}, folder=Path(), place="x")
        try:
            async with a_customer(server.port) as customer:
                driver = RecipeDriver(config, {"public_url": customer.place.public_url})
                order = Order("1", Decimal("5"), "XAF")
                return [await driver.checkout(order, customer, again=n > 0) for n in range(times)]
        finally:
            await server.stop()

    return asyncio.run(play())


CART = ["GET /cart", "POST /cart sku=7"]
TOKEN = "html:input[name=csrfmiddlewaretoken]"


@pytest.mark.parametrize(
    "checkout",
    [
        {"before": CART},
        {"before": CART, "form": {"note": "x"}},
        {"before": CART, "csrf": TOKEN, "form": {"csrfmiddlewaretoken": "{csrf}", "step": "2"}},
        {"before": CART, "csrf": "cookie:csrftoken", "headers": {"X-CSRFToken": "{csrf}"}, "form": {"step": "2"}},
        {"before": ["GET /cart", "POST /cart sku=7&csrfmiddlewaretoken={csrf}"], "csrf": TOKEN},
        {"before": [*CART, "GET /empty"], "csrf": TOKEN, "form": {"csrfmiddlewaretoken": "{csrf}", "step": "2"}},
    ],
)
@pytest.mark.parametrize("referer_only", [False, True])
def test_a_shop_that_looks_at_where_a_form_comes_from_lets_the_customer_in(
    checkout: dict[str, Any], referer_only: bool
) -> None:
    shop = Guarded(referer_only=referer_only)
    (came,) = started(shop, checkout)
    assert came.payment_url == f"{GATEWAY}/pay", came.page and came.page.response
    assert "not-this" not in shop.forms[-1][1]
    assert "note" not in shop.forms[-1][1] or checkout.get("form") == {"note": "x"}


PAY = f"{GATEWAY}/pay"


def _leading(body: str, **headers: str) -> Guarded:
    """A shop whose checkout answers with this page."""

    async def answer(request: Request) -> Response:
        return HTMLResponse(body, headers=headers)

    shop = Guarded()
    shop.app.router.routes.insert(0, Route("/checkout", answer, methods=["POST"]))
    return shop


@pytest.mark.parametrize(
    ("redirect", "body", "headers"),
    [
        ("html:meta[http-equiv=refresh]", f'<meta http-equiv="refresh" content="0; url={PAY}">', {}),
        ("html:meta[http-equiv=Refresh i]", f"<meta http-equiv=Refresh content=\"0;URL='{PAY}'\">", {}),
        ("header:Refresh", "<p>One moment</p>", {"Refresh": f"0; url={PAY}"}),
        ("html:script", f"<script>window.location.replace('{PAY}')</script>", {}),
        ("html:script", "<script>const to = " + PAY.join('""').replace("/", "\\/") + "; location.href = to</script>", {}),
        ("html:script", f"<script>// [1]\nif (!/https://[^/]+/.test(to)) location = '{PAY}'</script>", {}),
        ("html:#pay@data-url", f'<button id="pay" data-url="{PAY}">Pay</button>', {}),
        ("html:form", f'<form method="post" action="{PAY}"></form><script>document.forms[0].submit()</script>', {}),
        ("location", f'<meta http-equiv="refresh" content="1;url={PAY}">', {}),
        ("location", f'<meta http-equiv="REFRESH" content="0, Url = {PAY}">', {}),
        ("location", "<p>One moment</p>", {"Refresh": f"0;{PAY}"}),
        ("location", f'<noscript><meta http-equiv=refresh content="0;url=/no"></noscript><meta http-equiv=refresh content="0;url={PAY}">', {}),
    ],
)  # fmt: skip
def test_a_page_that_sends_the_customer_on_by_itself_leads_to_the_payment(
    redirect: str, body: str, headers: dict[str, str]
) -> None:
    (start,) = started(_leading(body, **headers), {"redirect": redirect})
    assert start.payment_url == PAY


@pytest.mark.parametrize(
    "body",
    [
        f'<meta http-equiv="refresh" content="30; url={PAY}">',
        '<meta http-equiv="refresh" content="9">',
        f'<noscript><meta http-equiv="refresh" content="0;url={PAY}"></noscript>',
        '<meta http-equiv="refresh" content="0;url=https://[">',
        '<script src="https://["></script>',
    ],
)
def test_a_page_that_only_reloads_itself_leads_nowhere(body: str) -> None:
    (start,) = started(_leading(body), {})
    assert start.payment_url == ""


@pytest.mark.parametrize("refresh", ["0", "0;", "0; url=/wait", "0;URL=''"])
def test_a_page_that_waits_for_a_payment_is_watched_until_it_is_there(refresh: str) -> None:
    looks = 0

    async def begun(request: Request) -> Response:
        return RedirectResponse("/wait", 303)

    async def wait(request: Request) -> Response:
        nonlocal looks
        looks += 1
        return RedirectResponse(PAY) if looks > 2 else HTMLResponse(f'<meta http-equiv="refresh" content="{refresh}">')

    shop = Guarded()
    shop.app.router.routes[:0] = [Route("/checkout", begun, methods=["POST"]), Route("/wait", wait)]
    (start,) = started(shop, {})
    assert start.payment_url == PAY


def test_a_page_that_leads_to_the_gateway_and_loads_itself_again_is_not_waited_for() -> None:
    asked: list[str] = []

    async def offer(request: Request) -> Response:
        asked.append(request.method)
        return HTMLResponse(
            f'<meta http-equiv="refresh" content="1"><p>Not paid yet</p><a id="pay" href="{PAY}">Pay</a>'
        )

    shop = Guarded()
    shop.app.router.routes.insert(0, Route("/checkout", offer, methods=["POST", "GET"]))
    (start,) = started(shop, {"redirect": "html:a#pay"})
    assert start.payment_url == PAY
    assert asked == ["POST"]


def test_a_page_that_waits_for_ever_is_left_when_patience_ends() -> None:
    async def wait(request: Request) -> Response:
        return HTMLResponse("<p>One moment</p>", headers={"Refresh": "1"})

    async def play() -> Visit:
        server = GatewayServer(Starlette(routes=[Route("/wait", wait)]))
        await server.start()
        try:
            async with a_customer(server.port, patience=0.5) as customer:
                return await customer.browse("GET", f"{customer.place.public_url}/wait", purpose="checkout")
        finally:
            await server.stop()

    assert len(asyncio.run(play()).pages) == 1


def test_a_refresh_of_many_blanks_is_read_as_fast_as_any_other() -> None:
    """Once its time grew with the square of its length: a minute for these."""
    blanks = " " * 100_000
    (start,) = started(_leading(f'<meta http-equiv="refresh" content="9;url=a{blanks}\'b">'), {})
    assert start.payment_url == ""


def test_a_second_click_sends_the_same_form() -> None:
    shop = Guarded()
    assert [came.payment_url for came in started(shop, {"before": CART}, times=2)] == [f"{GATEWAY}/pay"] * 2
    assert shop.forms[-1] == shop.forms[-2]


def test_who_went_to_the_gateway_and_back_submits_from_the_shop_and_returns_from_the_gateway() -> None:
    async def nothing(request: Request) -> Response:
        return HTMLResponse("<p>nothing</p>")

    shop, gateway_pages = Guarded(), Starlette(routes=[Route("/pay", nothing)])

    async def play() -> None:
        server, gateway = GatewayServer(shop.app), GatewayServer(gateway_pages)
        await server.start()
        await gateway.start()
        try:
            site = f"http://localhost:{gateway.port}"
            async with a_customer(server.port, gateway=site) as customer:
                await customer.ask("GET", f"{customer.place.public_url}/cart")
                await customer.ask("GET", f"{site}/pay", purpose="hosted")
                await customer.ask("POST", f"{customer.place.public_url}/api", purpose="checkout")
                await customer.ask("GET", f"{site}/pay", purpose="hosted")
                await customer.ask("GET", f"{customer.place.public_url}/api", purpose="return")
                _, again, back = shop.seen
                here = f"https://{again.headers['host']}"
                assert (again.headers["origin"], again.headers["sec-fetch-site"]) == (here, "same-origin")
                assert (back.headers["referer"], back.headers["sec-fetch-site"]) == (f"{site}/", "cross-site")
        finally:
            await server.stop()
            await gateway.stop()

    asyncio.run(play())


def test_what_is_configured_counts_before_a_hidden_field() -> None:
    shop = Guarded()
    (came,) = started(shop, {"before": CART, "form": {"step": "3"}})
    assert came.payment_url == ""
    assert shop.forms[-1][1]["step"] == "3"


def test_hidden_fields_are_not_sent_to_a_json_checkout() -> None:
    shop = Guarded()
    (came,) = started(shop, {"path": "/api", "before": CART, "json": {"a": 1}, "redirect": "json:/pay"})
    assert came.page
    assert came.page.response
    assert '"body":"{\\"a\\":1}"' in came.page.response.body


@pytest.mark.parametrize(
    ("checkout", "place", "words"),
    [
        (
            {"before": ["GET /empty"], "csrf": TOKEN},
            "integration.checkout.csrf",
            "matches nothing on GET https://shop-",
        ),
        ({"csrf": TOKEN}, "integration.checkout", "no page is opened before it"),
        ({"before": ["GET /cart?t={csrf}"], "csrf": TOKEN}, "integration.checkout.before", "before the first page"),
    ],
)
def test_a_placeholder_without_a_value_is_an_error(checkout: dict[str, Any], place: str, words: str) -> None:
    with pytest.raises(PayproofError) as caught:
        started(Guarded(), {**checkout, "form": {"t": "{csrf}"}})
    assert caught.value.place == place
    assert words in caught.value.message
    assert caught.value.remedy


def test_a_shop_that_breaks_on_the_way_to_its_form_is_not_a_wrong_configuration() -> None:
    (came,) = started(Guarded(), {"before": ["GET /broken"], "csrf": TOKEN, "form": {"t": "{csrf}"}})
    assert came.payment_url == ""
    assert came.page
    assert came.page.response
    assert came.page.response.status == 500


def test_the_customer_says_what_a_browser_says() -> None:
    shop = Guarded()
    started(shop, {"before": CART})
    first, post, moved, checkout = shop.seen
    here = f"https://{first.headers['host']}"
    assert "referer" not in first.headers
    assert "origin" not in first.headers
    assert first.headers["sec-fetch-site"] == "none"
    assert first.headers["accept"].startswith("text/html,application/xhtml+xml")
    assert "payproof" in first.headers["user-agent"]
    assert first.headers["user-agent"].startswith("Mozilla/5.0 ")
    assert first.headers["accept-language"]
    assert (post.headers["origin"], post.headers["referer"]) == (here, f"{here}/cart")
    assert (moved.headers["referer"], "origin" in moved.headers) == (f"{here}/cart", False)
    assert (checkout.headers["origin"], checkout.headers["sec-fetch-site"]) == (here, "same-origin")


@pytest.mark.parametrize(
    ("source", "policy", "url", "referer"),
    [
        ("https://a.test/x?y=1#z", "", "https://a.test/b", "https://a.test/x?y=1"),
        ("https://u:p@a.test/x", "", "https://a.test/b", "https://a.test/x"),
        ("https://a.test/x?y=1", "", "https://b.test/b", "https://a.test/"),
        ("https://a.test/x?y=1", "unsafe-url", "https://b.test/b", "https://a.test/"),
        ("https://a.test/x?y=1", "", "http://a.test/b", ""),
        ("http://a.test/x?y=1", "", "http://a.test/b", "http://a.test/x?y=1"),
        ("https://a.test/x", "same-origin", "https://b.test/b", ""),
        ("https://a.test/x", "same-origin", "https://a.test/b", "https://a.test/x"),
        ("https://a.test/x", "origin", "https://a.test/b", "https://a.test/"),
        ("https://a.test/x", "no-referrer, strict-origin-when-cross-origin", "https://a.test/b", "https://a.test/x"),
        ("https://a.test/x", "no-referrer, not-known", "https://a.test/b", ""),
        ("", "", "https://a.test/b", ""),
    ],
)
def test_the_referer_is_a_browsers(source: str, policy: str, url: str, referer: str) -> None:
    assert headers("GET", url, shown(source, policy)).get("Referer", "") == referer


def test_each_customer_comes_from_an_address_of_their_own_and_keeps_it_in_another_tab() -> None:
    shop = Guarded()

    async def play() -> list[str]:
        server = GatewayServer(shop.app)
        await server.start()
        try:
            async with a_customer(server.port) as one, a_customer(server.port, name="customer 2") as two:
                for customer in (one, one.tab(), two):
                    await customer.ask("POST", f"{customer.place.public_url}/api", json={})
        finally:
            await server.stop()
        return [request.headers["x-forwarded-for"] for request in shop.seen]

    first, again, other = asyncio.run(play())
    assert first == again != other


def test_what_a_driver_says_counts() -> None:
    ours = headers("POST", "https://a.test/b", Shown())
    assert ours["Origin"] == "https://a.test"
    assert ours["Referer"] == "https://a.test/"
    mixed = merged(ours, {"origin": "https://b.test", "ACCEPT": "x/y"})
    assert (mixed["origin"], mixed["ACCEPT"]) == ("https://b.test", "x/y")
    assert not {"Origin", "Accept"} & set(mixed)


@pytest.mark.parametrize("value", ["Zoë".encode(), b"Zo\xeb"], ids=["utf-8", "latin-1"])
def test_letters_outside_ascii_in_a_cookie_or_an_address_stop_no_customer(value: bytes) -> None:
    seen: list[Request] = []

    async def here(request: Request) -> Response:
        seen.append(request)
        answer = RedirectResponse("/there") if request.url.path == "/für" else HTMLResponse("there")
        answer.raw_headers.append((b"set-cookie", b"name=" + value))
        return answer

    async def play() -> Visit:
        server = GatewayServer(Starlette(routes=[Route("/{path:path}", here)]))
        await server.start()
        try:
            async with a_customer(server.port) as customer:
                await customer.browse("GET", f"{customer.place.public_url}/für")
                return await customer.browse("GET", f"{customer.place.public_url}/again?né")
        finally:
            await server.stop()

    visit = asyncio.run(play())
    assert visit.page
    assert visit.page.problem == ""
    cookies = [[given for name, given in request.headers.raw if name == b"cookie"] for request in seen]
    assert cookies == [[], [b"name=" + value], [b"name=" + value]]


# An end to everything

Speak = Callable[[asyncio.StreamWriter], Awaitable[None]]


def walked(speak: Speak, *, patience: float = 20.0, journal: Journal | None = None) -> tuple[Page, Journal]:
    """A customer opens a page of a server that says this after each request: (where it ended, journal)."""

    async def play() -> Page:
        serving: list[asyncio.Task[None] | None] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            serving.append(asyncio.current_task())
            try:
                with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                    await reader.readuntil(b"\r\n\r\n")
                    await speak(writer)
                    writer.close()
                    await writer.wait_closed()
            finally:
                writer.transport.abort()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port: int = server.sockets[0].getsockname()[1]
        try:
            async with a_customer(port, journal, patience=patience) as customer:
                visit = await customer.browse("GET", f"{customer.place.public_url}/", purpose="order")
                assert visit.page
                return visit.page
        finally:
            server.close()
            tasks = [task for task in serving if task]
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=5)
            await server.wait_closed()

    journal = journal or Journal(clock=time.monotonic)
    return asyncio.run(asyncio.wait_for(play(), 60)), journal


def _pieces(head: str, piece: bytes, times: int = 100_000, pause: float = 0.0) -> Speak:
    async def speak(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\n{head}".encode() + (b"\r\n" if head.endswith("\n") or not head else b""))
        for _ in range(times):
            writer.write(piece)
            await writer.drain()
            if pause:
                await asyncio.sleep(pause)

    return speak


def _kept(journal: Journal) -> Page:
    (page,) = (entry for entry in journal.entries if isinstance(entry, Page))
    return page


def test_an_endless_page_is_cut_and_said_to_be() -> None:
    page, journal = walked(_pieces("Content-Type: text/html\r\n", b"<p>" + b"x" * 65_000))
    assert page.response
    assert page.response.status == 200
    assert page.problem == f"cut after the first {READ_LIMIT:,} bytes; there is more"
    kept = _kept(journal)
    assert kept.response
    assert len(kept.response.body) == BODY_LIMIT
    assert kept.response.size > READ_LIMIT
    assert kept.problem == page.problem


def test_the_size_of_a_large_page_is_known() -> None:
    _, journal = walked(_pieces("Content-Length: 500000000\r\nContent-Type: application/json\r\n", b"[1," * 20_000))
    kept = _kept(journal)
    assert kept.problem == f"cut after the first {READ_LIMIT:,} bytes of 500,000,000"
    assert kept.response
    assert kept.response.size == 500_000_000


def test_a_secret_far_down_on_a_page_is_found() -> None:
    secret = "Kq7" * 12
    body = f"<p>{'x ' * 50_000}</p> key: {secret} end"
    journal = Journal(clock=time.monotonic)
    journal.redactor.add("secret-key", secret)
    head = f"Content-Type: text/html\r\nContent-Length: {len(body)}\r\n"
    page, _ = walked(_pieces(head, body.encode(), 1), journal=journal)
    assert page.response
    assert secret in page.response.body, "the walk goes on with what it really saw"
    kept = _kept(journal).response
    assert kept
    assert "[further on] x x" in kept.body
    assert "key: <secret-key-1> end" in kept.body
    assert secret not in kept.body
    assert (len(kept.body) <= BODY_LIMIT, kept.size) == (True, len(body))


@pytest.mark.parametrize("coding", ["gzip", "deflate", "x-gzip"])
def test_a_small_answer_does_not_unpack_to_a_large_one(coding: str) -> None:
    pack = zlib.compressobj(wbits=31 if "gzip" in coding else 15)
    bomb = b"".join([*(pack.compress(b"\0" * 2**20) for _ in range(300)), pack.flush()])
    assert len(bomb) < READ_LIMIT
    page, _ = walked(
        _pieces(f"Content-Encoding: {coding}\r\nContent-Length: {len(bomb)}\r\nContent-Type: text/plain\r\n", bomb, 1)
    )
    assert page.response
    assert len(page.response.body) == READ_LIMIT
    assert "cut" in page.problem


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(b"hello")),
        ("deflate", zlib.compress(b"hello")),
        ("deflate", zlib.compress(b"hello")[2:-4]),
        ("", b"hello"),
    ],
    ids=["gzip", "zlib", "raw deflate", "plain"],
)
def test_an_honest_page_is_unpacked(coding: str, packed: bytes) -> None:
    head = f"Content-Encoding: {coding}\r\n" if coding else ""
    page, _ = walked(_pieces(f"{head}Content-Length: {len(packed)}\r\n", packed, 1))
    assert page.response
    assert (page.response.body, page.response.size, page.problem) == ("hello", 5, "")


def test_a_coding_that_is_none_is_a_broken_answer() -> None:
    page, _ = walked(_pieces("Content-Encoding: gzip\r\nContent-Length: 5\r\n", b"hello", 1))
    assert (page.response, page.problem) == (None, "connection broke: DecodingError")


@pytest.mark.parametrize("charset", ["idna", "no-such", "base64", "undefined"])
def test_an_odd_charset_is_read_all_the_same(charset: str) -> None:
    page, _ = walked(_pieces(f"Content-Length: 5\r\nContent-Type: text/html; charset={charset}\r\n", b"hello", 1))
    assert page.response
    assert page.response.body == "hello"


def test_a_page_that_drips_ends_with_patience() -> None:
    began = time.monotonic()
    page, _ = walked(_pieces("Content-Type: text/html\r\n", b"x", pause=0.05), patience=1.0)
    assert (page.response, page.problem) == (None, "no answer within 1 s")
    assert time.monotonic() - began < 10


def test_endless_headers_are_a_broken_answer() -> None:
    page, _ = walked(_pieces("X-A: 1", b"X-B: " + b"y" * 1000 + b"\r\n"))
    assert (page.response, page.problem) == (None, "connection broke: its headers are too long")


def test_a_cookie_of_many_megabytes_is_a_broken_answer() -> None:
    page, _ = walked(_pieces("Set-Cookie: a=", b"a" * 100_000, 1000))
    assert page.response is None
    assert page.problem.startswith("connection broke")


def test_endless_redirects_end_and_the_journal_says_so() -> None:
    async def speak(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 302 Found\r\nLocation: /{secrets.token_hex(4)}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()

    page, journal = walked(speak)
    assert page.response
    assert page.response.status == 302
    assert any("was sent on 12 times" in entry.text for entry in journal.entries if isinstance(entry, Step))


@pytest.mark.parametrize(
    "body", ["<div>" * 100_000, "<div><b>" * 50_000 + "x", "<!doctype html><a href=/x>" + "<i>" * 100_000]
)
def test_a_page_nested_without_end_is_unreadable_and_says_so(body: str) -> None:
    began = time.monotonic()
    head = f"Content-Type: text/html\r\nContent-Length: {len(body)}\r\n"
    page, _ = walked(_pieces(head, body.encode(), 1))
    assert "nested deeper than 1000" in page.problem
    assert soup(body).find("div") is None
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("body", ["<p>x" * 3000, "<li><b>x</b>" * 3000 + "</ul>", "<br>" * 5000, "<div></div>" * 5000])
def test_a_long_page_is_not_a_deep_one(body: str) -> None:
    page, _ = walked(_pieces(f"Content-Type: text/html\r\nContent-Length: {len(body)}\r\n", body.encode(), 1))
    assert page.problem == ""


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("[" * 100_000, "nested too deep"),
        ('{"s":' * 100_000, "nested too deep"),
        ('{"a":"' + "x" * 2 * READ_LIMIT, "cut after the first"),
    ],
)
def test_an_order_page_that_cannot_be_read_says_why(body: str, words: str) -> None:
    async def read(request: Request) -> Response:
        return Response(body, media_type="application/json")

    async def play() -> str:
        server = GatewayServer(Starlette(routes=[Route("/o", read)]))
        await server.start()
        table = {"checkout": {"path": "/checkout"}, "order": {"path": "/o", "status": "json:/s"}}
        config = make_config({"integration": {"name": "s", "command": ["x"], **table}}, folder=Path(), place="x")
        try:
            async with a_customer(server.port) as customer:
                driver = RecipeDriver(config, {"public_url": customer.place.public_url})
                return (await driver.order(Order("1", Decimal("5"), "XAF"), customer)).problem
        finally:
            await server.stop()

    assert words in asyncio.run(play())


@pytest.mark.parametrize(
    "body", [{"json": {"id": "{order.id}", "check": "1"}}, {"form": {"id": "{order.id}", "check": "1"}}]
)
def test_the_state_may_be_asked_for_by_post_as_a_front_end_does(body: dict[str, Any]) -> None:
    async def confirmed(request: Request) -> Response:
        asked = await request.json() if "json" in body else dict(parse_qsl((await request.body()).decode()))
        return JSONResponse({"s": "paid" if asked == {"id": "1", "check": "1"} else "new"})

    async def play() -> tuple[bool | None, str]:
        server = GatewayServer(Starlette(routes=[Route("/confirm", confirmed, methods=["POST"])]))
        await server.start()
        order = {"method": "POST", "path": "/confirm", "status": "json:/s", **body}
        table = {"checkout": {"path": "/checkout"}, "order": order}
        config = make_config({"integration": {"name": "s", "command": ["x"], **table}}, folder=Path(), place="x")
        try:
            async with a_customer(server.port) as customer:
                driver = RecipeDriver(config, {"public_url": customer.place.public_url})
                seen = await driver.order(Order("1", Decimal("5"), "XAF"), customer)
                return seen.paid, seen.page.request.method if seen.page else ""
        finally:
            await server.stop()

    assert asyncio.run(play()) == (True, "POST")


def test_an_id_that_only_the_pages_before_the_checkout_tell_is_learned_and_a_second_click_keeps_it() -> None:
    """A shop that makes the order first, shows it at an address of its own, and is paid by a form there."""

    async def quoted(request: Request) -> Response:
        return RedirectResponse(f"/quotes/{(await request.form())['sku']}", 303)

    async def quote(request: Request) -> Response:
        return HTMLResponse("<p>your quote</p>")

    async def pay(request: Request) -> Response:
        return RedirectResponse(PAY, 303)

    routes = [
        Route("/quotes", quoted, methods=["POST"]),
        Route("/quotes/{n}", quote),
        Route("/pay", pay, methods=["POST"]),
    ]
    checkout = {"path": "/pay", "before": ["POST /quotes sku=42", "GET /quotes/42"], "order_id": "url:/quotes/(\\d+)"}

    async def play() -> list[tuple[str, bool]]:
        server = GatewayServer(Starlette(routes=routes))
        await server.start()
        table = {"checkout": checkout, "order": {"path": "/quotes/{order.id}", "status": "json:/s"}}
        config = make_config({"integration": {"name": "s", "command": ["x"], **table}}, folder=Path(), place="x")
        try:
            async with a_customer(server.port) as customer:
                driver = RecipeDriver(config, {"public_url": customer.place.public_url})
                order, seen = Order("797014976", Decimal("5"), "XAF", known=False), list[tuple[str, bool]]()
                for again in (False, True):
                    assert (await driver.checkout(order, customer, again=again)).payment_url == PAY
                    seen.append((order.id, order.known))
                return seen
        finally:
            await server.stop()

    assert asyncio.run(play()) == [("42", True), ("42", True)]


@pytest.mark.parametrize(
    ("pointer", "given", "kind"),
    [
        ("html:#s", {}, "page"),
        ("json:/s", {}, "json"),
        ("html:#s", {"Accept": "text/html, application/json"}, "json"),
        ("header:S", {}, "json"),
    ],
)
def test_an_order_is_asked_for_as_what_its_pointer_reads(pointer: str, given: dict[str, str], kind: str) -> None:
    """A shop that shows one order as a page and as JSON goes by Accept, and looks for JSON in it first."""
    asked: list[str] = []

    async def shown(request: Request) -> Response:
        asked.append("json" if "application/json" in request.headers["accept"] else "page")
        return Response('<p id="s">paid</p>', media_type="text/html")

    async def play() -> None:
        server = GatewayServer(Starlette(routes=[Route("/o", shown)]))
        await server.start()
        table = {"checkout": {"path": "/checkout"}, "order": {"path": "/o", "status": pointer, "headers": given}}
        config = make_config({"integration": {"name": "s", "command": ["x"], **table}}, folder=Path(), place="x")
        try:
            async with a_customer(server.port) as customer:
                driver = RecipeDriver(config, {"public_url": customer.place.public_url})
                await driver.order(Order("1", Decimal("5"), "XAF"), customer)
        finally:
            await server.stop()

    asyncio.run(play())
    assert asked == [kind]


@pytest.mark.parametrize("proven", [True, False])
def test_a_page_without_its_token_is_the_shops_doing_where_the_description_was_right_before(proven: bool) -> None:
    """A basket stays empty, and has no form, where the shop refuses what is to be put into it."""

    async def basket(request: Request) -> Response:
        return Response("<p>It is empty.</p>")

    async def play() -> Started:
        server = GatewayServer(Starlette(routes=[Route("/basket", basket)]))
        await server.start()
        checkout = {
            "path": "/pay",
            "before": ["GET /basket"],
            "csrf": "html:input[name=guard]",
            "form": {"g": "{csrf}"},
        }
        table = {"checkout": checkout, "order": {"path": "/o", "status": "json:/s"}}
        config = make_config({"integration": {"name": "s", "command": ["x"], **table}}, folder=Path(), place="x")
        try:
            async with a_customer(server.port) as customer:
                driver = RecipeDriver(config, {"public_url": customer.place.public_url}, proven=proven)
                return await driver.checkout(Order("1", Decimal("5"), "XAF"), customer)
        finally:
            await server.stop()

    if proven:
        assert (started := asyncio.run(play())).page is not None
        assert started.payment_url == ""
    else:
        with pytest.raises(PayproofError, match="has no value"):
            asyncio.run(play())


def test_an_id_that_was_told_to_one_checkout_is_not_known_to_be_the_next_ones() -> None:
    """A shop with a basket makes another order when the same customer fills it again."""
    shop = Guarded()

    async def play() -> tuple[bool, str, bool]:
        server = GatewayServer(shop.app)
        await server.start()
        table = {
            "checkout": {"path": "/checkout", "before": CART, "order_id": "url:/orders/(\\d+)"},
            "order": {"path": "/orders/{order.id}", "status": "json:/s"},
        }
        config = make_config({"integration": {"name": "s", "command": ["x"], **table}}, folder=Path(), place="x")
        try:
            async with a_customer(server.port) as customer:
                driver = RecipeDriver(config, {"public_url": customer.place.public_url})
                order = Order("797014976", Decimal("5"), "XAF", known=False)
                pages = (await customer.browse("GET", f"{customer.place.public_url}/empty")).pages
                driver.learn(order, Visit(pages, addresses=("https://shop.test/orders/30/cancel",)))
                learned = order.known
                assert (await driver.checkout(order, customer)).payment_url
                unknown = order.known
                driver.learn(order, Visit(pages, addresses=("https://shop.test/orders/31/return",)))
                return learned and not unknown, order.id, order.known
        finally:
            await server.stop()

    assert asyncio.run(play()) == (True, "31", True)


def test_the_id_of_an_order_stands_in_the_addresses_that_the_gateway_was_given() -> None:
    """Nobody has come back yet, so no page of a walk tells it."""
    checkout = {"path": "/checkout", "order_id": "url:[?&]order=(\\w+)"}
    table = {"checkout": checkout, "order": {"path": "/orders/{order.id}", "status": "json:/s"}}
    config = make_config({"integration": {"name": "s", "command": ["x"], **table}}, folder=Path(), place="x")
    order = Order("797014976", Decimal("5"), "XAF", known=False)
    RecipeDriver(config, {}).learn(order, Visit((), addresses=("https://shop.test/thanks?order=C77", "")))
    assert (order.id, order.known) == ("C77", True)


def test_a_way_to_cancel_that_leads_nowhere_is_said() -> None:
    """A link without an address leads back to the page where one can still pay."""

    async def hosted(request: Request) -> Response:
        return HTMLResponse('<form method="post"><input name="pin"></form><a class="cancel">Cancel</a>')

    async def play() -> tuple[str, list[str]]:
        server = GatewayServer(Starlette(routes=[Route("/{page:path}", hosted)]))
        await server.start()
        try:
            site = f"http://localhost:{server.port}"
            async with a_customer(1, gateway=site) as customer:
                customer.recipe = replace(customer.recipe, cancel=".cancel")
                tab = await HostedTab(customer, Payer("ada", "1234", "paid")).open(f"{site}/pay")
                state = (await tab.cancel()).state
                return state, [entry.text for entry in customer.journal.entries if isinstance(entry, Step)]
        finally:
            await server.stop()

    state, said = asyncio.run(play())
    assert state == "stuck"
    assert "the way to cancel leads to a page where one can still pay" in said[-1]


# Scripts


@pytest.mark.parametrize(
    ("headers", "loads"), [({"Last-Modified": "Sun, 29 Nov 2026 10:00:00 GMT"}, 1), ({"ETag": 'W/"1"'}, 2)]
)
def test_a_script_that_is_a_file_is_loaded_once_and_what_it_fetches_by_each_customer(
    headers: dict[str, str], loads: int
) -> None:
    asked: list[str] = []

    async def page(request: Request) -> Response:
        asked.append(request.url.path)
        return HTMLResponse('<script src="/app.js"></script>')

    async def script(request: Request) -> Response:
        asked.append(request.url.path)
        return Response("fetch('/api/me')", media_type="text/javascript", headers=headers)

    async def me(request: Request) -> Response:
        asked.append(request.url.path)
        return Response("{}", media_type="application/json")

    async def play() -> None:
        server = GatewayServer(Starlette(routes=[Route("/", page), Route("/app.js", script), Route("/api/me", me)]))
        await server.start()
        try:
            async with a_customer(server.port) as first:
                second = first.tab(name="customer 2")
                for customer in (first, second):
                    await customer.browse("GET", f"{first.place.public_url}/")
        finally:
            await server.stop()

    asyncio.run(play())
    assert (asked.count("/app.js"), asked.count("/api/me")) == (loads, 2)
