"""A page's tree as browsers build it where ends are left out: HTML closes ``<td>``, ``<li>`` or ``<p>`` by itself when
the next one begins. ``html.parser`` does not, so that a cell would hold the rest of its table."""

from __future__ import annotations

from typing import Any

from bs4 import BeautifulSoup, Tag

_CELLS = frozenset(("td", "th"))
_ROWS = _CELLS | {"tr"}
_PARTS = _ROWS | {"thead", "tbody", "tfoot", "caption", "colgroup"}
_TERMS = frozenset(("dt", "dd"))
_ENDS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    **dict.fromkeys(_CELLS, (_CELLS, frozenset(("tr", "table")))),
    "tr": (_ROWS, frozenset(("table",))),
    **dict.fromkeys(("thead", "tbody", "tfoot"), (_PARTS, frozenset(("table",)))),
    "li": (frozenset(("li",)), frozenset(("ul", "ol", "menu"))),
    **dict.fromkeys(_TERMS, (_TERMS, frozenset(("dl",)))),
    "option": (frozenset(("option",)), frozenset(("select", "datalist"))),
    "optgroup": (frozenset(("option", "optgroup")), frozenset(("select",))),
}
"""For an element that begins: what it ends, and the element within which it ends nothing further out."""
_LISTS = ("dd", "dl", "dt", "li", "menu", "ol", "ul")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6", "header", "hr")
_SECTIONS = ("address", "article", "aside", "details", "figcaption", "figure", "footer", "main", "nav", "section")
_AFTER_P = frozenset(("blockquote", "div", "fieldset", "form", "p", "pre", "table", *_LISTS, *_HEADINGS, *_SECTIONS))
_P = (frozenset(("p",)), frozenset(("td", "th", "button", "caption", "object", "template")))

_REACH = 50
"""Levels that are looked up for what an element ends: a page may be thousands of elements long and a thousand deep."""


class Tree(BeautifulSoup):
    """The tree of ``html.parser`` with the ends that HTML implies."""

    def handle_starttag(self, name: str, *rest: Any, **more: Any) -> Tag | None:
        if name in _AFTER_P:
            self._end(*_P)
        if name in _ENDS:
            self._end(*_ENDS[name])
        return super().handle_starttag(name, *rest, **more)

    def _end(self, ended: frozenset[str], within: frozenset[str]) -> None:
        outermost: Tag | None = None
        node: Tag | None = self.currentTag
        for _ in range(_REACH):
            if node is None or node.name in within:
                break
            outermost = node if node.name in ended else outermost
            node = node.parent
        while outermost is not None and self.currentTag is not None:
            last = self.currentTag
            self.handle_endtag(last.name)
            if last is outermost:
                break
