"""The HTML report in a real browser: what a click reveals, what is chosen and copied, how it prints, whom it shuts out."""

from __future__ import annotations

import dataclasses
import importlib.util
import re
import shlex
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Literal

import chromium
import pytest

from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Outcome, Verdict
from payproof.contracts.profile import load
from payproof.contracts.run import Run
from payproof.reports import WRITERS

from .conftest import sample_result, sample_run
from .test_measured import written

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = chromium.needed


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.launched() as found:
        yield found


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


_UNFOLD = """() => {
  const shut = document.querySelectorAll("details:not([open])");
  for (const found of shut) found.open = true;
  return !shut.length && !document.querySelector("details > noscript");
}"""


def unfold(page: Page) -> None:
    """Open everything, also what comes to light by that."""
    page.wait_for_function(_UNFOLD)


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


def test_what_comes_to_light_is_text_and_no_markup_of_the_journal(browser: Browser, sample: Path) -> None:
    page = opened(browser, sample)
    page.on("dialog", lambda dialog: pytest.fail(f"a script of the journal ran: {dialog.message}"))
    unfold(page)
    assert page.evaluate("document.scripts.length") == 1
    assert "<script>alert('owned')</script>" in page.locator('[id="errors.friendly"] .scenes').first.inner_text()
    page.close()


@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_is_never_wider_than_the_window(browser: Browser, path: Path, width: int) -> None:
    page = opened(browser, path, width)
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_a_call_is_copied_as_a_command_that_a_shell_reads(browser: Browser, sample: Path) -> None:
    page = browser.new_page()
    page.add_init_script("navigator.clipboard.writeText = async text => { window.copied = text; };")
    page.goto(sample.as_uri())
    unfold(page)
    page.locator(".message", has_text="payment/create").locator(".copy").first.click()
    command = page.evaluate("window.copied")
    words = shlex.split(command)
    assert words[:3] == ["curl", "-X", "POST"]
    assert words[3].startswith("https://")
    assert "'authorization: Bearer '\"$ACCESS_TOKEN\"''" in command
    assert "<" not in command
    page.close()


# -- what is chosen ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that holds every verdict."""
    run, seen, broken = sample_run()
    file = tmp_path_factory.mktemp("sample") / "report.html"
    file.write_text(WRITERS["html"].render(sample_result(seen, broken), run), encoding="utf-8")
    return file


def shown(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('.card')].filter(card => card.checkVisibility()).map(card => card.id)"
    )
    return found


def test_what_is_chosen_stands_in_the_address_and_comes_back_with_it(browser: Browser, sample: Path) -> None:
    page = opened(browser, sample)
    everything = shown(page)
    page.locator(".chips button", has_text="failed").click()
    page.locator(".filter select[name=level]").select_option("must")
    page.locator(".filter select[name=item]").select_option("G7")
    page.locator(".filter input").fill("CHARGED twice")
    assert shown(page) == ["idempotency.double-submit"]
    assert page.locator(".filter .found").inner_text() == f"1 of {len(everything)} shown"
    address = page.url
    assert address.endswith("?show=fail&level=must&item=G7&q=CHARGED+twice")
    page.goto("about:blank")
    page.goto(address)
    assert shown(page) == ["idempotency.double-submit"]
    page.locator(".filter input").fill("nothing like it")
    assert page.locator(".filter .found").inner_text() == "Nothing matches."
    assert page.locator(".group:visible").count() == 0
    page.close()


def test_a_link_to_what_is_hidden_shows_it(browser: Browser, sample: Path) -> None:
    page = opened(browser, sample)
    page.goto(sample.as_uri() + "?show=pass")
    assert "verify.forged-return" not in shown(page)
    page.locator('.way a[href="#verify.forged-return"]').click()
    page.locator('[id="verify.forged-return"]').wait_for(state="visible")
    assert "show=" not in page.url
    page.close()


