"""Making a broken story smaller: what was tried for one rule, and what it may cost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from payproof.suites.explorer.story import Acts, Story

DRAWN, SECONDS = 25, 60.0
"""Stories that hypothesis may try, and the time for all that is tried."""


class BrokenRule(AssertionError):
    """A story breaks the rule that is looked for."""


class Shrinking:
    """One rule. ``attempt`` plays a story and says which rules it breaks; ``known``: what was played before."""

    def __init__(
        self,
        attempt: Callable[[Story, str], Awaitable[frozenset[str]]],
        rule: str,
        known: Mapping[Acts, frozenset[str]],
        now: Callable[[], float],
    ) -> None:
        self.rule, self._attempt, self._known, self._now = rule, attempt, known, now
        self._deadline = now() + SECONDS
        self.tried: dict[Acts, frozenset[str]] = {}
        self.smallest: Story | None = None

    @property
    def late(self) -> bool:
        return self._now() > self._deadline

    async def play(self, story: Story) -> frozenset[str]:
        """The rules that a story breaks; each story is played once."""
        if story.acts not in self.tried:
            self.tried[story.acts] = await self._attempt(story, self.rule)
        return self.tried[story.acts]

    def deliverer(self, attempt: Callable[[Story], frozenset[str]]) -> Callable[[Story], None]:
        """What hypothesis calls: raises for a story that breaks the rule. Until the story that began it all is drawn
        again, nothing is played."""

        def deliver(story: Story) -> None:
            broken = self.tried.get(story.acts, self._known.get(story.acts))
            if broken is None:
                if self.smallest is None or len(self.tried) >= DRAWN or self.late:
                    return
                broken = attempt(story)
            if self.rule in broken:
                self.smallest = story
                raise BrokenRule(self.rule)

        return deliver
