"""How a finding's values are written for people: on one line, as indented JSON, or side by side."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from payproof.contracts.model import Finding, Json, Pointer
from payproof.reports.facts import clean

_LINE = 40
"""Characters of JSON that are shown on one line."""


def one_line(value: Json, limit: int = 200) -> str:
    """A text as it is, everything else as JSON; cut after ``limit`` characters, and says so."""
    return cut(" ".join(_text(value, indent=None).split()), limit)


def block(value: Json, limit: int = 4_000) -> str:
    """As ``one_line``, but lines stay lines, and JSON that is too long for one line is indented."""
    short = "" if isinstance(value, str) else _text(value, indent=None)
    return short if 0 < len(short) <= _LINE else cut(_text(value, indent=2), limit)


def cut(text: str, limit: int) -> str:
    """The first ``limit`` characters of ``text``, with a note of how many are left out."""
    return text if len(text) <= limit else f"{text[:limit]} … ({len(text) - limit:,} more characters)"


def pretty(body: str) -> str:
    """A body with its JSON indented; anything else as it is."""
    if not body.lstrip().startswith(("{", "[")):
        return body
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body


def pointers(evidence: Iterable[Pointer], limit: int) -> str:
    """``main#42, main#44``, the first ``limit`` of them."""
    shown = list(evidence)
    more = f" and {len(shown) - limit} more" if len(shown) > limit else ""
    return ", ".join(str(pointer) for pointer in shown[:limit]) + more


def _text(value: Json, *, indent: int | None) -> str:
    if isinstance(value, str):
        return clean(value)
    return clean(json.dumps(value, indent=indent, ensure_ascii=False))


@dataclass(frozen=True, slots=True)
class ExpectedActual:
    """One fact, expected and actual. What only one side names does not differ: it tells more about the case."""

    name: str
    expected: str
    actual: str
    differs: bool


def side_by_side(finding: Finding) -> tuple[ExpectedActual, ...]:
    """The values in rows: one for each key when both sides name their facts, else a single row without a name."""
    expected, actual = finding.expected, finding.actual
    if expected is None and actual is None:
        return ()
    if isinstance(expected, dict) and isinstance(actual, dict):
        names = dict.fromkeys((*expected, *actual))
        return tuple(
            _pair(name, expected.get(name), actual.get(name), comparable=name in expected and name in actual)
            for name in names
        )
    return (_pair("", expected, actual, comparable=True),)


def _pair(name: str, expected: Json, actual: Json, *, comparable: bool) -> ExpectedActual:
    left, right = ("" if value is None else block(value) for value in (expected, actual))
    return ExpectedActual(clean(name), left, right, differs=comparable and expected != actual)
