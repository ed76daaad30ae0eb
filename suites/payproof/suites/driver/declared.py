"""Whether what the configuration declares of an order can be found where it says: looked up once, on the paid order of control.

A pointer that matches nothing would let a requirement go unjudged in every run, in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from payproof.contracts import money
from payproof.contracts.entries import Page
from payproof.contracts.reading import pages
from payproof.contracts.reading.json_text import value_of
from payproof.suites.config import Config
from payproof.suites.config.fields import NOT_ZERO
from payproof.suites.config.pointers import split
from payproof.suites.driver import pointers as reading
from payproof.suites.driver.flags import holds


def unmatched(config: Config, page: Page | None) -> tuple[str, ...]:
    """One sentence for each pointer that finds nothing on a paid order's page: the pointer, and what stands there instead."""
    if page is None or page.response is None or config.integration.driver:
        return ()
    return tuple(_unmatched(config, page))


def _unmatched(config: Config, page: Page) -> Iterator[str]:
    order = config.integration.order
    if order.effects:
        found = reading.read(order.effects, page)
        where = f'integration.order.effects = "{order.effects}"'
        if found is None:
            yield f"{where} matches nothing on the page of the paid order, {shown(page, order.effects)}."
        elif money.parse(found) is None:
            yield f'{where} finds "{found[:80]}" on the page of the paid order, which is no number.'
    for pointer, rule in order.flagged.items():
        where, found = f'integration.order.flagged."{pointer}"', reading.read(pointer, page)
        if found is None and _cannot_be(pointer, page):
            yield f"{where} can match nothing on the order's page, {shown(page, pointer)}."
        elif found is not None and rule == NOT_ZERO and money.parse(found.strip()) is None:
            yield f'{where} finds "{found[:80]}" on the page of the paid order, which is no number.'
        elif found is not None and holds(rule, found):
            yield f'{where} already says "{found[:80]}" of an order that was paid without any trouble.'


def _cannot_be(pointer: str, page: Page) -> bool:
    """Whether this pointer matches nothing on any page of this kind: while nothing is flagged, the flag itself may be absent."""
    kind, path = split(pointer)
    if kind != "json":
        return False
    parent = path.rpartition("/")[0]
    value = value_of(page.response.body if page.response else "")
    for key in parent.split("/")[1:]:
        key = key.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list) and key.isdecimal():
            return False  # a list of notes may be empty as long as there is none
        if not isinstance(value, dict) or key not in value:
            return True
        value = cast("dict[str, Any]", value)[key]
        if value is None:
            return False
    return not isinstance(value, dict | list)


def shown(page: Page, pointer: str = "") -> str:
    """What stands on a page, for somebody who has to mend a pointer: "which holds ..."."""
    assert page.response
    kind = split(pointer)[0] if pointer else "html"
    if kind == "header":
        return f"whose headers are {', '.join(name for name, _ in page.response.headers)}"
    value = value_of(page.response.body if page.response else "")
    if isinstance(value, dict):
        keys = [f"/{key}" for key in cast("dict[str, Any]", value)]
        inner = [f"/{key}/{each}" for key, item in cast("dict[str, Any]", value).items() for each in _keys(item)]
        return f"which holds {', '.join([*keys, *inner][:20])}"
    if kind == "json":
        return "which is not a JSON object"
    text = pages.quoted(page.response)
    return f"which says: {text}" if text else "which is empty"


def _keys(item: Any) -> list[str]:
    return list(cast("dict[str, Any]", item)) if isinstance(item, dict) else []
