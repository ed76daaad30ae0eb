"""What of a request is not as it was recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from payproof.contracts.entries import Request, header
from payproof.contracts.events import AnyEvent
from payproof.contracts.model import Json
from payproof.simulator.cassettes import fields, placeholders
from payproof.simulator.cassettes.fields import Fields
from payproof.simulator.cassettes.reading import RecordedExchange

_CHOSEN = ("reference", "return_url", "cancel_url")
"""What an integration chooses itself, so that it may differ from one run to the next."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """``name``: what of the request. Values as reports show them."""

    name: str
    recorded: str
    actual: str


def changes(exchange: RecordedExchange, actual: Request, said: AnyEvent) -> Iterator[FieldChange]:
    """``actual``: in the recording's own words (its origin, its placeholders); ``said``: its meaning."""
    recorded = exchange.request
    if recorded.method != actual.method:
        yield FieldChange("method", recorded.method, actual.method)
    before, now = _path(recorded.url), _path(actual.url)
    if before != now:
        yield FieldChange("path", before, now)
    yield from _types(exchange, actual)
    allowed = _Allowed(exchange.event, said)
    queries = fields.of_query(recorded.url), fields.of_query(actual.url)
    yield from _fields("query", *queries, allowed)
    bodies = fields.of_body(recorded.body, recorded.headers), fields.of_body(actual.body, actual.headers)
    if bodies[0] is None or bodies[1] is None:
        if recorded.body != actual.body and not placeholders.PATTERN.search(recorded.body):
            yield FieldChange("body", _excerpt(recorded.body), _excerpt(actual.body))
    else:
        yield from _fields("field", bodies[0], bodies[1], allowed)
    if exchange.kind == "api":
        yield from _credentials(exchange.event, said)
        yield from _secure(exchange.event, said)
        if bool(exchange.event.idempotency_key) != bool(said.idempotency_key):
            yield FieldChange("idempotency key", _some(exchange.event.idempotency_key), _some(said.idempotency_key))


def _types(exchange: RecordedExchange, actual: Request) -> Iterator[FieldChange]:
    recorded = exchange.request
    if recorded.body or actual.body:
        before, now = fields.media_type(recorded.headers), fields.media_type(actual.headers)
        if before != now:
            yield FieldChange("content type", before or "none", now or "none")
    if exchange.kind == "api":
        before, now = (_accept(request) for request in (recorded, actual))
        if before != now:
            yield FieldChange("accepts JSON", before, now)


def _accept(request: Request) -> str:
    """Only whether JSON is asked for: libraries differ in the rest."""
    return "yes" if "json" in header(request.headers, "accept").lower() else "not said"


class _Allowed:
    """Which values may differ, because the integration chose them both times."""

    def __init__(self, before: AnyEvent, now: AnyEvent) -> None:
        self.pairs = {
            (old, new)
            for name in _CHOSEN
            if (old := getattr(before, name, None)) is not None and (new := getattr(now, name, None)) is not None
        }
        self.inside = sorted(
            {
                *((new, old) for old, new in self.pairs if len(new) >= 4),
                *((_origin(new), _origin(old)) for old, new in self.pairs if _origin(new) and _origin(old)),
            },
            key=lambda pair: -len(pair[0]),
        )

    def __call__(self, recorded: Json, actual: Json) -> bool:
        if not isinstance(recorded, str | int) or not isinstance(actual, str | int):
            return False
        old, new = str(recorded), str(actual)
        if (old, new) in self.pairs:
            return True
        for text, instead in self.inside:
            new = new.replace(text, instead)
        return old == new


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else ""


def _fields(what: str, recorded: Fields, actual: Fields, allowed: _Allowed) -> Iterator[FieldChange]:
    for name in dict.fromkeys((*recorded, *actual)):
        label = f'{what} "{name}"'
        if name not in actual:
            yield FieldChange(label, fields.shown(recorded[name]), "not sent")
        elif name not in recorded:
            yield FieldChange(label, "not sent", fields.shown(actual[name]))
        elif recorded[name] != actual[name] or type(recorded[name]) is not type(actual[name]):
            yield from _value(label, recorded[name], actual[name], allowed)


def _value(label: str, recorded: Json, actual: Json, allowed: _Allowed) -> Iterator[FieldChange]:
    kinds = fields.kind(recorded), fields.kind(actual)
    if kinds[0] != kinds[1]:
        yield FieldChange(label, f"{kinds[0]} {fields.shown(recorded)}", f"{kinds[1]} {fields.shown(actual)}")
    elif not _secret(recorded) and not allowed(recorded, actual):
        yield FieldChange(label, fields.shown(recorded), fields.shown(actual))


def _secret(value: Any) -> bool:
    """A placeholder: typed by a customer, or a credential that is compared by its meaning."""
    values = value if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownVariableType]
    return any(isinstance(one, str) and placeholders.PATTERN.fullmatch(one) for one in values)  # pyright: ignore[reportUnknownVariableType]


def _credentials(recorded: AnyEvent, said: AnyEvent) -> Iterator[FieldChange]:
    for name in dict.fromkeys((*recorded.sent, *said.sent)):
        before, now = recorded.sent.get(name, ""), said.sent.get(name, "")
        if before != now:
            yield FieldChange(name.replace("-", " "), before or "not sent", _known(now))


def _known(value: str) -> str:
    """A credential that reports may show: a placeholder, or that it is none of those that were given out."""
    if not value:
        return "not sent"
    return value if placeholders.PATTERN.fullmatch(value) else "one that was not given out here"


def _secure(recorded: AnyEvent, said: AnyEvent) -> Iterator[FieldChange]:
    for name in ("return_url", "cancel_url"):
        before, now = (urlsplit(getattr(each, name, None) or "").scheme for each in (recorded, said))
        if before != now and before and now:
            yield FieldChange(f"{name.replace('_', ' ')} scheme", before, now)


def _path(url: str) -> str:
    return urlsplit(url).path


def _some(value: str | None) -> str:
    return "sent" if value else "not sent"


def _excerpt(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip()
    return f"{text[:100]} … ({len(text)} characters)" if len(text) > 120 else text or "empty"