def test_the_choice_is_in_reach_however_far_one_has_read(browser: Browser, sample: Path) -> None:
    page = opened(browser, sample)
    page.evaluate("document.querySelector('.group.fail .card:last-child').scrollIntoView()")
    box = page.locator(".filter").bounding_box()
    assert box is not None
    assert box["y"] == 0
    page.close()


def test_without_a_script_everything_is_there(browser: Browser, sample: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(sample.as_uri())
    assert page.locator(".filter").is_hidden()
    assert page.locator(".card > summary:visible").count() == page.locator(".card").count()
    assert page.locator(".way li a").first.is_visible()
    context.close()


# -- for everybody, on paper, in pictures ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "scheme", "all_open"), [(1280, "light", False), (1280, "light", True), (360, "dark", True)]
)
def test_nobody_is_shut_out(
    browser: Browser, sample: Path, width: int, scheme: Literal["light", "dark"], all_open: bool
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.goto(sample.as_uri())
    if all_open:
        unfold(page)
    found = axe.Axe().run(page).response["violations"]
    page.close()
    assert [
        (each["id"], each["impact"], each["nodes"][0]["html"][:200])
        for each in found
        if each["impact"] in ("serious", "critical")
    ] == []


def test_a_clean_run_takes_five_pages_and_opens_nothing(browser: Browser, tmp_path: Path) -> None:
    run, seen, broken = sample_run()
    result = sample_result(seen, broken)
    good = tuple(dataclasses.replace(each, verdict=Verdict.PASS, baseline="") for each in result.judgements)
    items = [
        tuple(dataclasses.replace(each, verdict=Verdict.PASS) for each in rows)
        for rows in (result.golive, result.guidelines)
    ]
    clean = dataclasses.replace(
        result, outcome=Outcome.READY, reasons=(), judgements=good, golive=items[0], guidelines=items[1]
    )
    assert pages(browser, WRITERS["html"].render(clean, run), tmp_path) <= 5


def test_what_stands_in_the_way_is_printed_though_it_was_folded(browser: Browser, sample: Path) -> None:
    page = opened(browser, sample)
    page.evaluate("document.querySelectorAll('details').forEach(found => { found.open = false; })")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".way").get_attribute("open") is not None
    assert page.locator(".card.fail:not([open])").count() == 0
    page.close()


def pages(browser: Browser, text: str, folder: Path) -> int:
    (folder / "printed.html").write_text(text, encoding="utf-8")
    page = opened(browser, folder / "printed.html")
    printed = page.pdf(prefer_css_page_size=True)
    page.close()
    return len(re.findall(rb"/Type\s*/Page\b", printed))


def screenshots() -> ModuleType:
    spec = importlib.util.spec_from_file_location("screenshots", Path(__file__).parents[2] / "docs" / "screenshots.py")
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found
    spec.loader.exec_module(found)
    return found


def test_each_picture_of_the_guides_can_be_taken_and_shows_what_it_is_for(
    browser: Browser, sample: Path, tmp_path: Path
) -> None:
    made = screenshots()
    for picture in made.PICTURES:
        made.take(browser, sample, picture, tmp_path / picture.file)
        width, height = struct.unpack(">II", (tmp_path / picture.file).read_bytes()[16:24])
        assert (width <= picture.width, height > 300) == (True, True), picture.file
        assert (made.HERE / picture.file).exists()


def test_ten_thousand_exchanges_open_as_fast_as_twenty(browser: Browser, path: Path, tmp_path: Path) -> None:
    journal = written()
    with journal.probe("error-answer"):
        for _ in range(10_000):
            journal.create(status=500, fault="status")
    (tmp_path / "report.html").write_text(report(journal.run()), encoding="utf-8")
    few, many = (min(_seconds_to_open(browser, each) for _ in range(3)) for each in (path, tmp_path / "report.html"))
    assert many < 2 * few + 0.3


def _seconds_to_open(browser: Browser, path: Path) -> float:
    page = opened(browser, path)
    took: float = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    page.close()
    return took / 1_000
