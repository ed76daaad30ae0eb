"""What a request carries, as the gateway's web framework reads it: a body by its content type, and the query."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, cast
from urllib.parse import urlsplit

from payproof.contracts.comparing.fields import media_type
from payproof.contracts.entries import BODY_LIMIT, Request, header
from payproof.contracts.reading.form_data import multipart, pairs

How: TypeAlias = Literal["read", "cut", "foreign", "broken"]
"""``read``. ``cut``: the journal kept only a part. ``foreign``: a content type that the gateway does not read. ``broken``: not what
the content type says."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request's fields, texts trimmed and empty ones null where the gateway does that."""

    how: How
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])
    raw: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The fields as they were sent."""
    texts: frozenset[str] = frozenset()
    """Names of those that can be nothing but text: they came in a form, or in the query."""


def sent(request: Request, *, tidy: bool, with_body: bool, with_query: bool = True) -> Sent:
    """``tidy``: trim texts, empty ones are null. ``with_body``: the operation reads one."""
    query: dict[str, Any] = dict(pairs(urlsplit(request.url).query)) if with_query else {}
    how: How = "read"
    body: dict[str, Any] = {}
    if with_body and request.body:
        how, body = _body(request)
    raw = {**query, **body}
    texts = frozenset(raw if media_type(request.headers).partition("/")[2] in _FORMS else query.keys() - body.keys())
    return Sent(how, {name: _tidied(value) for name, value in raw.items()} if tidy else raw, raw, texts)


_FORMS = ("x-www-form-urlencoded", "form-data")
_SPELLED: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "integer": (r"-?\d{1,18}", int),
    "number": (r"-?\d{1,18}(\.\d{1,18})?", float),
    "boolean": (r"true|false", "true".__eq__),
}
"""Type of a schema -> how a text spells it, and what the text is then."""


def typed(schema: Mapping[str, Any], text: Any) -> Any:
    """What a text of a form, a query or a header is where the schema asks for a number or a truth value; the text itself where it spells
    none, or where a text will do."""
    asked = schema.get("type")
    kinds: list[Any] = [asked] if isinstance(asked, str) else list(asked or ())
    for kind in kinds if isinstance(text, str) and "string" not in kinds else ():
        pattern, meant = _SPELLED.get(kind, ("(?!)", str))
        if re.fullmatch(pattern, text, re.ASCII):
            return meant(text)
    return text


def _body(request: Request) -> tuple[How, dict[str, Any]]:
    if len(request.body) >= BODY_LIMIT:
        return "cut", {}
    content_type = header(request.headers, "content-type")
    kind = media_type(request.headers)
    if kind.endswith(("/json", "+json")):
        return _json(request.body)
    if kind == "application/x-www-form-urlencoded":
        return "read", dict(pairs(request.body))
    if kind == "multipart/form-data":
        found = multipart(content_type, request.body.encode("utf-8", "replace"))
        return ("broken", {}) if found is None else ("read", found)
    return "foreign", {}


def _json(text: str) -> tuple[How, dict[str, Any]]:
    try:
        found: Any = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return "broken", {}
    return ("read", cast("dict[str, Any]", found)) if isinstance(found, dict) else ("broken", {})


def _refuse(word: str) -> None:
    raise ValueError(word)


def _tidied(value: Any) -> Any:
    return (value.strip() or None) if isinstance(value, str) else value
