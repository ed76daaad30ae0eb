"""The request log of ``payproof serve``: one line for each call of the integration, on the terminal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from datetime import datetime
from urllib.parse import urlsplit

from payproof.contracts.entries import Call, Delivery, Entry
from payproof.contracts.journal import Journal
from payproof.simulator.call_words import answered, asked, plain
from payproof.simulator.watching import entries_after, moved

_AT_ONCE = 100
"""Entries of one look beyond which nobody could read along: they are counted and not written out, so that a load test is not slowed down."""

Say = Callable[[str], None]


async def follow(journal: Journal, say: Say, *, base_path: str = "", after: int | None = None) -> None:
    """Say each call, until this is cancelled. ``base_path``: left out of the paths that are shown. ``after``: the number of the entry after
    which it begins; left out: with what comes from now on."""
    done = journal.next - 1 if after is None else after
    silent = 0
    async for newest in moved(journal, done):
        if newest - done > _AT_ONCE:
            silent += newest - done
        elif newest > done:
            found, _ = await entries_after(journal, done, _AT_ONCE)
            for line in _lines(journal, found, base_path):
                say(line)
        elif silent:
            say(f"… {silent:,} entries came too fast to be shown; GET /journal has them")
            silent = 0
        done = newest


def _lines(journal: Journal, entries: list[Entry], base_path: str) -> Iterator[str]:
    began = time.time() - journal.now()
    for entry in entries:
        at = datetime.fromtimestamp(began + entry.at).strftime("%H:%M:%S")
        if isinstance(entry, Call):
            yield f"{at}  {line_of(entry, base_path)}"
        elif isinstance(entry, Delivery):
            yield f"{at}  {_delivery(entry)}"


def line_of(call: Call, base_path: str = "") -> str:
    """What is shown of a call behind the time of day."""
    path = urlsplit(call.request.url).path
    where = plain(f"{call.request.method} {path.removeprefix(base_path) or '/'}")
    status = call.response.status if call.response else "---"
    fault = f"  [fault {call.fault}]" if call.fault else ""
    return f"{where:<34} {status} {call.seconds * 1000:6.0f} ms  {plain(asked(call))} → {plain(answered(call))}{fault}"


def _delivery(sent: Delivery) -> str:
    status = sent.response.status if sent.response else "---"
    what = f"notice {sent.event or sent.id}, attempt {sent.attempt}" + (
        f", forged ({sent.forged})" if sent.forged else ""
    )
    where = plain(f"POST {sent.request.url}")
    return f"{where:<34} {status} {sent.seconds * 1000:6.0f} ms  {plain(what)}{f' → {plain(sent.problem)}' if sent.problem else ''}"


def to_descriptor(number: int) -> Say:
    """Lines to a file descriptor. Where it is a pipe that nobody reads, lines are dropped: a gateway waits for no reader of its log."""
    dropped = 0

    def say(line: str) -> None:
        nonlocal dropped
        with contextlib.suppress(OSError, ValueError):
            if not select.select((), (number,), (), 0)[1]:
                dropped += 1
                return
            if dropped:
                line = f"… {dropped:,} lines were dropped: nobody read them\n{line}"
            os.write(number, f"{line}\n".encode("utf-8", "backslashreplace"))
            dropped = 0

    return say


@contextlib.asynccontextmanager
async def following(journal: Journal, say: Say | None, base_path: str) -> AsyncGenerator[None]:
    """``follow`` in the background, where there is somebody to tell."""
    if say is None:
        yield
        return
    task = asyncio.create_task(follow(journal, say, base_path=base_path))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
