"""How long an answer asks to wait: seconds, a date, and what a stranger may write there."""

from __future__ import annotations

import pytest

from payproof.contracts.reading.retry_after import seconds_asked

DATE = ("Date", "Sun, 29 Nov 2026 19:00:00 GMT")
YEAR = 366 * 86_400.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ((("Retry-After", "2"),), 2.0),
        ((DATE, ("retry-after", "Sun, 29 Nov 2026 19:00:30 GMT")), 30.0),
        ((DATE, ("retry-after", "Sun, 29 Nov 2026 18:00:00 GMT")), 0.0),
        ((DATE, ("retry-after", "Sun, 29 Nov 9999 18:00:00 GMT")), YEAR),
        ((("retry-after", "Sun, 29 Nov 2026 19:00:30 GMT"),), None),
        ((("retry-after", "9" * 400),), YEAR),
        ((("retry-after", "soon"),), None),
        ((("retry-after", "\u0662"),), None),
        ((), None),
    ],
)
def test_what_retry_after_asks_for(headers: tuple[tuple[str, str], ...], seconds: float | None) -> None:
    assert seconds_asked(headers) == seconds
