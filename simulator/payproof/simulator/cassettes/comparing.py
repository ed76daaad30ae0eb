"""What of an exchange is not as it was recorded: asked again of a recording, or in another recording."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from payproof.contracts.comparing import fields
from payproof.contracts.comparing.comparison import Absent, FactPair, Facts, differing
from payproof.contracts.comparing.fields import Fields
from payproof.contracts.comparing.volatile import TRANSPORT, shape
from payproof.contracts.entries import Headers, Request, header
from payproof.contracts.events import AnyEvent
from payproof.contracts.model import Json
from payproof.simulator.cassettes import forms, placeholders
from payproof.simulator.cassettes.reading import RecordedExchange

_CHOSEN = ("reference", "return_url", "cancel_url")
"""What an integration chooses itself, so that it may differ from one run to the next."""
_MEANT = ("amount", "currency", "ok", "errors", "paid", "outcome")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """``name``: what of the exchange. Values as reports show them."""

    name: str
    recorded: str
    actual: str


def _changed(before: Facts | None, after: Facts | None) -> Iterator[FieldChange]:
    """Nothing where one side cannot be read."""
    if before is not None and after is not None:
        yield from (FieldChange(pair.path, str(pair.before), str(pair.after)) for pair in differing(before, after))


def _named(what: str, values: Fields) -> Fields:
    return {f'{what} "{name}"': value for name, value in values.items()}


def _path(url: str) -> str:
    return urlsplit(url).path


# A request and the one that was recorded: to the letter, but for what is chosen, typed or secret


def changes(exchange: RecordedExchange, actual: Request, event: AnyEvent) -> Iterator[FieldChange]:
    """``actual``: in the recording's own words (its origin, its placeholders); ``event``: its meaning."""
    recorded, was, allowed = exchange.request, exchange.event, _Allowed(exchange.event, event)
    sends, is_call = bool(recorded.body or actual.body), exchange.kind == "api"
    yield from _changed(*(_line(each, sends=sends, is_call=is_call) for each in (recorded, actual)))
    yield from _values("query", fields.of_query(recorded.url), fields.of_query(actual.url), allowed)
    before, now = (fields.of_body(each.body, each.headers) for each in (recorded, actual))
    if before is not None and now is not None:
        yield from _values("field", before, now, allowed)
    elif recorded.body != actual.body and not placeholders.PATTERN.search(recorded.body):
        yield FieldChange("body", _excerpt(recorded.body), _excerpt(actual.body))
    if is_call:
        yield from (_credential(pair) for pair in differing(_sent(was), _sent(event)))
        yield from _changed(*_schemes(was, event))
        yield from _changed(_keyed(was), _keyed(event))


def _line(request: Request, *, sends: bool, is_call: bool) -> Facts:
    """``sends``: either request has a body. Of what is accepted only whether JSON is: libraries differ in the rest."""
    facts: dict[str, Json] = {"method": request.method, "path": _path(request.url)}
    if sends:
        facts["content type"] = fields.media_type(request.headers) or "none"
    if is_call:
        facts["accepts JSON"] = "yes" if "json" in header(request.headers, "accept").lower() else "not said"
    return facts


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


def _values(what: str, recorded: Fields, actual: Fields, allowed: _Allowed) -> Iterator[FieldChange]:
    for pair in differing(_named(what, recorded), _named(what, actual)):
        before, now = pair.before, pair.after
        if isinstance(before, Absent) or isinstance(now, Absent):
            yield FieldChange(pair.path, _field(before), _field(now))
        elif fields.kind(before) != fields.kind(now):
            yield FieldChange(pair.path, *(f"{fields.kind(each)} {fields.shown(each)}" for each in (before, now)))
        elif not _secret(before) and not allowed(before, now):
            yield FieldChange(pair.path, fields.shown(before), fields.shown(now))


def _field(value: Json | Absent) -> str:
    return "not sent" if isinstance(value, Absent) else fields.shown(value)


