"""A request's fields as the family's framework sees them (Laravel on PHP).

JSON counts only under a JSON content type, forms only under a form's; the query is read too, the body wins. Texts are
trimmed and empty ones become null, as the framework's global middleware does.
"""

from __future__ import annotations

import json
from typing import Any, cast

from starlette.requests import Request

from payproof.contracts.form_data import multipart, pairs
from payproof.simulator.exchange import exchange_of


def fields_of(request: Request) -> dict[str, Any]:
    query = request.scope["query_string"].decode("latin-1")
    found: dict[str, Any] = dict(pairs(query)) | _body(request)
    return {name: _tidy(value) for name, value in found.items()}


def pairs_of(request: Request) -> list[tuple[str, str]]:
    """A submitted form's pairs, repeated names kept."""
    return pairs(exchange_of(request.scope).body.decode("utf-8", "replace"))


def _body(request: Request) -> dict[str, Any]:
    raw = exchange_of(request.scope).body
    kind = request.headers.get("content-type", "").lower()
    if "/json" in kind or "+json" in kind:
        return _json(raw)
    if request.method != "POST":
        return {}
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(pairs(raw.decode("utf-8", "replace")))
    if kind.startswith("multipart/form-data"):
        return multipart(request.headers["content-type"], raw) or {}
    return {}


def _json(raw: bytes) -> dict[str, Any]:
    """As PHP reads it: no NaN, no lone surrogates, and an object or nothing."""
    try:
        found: Any = json.loads(raw, parse_constant=_refuse)
        if b"\\u" in raw:
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return {}
    return cast(dict[str, Any], found) if isinstance(found, dict) else {}


def _refuse(word: str) -> None:
    raise ValueError(word)


def _tidy(value: Any) -> Any:
    return (value.strip() or None) if isinstance(value, str) else value
