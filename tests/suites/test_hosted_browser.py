"""``customer = "browser"``: a real browser pays at the hosted checkout, at an independent sandbox and at pages that need
scripts."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
import tomllib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from payproof.contracts.entries import Ledger, Page, Step
from payproof.contracts.journal import Journal
from payproof.contracts.judging.judge import judge
from payproof.contracts.model import PayproofError, Result, Verdict
from payproof.contracts.profile import Fields, HostedRecipe, Payer
from payproof.contracts.redaction.secrets import spellings
from payproof.contracts.run import Run, dump
from payproof.simulator import GatewayServer
from payproof.suites.config import make_config
from payproof.suites.customer.browser import Browser, BrowserTab, tab
from payproof.suites.customer.browser import browser as finding
from payproof.suites.customer.customer import Customer
from payproof.suites.customer.routing import Routing
from payproof.suites.run.plan import Options
from payproof.suites.run.runner import perform

from ..conftest import IndependentSandbox  # noqa: TID252

SHOP = Path(__file__).parents[2] / "examples" / "flask-shop"
Start = Callable[..., IndependentSandbox]
with_a_browser = pytest.mark.usefixtures("an_installed_browser")


@pytest.fixture
def an_installed_browser() -> None:
    pytest.importorskip("playwright", reason="Playwright is not installed: pip install payproof[browser]")
    try:
        Browser()
    except PayproofError as error:
        pytest.skip(f"{error.message}: {error.remedy}")


def _run(sandbox: dict[str, Any], *probes: str) -> tuple[Run, Result]:
    table = tomllib.loads((SHOP / "payproof.qrpay.toml").read_text())
    config = make_config(table | {"sandbox": {**sandbox, "customer": "browser"}}, folder=SHOP, place="test", environ={})
    run = asyncio.run(perform(config, Options(target="sandbox", probes=probes, quick=True, seed=5)))
    return run, judge(run, config.profile)


def _of(run: Run, kind: type[Any]) -> list[Any]:
    return [entry for world in run.worlds for entry in world.of(kind)]


def _browsers() -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for child in psutil.Process().children(recursive=True):
        try:
            found += [child] if "chrom" in child.name() or "playwright" in " ".join(child.cmdline()) else []
        except psutil.NoSuchProcess:
            continue
    return found


# At the independent sandbox, through the relay


@with_a_browser
def test_a_browser_pays_cancels_and_is_refused_and_the_ledger_agrees_with_the_sandboxs_books(
    independent_sandbox: Start,
) -> None:
    sandbox = independent_sandbox()
    run, result = _run(sandbox.table(), "cancelled", "refused", "late-success")
    verdicts = {judgement.requirement: judgement.verdict for judgement in result.judgements}
    for requirement in ("flow.success", "flow.cancelled", "flow.failed", "flow.late-success", "verify.failed-return"):
        assert verdicts[requirement] is Verdict.PASS, requirement
    charged = sorted(entry.payment for entry in _of(run, Ledger) if entry.event == "charged")
    assert charged
    assert charged == sorted(row["id"] for row in sandbox.payments() if row["charged"])
    assert not _browsers()


@with_a_browser
def test_every_page_and_redirect_is_journaled_and_no_secret_of_the_payer_or_the_session(
    independent_sandbox: Start,
) -> None:
    login, password = "payer-canary@shop.example.test", "hunter2-correct-horse-battery"
    sandbox = independent_sandbox("--payer", f"{login}:{password}")
    run, _ = _run(sandbox.table(payers={"paid": {"login": login, "password": password}}), "cancelled")
    shown = [page for page in _of(run, Page) if page.where == "checkout"]
    assert [(page.request.method, page.response.status) for page in shown[:4]] == [
        ("GET", 200),
        ("POST", 302),
        ("GET", 200),
        ("POST", 302),
    ]
    assert "email=<payer-login>&password=<payer-password>" in shown[1].request.body
    assert "Confirm your payment" in shown[2].response.body
    cookies = {value for page in shown for name, value in page.request.headers if name == "cookie"}
    assert cookies
    assert all("=<session-" in cookie for cookie in cookies)
    assert not any(spelt in dump(run) for _, spelt in spellings(password))


@with_a_browser
def test_a_browser_types_the_one_time_code(independent_sandbox: Start) -> None:
    run, result = _run(independent_sandbox("--otp").table(), "cancelled")
    assert run.scored, run.diagnosis
    assert next(j for j in result.judgements if j.requirement == "flow.success").verdict is Verdict.PASS
    assert any("enter the code" in (page.response.body if page.response else "") for page in _of(run, Page))


@with_a_browser
def test_a_wrong_password_is_typed_once_and_said_to_be_wrong(independent_sandbox: Start) -> None:
    sandbox = independent_sandbox()
    run, _ = _run(sandbox.table(payers={"paid": {"login": "sandbox@appdevs.net", "password": "wrong"}}), "cancelled")
    assert not run.scored
    assert run.diagnosis[0].startswith(
        "The customer cannot go on at the hosted checkout: the page asks again for what was given:"
    )
    assert "Credentials didn't match." in run.diagnosis[0]
    assert [seen["method"] for seen in sandbox.requests() if "form/submit" in seen["path"]] == ["POST"]


# At pages that need scripts

SCRIPTED = """<!doctype html><title>Pay</title><body><p id=note>One moment</p>
<div class="process-error" style="display:none">Sorry <a href="/sorry">back</a></div><div id=app></div><script>
const app = document.getElementById('app'), say = (html) => { app.innerHTML = html; };
const send = async (path, form) => (await fetch(path, { method: 'POST', body: JSON.stringify(
  Object.fromEntries(new FormData(form))) })).json();
