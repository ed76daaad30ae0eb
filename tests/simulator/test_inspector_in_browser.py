"""The inspector in a real browser, with a real shop behind it: `payproof serve`, the Flask shop, and somebody who clicks."""

from __future__ import annotations

import importlib.util
import itertools
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import chromium
import httpx
import pytest
from ports import free_port

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (extra `browser`)")
pytest.importorskip("flask", reason="needs the Flask shop's packages")
if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = chromium.needed
SHOP = Path(__file__).parents[2] / "examples" / "flask-shop"
SERVE = [sys.executable, "-m", "payproof.suites.cli", "serve", "--port", "0", "--control-port", "0", "--quiet"]


@dataclass(frozen=True)
class Scene:
    """A simulator, a shop that was started with the settings that it printed, and a page of the inspector that is live."""

    page: Page
    control: httpx.Client
    shop: httpx.Client
    printed: str

    def checkout(self, order: int) -> httpx.Response:
        return self.shop.post("/checkout", json={"order_id": str(order), "amount": "5000.00", "currency": "XAF"})

    def pay(self, order: int) -> None:
        """Check out, pay by the switch of the page, and go back to the shop."""
        assert self.checkout(order).status_code == 303
        card = self.page.locator(".payment", has_text=str(order))
        card.get_by_role("button", name="Pay as").click()
        back = self.page.locator("#outcome a")
        back.wait_for()
        assert self.shop.get((back.get_attribute("href") or "").partition("shop.example")[2]).status_code == 200
        card.locator(".pill", has_text="success").wait_for()

    def exchange(self, text: str) -> Any:
        return self.page.locator("#lines > li", has_text=text).first

    def verdict(self, id: str, state: str) -> Any:
        return self.page.locator(f'.verdict.{state}[data-id="{id}"]')


@contextmanager
def process(command: list[str], **settings: Any) -> Generator[Queue[str]]:
    """A program, and the lines that it says: all are read as they come, since a full pipe would stop it. The empty one is its last."""
    said: Queue[str] = Queue()
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **settings)
    output = started.stdout
    assert output is not None

    def read() -> None:
        with output:
            for line in output:
                said.put(line)
        said.put("")

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield said
    finally:
        started.terminate()
        started.wait(timeout=20)
        reader.join()


def until(said: Queue[str], mark: str) -> str:
    """What a program says up to a line."""
    text = ""
    while mark not in text:
        line = said.get(timeout=30)
        assert line, f"it ended: {text}"
        text += line
    return text


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.launched() as found:
        yield found


def entrance(printed: str) -> str:
    return str(re.findall(r"^  (http\S+/inspector/login\S+)$", printed, re.MULTILINE)[0])


def controlled(printed: str) -> httpx.Client:
    token, address = re.findall(r"X-Payproof-Token: (\S+)' (\S+)$", printed, re.MULTILINE)[0]
    return httpx.Client(base_url=address, headers={"X-Payproof-Token": token}, verify=False, timeout=20)


@pytest.fixture(scope="module")
def scene(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with process([*SERVE, "--config", str(SHOP)]) as simulator:
        printed = until(simulator, "Ctrl-C stops it")
        port = free_port()
        env = dict(re.findall(r"^  export (\w+)=(\S+)$", printed, re.MULTILINE))
        own = {
            "PUBLIC_URL": "https://shop.example",
            "PORT": str(port),
            "DATA_DIR": str(tmp_path_factory.mktemp("shop")),
        }
        with (
            process([sys.executable, "careless.py"], cwd=SHOP, env=os.environ | env | own) as shop,
            controlled(printed) as control,
            httpx.Client(base_url=f"http://127.0.0.1:{port}", verify=False, timeout=20) as http,
        ):
            until(shop, "Running on")
            complaints: list[str] = []
            page = new_page(browser, complaints)
            page.goto(entrance(printed))
            playwright.expect(page.locator("#link")).to_have_text("live")
            yield Scene(page, control, http, printed)
            assert complaints == []


def new_page(browser: Browser, complaints: list[str]) -> Page:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(15_000)
    page.add_init_script("navigator.clipboard.writeText = async text => { window.copied = text; };")
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: complaints.append(f"{message.text} {message.location}") if message.type == "error" else None,
    )
    return page


