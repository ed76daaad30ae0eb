"""The fields of a message, flat and with their types, whatever carries them: JSON, a form, the query."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from payproof.contracts.entries import Headers, header
from payproof.contracts.model import Json
from payproof.contracts.reading import form_data

Fields: TypeAlias = Mapping[str, Json]
"""Dotted path -> value. Empty objects and lists stand for themselves."""


def media_type(headers: Headers) -> str:
    """The content type without its parameters, in lower case."""
    return header(headers, "content-type").partition(";")[0].strip().lower()


def of_body(body: str, headers: Headers) -> Fields | None:
    """The fields of a body; None for a text that has none."""
    if not body.strip():
        return {}
    if body.lstrip()[:1] in "{[":
        try:
            return flat(json.loads(body))
        except (ValueError, RecursionError):
            return None
    if "form" in media_type(headers) or ("=" in body and "\n" not in body and "<" not in body):
        return _grouped(form_data.pairs(body))
    return None


def of_query(url: str) -> Fields:
    return _grouped(form_data.pairs(urlsplit(url).query))


def _grouped(pairs: list[tuple[str, str]]) -> Fields:
    found: dict[str, list[Json]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def flat(value: Any, path: str = "", *, lists: bool = True) -> dict[str, Json]:
    """The leaves of a JSON value by their dotted paths. ``lists`` is false: one that holds texts and numbers only is a leaf."""
    found: dict[str, Json] = {}
    table, items = as_table(value), as_list(value) or []
    if not lists and not any(isinstance(item, dict | list) for item in items):
        items = []
    for key, item in (table or {}).items():
        found |= flat(item, f"{path}.{key}" if path else key, lists=lists)
    for n, item in enumerate(items):
        found |= flat(item, f"{path}[{n}]", lists=lists)
    return found if table or items else {path or "(body)": value}


def as_list(value: object) -> list[Any] | None:
    """A list as one; None for anything else."""
    return value if isinstance(value, list) else None  # pyright: ignore[reportUnknownVariableType]


def as_table(value: object) -> dict[str, Any] | None:
    """A JSON object as one; None for anything else."""
    return value if isinstance(value, dict) else None  # pyright: ignore[reportUnknownVariableType]


def kind(value: Json) -> str:
    """A value's type in plain words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "number"
    return {str: "text", dict: "object", list: "list"}[type(value)]


def shown(value: Json) -> str:
    """A value as a report shows it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
