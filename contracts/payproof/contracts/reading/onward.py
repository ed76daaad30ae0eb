"""Where a page sends the browser by itself."""

from __future__ import annotations

import re

from payproof.contracts.entries import Page, Response, header
from payproof.contracts.reading.addresses import joined
from payproof.contracts.reading.pages import soup

_REFRESH = re.compile(r"(\d{1,9})(?:\.\d*)?[\s;,]+(?:url\s*=\s*)?(['\"]?)([^'\"\s].*?)\2", re.IGNORECASE)
"""A refresh that leads somewhere, without blanks around it: seconds, quote, address."""
_AT_ONCE = 5
"""Seconds until a refresh for which a customer waits."""
_RELOAD = re.compile(r"(\d{1,9})(?:\.\d*)?[\s;,]*(?:url\s*=\s*['\"]{0,2})?", re.IGNORECASE)
"""A refresh that names no address: the page itself."""


def next_address(page: Page) -> str:
    """Where a page sends the browser by itself: a Location header, or an immediate refresh, of the header or of a meta element;
    empty when nowhere."""
    if page.response is None:
        return ""
    if page.response.status in (301, 302, 303, 307, 308) and (location := header(page.response.headers, "location")):
        return joined(page.request.url, location)
    if page.response.status >= 400:
        return ""
    _, there = _refresh(page.request.url, page.response)
    return there if there != page.request.url else ""


def reloads_after(page: Page) -> int | None:
    """Seconds until a page loads itself again, as one does that waits for something; None when it stays, or leads elsewhere."""
    if page.response is None or page.response.status >= 300:
        return None
    seconds, there = _refresh(page.request.url, page.response)
    return seconds if there == page.request.url else None


def _refresh(url: str, response: Response) -> tuple[int, str]:
    """Seconds and address of an immediate refresh; no address where there is none."""
    for refresh in (header(response.headers, "refresh"), _meta_refresh(response.body)):
        found = _RELOAD.fullmatch(refresh.strip()) or _REFRESH.fullmatch(refresh.strip())
        if found and int(found[1]) <= _AT_ONCE:
            return int(found[1]), joined(url, found[3]) if found.re is _REFRESH else url
    return 0, ""


def _meta_refresh(body: str) -> str:
    """What the first meta element says that a browser with scripts obeys."""
    if "http-equiv" not in body[:20_000].lower():
        return ""
    tags = soup(body).find_all("meta", attrs={"http-equiv": lambda v: str(v).lower() == "refresh"})
    return next((str(tag.get("content", "")) for tag in tags if tag.find_parent("noscript") is None), "")
