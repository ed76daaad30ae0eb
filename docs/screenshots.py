"""Takes the pictures of the HTML report that the guides show: ``python docs/screenshots.py payproof-report/report.html``.

It needs the extra ``browser`` and a Chromium; the pictures of the repository are of the careless Flask shop.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HERE = Path(__file__).resolve().parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "msedge")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """``shows``: what must be in it, a CSS selector. ``whole``: the picture is of that alone, however tall it is."""

    file: str
    shows: str
    whole: bool = False
    width: int = 1200
    height: int = 1200
    scheme: Literal["light", "dark"] = "light"
    query: str = ""


PICTURES = (
    Picture(file="report.png", shows=".outcome .way", height=1500),
    Picture(file="report-finding.png", shows='[id="idempotency.double-submit"]', whole=True),
    Picture(file="report-filter.png", shows=".filter", query="?show=fail&q=paid", scheme="dark", height=900),
    Picture(file="report-phone.png", shows=".items.big", width=360, height=900),
)


def launch_options() -> dict[str, object]:
    """How Playwright starts the system's Chromium."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return {"executable_path": found, "args": ["--no-sandbox"] if os.geteuid() == 0 else []}


def take(browser: Browser, report: Path, picture: Picture, file: Path) -> None:
    """Write one picture of the report.

    Raises:
        playwright.sync_api.Error: what the picture is to show is not on the page.
    """
    page = browser.new_page(
        viewport={"width": picture.width, "height": picture.height},
        color_scheme=picture.scheme,
        reduced_motion="reduce",
    )
    page.goto(report.resolve().as_uri() + picture.query)
    shown = page.locator(picture.shows).first
    shown.wait_for(state="visible", timeout=5_000)
    if picture.whole:
        page.locator(".filter").evaluate("bar => { bar.style.position = 'static'; }")  # it would stand in the middle
        shown.screenshot(path=file)
    else:
        if picture.query:
            shown.evaluate("found => found.scrollIntoView()")
        page.screenshot(path=file)
    page.close()


def main(report: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(**launch_options())  # type: ignore[arg-type]
        for picture in PICTURES:
            take(browser, report, picture, HERE / picture.file)
            print(HERE / picture.file)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
