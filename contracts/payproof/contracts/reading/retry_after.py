"""How long an answer asks to wait before the next try: ``Retry-After``, as a number of seconds or as a date (RFC 9110, 10.2.3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from payproof.contracts.entries import header

EARLY = 0.1
"""Seconds by which somebody who waited may be early: timers fire a little early, and numbers are rounded."""
_LONGEST = 366 * 86_400.0
"""Seconds that are told at most: a stranger's number may have any number of digits."""


def seconds_asked(headers: Iterable[tuple[str, str]]) -> float | None:
    """Seconds, 0 at least and a year at most; None where the answer names no time, or in no way that can be read. A date counts from the
    answer's own ``Date``: whose clock it is by, nobody else knows."""
    sent = tuple(headers)
    asked = header(sent, "retry-after").strip()
    if asked.isascii() and asked.isdecimal():
        return min(float(asked), _LONGEST)
    until, since = _moment(asked), _moment(header(sent, "date"))
    return min(max((until - since).total_seconds(), 0.0), _LONGEST) if until and since else None


def _moment(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