function login() {
  say('<form id=f><input name=email><input name=password type=password><button disabled>Next</button></form>');
  const form = app.firstChild, button = form.querySelector('button');
  form.oninput = () => { button.disabled = !(form.email.value && form.password.value); };
  form.onsubmit = async (event) => {
    event.preventDefault();
    if ((await send('/login', form)).ok) confirmation();
    else document.getElementById('note').textContent = 'No such customer';
  };
}
function confirmation() {
  say(`<form id=g><label>Card<input name=trx_type type=radio value=CARD style="display:none"></label>
    <button type=button class=cancel>Not now</button><button>Pay</button></form>`);
  const form = app.firstChild;
  form.querySelector('.cancel').onclick = () => { if (confirm('Sure?')) location.href = 'SHOP/cancel?a=1'; };
  form.onsubmit = async (event) => {
    event.preventDefault();
    await send('/pay', form);
    say('<p>Thank you. <a href="/help">Help</a></p>');
    setTimeout(() => { location.href = 'SHOP/return?paid=1'; }, 1500);
  };
}
setTimeout(login, 200);
</script>"""


def _fill(form: Fields, payer: Payer) -> Fields | None:
    names = {name for name, _ in form}
    if {"email", "password"} <= names:
        answers = {"email": payer.login, "password": payer.password}
        return tuple((name, answers.get(name, value)) for name, value in form)
    return form if "trx_type" in names else None


RECIPE = HostedRecipe(fill=_fill, cancel=".cancel", problem=".process-error")
PAYER = Payer("ada@example.test", "a-long-password-of-ada", "paid")


class Hosted:
    """Hosted pages that remember what they were sent, and a shop that must not be opened by the browser."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []
        self.shop_opened: list[str] = []
        routes: list[tuple[str, Callable[[Request], Awaitable[Response]]]] = [
            ("/scripted", self._scripted),
            ("/login", self._login),
            ("/pay", self._pay),
            ("/hop", self._hop),
            ("/over", self._over),
            ("/nothing", self._nothing),
            ("/form", self._form),
        ]
        self.app = Starlette(routes=[Route(path, page, methods=["GET", "POST"]) for path, page in routes])
        self.shop = Starlette(routes=[Route("/{path:path}", self._opened)])
        self.shop_url = ""

    async def _scripted(self, request: Request) -> Response:
        answer = HTMLResponse(SCRIPTED.replace("SHOP", self.shop_url))
        answer.set_cookie("sid", request.cookies.get("sid", f"session-of-{len(self.sent)}-somebody"))
        return answer

    async def _login(self, request: Request) -> Response:
        body = await request.json()
        self.sent.append(("login", body | {"sid": request.cookies.get("sid")}))
        return JSONResponse({"ok": body["password"] == PAYER.password})

    async def _pay(self, request: Request) -> Response:
        self.sent.append(("pay", await request.json()))
        return JSONResponse({})

    async def _hop(self, request: Request) -> Response:
        return RedirectResponse(f"{self.shop_url}/return?hop=1", 302)

    async def _over(self, request: Request) -> Response:
        return HTMLResponse("<p>This payment has expired.</p><a href='/somewhere'>Back</a>")

    async def _nothing(self, request: Request) -> Response:
        return HTMLResponse("<p>We are closed today.</p>")

    async def _form(self, request: Request) -> Response:
        self.sent.append((request.method, request.url.query))
        return HTMLResponse("<form><input name=email><input name=password><button>Go</button></form>")

    async def _opened(self, request: Request) -> Response:
        self.shop_opened.append(request.url.path)
        return HTMLResponse("the shop")


