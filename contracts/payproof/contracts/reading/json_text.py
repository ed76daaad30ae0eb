"""JSON in a text that anybody may have written."""

from __future__ import annotations

import json
from typing import Any, cast


def value_of(text: str | bytes) -> Any:
    """What it says; None where it is no JSON, or nested too deep to be read."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def table_of(text: str | bytes) -> dict[str, Any] | None:
    """The object that it is; None for any other text."""
    found = value_of(text)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None
