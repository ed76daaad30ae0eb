"""The HTML report in a real browser: what a click reveals, what is copied, how wide it is, how fast it opens."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from payproof.contracts.judge import judge
from payproof.contracts.profile import load
from payproof.contracts.run import Run
from payproof.reports import WRITERS

from .test_measured import written

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (extra `browser`)")
if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "msedge"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield found
        found.close()


def report(run: Run) -> str:
    return WRITERS["html"].render(judge(run, load(run.gateway)), run)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(report(written().run()), encoding="utf-8")
    return file


def opened(browser: Browser, path: Path, width: int = 1280) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize("width", [1280, 360])
def test_a_figure_and_a_mark_reveal_their_entry(browser: Browser, path: Path, width: int) -> None:
    page = opened(browser, path, width)
    for link in (page.locator("a.figure").first, page.locator(".map a.mark").first):
        target = page.locator(f'[id="{(link.get_attribute("href") or "")[1:]}"]')
        link.click()
        target.wait_for(state="visible")
        box = target.bounding_box()
        assert box is not None
        assert -1 <= box["y"] < 800
    page.close()


@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_is_never_wider_than_the_window(browser: Browser, path: Path, width: int) -> None:
    page = opened(browser, path, width)
    page.evaluate("document.querySelectorAll('details').forEach(found => { found.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_a_call_is_copied_as_a_command_that_a_shell_reads(browser: Browser, path: Path) -> None:
    page = browser.new_page()
    page.add_init_script("navigator.clipboard.writeText = async text => { window.copied = text; };")
    page.goto(path.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(found => { found.open = true; })")
    page.locator(".copy").first.click()
    words = shlex.split(page.evaluate("window.copied"))
    assert words[:3] == ["curl", "-X", "POST"]
    assert words[3].startswith("https://localhost/")
    page.close()


def test_ten_thousand_exchanges_open_as_fast_as_twenty(browser: Browser, path: Path, tmp_path: Path) -> None:
    told = written()
    with told.probe("error-answer"):
        for _ in range(10_000):
            told.create(status=500, fault="status")
    (tmp_path / "report.html").write_text(report(told.run()), encoding="utf-8")
    few, many = (min(_seconds_to_open(browser, each) for _ in range(3)) for each in (path, tmp_path / "report.html"))
    assert many < 2 * few + 0.3


def _seconds_to_open(browser: Browser, path: Path) -> float:
    page = opened(browser, path)
    took: float = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    page.close()
    return took / 1_000
