"""What an open page is sent as it happens: server-sent events. The id of an event is the number of the newest entry that it knows of, so
that a browser which lost its connection goes on where it was."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from payproof.simulator.inspector.parts import Parts
from payproof.simulator.watching import entries_after, moved

WINDOW = 200
"""Lines that a page holds; older ones are asked for."""
_SILENCE = 15.0
"""Seconds after which a comment is sent: it shows whether anybody is still there."""


@dataclass(slots=True)
class _Shown:
    """What one page has."""

    after: int
    marks: dict[str, object] = field(default_factory=dict[str, object])
    """Part of the page -> what it was made of when it was sent last."""
    payments: dict[str, str] = field(default_factory=dict[str, str])


async def events(parts: Parts, after: int) -> AsyncIterator[str]:
    """Until the simulator ends, or the client has gone."""
    shown, spoken = _Shown(after), time.monotonic()
    yield "retry: 1000\n\n"
    async for newest in moved(parts.sim.journal, after):
        if parts.closed:
            return
        async for part in _news(parts, shown, newest):
            spoken = time.monotonic()
            yield part
        if time.monotonic() - spoken > _SILENCE:
            spoken = time.monotonic()
            yield ": still here\n\n"


async def _news(parts: Parts, shown: _Shown, newest: int) -> AsyncIterator[str]:
    if newest > shown.after:
        found, skipped = await entries_after(parts.sim.journal, shown.after, WINDOW)
        shown.after = newest
        html, spoken = parts.rows(found)
        if html:
            yield _event("rows", {"html": html, "skipped": skipped, "said": spoken}, newest)
    books = (newest, parts.sim.store.forgotten()["payments"])
    if shown.marks.get("payments") != books:
        shown.marks["payments"] = books
        for each in _payments(parts, shown):
            yield each
    judged = await parts.judged()
    for name, mark, render in (
        ("faults", parts.armed_mark(), parts.armed),
        ("state", parts.state_mark(), parts.state),
        ("verdicts", judged, lambda: parts.verdicts(judged)),
    ):
        if shown.marks.get(name) != mark:
            shown.marks[name] = mark
            yield _event(name, {"html": render()}, shown.after)


def _payments(parts: Parts, shown: _Shown) -> Iterator[str]:
    now = parts.payments()
    changed = [html for handle, html in now.items() if shown.payments.get(handle) != html]
    if changed or shown.payments.keys() - now.keys():
        shown.payments = now
        yield _event("payments", {"html": "".join(changed), "keep": list(now)}, shown.after)


def _event(name: str, data: object, number: int) -> str:
    return f"event: {name}\nid: {number}\ndata: {json.dumps(data)}\n\n"
