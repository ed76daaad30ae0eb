"""What an open page is sent as it happens: server-sent events. The id of an event is the number of the newest entry that it knows of, so
that a browser which lost its connection goes on where it was."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from payproof.simulator.watching import entries_after, moved

if TYPE_CHECKING:
    from payproof.simulator.inspector.app import Inspector

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


async def events(inspector: Inspector, after: int) -> AsyncIterator[str]:
    """Until the simulator ends, or the client has gone."""
    shown, spoken = _Shown(after), time.monotonic()
    yield "retry: 1000\n\n"
    async for newest in moved(inspector.sim.journal, after):
        if inspector.closed:
            return
        async for part in _news(inspector, shown, newest):
            spoken = time.monotonic()
            yield part
        if time.monotonic() - spoken > _SILENCE:
            spoken = time.monotonic()
            yield ": still here\n\n"


async def _news(inspector: Inspector, shown: _Shown, newest: int) -> AsyncIterator[str]:
    if newest > shown.after:
        found, skipped = await entries_after(inspector.sim.journal, shown.after, WINDOW)
        shown.after = newest
        html, said = inspector.rows(found)
        if html:
            yield _event("rows", {"html": html, "skipped": skipped, "said": said}, newest)
    books = (newest, inspector.sim.store.forgotten()["payments"])
    if shown.marks.get("payments") != books:
        shown.marks["payments"] = books
        for each in _payments(inspector, shown):
            yield each
    judged = await inspector.judged()
    for name, mark, render in (
        ("faults", inspector.armed_mark(), inspector.armed),
        ("state", inspector.state_mark(), inspector.state),
        ("verdicts", judged, lambda: inspector.verdicts(judged)),
    ):
        if shown.marks.get(name) != mark:
            shown.marks[name] = mark
            yield _event(name, {"html": render()}, shown.after)


def _payments(inspector: Inspector, shown: _Shown) -> Iterator[str]:
    now = inspector.payments()
    changed = [html for handle, html in now.items() if shown.payments.get(handle) != html]
    if changed or shown.payments.keys() - now.keys():
        shown.payments = now
        yield _event("payments", {"html": "".join(changed), "keep": list(now)}, shown.after)


def _event(name: str, data: object, number: int) -> str:
    return f"event: {name}\nid: {number}\ndata: {json.dumps(data)}\n\n"
