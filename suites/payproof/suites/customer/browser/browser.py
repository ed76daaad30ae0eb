"""One browser for a run: found on this machine, started when it is first needed, with the customers' cookies apart."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from importlib.util import find_spec
from typing import TYPE_CHECKING

from payproof.contracts.journal import Journal
from payproof.contracts.model import PayproofError
from payproof.suites.customer.customer import Customer

if TYPE_CHECKING:
    from playwright import async_api as playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "msedge")
"""What an installed Chromium may be called; PAYPROOF_BROWSER names another one."""
_PLACE = 'sandbox.customer = "browser"'
_END_WITHIN = 10.0
"""Seconds that the browser gets to end by itself."""


class Browser:
    """Shows itself when the environment has PAYPROOF_HEADED.

    Raises:
        PayproofError: Playwright or a Chromium is not installed.
    """

    def __init__(self) -> None:
        if not installed():
            raise PayproofError(
                "a customer with a browser needs Playwright", place=_PLACE, remedy="pip install 'payproof[browser]'"
            )
        self._program = program()
        self._turn = asyncio.Lock()
        self._driver: playwright.Playwright | None = None
        self._browser: playwright.Browser | None = None
        self._contexts: dict[tuple[int, str], tuple[Journal, playwright.BrowserContext]] = {}

    async def page(self, customer: Customer) -> playwright.Page:
        """A new tab of this customer's browser.

        Raises:
            PayproofError: the browser does not start, or has ended.
        """
        from playwright.async_api import Error

        try:
            async with self._turn:
                context = await self._context(customer)
            return await context.new_page()
        except Error as error:
            raise PayproofError(
                f"the browser {self._program} does not work: {error.message.strip().splitlines()[0]}",
                place=_PLACE,
                remedy="try it by hand, or name another one with PAYPROOF_BROWSER",
            ) from None

    async def _context(self, customer: Customer) -> playwright.BrowserContext:
        # Two worlds have a "customer 1" each; the journal is kept with the context, so that its id stays its own.
        key = (id(customer.journal), customer.name)
        if key not in self._contexts:
            browser = self._browser or await self._start()
            # The relay's certificate is signed by an authority that this run made for itself.
            context = await browser.new_context(
                ignore_https_errors=True, service_workers="block", accept_downloads=False
            )
            self._contexts[key] = customer.journal, context
        return self._contexts[key][1]

    async def _start(self) -> playwright.Browser:
        from playwright.async_api import async_playwright

        self._driver = await async_playwright().start()
        # Ctrl-C is the run's to handle: it closes the browser in its turn.
        self._browser = await self._driver.chromium.launch(
            executable_path=self._program,
            headless=not os.environ.get("PAYPROOF_HEADED"),
            handle_sigint=False,
            handle_sigterm=False,
            handle_sighup=False,
        )
        return self._browser

    async def aclose(self) -> None:
        """End it; does nothing when it was never needed."""
        self._contexts.clear()
        browser, self._browser = self._browser, None
        driver, self._driver = self._driver, None
        ends = [end for end in (browser.close if browser else None, driver.stop if driver else None) if end]
        for end in ends:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(end(), _END_WITHIN)


def installed() -> bool:
    try:
        return find_spec("playwright") is not None
    except ValueError:  # the import system has it marked as absent
        return False


def program() -> str:
    """The path of the Chromium that is used.

    Raises:
        PayproofError: there is none.
    """
    named = os.environ.get("PAYPROOF_BROWSER", "")
    for name in (named,) if named else NAMES:
        if path := shutil.which(name):
            return path
    raise PayproofError(
        f"there is no program {named}" if named else f"no Chromium is installed (looked for {', '.join(NAMES)})",
        place="PAYPROOF_BROWSER" if named else _PLACE,
        remedy="install one, or say where it is: PAYPROOF_BROWSER=/path/to/chrome; payproof downloads none",
    )
