"""The search: stories are drawn in batches, played on several worlds at once, and a suspicion is shrunk and confirmed."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from payproof.contracts.model import PayproofError
from payproof.suites.explorer import machine
from payproof.suites.explorer.explorer_session import SLOW, ExplorerSession, Worker
from payproof.suites.explorer.playing import Care, Found, Played, RuleTally, play
from payproof.suites.explorer.scope import Scope, scope
from payproof.suites.explorer.shrinking import Shrinking
from payproof.suites.explorer.story import Acts, Story

BATCH = 120
"""Stories that are drawn with one chance. Most are those before with a step repeated, and are left out."""
NEAR, ALIKE = 6, 0.7
"""A story is left out when it shares this much of its steps with one of so many before it."""
RENEWED, RENEWED_SLOW = 60, 40
"""Stories after which an integration is started anew, so that its old orders cost no time; fewer where jobs in the
background ask about them."""
TRIES = 3
"""Suspicions against one rule that may come to nothing before it is left alone."""


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """When to stop. ``seconds`` None: after the stories. ``first``: once a story is known to be broken."""

    stories: int = 500
    seconds: float | None = None
    first: bool = False


@dataclass(slots=True)
class _Batch:
    stories: list[Story]
    suspects: dict[int, Played] = field(default_factory=dict[int, Played])
    next: int = 0


class Search:
    """One search on one stage. ``on_change`` is called when the tally has changed."""

    def __init__(
        self, stage: ExplorerSession, limits: SearchLimits, on_change: Callable[[RuleTally, str], None]
    ) -> None:
        self.stage, self.limits, self.on_change = stage, limits, on_change
        self.tally = RuleTally()
        self._known: set[Acts] = set()
        """Stories that were played."""
        self._done: set[str] = set()
        """Rules that are found, or being confirmed."""
        self._failed: Counter[str] = Counter()
        self._grounds: list[Worker] = []
        self._confirming: list[asyncio.Task[None]] = []
        self._began = 0.0
        self._batches = 0
        self._taken = 0
        """Stories that were begun."""

    # -- the whole ------------------------------------------------------------------------------------------------------

    async def run(self) -> RuleTally:
        """Explore until a limit is reached.

        Raises:
            NotScored: the control payment did not go through.
            PayproofError: the integration does not start, or not again, and nothing was found until then.
        """
        self._grounds.append(await self.stage.open())
        machine.keep_notes_in(str(self.stage.folder / "notes"))
        what = scope(self.stage.config, restarts=self.stage.known.restarts)
        self._began = self.stage.now()
        try:
            await self._prepare()
            await self._explore(what)
            while self._confirming:
                await asyncio.gather(*self._confirming)
                self._confirming.clear()
                await self._explore(what)  # goes on where a suspicion came to nothing
        except PayproofError as error:
            if not self.tally.found:
                raise
            self.tally.ended = error.message
        finally:
            machine.keep_notes_in(None)
            for task in self._confirming:
                task.cancel()
        self.tally.seconds = self.stage.now() - self._began
        return self.tally

    async def _prepare(self) -> None:
        """As many worlds as it takes to keep the machine busy."""
        if not self.stage.config.integration.command:
            return
        processors = max(1, min(os.cpu_count() or 1, 4))
        wanted = 3 * processors if self.stage.known.latency > SLOW else processors
        more = min(wanted, max(self.limits.stories // 10, 1)) - 1
        self._grounds += await asyncio.gather(*(self.stage.ground() for _ in range(more)))

    async def _explore(self, what: Scope) -> None:
        empty = 0
        coming: asyncio.Task[_Batch] | None = None
        while not self._over() and empty < 5:
            batch = await (coming or self._drawn(what))
            coming = asyncio.create_task(self._drawn(what))  # drawn while the one before is played
            empty = 0 if batch.stories else empty + 1
            while batch.next < len(batch.stories) and not self._over():
                began = self.stage.now()
                await asyncio.gather(*(self._work(place, batch) for place in range(len(self._grounds))))
                self.tally.playing += self.stage.now() - began
                await self._follow(batch)
        if coming is not None:
            await asyncio.wait([coming])

    def _over(self) -> bool:
        limit = self.limits.seconds
        late = limit is not None and self.stage.now() - self._began >= limit
        return late or self._enough() or self._taken >= self.limits.stories

    def _enough(self) -> bool:
        return self.limits.first and bool(self.tally.found or self._confirming)

    # -- drawing and playing --------------------------------------------------------------------------------------------

    async def _drawn(self, what: Scope) -> _Batch:
        self._batches += 1
        new: list[Story] = []

        def deliver(story: Story) -> None:
            if story.acts not in self._known and not any(_alike(story, other) for other in new[-NEAR:]):
                new.append(story)

        chance = f"{self.stage.seed}:{self._batches}"
        await asyncio.to_thread(machine.draw, what, deliver, chance=chance, stories=BATCH)
        return _Batch(new)

    async def _work(self, place: int, batch: _Batch) -> None:
        """Play one story after the other, until there is a suspicion or nothing is left to do."""
        while not batch.suspects and batch.next < len(batch.stories) and not self._over():
            index = batch.next
            batch.next += 1
            self._taken += 1
            played = await self._played(place, batch.stories[index], Care.EXPLORING, self._interesting)
            self._known.add(played.story.acts)
            self.tally.add(played)
            self.tally.seconds = self.stage.now() - self._began
            self.on_change(self.tally, "")
            if any(self._interesting(ruling.rule) for ruling in played.broken):
                batch.suspects[index] = played

    def _interesting(self, rule: str) -> bool:
        return rule not in self._done and self._failed[rule] < TRIES

    async def _played(self, place: int, story: Story, care: Care, matters: Callable[[str], bool]) -> Played:
        """Play in one of our worlds, and see that it is in the known state afterwards."""
        ground = self._grounds[place]
        played, clean = await play(self.stage, ground, story, care, matters)
        used_up = ground.stories >= (RENEWED_SLOW if self.stage.known.latency > SLOW else RENEWED)
        if self.stage.config.integration.command and (used_up or not (clean or await self.stage.warm(ground))):
            await self.stage.close(ground)
            self._grounds[place] = await self.stage.ground()
        elif not self.stage.config.integration.command and not clean:
            await self.stage.warm(ground)
        return played

    # -- suspicions -----------------------------------------------------------------------------------------------------

    async def _follow(self, batch: _Batch) -> None:
        """Shrink and confirm what is suspected, in the order in which the stories were drawn."""
        for index in sorted(batch.suspects):
            played = batch.suspects[index]
            after, stories = self.stage.now() - self._began, self.tally.stories
            for rule in dict.fromkeys(ruling.rule for ruling in played.broken):
                if not self._interesting(rule) or self._enough():
                    continue
                self.on_change(self.tally, f"suspicion after {after:.1f} s: {rule}; making the story smaller")
                shrinking = Shrinking(rule, partial(self._try, rule=rule), self.stage.now)
                smallest = await shrinking.smallest(played.story)
                rules = frozenset({rule}) | shrinking.tried.get(smallest.acts, frozenset())
                self._done |= rules
                work = self._confirm(Found(rule, played, after, stories), smallest, rules)
                if self.stage.config.integration.command:
                    self._confirming.append(asyncio.create_task(work))
                else:
                    await work
        batch.suspects.clear()

    async def _try(self, story: Story, *, rule: str) -> frozenset[str]:
        """The rules that a smaller story breaks."""
        played = await self._played(0, story, Care.SHRINKING, lambda other: other == rule)
        self.tally.shrinking += 1
        self.tally.seconds = self.stage.now() - self._began
        self.on_change(self.tally, "")
        return frozenset(ruling.rule for ruling in played.broken)

    async def _confirm(self, found: Found, smallest: Story, rules: frozenset[str]) -> None:
        """Play the small story on a fresh instance with all patience; if it does not break the rule there, the long one."""
        for story in dict.fromkeys((smallest, found.played.story)):
            played = await self._afresh(story, found.rule)
            if any(ruling.rule == found.rule for ruling in played.broken):
                self.tally.found.append(Found(found.rule, played, found.after, found.stories))
                self.tally.found.sort(key=lambda each: each.after)
                self.on_change(self.tally, f"confirmed: {found.rule}")
                return
        self._done -= rules
        self._failed[found.rule] += 1
        self.tally.unconfirmed.append(found.rule)
        self.on_change(self.tally, f"not confirmed on a fresh instance, so not counted: {found.rule}")

    async def _afresh(self, story: Story, rule: str) -> Played:
        def matters(other: str) -> bool:
            return other == rule

        if not self.stage.config.integration.command:
            return (await play(self.stage, self._grounds[0], story, Care.ACCUSING, matters))[0]
        ground = await self.stage.ground()
        try:
            return (await play(self.stage, ground, story, Care.ACCUSING, matters))[0]
        finally:
            await self.stage.close(ground)


def _alike(one: Story, other: Story) -> bool:
    shared = (Counter(one.acts) & Counter(other.acts)).total()
    return shared >= ALIKE * max(len(one.acts), len(other.acts))
