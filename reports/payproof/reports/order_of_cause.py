"""Entries in the order in which one thing led to the next. A journal notes an exchange when it is over, so a page stands in it
behind the calls that it caused; here everything stands where it began."""

from __future__ import annotations

from collections.abc import Sequence

from payproof.contracts.entries import Alert, Call, Connection, Delivery, Entry, Ledger, Log, Page, ProbeMark


def began(entry: Entry) -> float:
    """When it began, in seconds since the run began."""
    if isinstance(entry, Call | Page | Delivery):
        return entry.began
    if isinstance(entry, Connection) and entry.began is not None:
        return entry.began
    return entry.at


def in_order(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries by when they began; the marks at either end stay there."""
    inner = list(entries)
    first = [inner.pop(0)] if inner and isinstance(inner[0], ProbeMark) else []
    last = [inner.pop()] if inner and isinstance(inner[-1], ProbeMark) else []
    inner.sort(key=lambda entry: (began(entry), not isinstance(entry, Page), entry.n))
    return (*first, *inner, *last)


def caused(entries: Sequence[Entry]) -> frozenset[int]:
    """Numbers of the entries that came about while the integration worked on a customer's request."""
    found: set[int] = set()
    until = float("-inf")
    for entry in entries:
        if isinstance(entry, Page):
            until = max(until, entry.ended) if entry.where == "integration" else until
        elif began(entry) < until and isinstance(entry, Call | Delivery | Connection | Ledger | Log | Alert):
            found.add(entry.n)
    return frozenset(found)
