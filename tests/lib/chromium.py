"""The Chromium of this machine, for tests of pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "msedge"))), None)
needed = pytest.mark.skipif(PROGRAM is None, reason="needs a Chromium")


@contextmanager
def launched() -> Generator[Browser]:
    """It runs until the block ends. Whoever has no Playwright skips."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (extra `browser`)")
    with playwright.sync_playwright() as driver:
        found: Browser = driver.chromium.launch(
            executable_path=PROGRAM, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        yield found
        found.close()