@pytest.fixture(autouse=True)
def as_new(scene: Scene) -> None:
    """Each test begins with a gateway that has forgotten all."""
    scene.control.post("/reset")
    scene.page.set_viewport_size({"width": 1280, "height": 900})
    scene.page.goto(entrance(scene.printed).partition("/login")[0])
    playwright.expect(scene.page.locator("#link")).to_have_text("live")


def test_a_payment_is_seen_as_it_happens_and_requirements_turn_green_and_red(scene: Scene) -> None:
    for order in (10_001, 10_002, 10_003, 10_004):
        scene.pay(order)
    scene.exchange("opens a payment of 5000.00 XAF for 10004").wait_for()
    scene.exchange("10004 was paid").wait_for()
    scene.verdict("https.cancel-url", "pass").wait_for(timeout=20_000)
    scene.verdict("token.cached", "fail").wait_for(timeout=20_000)
    broken = scene.verdict("https.return-url", "fail")
    broken.locator("a.entry").first.click()
    assert scene.page.evaluate("document.activeElement.closest('li').querySelector('.what').textContent") == "create"


def test_what_broke_is_announced_though_calls_go_on(scene: Scene) -> None:
    scene.page.evaluate(
        "new MutationObserver(() => { document.body.dataset.heard += ' | ' + document.getElementById('news').textContent; })"
        ".observe(document.getElementById('news'), { childList: true })"
    )
    playwright.expect(scene.verdict("https.return-url", "fail")).to_have_count(0)
    order = itertools.count(10_100)
    until_then = time.monotonic() + 20
    while not scene.verdict("https.return-url", "fail").count() and time.monotonic() < until_then:
        scene.checkout(next(order))
    for _ in range(8):
        scene.checkout(next(order))
    heard = re.compile(r"Broken: [^|]*https\.return-url")
    playwright.expect(scene.page.locator("body")).to_have_attribute("data-heard", heard, timeout=10_000)


def test_an_exchange_unfolds_with_both_halves_and_is_copied_without_a_secret(scene: Scene) -> None:
    scene.checkout(10_011)
    line = scene.exchange("for 10011")
    line.locator("summary").first.press("Enter")
    line.get_by_role("button", name="Copy as cURL").click()
    copied = scene.page.evaluate("window.copied")
    assert copied.startswith("curl -sS")
    assert '"$ACCESS_TOKEN"' in copied
    assert re.search('"custom": *"10011"', line.locator("pre").first.inner_text())
    assert "payment_url" in line.locator("pre").nth(1).inner_text()
    keys = re.findall(r"^  export PAY_(?:CLIENT_ID|SECRET_KEY)=(\S+)$", scene.printed, re.MULTILINE)
    assert len(keys) == 2
    assert not any(key in scene.page.content() + copied for key in keys)


def test_a_fault_is_armed_with_its_parameters_hits_and_is_cleared_by_keyboard(scene: Scene) -> None:
    page = scene.page
    page.locator("#arm [name=name]").select_option("status")
    page.locator("#arm [name=operation]").select_option("create")
    page.locator('fieldset[data-fault="status"] [data-param="status"]').fill("503")
    page.get_by_label("how often").fill("1")
    page.get_by_role("button", name="Arm").press("Enter")
    page.locator("#faults", has_text="hit 0 of 1").wait_for()
    assert scene.checkout(10_021).status_code >= 400
    page.locator("#faults", has_text="hit 1 of 1").wait_for()
    playwright.expect(scene.exchange("for 10021").locator(".status")).to_contain_text("503")
    page.get_by_role("button", name="Clear status").press("Enter")
    page.locator("#faults", has_text="the gateway behaves").wait_for()


def test_the_clock_is_moved(scene: Scene) -> None:
    before = scene.control.get("/clock").json()["now"]
    scene.page.get_by_role("button", name="+10 minutes").click()
    scene.page.locator("#state", has_text="10 min ahead").wait_for()
    assert scene.control.get("/clock").json()["now"] >= before + 600


