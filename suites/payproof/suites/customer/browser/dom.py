"""What stands on the page just now, and how its forms are filled in and its buttons pressed."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bs4 import BeautifulSoup, Tag

from payproof.contracts.profile import Fields
from payproof.contracts.reading.pages import soup

if TYPE_CHECKING:
    from playwright.async_api import ElementHandle, Page

_FIELDS = "input, select, textarea"
_INDEX = "data-payproof-index"

_LOOK = """([fields, index, marks]) => {
  const root = document.documentElement, copy = root.cloneNode(true);
  const nodes = [...root.querySelectorAll('*')], twins = [...copy.querySelectorAll('*')];
  const twin = new Map(nodes.map((node, i) => [node, twins[i]]));
  const shows = (node) => node.checkVisibility({ visibilityProperty: true });
  const seen = (form) => shows(form) || [...form.elements].some(shows);
  const number = (found) => found.forEach((node, i) => twin.get(node)?.setAttribute(index, i));
  [...document.forms].forEach((form) => number([...form.querySelectorAll(fields)]));
  number([...root.querySelectorAll('form')]);
  for (const node of nodes) {
    const there = twin.get(node), form = node.closest('form');
    if (node.matches('script, style, noscript, template')) there.remove();
    else if (node === form ? !seen(form) : node.matches('a, button, ' + marks) && !shows(node)) there.remove();
    else if (node.matches(fields)) {
      there.toggleAttribute('disabled', node.matches(':disabled'));
      if (node.matches('textarea')) there.textContent = node.value;
      else if (node.matches('input:not([type=file])')) {
        there.setAttribute('value', node.value);
        there.toggleAttribute('checked', node.checked);
      }
    } else if (node.matches('option')) there.toggleAttribute('selected', node.selected);
  }
  return {
    html: copy.outerHTML, address: location.href, ready: document.readyState === 'complete',
    document: performance.timeOrigin, status: performance.getEntriesByType('navigation')[0]?.responseStatus ?? 0,
  };
}"""
"""The document as it is shown: no hidden links, buttons and forms, and what fields hold now in their attributes."""

_CHANGE = """(ms) => new Promise((done) => {
  const observer = new MutationObserver(() => end()), timer = setTimeout(() => end(), ms);
  const end = () => { observer.disconnect(); clearTimeout(timer); done(); };
  observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
})"""

_BUTTON = """(form, cancel) => [...form.elements].find(
  (node) => ['submit', 'image'].includes(node.type) && node.checkVisibility() && !node.matches(cancel)) ?? null"""

_HERE = """(form) => [form, ...form.elements].forEach((node) => {
  if (node.target) node.target = '_self';
  if (node.formTarget) node.formTarget = '_self';
})"""
"""A form is sent in its own tab, where it is watched."""

_SET = """(node, value) => {
  if (node.matches('[type=radio], [type=checkbox]')) return node.click();
  node.value = value;
  for (const kind of ['input', 'change']) node.dispatchEvent(new Event(kind, { bubbles: true }));
}"""


@dataclass(frozen=True, slots=True)
class PageLook:
    """The page at one moment. ``document`` tells one document from the next at the same address."""

    html: str
    address: str
    status: int
    document: float
    ready: bool

    @property
    def tree(self) -> BeautifulSoup:
        return soup(self.html)


@dataclass(frozen=True, slots=True)
class DomChange:
    """One field to be filled in: its place in the form, and what it is to hold."""

    index: int
    act: Literal["type", "check", "choose"]
    value: str


async def look(page: Page, *marks: str) -> PageLook:
    """``marks``: selectors that mean something only where they are shown.

    Raises:
        playwright Error: the document is just being replaced.
    """
    found = await page.evaluate(_LOOK, [_FIELDS, _INDEX, ", ".join(marks)])
    return PageLook(**found)


async def change(page: Page, seconds: float) -> None:
    """Return when anything changes on the page, its document included, and after ``seconds`` at the latest."""
    await page.evaluate(_CHANGE, seconds * 1000)


def changes(form: Tag, filled: Fields) -> Iterator[DomChange]:
    """What is to be done to a form, in the state of ``look``, until it holds what was ``filled``."""
    wanted: dict[str, deque[str]] = defaultdict(deque)
    for name, value in filled:
        wanted[name].append(value)
    for node in form.find_all(["input", "select", "textarea"]):
        name, kind, holds = str(node.get("name") or ""), str(node.get("type") or "text").lower(), _holds(node)
        if name not in wanted or node.has_attr("disabled") or kind in ("submit", "button", "reset", "image", "file"):
            continue
        index = int(str(node[_INDEX]))
        if kind == "radio":
            if holds in wanted[name] and not node.has_attr("checked"):
                yield DomChange(index, "check", holds)
        elif kind == "checkbox":
            if (holds in wanted[name]) != node.has_attr("checked"):
                yield DomChange(index, "check", holds)
        elif wanted[name] and (value := wanted[name].popleft()) != holds:
            yield DomChange(index, "choose" if node.name == "select" else "type", value)


def _holds(node: Tag) -> str:
    if node.name == "textarea":
        return node.get_text()
    if node.name == "select":
        option = node.select_one("option[selected]") or node.select_one("option")
        return str(option.get("value", option.get_text())) if option else ""
    return str(node.get("value", "on"))


async def fill_in(page: Page, form: Tag, filled: Fields, *, cancel: str, seconds: float) -> None:
    """Fill in a form and press its button. A field that is not shown is set without being touched; a form without a
    button is sent off. ``cancel``: selector of a button that is not the one.

    Raises:
        playwright Error: a field cannot be filled in, or the page went on by itself before the button was pressed.
    """
    there = (await page.query_selector_all("form"))[int(str(form[_INDEX]))]
    fields = await there.query_selector_all(_FIELDS)
    for change in changes(form, filled):
        await _set(fields[change.index], change, seconds)
    await there.evaluate(_HERE)
    button = (await there.evaluate_handle(_BUTTON, cancel)).as_element()
    if button is None:
        await there.evaluate("(form) => form.requestSubmit()")
    else:
        await asyncio.wait_for(button.click(timeout=seconds * 1000), seconds + 1)


async def _set(field: ElementHandle, change: DomChange, seconds: float) -> None:
    wait = seconds * 1000
    if not await field.is_visible():
        await field.evaluate(_SET, change.value)
    elif change.act == "choose":
        await field.select_option(value=change.value, timeout=wait)
    elif change.act == "check":
        await field.click(timeout=wait)
    else:
        await field.fill(change.value, timeout=wait)


async def press(page: Page, selector: str, *, seconds: float) -> None:
    """Press the first such link or button that is shown; of a form, its button.

    Raises:
        playwright Error: there is none, or it cannot be pressed.
    """
    found = page.locator(selector).locator("visible=true").first
    if await found.evaluate("(node) => node.tagName", timeout=seconds * 1000) == "FORM":
        found = found.locator("button, input[type=submit]").first
    await found.click(timeout=seconds * 1000)
