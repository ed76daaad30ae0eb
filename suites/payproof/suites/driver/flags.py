"""Whether a text on an order's page shows that the order needs a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from payproof.contracts import money
from payproof.contracts.entries import Page
from payproof.suites.config.fields import NOT_EMPTY, NOT_ZERO
from payproof.suites.driver import pointers as reading

_EMPTY = ("", "[]", "{}")


def flag(page: Page, flagged: Mapping[str, str | Sequence[str]]) -> str:
    """The first text by which this page shows it, of the pointers and rules in ``flagged``; empty when it does not."""
    for pointer, rule in flagged.items():
        text = reading.read(pointer, page)
        if text is not None and holds(rule, text):
            return f"{pointer} is {rule}: {text}" if isinstance(rule, str) else text
    return ""


def holds(rule: str | Sequence[str], text: str) -> bool:
    """``rule``: texts of which one must be in it (letter case does not count), or ``not zero``, or ``not empty`` (for JSON: neither an
    empty text nor an empty list or table)."""
    if rule == NOT_ZERO:
        return bool(money.parse(text.strip()))
    if rule == NOT_EMPTY:
        return text.strip() not in _EMPTY
    return any(mark.lower() in text.lower() for mark in rule)
