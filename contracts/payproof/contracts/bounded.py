"""JSON from files that anybody may have written: read within bounds, or refused in plain words."""

from __future__ import annotations

import json
import math
from typing import Any

from payproof.contracts.model import Json

DEEPEST = 40
"""Levels of lists and objects within one another."""
LONGEST_NUMBER = 18
"""Digits of a whole number: all that is counted here is smaller by far."""


def parse(text: str) -> Json:
    """A JSON text.

    Raises:
        ValueError: not JSON, nested deeper than ``DEEPEST``, with a number that means nothing here, or a key that stands twice.
    """
    try:
        found: Json = _DECODER.decode(text)
    except RecursionError:
        raise ValueError(f"it is nested deeper than {DEEPEST} levels") from None
    if _deeper(found, DEEPEST):
        raise ValueError(f"it is nested deeper than {DEEPEST} levels")
    return found


def _deeper(value: Json, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    if levels == 0:
        return True
    return any(_deeper(item, levels - 1) for item in (value.values() if isinstance(value, dict) else value))


def _whole(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"a number has {len(text)} digits")
    return int(text)


def _broken(text: str) -> float:
    value = float(text) if len(text) <= 40 else math.inf
    if not abs(value) < 1e15:
        raise ValueError(f"the number {text[:40]} is none that can be reckoned with")
    return value


def _none(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in found if keys.count(key) > 1)
        raise ValueError(f'the key "{twice[:40]}" stands twice in one object')
    return found


_DECODER = json.JSONDecoder(parse_int=_whole, parse_float=_broken, parse_constant=_none, object_pairs_hook=_once)
