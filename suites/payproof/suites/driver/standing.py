"""Where something stands on a page, as a pointer that the configuration could hold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, cast

from bs4 import Tag

from payproof.contracts.entries import Page, header
from payproof.contracts.reading.addresses import joined
from payproof.contracts.reading.json_text import value_of
from payproof.contracts.reading.pages import is_html, soup
from payproof.suites.driver.pointers import addresses_in

_ADDRESSES = {"a": "href", "form": "action", "iframe": "src", "link": "href"}
_NAME = re.compile(r"[A-Za-z][\w-]*")


def pointers_to(page: Page, is_it: Callable[[str], bool]) -> Iterator[str]:
    """Pointers to the addresses on this page that ``is_it`` is true of, the likeliest first."""
    if page.response is None:
        return
    location = header(page.response.headers, "location")
    if location and is_it(joined(page.request.url, location)):
        yield "location"
    for path, text in values(page):
        if is_it(text):
            yield f"json:{path}"
    if is_html(page.response):
        tree = soup(page.response.body)
        for node in tree.find_all(list(_ADDRESSES)):
            address = node.get(_ADDRESSES[node.name])
            if isinstance(address, str) and is_it(joined(page.request.url, address)):
                yield f"html:{selector(node)}"
        for node in tree.find_all("script"):
            if any(is_it(address) for address in addresses_in(node.get_text())):
                yield f"html:{selector(node)}"


def values(page: Page) -> Iterator[tuple[str, str]]:
    """Every text, and truth, in a JSON answer, with its JSON pointer."""
    yield from _texts(value_of(page.response.body if page.response else ""), "")


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str | bool):
        yield path, value if isinstance(value, str) else json.dumps(value)
    elif isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            yield from _texts(item, f"{path}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for number, item in enumerate(value[:20]):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
            yield from _texts(item, f"{path}/{number}")


def selector(node: Tag) -> str:
    """A short selector that finds this element."""
    short = _short(node)
    *_, root = node.parents
    if root.select_one(short) is node:
        return short
    place = sum(each.name == node.name for each in node.find_previous_siblings()) + 1
    within = "" if node.parent is root or node.parent is None else f"{selector(node.parent)} > "
    return f"{within}{node.name}:nth-of-type({place})"


def _short(node: Tag) -> str:
    own, kinds = node.get("id"), node.get("class")
    if isinstance(own, str) and _NAME.fullmatch(own):
        return f"{node.name}#{own}"
    if named := [kind for kind in kinds or () if _NAME.fullmatch(kind)] if not isinstance(kinds, str) else []:
        return f"{node.name}.{named[0]}"
    facts = ((name, value) for name, value in node.attrs.items() if name.startswith("data-") and isinstance(value, str))
    fact = next((f"[{name}={value}]" for name, value in facts if _NAME.fullmatch(value)), "")
    return f"{node.name}{fact}"
