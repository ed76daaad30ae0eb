"""The customer at the hosted checkout in a real browser: Playwright with an installed Chromium."""

from payproof.suites.customer.browser.browser import Browser
from payproof.suites.customer.browser.tab import BrowserTab

__all__ = ["Browser", "BrowserTab"]
