"""``customer = "person"``: somebody with a browser of their own pays at the sandbox's hosted checkout. The tests play them."""

from __future__ import annotations

import asyncio
import io
import re
import threading
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

import httpx
import pytest
from bs4 import BeautifulSoup, Tag
from rich.console import Console

from payproof.contracts.entries import Checkout, Step
from payproof.contracts.journal import Journal
from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Outcome, Result, Verdict
from payproof.contracts.profile import Payer, load
from payproof.contracts.run import Power, Run
from payproof.simulator.relay import rewrite
from payproof.suites.config import make_config
from payproof.suites.customer import person
from payproof.suites.customer.customer import Customer
from payproof.suites.customer.person import Person, PersonTab
from payproof.suites.customer.routing import Routing
from payproof.suites.run.plan import Options, plan, powerless
from payproof.suites.run.runner import perform
from payproof.suites.session.progress import LiveTable, SilentProgress
from payproof.suites.session.settings import settings_of

from ..conftest import IndependentSandbox  # noqa: TID252

SHOP = Path(__file__).parents[2] / "examples" / "flask-shop"
Start = Callable[..., IndependentSandbox]
Wish = Literal["pay", "cancel"]
LINK = "https://localhost:8443/pay/sandbox/v1/user/authentication/form/p1"
PAYERS = {"paid": ("sandbox@appdevs.net", "appdevs"), "refused": ("refused@sandbox.test", "anything")}