def test_keys_are_revoked_replaced_and_copied_and_the_page_says_when_the_simulator_ends(browser: Browser) -> None:
    page = new_page(browser, [])
    with process(SERVE) as simulator:
        printed = until(simulator, "Ctrl-C stops it")
        page.goto(entrance(printed))
        page.get_by_role("button", name="Revoke it").click()
        page.locator("#state", has_text="revoked").wait_for()
        page.get_by_role("button", name="Replace the secret key").click()
        playwright.expect(page.locator("#state")).not_to_contain_text("revoked")
        page.get_by_role("button", name="Copy the settings").click()
        page.locator("#outcome", has_text="clipboard").wait_for()
        with controlled(printed) as control:
            (merchant,) = control.get("/merchants").json()
        assert f"export SECRET_KEY={merchant['secret_key']}" in page.evaluate("window.copied").splitlines()
        assert merchant["secret_key"] not in printed + page.content()
        playwright.expect(page.locator("#link")).to_have_text("live")
        began = time.monotonic()
    assert time.monotonic() - began < 5, "an open page keeps nobody from ending"
    playwright.expect(page.locator("#link")).to_have_text("not connected, trying again …")
    page.close()


def test_a_paused_list_stands_still_and_then_goes_on(scene: Scene) -> None:
    page = scene.page
    page.get_by_role("button", name="Pause").click()
    scene.control.post("/clock", json={"advance": 1})
    page.locator("#waiting", has_text="1 more").wait_for()
    count = page.locator("#lines > li").count()
    page.get_by_role("button", name="Pause").click()
    playwright.expect(page.locator("#lines > li")).to_have_count(count + 1)


def flood(address: str, calls: int) -> None:
    """So many calls of the gateway, fifty in a row."""
    to = urlsplit(address)
    request = f"GET {to.path}/payment/status/nothing HTTP/1.1\r\nHost: {to.netloc}\r\n\r\n".encode()
    with socket.create_connection((str(to.hostname), to.port or 80), timeout=30) as sock:
        for _ in range(calls // 50):
            sock.sendall(request * 50)
            answered = b""
            while answered.count(b"HTTP/1.1 ") < 50 or not answered.endswith(b"}"):
                answered += sock.recv(65_536)


def test_ten_thousand_exchanges_neither_fill_nor_slow_the_page(scene: Scene) -> None:
    page, address = scene.page, re.findall(r"export PAY_BASE_URL=(\S+)", scene.printed)[0]
    flood(address, 10_000)
    began = time.monotonic()
    page.get_by_role("link", name="Earlier exchanges").wait_for()
    assert page.locator("#lines > li").count() <= 200
    scene.control.post("/clock", json={"advance": 1})
    scene.exchange("moved 1 s forward").wait_for()
    assert time.monotonic() - began < 10
    page.get_by_role("link", name="Earlier exchanges").click()
    page.get_by_role("link", name="Back to what happens now").wait_for()
    assert page.locator("#lines > li").count() == 200


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_is_never_wider_than_the_window(scene: Scene, width: int) -> None:
    scene.checkout(10_041)
    scene.page.set_viewport_size({"width": width, "height": 800})
    scene.exchange("for 10041").locator("summary").first.click()
    scene.exchange("for 10041").locator("pre").first.wait_for()
    assert scene.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(scene: Scene, scheme: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    scene.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    scene.pay(10_051 if scheme == "light" else 10_052)
    scene.exchange("opens a payment").locator("summary").first.click()
    scene.exchange("opens a payment").locator("pre").first.wait_for()
    scene.verdict("https.return-url", "fail").wait_for(timeout=20_000)
    scene.page.locator("#open-verdicts > summary").click()
    script = Path(axe.__file__).parent / "axe.min.js"
    found = scene.page.evaluate(f"() => {{ {script.read_text(encoding='utf-8')}; return axe.run(); }}")["violations"]
    scene.page.emulate_media(color_scheme="light")
    assert [
        (each["id"], [node["html"] for node in each["nodes"]][:3])
        for each in found
        if each["impact"] in ("serious", "critical")
    ] == []


def test_what_the_guides_picture_shows_can_be_clicked(scene: Scene) -> None:
    spec = importlib.util.spec_from_file_location("inspector_picture", SHOP.parents[1] / "docs/inspector_picture.py")
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)

    def follow(url: str) -> httpx.Response:
        return scene.shop.get(url.partition("shop.example")[2])

    made.clicked(scene.page, scene.checkout, follow)
    playwright.expect(scene.exchange(f"for {made.REFUSED} ").locator(".status")).to_contain_text("500")
    playwright.expect(scene.page.locator(".payment")).to_have_count(len(made.ORDERS) + 1)
