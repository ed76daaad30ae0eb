"""JSON with something else put into it, anywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Place = tuple[Any, ...]
"""Keys and indices that lead to a value."""


def places(value: Any, path: Place = ()) -> list[Place]:
    """Every place of a value, its own first."""
    return [path, *(found for key, item in _items(value) for found in places(item, (*path, key)))]


def put(value: Any, path: Place, new: Any) -> Any:
    """A copy with ``new`` at a place."""
    if not path:
        return new
    copy: Any = dict(_items(value)) if hasattr(value, "items") else [item for _, item in _items(value)]
    copy[path[0]] = put(value[path[0]], path[1:], new)
    return copy


def _items(value: Any) -> list[tuple[Any, Any]]:
    named: Callable[[], Any] | None = getattr(value, "items", None)
    if named is not None:
        return list(named())
    each: list[Any] = value if hasattr(value, "append") else []
    return list(enumerate(each))