def _at(
    hosted: Hosted, scenario: Callable[[Callable[[], BrowserTab], str], Awaitable[None]], pages: tuple[str, ...] = ()
) -> Journal:
    """Play a scenario with tabs of one customer at these pages."""
    journal = Journal(clock=time.monotonic)

    async def whole() -> None:
        gateway, shop, browser = GatewayServer(hosted.app), GatewayServer(hosted.shop), Browser()
        await gateway.start()
        await shop.start()
        hosted.shop_url = f"http://127.0.0.1:{shop.port}"
        place = Routing("https://shop.localhost", hosted.shop_url, f"http://localhost:{gateway.port}", pages=pages)
        customer = Customer(place, journal, RECIPE, name="customer 1", outside=httpx.AsyncHTTPTransport())
        try:
            await scenario(lambda: BrowserTab(browser, customer, PAYER, "7"), place.gateway_url)
        finally:
            await browser.aclose()
            await gateway.stop()
            await shop.stop()

    asyncio.run(whole())
    return journal


@with_a_browser
def test_pages_that_scripts_draw_are_filled_in_and_a_late_way_back_is_waited_for() -> None:
    async def scenario(new: Callable[[], BrowserTab], url: str) -> None:
        tab = await new().open(f"{url}/scripted")
        assert (tab.state, tab.reason) == ("confirm", "")
        await tab.confirm()
        assert (tab.state, tab.url) == ("left", f"{hosted.shop_url}/return?paid=1")

    hosted = Hosted()
    journal = _at(hosted, scenario)
    assert [kind for kind, _ in hosted.sent] == ["login", "pay"]
    assert hosted.sent[1] == ("pay", {"trx_type": "CARD"})
    assert hosted.shop_opened == []
    assert PAYER.password not in repr(journal.entries)


@with_a_browser
def test_a_button_of_a_script_cancels_and_a_second_tab_has_the_same_session() -> None:
    async def scenario(new: Callable[[], BrowserTab], url: str) -> None:
        first, second = await new().open(f"{url}/scripted"), await new().open(f"{url}/scripted")
        await first.cancel()
        assert (first.state, first.url) == ("left", f"{hosted.shop_url}/cancel?a=1")
        await second.confirm()
        assert second.state == "left"

    hosted = Hosted()
    _at(hosted, scenario)
    assert len({body["sid"] for kind, body in hosted.sent if kind == "login"}) == 1
    assert hosted.shop_opened == []


