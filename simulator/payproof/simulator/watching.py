"""Following a journal without being on the way of a call: whoever watches looks at its counter, and reads when that has moved."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator

from payproof.contracts.entries import Entry
from payproof.contracts.journal import Journal

LOOK_EVERY = 0.1
"""Seconds between two looks."""


async def moved(journal: Journal, after: int) -> AsyncIterator[int]:
    """The number of the newest entry, at each look: the same as before where nothing has happened."""
    while True:
        yield max(journal.next - 1, after)
        await asyncio.sleep(LOOK_EVERY)


async def entries_after(journal: Journal, number: int, most: int) -> tuple[list[Entry], int]:
    """(the newest entries with a higher number, at most so many; how many older ones are left out)."""
    kept = await journal.read()
    low = bisect_right(kept, number, key=lambda entry: entry.n)
    found = kept[max(low, len(kept) - most) :]
    return found, len(kept) - low - len(found)
