"""What a page is to the person in front of it: made for people, blank, or the machine's own error.

Neutral about frameworks: what they and their libraries say by themselves is listed in ``standard_pages`` and
``library_texts``; what else a page says, somebody wrote.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TypeGuard

from bs4 import BeautifulSoup, Comment
from bs4.element import NavigableString, PageElement, PreformattedString, Tag

from payproof.contracts.entries import Page, Response, header
from payproof.contracts.reading.implied_ends import Tree
from payproof.contracts.reading.library_texts import library_texts, traces
from payproof.contracts.reading.standard_pages import own_words
from payproof.contracts.redaction.secrets import spellings

PARSED = 256 * 1024
"""Characters of a page that are read as a tree."""
DEEPEST = 1_000
"""Elements within elements; browsers stop at 512. A page that is nested deeper is read as a text without elements."""
_LAX = 4_000
"""The same where ends are left out, as HTML allows (a list of thousands of ``<li>``)."""
_MOST_UNFINISHED = 2_000
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)")
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
_OPEN_ENDED = frozenset(("p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option", "optgroup"))


@lru_cache(maxsize=256)
def soup(body: str) -> BeautifulSoup:
    """A page as a tree, parsed once; nobody changes it."""
    body = body[:PARSED]
    plain = _deep(body) or _unfinished(body)
    return Tree(html.escape(re.sub(r"<[^>]{0,2000}>", " ", body)) if plain else body, "html.parser")


def _unfinished(body: str) -> bool:
    """Thousands of tags or comments without an end: the parser would look for it from each of them to the end of the page."""
    return any(
        body.count(begin, body.rfind(end) + 1) > _MOST_UNFINISHED for begin, end in (("<", ">"), ("<!--", "-->"))
    )


def too_deep(response: Response) -> bool:
    """Whether a page is nested deeper than it can be read."""
    return is_html(response) and _deep(response.body[:PARSED])


def _deep(body: str) -> bool:
    if body.count("<") <= DEEPEST:
        return False
    # As the parser does it: an end closes the last element of its name, and all within it.
    opened: list[str] = []
    strict = 0
    for end, name in _TAG.findall(body):
        name = name.lower()
        if name in _VOID:
            continue
        if not end:
            opened.append(name)
            strict += name not in _OPEN_ENDED
            if strict > DEEPEST or len(opened) > _LAX:
                return True
        elif name in opened:
            last = ""
            while last != name:
                last = opened.pop()
                strict -= last not in _OPEN_ENDED
    return False


def is_html(response: Response) -> bool:
    kind = header(response.headers, "content-type").lower()
    return "html" in kind or (not kind and response.body.lstrip()[:1] == "<")


@lru_cache(maxsize=512)
def visible_text(response: Response) -> str:
    """What a person reads: an HTML page's text, the strings of a JSON answer, or the body as it is."""
    if is_html(response):
        return "\n".join(
            text for node in soup(response.body).descendants if _shown(node) and (text := str(node).strip())
        )
    try:
        return "\n".join(_strings(json.loads(response.body)))
    except (ValueError, RecursionError):
        return response.body


def _shown(node: PageElement) -> TypeGuard[NavigableString]:
    """A text that a browser shows."""
    return (
        isinstance(node, NavigableString)
        and not isinstance(node, PreformattedString)  # comments, the document type
        and node.parent is not None
        and node.parent.name not in ("script", "style", "template", "head", "title")
    )


_BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "body", "br", "button", "caption", "center", "dd", "details", "dialog", "div"),
        *("dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html"),
        *("legend", "li", "main", "nav", "ol", "option", "p", "pre", "section", "select", "summary", "table", "td", "textarea"),
        *("th", "tr", "ul"),
    )
)  # fmt: skip
"""Elements whose text stands apart from what is before and after it."""


def quoted(response: Response, longest: int = 200) -> str:
    """What a page says, for a sentence: in quotes, the texts of its blocks apart by ``·``; empty where there is nothing to read."""
    texts = _blocks(response) if is_html(response) else visible_text(response).split("\n")
    said = " · ".join(text for each in texts if (text := " ".join(each.split())))
    return f'"{said[:longest].rstrip(" ·")}{"…" if len(said) > longest else ""}"' if said else ""


def _blocks(response: Response) -> Iterator[str]:
    """The text of each block of an HTML page, as a browser breaks its lines."""
    text, block, apart = "", None, False
    for node in soup(response.body).descendants:
        if isinstance(node, Tag):
            apart = apart or node.name in _BLOCKS
        elif _shown(node):
            parent = next((each for each in node.parents if each.name in _BLOCKS), None)
            if apart or parent is not block:
                yield text
                text, block, apart = "", parent, False
            text += str(node)
    yield text


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():  # pyright: ignore[reportUnknownVariableType]
            yield from _strings(item)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, list):
        for item in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _strings(item)  # pyright: ignore[reportUnknownArgumentType]


def blank(response: Response) -> bool:
    """Nothing to read."""
    return not visible_text(response).strip()


def for_people(response: Response) -> bool:
    """Somebody wrote this for people: words (or, in JSON, a code of their own) remain beside the standard sentences of
    frameworks, and no trace is printed."""
    text = visible_text(response)
    return own_words(text) and not any(traces(text))


def broken(response: Response | None, canaries: Iterable[str] = (), raw_marks: Iterable[str] = ()) -> bool:
    """A crash: no answer at all, or a 5xx that is empty, a framework's standard page, or shows the machine's own errors.

    503 with a page is a decision, whatever it tells. ``canaries`` and ``raw_marks``, where the caller knows them: what
    the gateway said (see :func:`machine_errors`).
    """
    if response is None or response.status < 500:
        return response is None
    if response.status == 503:
        return blank(response)
    return not for_people(response) or bool(machine_errors(response, canaries, raw_marks))


def machine_errors(response: Response, canaries: Iterable[str], raw_marks: Iterable[str]) -> list[str]:
    """What of the machine's own errors reaches the customer: canary texts, traces, envelopes, library messages."""
    everything = "\n".join((response.body, *(value for _, value in response.headers)))
    plain = html.unescape(f"{everything}\n{visible_text(response)}").casefold()
    found = [
        f"the gateway's text ({canary})"
        for canary in canaries
        if canary and (canary.casefold() in plain or any(text in everything for _, text in spellings(canary)))
    ]
    compact = re.sub(r"\s+", "", response.body).replace("&quot;", '"').replace("&#34;", '"')
    found += [f"the raw envelope ({mark})" for mark in raw_marks if re.sub(r"\s+", "", mark) in compact]
    shown = visible_text(response)
    if is_html(response):
        shown += "\n" + "\n".join(
            str(node) for node in soup(response.body).find_all(string=lambda t: isinstance(t, Comment))
        )
    headers = "\n".join(value for name, value in response.headers if name.lower() not in ("date", "set-cookie", "etag"))
    return list(dict.fromkeys((*found, *_by_machines(shown), *_by_machines(headers))))


@lru_cache(maxsize=1024)
def _by_machines(text: str) -> tuple[str, ...]:
    """Several checks, and the reports, ask this of one page."""
    seen = [f"a stack trace ({words[:80]})" for words in traces(text)]
    return (*seen, *(f"a library's error text ({words[:80]})" for words in library_texts(text)))


def shows_error(page: Page) -> bool:
    """The customer is looking at an error: no answer, or a status of 400 or more."""
    return page.response is None or page.response.status >= 400