@with_a_browser
def test_a_redirect_to_the_shop_ends_the_tab_unopened() -> None:
    async def scenario(new: Callable[[], BrowserTab], url: str) -> None:
        tab = await new().open(f"{url}/hop")
        assert (tab.state, tab.url) == ("left", f"{hosted.shop_url}/return?hop=1")

    hosted = Hosted()
    pages = [entry for entry in _at(hosted, scenario).entries if isinstance(entry, Page)]
    assert [(page.purpose, page.order, page.response and page.response.status) for page in pages] == [
        ("hosted", "7", 302)
    ]
    assert hosted.shop_opened == []


@with_a_browser
def test_a_page_with_nothing_but_a_way_out_is_a_problem() -> None:
    async def scenario(new: Callable[[], BrowserTab], url: str) -> None:
        tab = await new().open(f"{url}/over")
        assert (tab.state, tab.url) == ("problem", f"{url}/somewhere")
        missing = await new().open(f"{url}/there-is-no-such-page")
        assert missing.state == "problem"

    _at(Hosted(), scenario)


@with_a_browser
def test_a_page_that_never_goes_on_is_stuck_and_says_what_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(new: Callable[[], BrowserTab], url: str) -> None:
        found = await new().open(f"{url}/nothing")
        assert (found.state, found.url) == ("stuck", "")
        assert found.reason == "the page did not go on within 2 s; it shows: We are closed today."

    monkeypatch.setattr(tab, "PATIENCE", 2.0)
    journal = _at(Hosted(), scenario)
    assert any(isinstance(entry, Step) and "We are closed today" in entry.text for entry in journal.entries)


@with_a_browser
def test_a_form_sent_by_get_is_sent_once_and_its_secrets_are_not_in_the_address() -> None:
    async def scenario(new: Callable[[], BrowserTab], url: str) -> None:
        assert (await new().open(f"{url}/form")).state == "stuck"

    hosted = Hosted()
    journal = _at(hosted, scenario)
    assert len(hosted.sent) == 2
    assert "password=" in hosted.sent[1][1]
    journaled = repr(journal.entries)
    assert "password=<payer-password>" in journaled
    assert "a-long-password" not in journaled


@with_a_browser
def test_a_gateway_that_is_gone_is_no_answer() -> None:
    async def scenario(new: Callable[[], BrowserTab], url: str) -> None:
        found = await new().open(f"{gone}/gone")
        assert found.state == "no_answer"
        assert found.reason.startswith("connection broke")

    gone = f"http://localhost:{_closed_port()}"
    pages = [entry for entry in _at(Hosted(), scenario, (gone,)).entries if isinstance(entry, Page)]
    assert [page.response for page in pages] == [None]
    assert pages[0].problem.startswith("connection broke")


def _closed_port() -> int:
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


# What is missing


def test_without_playwright_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "playwright", None)
    with pytest.raises(PayproofError) as caught:
        Browser()
    assert caught.value.remedy == "pip install 'payproof[browser]'"


def test_without_a_chromium_the_message_says_what_was_looked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(finding, "find_spec", str)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("PAYPROOF_BROWSER", raising=False)
    with pytest.raises(PayproofError, match="looked for chromium, chromium-browser, google-chrome, msedge"):
        Browser()
    monkeypatch.setenv("PAYPROOF_BROWSER", str(tmp_path / "chrome"))
    with pytest.raises(PayproofError, match=r"there is no program .*chrome") as caught:
        Browser()
    assert caught.value.place == "PAYPROOF_BROWSER"


@with_a_browser
def test_a_program_that_is_no_browser_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(new: Callable[[], BrowserTab], url: str) -> None:
        await new().open(f"{url}/over")

    monkeypatch.setenv("PAYPROOF_BROWSER", shutil.which("false") or "false")
    with pytest.raises(PayproofError, match="does not work") as caught:
        _at(Hosted(), scenario)
    assert "PAYPROOF_BROWSER" in caught.value.remedy
    assert not _browsers()
