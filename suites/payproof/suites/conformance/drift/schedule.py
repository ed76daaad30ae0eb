"""Tells all cases to one side, one after the other; what has to wait, waits at the same time."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterable
from itertools import count

from payproof.contracts.catalogue import DriftCase
from payproof.suites.conformance.drift.case_run import CaseRun

_LATE = 5.0
"""Seconds after its moment at which a case no longer tells what it should."""


async def tell(
    tellings: Iterable[CaseRun], *, told: Callable[[DriftCase, int], None], waiting: Callable[[float, int], None]
) -> None:
    """Tell every case. ``told``: a case ended, and how many remain; ``waiting``: so many seconds, for so many cases.

    Cases without a wait come first, so that the others find a quiet gateway and are on time.
    """
    ordered = sorted(tellings, key=lambda each: each.case.seconds > 0)
    loop, order, left = asyncio.get_running_loop(), count(), len(ordered)
    agenda: list[tuple[float, int, CaseRun]] = []
    for each in ordered:
        left -= await _on(each, agenda, order, loop.time, told, left)
        while agenda and agenda[0][0] <= loop.time():
            left -= await _due(agenda, order, loop.time, told, left)
    while agenda:
        if (pause := agenda[0][0] - loop.time()) > 0:
            waiting(pause, len(agenda))
            await asyncio.sleep(pause)
        left -= await _due(agenda, order, loop.time, told, left)


async def _due(
    agenda: list[tuple[float, int, CaseRun]], order: count[int], now: Callable[[], float],
    told: Callable[[DriftCase, int], None], left: int,
) -> int:  # fmt: skip
    due, _, probe_run = heapq.heappop(agenda)
    if (late := now() - due) > _LATE:
        probe_run.stopped = f"its moment was missed by {late:.0f} s"
    return await _on(probe_run, agenda, order, now, told, left)


async def _on(
    probe_run: CaseRun, agenda: list[tuple[float, int, CaseRun]], order: count[int], now: Callable[[], float],
    told: Callable[[DriftCase, int], None], left: int,
) -> int:  # fmt: skip
    """Tell it on; 1 when it has ended."""
    seconds = await probe_run.go()
    if seconds:
        heapq.heappush(agenda, (now() + seconds, next(order), probe_run))
        return 0
    told(probe_run.case, left - 1)
    return 1
