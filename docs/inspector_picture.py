"""Takes the picture of the inspector that its guide shows: ``python docs/inspector_picture.py``.

It starts the simulator and the careless Flask shop, and clicks as the guide says. It needs the extra ``browser``, a Chromium and the
packages of examples/flask-shop.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from playwright.sync_api import Page

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from screenshots import launch_options  # noqa: E402

SHOP = HERE.parent / "examples" / "flask-shop"
SERVE = [sys.executable, "-m", "payproof.suites.cli", "serve", "--port", "0", "--control-port", "0", "--quiet"]
ORDERS = range(934411, 934416)
REFUSED = 934420


def clicked(page: Page, checkout: Callable[[int], httpx.Response], follow: Callable[[str], object]) -> None:
    """Pay several orders in a row, have one create call answered 500, start one more, let the access token expire, and unfold
    the call that failed. ``checkout`` sends a customer to pay an order, ``follow`` opens an address of the shop."""
    for order in ORDERS:
        checkout(order)
        card = page.locator(".payment", has_text=str(order))
        card.get_by_role("button", name="Pay as").click()
        back = page.locator("#outcome a")
        back.wait_for()
        follow(str(back.get_attribute("href")))
        card.locator(".pill", has_text="success").wait_for()
    page.locator("#arm [name=name]").select_option("status")
    page.locator("#arm [name=operation]").select_option("create")
    page.get_by_label("how often").fill("1")
    page.get_by_role("button", name="Arm").click()
    page.locator("#faults", has_text="hit 0 of 1").wait_for()
    checkout(REFUSED)
    page.locator("#faults", has_text="hit 1 of 1").wait_for()
    checkout(REFUSED + 1)
    page.locator(".payment", has_text=str(REFUSED + 1)).wait_for()
    page.get_by_role("button", name="+10 minutes").click()
    failed = page.locator("#lines > li", has_text=str(REFUSED)).filter(has_text="500").first
    failed.locator("summary").first.click()
    page.locator('.verdict.fail[data-id="token.cached"]').wait_for()


@contextlib.contextmanager
def started(command: list[str], mark: str, **settings: object) -> Generator[str]:
    """A process, and what it said up to a line."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **settings)  # type: ignore[call-overload]
    try:
        output = ""
        for line in process.stdout:
            output += line
            if mark in line:
                break
        else:
            raise SystemExit(f"it ended: {output}")
        yield output
    finally:
        process.terminate()
        process.communicate(timeout=20)


def main(file: Path = HERE / "inspector.png") -> None:
    from playwright.sync_api import sync_playwright

    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port = asked.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder, started([*SERVE, "--config", str(SHOP)], "Ctrl-C stops it") as output:
        given = dict(re.findall(r"^  export (\w+)=(\S+)$", output, re.MULTILINE))
        own = {"PUBLIC_URL": "https://shop.example", "PORT": str(port), "DATA_DIR": folder}
        shop = started([sys.executable, "careless.py"], "Running on", cwd=SHOP, env=os.environ | given | own)
        with shop, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as http, sync_playwright() as driver:
            browser = driver.chromium.launch(**launch_options())  # type: ignore[arg-type]
            page = browser.new_page(viewport={"width": 1280, "height": 940}, reduced_motion="reduce")
            page.goto(re.findall(r"^  (http\S+/inspector/login\S+)$", output, re.MULTILINE)[0])
            clicked(
                page,
                lambda order: http.post(
                    "/checkout", json={"order_id": str(order), "amount": "5000.00", "currency": "XAF"}
                ),
                lambda url: http.get(url.partition("shop.example")[2]),
            )
            page.evaluate("scrollTo(0, 0)")
            page.screenshot(path=file)
            browser.close()
    print(file)


if __name__ == "__main__":
    main()
