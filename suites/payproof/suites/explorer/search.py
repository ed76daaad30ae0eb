"""The search: stories are drawn in batches, played on several worlds at once, and a suspicion is shrunk and confirmed."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from payproof.contracts.model import PayproofError
from payproof.suites.explorer import machine, trim
from payproof.suites.explorer.explorer_session import SLOW, ExplorerSession, Worker
from payproof.suites.explorer.order_specs import Scope, scope
from payproof.suites.explorer.playing import Care, Played, play
from payproof.suites.explorer.shrinking import BrokenRule, Shrinking
from payproof.suites.explorer.story import Acts, Story
from payproof.suites.explorer.tally import Found, RuleTally
from payproof.suites.explorer.threads import Stopped, from_thread, in_thread

BATCH = 120
"""Stories that are drawn with one chance. Most are those before with a step repeated, and are left out."""
NEAR, ALIKE = 6, 0.7
"""A story is left out when it shares this much of its steps with one of so many before it."""
RENEWED, RENEWED_SLOW = 60, 40
"""Stories after which an integration is started anew, so that its old orders cost no time; fewer where jobs in the
background ask about them."""
TRIMMED = 80
"""Stories with one step less that are tried."""
TRIES = 3
"""Suspicions against one rule that may come to nothing before it is left alone."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop. ``seconds`` None: after the stories. ``first``: once a story is known to be broken."""

    stories: int = 500
    seconds: float | None = None
    first: bool = False


@dataclass(slots=True)
class _Batch:
    chance: str
    stories: list[Story]
    suspects: dict[int, Played] = field(default_factory=dict[int, Played])
    next: int = 0


class Search:
    """One search on one stage. ``tell`` is called when the tally has changed."""

    def __init__(self, stage: ExplorerSession, limits: Limits, tell: Callable[[RuleTally, str], None]) -> None:
        self.stage, self.limits, self.tell = stage, limits, tell
        self.tally = RuleTally()
        self._known: dict[Acts, frozenset[str]] = {}
        """Stories that were played, and the rules that they broke."""
        self._done: set[str] = set()
        """Rules that are found, or being confirmed."""
        self._failed: Counter[str] = Counter()
        self._grounds: list[Worker] = []
        self._confirming: list[asyncio.Task[None]] = []
        self._began = 0.0
        self._batches = 0
        self._taken = 0
        """Stories that were begun."""
        self._stopped = False

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
            self._stopped = True
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
                if batch.suspects:
                    await asyncio.wait([coming])  # one drawing at a time
                    await self._follow(what, batch)
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
        chance = f"{self.stage.seed}:{self._batches}"
        new: list[Story] = []

        def deliver(story: Story) -> None:
            if story.acts not in self._known and not any(_alike(story, other) for other in new[-NEAR:]):
                new.append(story)

        await in_thread(lambda: machine.draw(what, deliver, chance=chance, stories=BATCH, shrink=False))
        return _Batch(chance, new)

    async def _work(self, place: int, batch: _Batch) -> None:
        """Play one story after the other, until there is a suspicion or nothing is left to do."""
        while not batch.suspects and batch.next < len(batch.stories) and not self._over():
            index = batch.next
            batch.next += 1
            self._taken += 1
            played = await self._played(place, batch.stories[index], Care.EXPLORING, self._interesting)
            self._known[played.story.acts] = frozenset(ruling.rule for ruling in played.broken)
            self.tally.add(played)
            self.tally.seconds = self.stage.now() - self._began
            self.tell(self.tally, "")
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

    async def _follow(self, what: Scope, batch: _Batch) -> None:
        """Shrink and confirm what is suspected, in the order in which the stories were drawn."""
        for index in sorted(batch.suspects):
            played = batch.suspects[index]
            after, stories = self.stage.now() - self._began, self.tally.stories
            for rule in dict.fromkeys(ruling.rule for ruling in played.broken):
                if not self._interesting(rule) or self._enough():
                    continue
                self.tell(self.tally, f"suspicion after {after:.1f} s: {rule}; making the story smaller")
                shrinking = Shrinking(self._try, rule, self._known, self.stage.now)
                smallest = await self._trimmed(
                    shrinking, await self._drawn_smaller(what, batch.chance, shrinking) or played.story
                )
                rules = frozenset({rule}) | shrinking.tried.get(smallest.acts, frozenset())
                self._done |= rules
                work = self._confirm(Found(rule, played, after, stories), smallest, rules)
                if self.stage.config.integration.command:
                    self._confirming.append(asyncio.create_task(work))
                else:
                    await work
        batch.suspects.clear()

    async def _try(self, story: Story, rule: str) -> frozenset[str]:
        """The rules that a smaller story breaks."""
        played = await self._played(0, story, Care.SHRINKING, lambda other: other == rule)
        self.tally.shrinking += 1
        self.tally.seconds = self.stage.now() - self._began
        self.tell(self.tally, "")
        return frozenset(ruling.rule for ruling in played.broken)

    async def _drawn_smaller(self, what: Scope, chance: str, shrinking: Shrinking) -> Story | None:
        """The smallest story that hypothesis finds; None when it does not come upon the broken one again."""
        loop = asyncio.get_running_loop()

        def attempt(story: Story) -> frozenset[str]:
            if self._stopped:
                raise Stopped
            return from_thread(loop, shrinking.play(story))

        def shrink() -> None:
            with contextlib.suppress(BrokenRule):
                deliver = shrinking.deliverer(attempt)
                machine.draw(what, deliver, chance=chance, stories=BATCH, shrink=True)

        await in_thread(shrink)
        return shrinking.smallest

    async def _trimmed(self, shrinking: Shrinking, story: Story) -> Story:
        """Try it without each of its steps, until none can be spared."""
        allowed = len(shrinking.tried) + TRIMMED
        found: Story | None = story
        while found is not None:
            story, found = found, None
            for candidate in trim.smaller(story):
                if len(shrinking.tried) >= allowed or shrinking.late:
                    return story
                if shrinking.rule in await shrinking.play(candidate):
                    found = candidate
                    break
        return story

    async def _confirm(self, found: Found, smallest: Story, rules: frozenset[str]) -> None:
        """Play the small story on a fresh instance with all patience; if it does not break the rule there, the long one."""
        for story in dict.fromkeys((smallest, found.played.story)):
            played = await self._afresh(story, found.rule)
            if any(ruling.rule == found.rule for ruling in played.broken):
                self.tally.found.append(Found(found.rule, played, found.after, found.stories))
                self.tally.found.sort(key=lambda each: each.after)
                self.tell(self.tally, f"confirmed: {found.rule}")
                return
        self._done -= rules
        self._failed[found.rule] += 1
        self.tally.unconfirmed.append(found.rule)
        self.tell(self.tally, f"not confirmed on a fresh instance, so not counted: {found.rule}")

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