def _secret(value: Any) -> bool:
    """A placeholder: typed by a customer, or a credential that is compared by its meaning."""
    values = value if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownVariableType]
    return any(isinstance(one, str) and placeholders.PATTERN.fullmatch(one) for one in values)  # pyright: ignore[reportUnknownVariableType]


def _sent(event: AnyEvent) -> Facts:
    return {name.replace("-", " "): value for name, value in event.sent.items() if value}


def _credential(pair: FactPair) -> FieldChange:
    """Reports may show a placeholder, or that it is none of those that were given out."""
    now = _field(pair.after)
    known = isinstance(pair.after, Absent) or placeholders.PATTERN.fullmatch(now)
    return FieldChange(pair.path, _field(pair.before), now if known else "one that was not given out here")


def _schemes(recorded: AnyEvent, actual: AnyEvent) -> tuple[Facts, Facts]:
    """Of the addresses that both gave."""
    one, other = (
        {name: urlsplit(getattr(each, name, None) or "").scheme for name in ("return_url", "cancel_url")}
        for each in (recorded, actual)
    )
    both = [name for name in one if one[name] and other[name]]
    first, second = ({f"{name.replace('_', ' ')} scheme": each[name] for name in both} for each in (one, other))
    return first, second


def _keyed(event: AnyEvent) -> Facts:
    return {"idempotency key": "sent" if event.idempotency_key else "not sent"}


def _excerpt(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip()
    return f"{text[:100]} … ({len(text)} characters)" if len(text) > 120 else text or "empty"


# Two recordings: ids, times and credentials differ in each, so names, types, statuses and meanings count, not every value


def unlike(before: RecordedExchange, after: RecordedExchange) -> Iterator[FieldChange]:
    """What an exchange of another recording says otherwise."""
    for one, other in zip(_observed(before), _observed(after), strict=True):
        yield from _changed(one, other)
    ways = _way(before), _way(after)
    yield from _changed(*({"redirect": way or "none"} for way in ways))
    if ways[0] == ways[1]:
        yield from _changed(*(_kinds("redirect's query", fields.of_query(_location(each))) for each in (before, after)))


def _observed(exchange: RecordedExchange) -> Iterator[Facts | None]:
    asked, answer = exchange.request, exchange.response
    yield {"method": asked.method, "path": shape(asked.url), "status": str(answer.status)}
    yield _kinds("query", fields.of_query(asked.url))
    yield from _body("request", asked.body, asked.headers)
    yield from _body("response", answer.body, answer.headers)
    names = sorted({name.lower() for name, _ in answer.headers} - TRANSPORT)
    yield {f"response header {name}": "there" for name in names}
    yield {f"form field {name}": "there" for name in sorted(_form_fields(exchange))}
    meant: dict[str, Json] = {name: _as_text(getattr(exchange.event, name, None)) or "none" for name in _MEANT}
    yield meant | {"access token": exchange.event.bearer or "none"}


def _body(what: str, body: str, headers: Headers) -> Iterator[Facts | None]:
    yield {f"{what} content type": fields.media_type(headers) or "none"}
    values = fields.of_body(body, headers)
    yield None if values is None else _kinds(f"{what} field", values)


def _kinds(what: str, values: Fields) -> Facts:
    return {name: fields.kind(value) for name, value in _named(what, values).items()}


def _form_fields(exchange: RecordedExchange) -> set[str]:
    return {
        f"{field.name} ({field.kind})"
        for form in forms.forms(exchange.request.url, exchange.response)
        for field in form.fields
        if field.name
    }


def _as_text(value: object) -> str:
    if isinstance(value, tuple):
        return "; ".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return "" if value is None else str(value)


def _location(exchange: RecordedExchange) -> str:
    return header(exchange.response.headers, "location")


def _way(exchange: RecordedExchange) -> str:
    """Where a redirect leads: within the gateway its path, elsewhere only that it leads away."""
    location = _location(exchange)
    asked, leads = urlsplit(exchange.request.url), urlsplit(location)
    if leads.netloc and leads.netloc != asked.netloc:
        return "away from the gateway"
    return shape(location) if location else ""
