"""Two recordings of the same stories: which exchanges came or went, and what of the others is said in another way.

Ids, times and credentials differ in every recording, so names, types, statuses and meanings are compared, not every value.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from payproof.contracts.entries import Headers, header
from payproof.simulator.cassettes import fields, forms
from payproof.simulator.cassettes.comparing import FieldChange
from payproof.simulator.cassettes.fields import Fields
from payproof.simulator.cassettes.reading import RecordedExchange, Recording

_ID = re.compile(r"(?=.*\d)[A-Za-z0-9_-]{8,}|\d+|__[\w.-]+__")
_UNTOLD_HEADERS = frozenset({"date", "content-length", "age", "connection", "keep-alive", "transfer-encoding"})
_MEANT = ("amount", "currency", "ok", "errors", "paid", "outcome")
_ABSENT = "not there"


@dataclass(frozen=True, slots=True)
class Changed:
    before: RecordedExchange
    after: RecordedExchange
    changes: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class Diff:
    removed: tuple[RecordedExchange, ...]
    added: tuple[RecordedExchange, ...]
    changed: tuple[Changed, ...]

    @property
    def same(self) -> bool:
        return not (self.removed or self.added or self.changed)


def diff(before: Recording, after: Recording) -> Diff:
    """What ``after`` says otherwise than ``before``."""
    old, new = before.exchanges, after.exchanges
    removed: list[RecordedExchange] = []
    added: list[RecordedExchange] = []
    changed: list[Changed] = []
    matcher = difflib.SequenceMatcher(None, [_key(e) for e in old], [_key(e) for e in new], autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag != "equal":
            removed += old[i1:i2]
            added += new[j1:j2]
            continue
        for one, other in zip(old[i1:i2], new[j1:j2], strict=True):
            if found := tuple(_changes(one, other)):
                changed.append(Changed(one, other, found))
    return Diff(tuple(removed), tuple(added), tuple(changed))


def _key(exchange: RecordedExchange) -> tuple[str, str, str]:
    """What makes two exchanges the same one: their story, their sort, and what was asked."""
    asked = exchange.operation or f"{exchange.request.method} {shape(exchange.request.url)}"
    return exchange.story, exchange.kind, asked


def shape(url: str) -> str:
    """A path with its ids left out."""
    path = urlsplit(url).path
    return "/".join("{id}" if _ID.fullmatch(part) else part for part in path.split("/"))


def _changes(before: RecordedExchange, after: RecordedExchange) -> Iterator[FieldChange]:
    yield from _unlike("method", before.request.method, after.request.method)
    yield from _unlike("path", shape(before.request.url), shape(after.request.url))
    yield from _unlike("status", str(before.response.status), str(after.response.status))
    queries = (fields.of_query(each.request.url) for each in (before, after))
    yield from _shapes("query", *queries)
    yield from _bodies(
        "request", (before.request.body, before.request.headers), (after.request.body, after.request.headers)
    )
    yield from _bodies(
        "response", (before.response.body, before.response.headers), (after.response.body, after.response.headers)
    )
    yield from _names("response header", _header_names(before), _header_names(after))
    yield from _names("form field", _form_fields(before), _form_fields(after))
    yield from _events(before, after)


def _unlike(name: str, before: str, after: str) -> Iterator[FieldChange]:
    if before != after:
        yield FieldChange(name, before or "none", after or "none")


def _bodies(what: str, before: tuple[str, Headers], after: tuple[str, Headers]) -> Iterator[FieldChange]:
    yield from _unlike(f"{what} content type", fields.media_type(before[1]), fields.media_type(after[1]))
    old, new = fields.of_body(*before), fields.of_body(*after)
    if old is not None and new is not None:
        yield from _shapes(f"{what} field", old, new)


def _shapes(what: str, before: Fields, after: Fields) -> Iterator[FieldChange]:
    for name in dict.fromkeys((*before, *after)):
        kinds = [fields.kind(each[name]) if name in each else _ABSENT for each in (before, after)]
        yield from _unlike(f'{what} "{name}"', *kinds)


def _names(what: str, before: set[str], after: set[str]) -> Iterator[FieldChange]:
    for name in sorted(before ^ after):
        there = (name in before, name in after)
        yield FieldChange(f"{what} {name}", *("there" if one else _ABSENT for one in there))


def _header_names(exchange: RecordedExchange) -> set[str]:
    return {name.lower() for name, _ in exchange.response.headers} - _UNTOLD_HEADERS


def _form_fields(exchange: RecordedExchange) -> set[str]:
    return {
        f"{field.name} ({field.kind})"
        for form in forms.forms(exchange.request.url, exchange.response)
        for field in form.fields
        if field.name
    }


def _events(before: RecordedExchange, after: RecordedExchange) -> Iterator[FieldChange]:
    for name in _MEANT:
        values = (getattr(each.event, name, None) for each in (before, after))
        yield from _unlike(name, *(_told(value) for value in values))
    yield from _unlike("access token", before.event.bearer, after.event.bearer)
    old, new = (header(each.response.headers, "location") for each in (before, after))
    ways = _way(before, old), _way(after, new)
    yield from _unlike("redirect", *ways)
    if ways[0] == ways[1]:
        yield from _shapes("redirect's query", fields.of_query(old), fields.of_query(new))


def _way(exchange: RecordedExchange, location: str) -> str:
    """Where a redirect leads: within the gateway its path, elsewhere only that it leads away."""
    asked, leads = urlsplit(exchange.request.url), urlsplit(location)
    if leads.netloc and leads.netloc != asked.netloc:
        return "away from the gateway"
    return shape(location) if location else ""


def _told(value: object) -> str:
    if isinstance(value, tuple):
        return "; ".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return "" if value is None else str(value)
