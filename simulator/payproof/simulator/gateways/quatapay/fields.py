"""A request's fields as the family's framework sees them (Laravel on PHP).

JSON counts only under a JSON content type, forms only under a form's; the query is read too, the body wins. Texts are
trimmed and empty ones become null, as the framework's global middleware does.
"""

from __future__ import annotations

import json
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from typing import Any, cast
from urllib.parse import parse_qsl

import msgspec

from payproof.simulator.exchange import Exchange

MOST_FIELDS = 1_000
"""Parts of a multipart form that are read: PHP's own limit (max_input_vars)."""
LONGEST_HEAD = 8 * 1024
"""Bytes of a part's headers that are read."""


def fields_of(exchange: Exchange) -> dict[str, Any]:
    found = _body(exchange)
    if query := exchange.scope["query_string"]:
        found = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) | found
    return {name: _tidy(value) for name, value in found.items()}


def pairs_of(exchange: Exchange) -> list[tuple[str, str]]:
    """A submitted form's pairs, repeated names kept."""
    return parse_qsl(exchange.body.decode("utf-8", "replace"), keep_blank_values=True)


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
        return dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))
    if kind.startswith("multipart/form-data"):
        return multipart(exchange.header(b"content-type"), raw)
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


def multipart(content_type: str, raw: bytes) -> dict[str, str]:
    """The fields of a multipart form, files left out. A part is a field whatever it says it holds: forms are flat."""
    boundary = _headers(f"Content-Type: {content_type}".encode("latin-1", "replace")).get_boundary()
    found: dict[str, str] = {}
    for part in raw.split(f"--{boundary}".encode("latin-1", "replace"), MOST_FIELDS + 1)[1 : MOST_FIELDS + 1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = _headers(head)
        name = headers.get_param("name", header="content-disposition")
        if isinstance(name, str) and headers.get_filename() is None:
            found[name] = content.removesuffix(b"\r\n").decode("utf-8", "replace")
    return found if boundary else {}


def _headers(raw: bytes) -> Message:
    return BytesParser(policy=compat32).parsebytes(raw[:LONGEST_HEAD], headersonly=True)


def _tidy(value: Any) -> Any:
    return (value.strip() or None) if isinstance(value, str) else value
