"""Reads a value off a page by a pointer of the configuration."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from http.cookies import SimpleCookie

from bs4 import Tag

from payproof.contracts.entries import Page, header
from payproof.contracts.reading.addresses import joined
from payproof.contracts.reading.json_text import value_of
from payproof.contracts.reading.pages import soup
from payproof.suites.config.pointers import element, split

_ADDRESS = re.compile(r"""https?://[^\s"'`<>\\]+""")
_CARRIERS = ("value", "href", "content", "action", "src")


def read(pointer: str, page: Page | None, addresses: Iterable[str] = ()) -> str | None:
    """The value that ``pointer`` finds, as text; None when there is none. JSON null is no value, true is ``true``."""
    kind, argument = split(pointer)
    if kind == "url":
        return next((m[1] for address in addresses if (m := re.search(argument, address))), None)
    if page is None or page.response is None:
        return None
    if kind == "header":
        return header(page.response.headers, argument) or None
    if kind == "location":
        location = header(page.response.headers, "location")
        return (joined(page.request.url, location) or None) if location else None
    if kind == "cookie":
        for name, value in page.response.headers:
            if name.lower() == "set-cookie" and (morsel := SimpleCookie(value).get(argument)):
                return morsel.value
        return None
    if kind == "json":
        return _json(page.response.body, argument)
    return _html(page.response.body, argument)


def _json(body: str, path: str) -> str | None:
    value = value_of(body)
    for key in path.lstrip("/").split("/"):
        key = key.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and key in value:
            value = value[key]  # pyright: ignore[reportUnknownVariableType]
        elif isinstance(value, list) and key.isdigit() and int(key) < len(value):  # pyright: ignore[reportUnknownArgumentType]
            value = value[int(key)]  # pyright: ignore[reportUnknownVariableType]
        else:
            return None
    if value is None:
        return None
    return value if isinstance(value, str) else json.dumps(value)


def _html(body: str, argument: str) -> str | None:
    selector, attribute = element(argument)
    node = soup(body).select_one(selector)
    if not isinstance(node, Tag):
        return None
    if attribute:
        value = node.get(attribute)
        return " ".join(value) if isinstance(value, list) else value
    for name in _CARRIERS:
        if node.has_attr(name) and (name == "value" or node.name in ("a", "meta", "form", "img", "link")):
            return str(node[name])
    return node.get_text(" ", strip=True)


def addresses_in(value: str) -> Iterator[str]:
    """The value itself, and whole addresses in it: of a refresh (``0; url=…``), or of a script that goes somewhere."""
    yield value
    yield from _ADDRESS.findall(value.replace("\\/", "/").replace("\\u0026", "&").replace("\\u002F", "/"))
