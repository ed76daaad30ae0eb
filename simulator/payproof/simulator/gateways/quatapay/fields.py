"""A request's fields as the family's framework sees them (Laravel on PHP).

JSON counts only under a JSON content type, forms only under a form's; the query is read too, the body wins. Texts are
trimmed and empty ones become null, as the framework's global middleware does.
"""

from __future__ import annotations

import json
from typing import Any, cast

import msgspec

from payproof.contracts.reading.form_data import multipart, pairs
from payproof.simulator.exchange import Exchange


def fields_of(exchange: Exchange) -> dict[str, Any]:
    found = _body(exchange)
    if query := exchange.scope["query_string"]:
        found = dict(pairs(query.decode("latin-1"))) | found
    return {name: _tidy(value) for name, value in found.items()}


def pairs_of(exchange: Exchange) -> list[tuple[str, str]]:
    """A submitted form's pairs, repeated names kept."""
    return pairs(exchange.body.decode("utf-8", "replace"))


def _body(exchange: Exchange) -> dict[str, Any]:
    raw = exchange.body
    if not raw:
        return {}
    kind = exchange.header(b"content-type").lower()
    if "/json" in kind or "+json" in kind:
        return _json(raw)
    if exchange.scope["method"] != "POST":
        return {}
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(pairs(raw.decode("utf-8", "replace")))
    if kind.startswith("multipart/form-data"):
        return multipart(exchange.header(b"content-type"), raw) or {}
    return {}


def _json(raw: bytes) -> dict[str, Any]:
    """As PHP reads it: no NaN, no lone surrogates, and an object or nothing."""
    try:
        found: Any = _read(raw)
        if b"\\u" in raw:
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return {}
    return cast(dict[str, Any], found) if isinstance(found, dict) else {}


def _read(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (
        msgspec.MsgspecError,
        ValueError,
        RecursionError,
    ):  # it is the stricter reader of the two, and never reads otherwise
        return json.loads(raw, parse_constant=_refuse)


def _refuse(word: str) -> None:
    raise ValueError(word)


def _tidy(value: Any) -> Any:
    return (value.strip() or None) if isinstance(value, str) else value
