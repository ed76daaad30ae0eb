"""Tells all cases to one side, one after the other; what has to wait, waits at the same time."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from itertools import count

from payproof.suites.conformance.drift.case_run import CaseRun

_LATE = 5.0
"""Seconds after its moment at which a case no longer tells what it should."""


async def run_cases(
    runs: Iterable[CaseRun],
    *,
    ended: Callable[[CaseRun, int], None],
    waiting: Callable[[float, int], None],
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Run every case. ``ended``: a case ended, and how many remain; ``waiting``: so many seconds, for so many cases.

    Cases without a wait come first, so that the others find a quiet gateway and are on time.
    """
    order = count()
    fresh = deque(sorted(runs, key=lambda run: run.case.seconds > 0))
    agenda: list[tuple[float, int, CaseRun]] = []
    while fresh or agenda:
        if fresh and not (agenda and agenda[0][0] <= now()):
            run = fresh.popleft()
        else:
            due, _, run = heapq.heappop(agenda)
            if (pause := due - now()) > 0:
                waiting(pause, len(agenda) + 1)
                await sleep(pause)
            elif -pause > _LATE:
                run.stopped = f"its moment was missed by {-pause:.0f} s"
        if seconds := await run.go():
            heapq.heappush(agenda, (now() + seconds, next(order), run))
        else:
            ended(run, len(fresh) + len(agenda))