@pytest.fixture(autouse=True)
def a_short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that goes wrong must not wait for as long as a person gets."""
    assert person.PATIENCE == 300.0
    monkeypatch.setattr(person, "PATIENCE", 20.0)


class Somebody(SilentProgress):
    """Reads what payproof asks for, and does it in a browser that trusts no authority of ours: plain HTTP is all it
    can use. ``does``: another wish than the one that was asked for."""

    def __init__(self, payer: str = "paid", does: Wish | None = None) -> None:
        self.payer, self.does = PAYERS[payer], does
        self.texts: list[str] = []
        self.last_pages: list[str] = []
        self.links: list[str] = []
        self._acts: list[threading.Thread] = []

    def ask(self, text: str) -> None:
        self.texts.append(text)
        if found := re.search(r"Please (pay|cancel) .*?(\S+://\S+)", text, re.DOTALL):
            wish: Wish = "pay" if found[1] == "pay" else "cancel"
            self.links.append(found[2])
            act = threading.Thread(target=self._use, args=(found[2], self.does or wish))
            self._acts.append(act)
            act.start()

    def rest(self) -> None:
        for act in self._acts:
            act.join(timeout=20)

    def _use(self, link: str, wish: Wish) -> None:
        with httpx.Client(follow_redirects=True, trust_env=False, timeout=20) as browser:
            login, password = self.payer
            page = _send(browser, browser.get(link), {"email": login, "password": password})
            if wish == "pay":
                page = _send(browser, page, {"trx_type": "WALLET"})
            else:
                leave = BeautifulSoup(page.text, "html.parser").select_one("a.cancel")
                assert leave is not None
                page = browser.get(str(leave["href"]))
            self.last_pages.append(page.text)


def _send(browser: httpx.Client, page: httpx.Response, typed: dict[str, str]) -> httpx.Response:
    form = BeautifulSoup(page.text, "html.parser").select_one("form")
    assert isinstance(form, Tag), page.text
    hidden = {str(node["name"]): str(node["value"]) for node in form.select("input[type=hidden]")}
    return browser.post(str(form["action"]), data=hidden | typed)


def _config(sandbox: dict[str, Any]) -> Any:
    table = tomllib.loads((SHOP / "payproof.qrpay.toml").read_text())
    return make_config(table | {"sandbox": sandbox | {"customer": "person"}}, folder=SHOP, place="test", environ={})


def _run(sandbox: IndependentSandbox, somebody: Somebody, *probes: str) -> tuple[Run, Result]:
    config = _config(sandbox.table())
    options = Options(target="sandbox", probes=probes, quick=True, seed=5)
    run = asyncio.run(perform(config, options, somebody))
    somebody.rest()
    return run, judge(run, config.profile)


def _finding(result: Result, requirement: str) -> tuple[Verdict, str]:
    judgement = next(j for j in result.judgements if j.requirement == requirement)
    return judgement.verdict, judgement.findings[0].title


def test_a_person_pays_and_cancels_over_plain_http_and_the_shop_is_judged_by_it(independent_sandbox: Start) -> None:
    sandbox, somebody = independent_sandbox(), Somebody()
    run, result = _run(sandbox, somebody)
    assert run.scored, run.diagnosis
    for requirement in ("flow.success", "flow.cancelled", "verify.status-checked", "verify.forged-return"):
        assert _finding(result, requirement)[0] is Verdict.PASS, requirement
    assert [row["status"] for row in sandbox.payments() if row["charged"]] == ["SUCCESS"]
    assert all("you may close this window" in page for page in somebody.last_pages)
    assert len(somebody.last_pages) == 2


def test_the_person_is_told_how_often_where_what_and_how_long(independent_sandbox: Start) -> None:
    somebody = Somebody()
    run, _ = _run(independent_sandbox(), somebody)
    assert "asked 2 times" in somebody.texts[0]
    order = next(e.order for world in run.worlds for e in world.of(Checkout))
    paragraph = somebody.texts[1]
    assert f"Please pay order {order}, 5,000.00 XAF, at:" in paragraph
    assert PAYERS["paid"][0] in paragraph
    assert "waits 20 s" in paragraph
    assert all(link.startswith("http://localhost:") for link in somebody.links)
    assert somebody.texts[2] == f"Order {order}: thank you, payproof goes on."


def test_what_a_person_is_spared_says_so_and_how_to_ask_for_it(independent_sandbox: Start) -> None:
    _, result = _run(independent_sandbox(), Somebody())
    verdict, title = _finding(result, "flow.late-success")
    assert verdict is Verdict.NOT_EXERCISED
    assert title == "not possible here: a person pays at this sandbox; choose more with --only"
    assert result.outcome is Outcome.PARTIAL


def test_with_only_a_person_gets_every_probe_of_what_was_chosen() -> None:
    table = {"base_url": "https://sandbox.example/pay/sandbox/api/v1", "client_id": "x" * 20, "secret_key": "y" * 20}
    config = _config(table)
    settings = settings_of(config, powers=set(get_args(Power)) - {"refusal"})
    chosen = plan(config, Options(target="sandbox", only=("flow.late-success", "flow.success")), settings)
    assert {probe.name for probe_runs in chosen.worlds.values() for probe, _ in probe_runs} == {
        "large-amount",
        "late-success",
        "steady",
    }
    everything = plan(config, Options(target="sandbox"), settings)
    assert {probe.name for probe_runs in everything.worlds.values() for probe, _ in probe_runs} == {
        "cancelled",
        "forged-return",
    }
    assert powerless(everything, settings)["flow.failed"] == "no payer is known whom this gateway refuses"


@pytest.mark.parametrize(
    ("payer", "does", "instead"),
    [("paid", "cancel", "it was cancelled"), ("refused", "pay", "the gateway refused the payment")],
)
def test_a_person_who_does_something_else_is_not_held_against_the_shop(
    independent_sandbox: Start, payer: str, does: Wish, instead: str
) -> None:
    run, result = _run(independent_sandbox(), Somebody(payer, does), "cancelled")
    assert not run.scored
    assert run.diagnosis[0] == (
        f"The customer cannot go on at the hosted checkout: the person was asked to pay, and {instead}."
    )
    assert all(judgement.verdict is not Verdict.FAIL for judgement in result.judgements)


class Door:
    """Somebody may leave through it."""

    def __init__(self) -> None:
        self.leaving: dict[str, asyncio.Future[str]] = {}
        self.waited_for = {payment: asyncio.Event() for payment in ("p1", "p2")}

    def departure(self, payment: str) -> asyncio.Future[str]:
        self.waited_for[payment].set()
        return self.leaving.setdefault(payment, asyncio.get_running_loop().create_future())

    def contradicts(self, payment: str, url: str, wish: Wish) -> str:
        return ""


def _tab(somebody: Person, door: Door, payment: str) -> PersonTab:
    place = Routing("https://shop.localhost", "http://127.0.0.1:1", "https://localhost:8443")
    recipe = load("qrpay").hosted
    customer = Customer(place, Journal(), recipe, name="customer 1", outside=httpx.AsyncHTTPTransport())
    checkout = Checkout(
        order=f"o-{payment}", amount="10.00", currency="XAF", outcome="redirected", payment=payment, payment_url=""
    )
    return PersonTab(somebody, door, customer, Payer("somebody", "", "paid"), checkout)


def test_nobody_there_ends_the_wait_with_a_reason() -> None:
    async def wait() -> PersonTab:
        return await (await _tab(Person(texts.append, patience=0.05), Door(), "p1").open(LINK)).confirm()

    texts: list[str] = []
    tab = asyncio.run(wait())
    assert (tab.state, tab.url) == ("stuck", "")
    assert tab.reason == "nobody came back from it within 0.05 s"
    assert tab.reason in texts[-1]
    steps = [entry for entry in tab.customer.journal.entries if isinstance(entry, Step)]
    assert tab.reason in steps[-1].text


def test_a_person_is_asked_for_one_thing_after_the_other() -> None:
    async def both() -> list[str]:
        somebody, door = Person(texts.append), Door()
        tabs = [await _tab(somebody, door, payment).open(LINK) for payment in ("p1", "p2")]
        acts = [asyncio.ensure_future(tab.confirm()) for tab in tabs]
        for payment in ("p1", "p2"):
            await door.waited_for[payment].wait()
            asked.append(len([text for text in texts if text.startswith("Please")]))
            door.leaving[payment].set_result(f"https://shop.localhost/return/{payment}")
        await asyncio.gather(*acts)
        return [tab.url for tab in tabs]

    texts: list[str] = []
    asked: list[int] = []
    assert asyncio.run(both()) == ["https://shop.localhost/return/p1", "https://shop.localhost/return/p2"]
    assert asked == [1, 2]


def test_a_quiet_run_still_says_what_it_waits_for(capsys: pytest.CaptureFixture[str]) -> None:
    SilentProgress().ask("Please pay order 1")
    assert capsys.readouterr().err == "Please pay order 1\n"


def test_a_link_in_the_live_table_stays_in_one_piece() -> None:
    out = io.StringIO()
    table = LiveTable(Console(file=out, force_terminal=True, width=40))
    link = "http://localhost:1234/" + "x" * 90
    table.ask(f"Please pay at:\n\n  {link}")
    table.close()
    assert link in out.getvalue()


def test_over_plain_http_a_secure_cookie_travels_and_nothing_is_upgraded() -> None:
    received = [
        ("Set-Cookie", "sid=1; Domain=gw.example; Secure; HttpOnly; SameSite=None"),
        ("Content-Security-Policy", "upgrade-insecure-requests; img-src https://gw.example"),
    ]
    plain = rewrite.to_client(received, (("http://localhost:1", "https://gw.example"),))
    assert plain == [
        ("Set-Cookie", "sid=1; HttpOnly"),
        ("Content-Security-Policy", "img-src http://localhost:1"),
    ]
    secure = rewrite.to_client(received, (("https://localhost:1", "https://gw.example"),))
    assert secure[0] == ("Set-Cookie", "sid=1; Secure; HttpOnly; SameSite=None")
