"""Exchanges that are under way to the sandbox, and what went wrong on those that the probe run under way began."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager

SILENT = 2.0
"""Seconds after which a call that is still unanswered when its probe run ends has kept the probe run from its end."""


class Passage:
    """One exchange. ``what``: how it is named to people; ``began``: when it left for the sandbox, as soon as it did."""

    __slots__ = ("began", "over", "probe_run", "what")

    def __init__(self, what: str, probe_run: int, began: float) -> None:
        self.what, self.probe_run, self.began = what, probe_run, began
        self.over = asyncio.Event()


class Passages:
    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self._probe_run = 0
        self._under_way: set[Passage] = set()
        self._troubles: list[str] = []

    def begin_probe_run(self) -> None:
        """What begins from now on belongs to another probe run, and so does its trouble."""
        self._probe_run += 1
        self._troubles.clear()

    @contextmanager
    def passage(self, what: str) -> Generator[Passage]:
        passing = Passage(what, self._probe_run, self.now())
        self._under_way.add(passing)
        try:
            yield passing
        finally:
            self._under_way.discard(passing)
            passing.over.set()

    def trouble(self, passing: Passage, text: str) -> None:
        """It is the sandbox's; nothing of it where the exchange began before this probe run."""
        if passing.probe_run == self._probe_run:
            self._troubles.append(text)

    def complaint(self) -> str:
        """Why what happened since ``begin_probe_run`` must not be held against the integration; empty when nothing did."""
        if self._troubles:
            return self._troubles[0]
        waiting = [each for each in self._under_way if each.probe_run == self._probe_run]
        longest = min(waiting, key=lambda each: each.began, default=None)
        if longest is None or (seconds := self.now() - longest.began) < SILENT:
            return ""
        return f"the sandbox was still silent on {longest.what} after {seconds:.0f} s, when the probe had ended"

    async def drained(self, within: float) -> None:
        """Wait until what is under way now has arrived, so that it does not arrive in the next probe run."""
        waiting = [asyncio.ensure_future(each.over.wait()) for each in self._under_way]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=within)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
