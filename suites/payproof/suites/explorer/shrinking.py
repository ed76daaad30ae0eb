"""Makes a broken story smaller, on its plain values: it is played without some of its steps, and with simpler ones, as long as it
breaks its rule."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

from payproof.contracts.model import Json
from payproof.suites.explorer.story import Acts, Story, StoryStep, act

TRIED, SECONDS = 80, 60.0
"""Stories that are tried for one rule, and the time for all of them."""


class Shrinking:
    """One rule. ``attempt`` plays a story and says which rules it breaks; ``now``: seconds."""

    def __init__(
        self, rule: str, attempt: Callable[[Story], Awaitable[frozenset[str]]], now: Callable[[], float]
    ) -> None:
        self.rule, self._attempt, self._now = rule, attempt, now
        self._deadline = now() + SECONDS
        self.tried: dict[Acts, frozenset[str]] = {}

    async def smallest(self, story: Story) -> Story:
        """The story when none of its steps can be spared any more, or the time is over."""
        while (found := await self._one_smaller(story)) is not None:
            story = found
        return story

    async def _one_smaller(self, story: Story) -> Story | None:
        for candidate in smaller(story):
            if candidate.acts in self.tried:
                continue
            if len(self.tried) >= TRIED or self._now() > self._deadline:
                return None
            self.tried[candidate.acts] = await self._attempt(candidate)
            if self.rule in self.tried[candidate.acts]:
                return candidate
        return None


def smaller(story: Story) -> Iterator[Story]:
    """Stories that are smaller or simpler than this one: without a half of its steps, a quarter, one; then the same steps, one of them
    simpler. What stands last goes first."""
    whole = len(story.acts)
    for size in dict.fromkeys((whole // 2, whole // 4, 1)):
        for end in range(whole, 0, -size) if size else ():
            if found := _without_all(story, range(max(end - size, 0), end)):
                yield found
    for place, each in enumerate(story.acts):
        for simple in _simpler(each):
            acts = (*story.acts[:place], simple, *story.acts[place + 1 :])
            yield Story(story.wishes, acts).used()


def without(story: Story, place: int) -> Story | None:
    """The story without one step; a start takes with it what was done at its page. None when nothing would be left."""
    acts, dropped = story.acts, story.acts[place]
    rest: Acts = acts[:place] + acts[place + 1 :]
    if dropped.do == "start":
        page = sum(each.do == "start" for each in acts[: place + 1])
        rest = tuple(
            _renumbered(each, page) for each in rest if page not in (each.number("page"), each.number("other"))
        )
        rest = _with_fresh_starts(rest)
    return Story(story.wishes, rest).used() if any(each.do == "start" for each in rest) else None


def _without_all(story: Story, places: range) -> Story | None:
    """The story without these steps and what hangs on them."""
    found: Story | None = story
    for place in reversed(places):
        found = without(found, place) if found is not None else None
    return found


def _renumbered(each: StoryStep, gone: int) -> StoryStep:
    pages = ("page", "other")
    params = (
        (name, value - 1 if name in pages and isinstance(value, int) and value > gone else value)
        for name, value in each.params
    )
    return StoryStep(each.do, tuple(params))


def _with_fresh_starts(acts: Acts) -> Acts:
    """The first start of each order is a fresh one."""
    seen: set[int] = set()
    made: list[StoryStep] = []
    for each in acts:
        if each.do == "start" and each.number("order") not in seen:
            seen.add(each.number("order"))
            made.append(act("start", order=each.number("order"), how="fresh"))
        else:
            made.append(each)
    return tuple(made)


def _simpler(each: StoryStep) -> Iterator[StoryStep]:
    simple: dict[str, tuple[Json, ...]] = {
        "how": ("back",) if each.text("how") == "tab" else (),
        "then": ("return",) if each.text("then") == "walk" else (),
        "times": (1, 2) if each.number("times") > 2 else (1,) if each.number("times") == 2 else (),
        "after_effect": (False,) if each.flag("after_effect") else (),
    }
    for name, values in simple.items():
        yield from (each.changed(**{name: value}) for value in values)
    if each.do == "fault" and each.text("name") != "status":
        yield each.changed(name="status", params={"status": 500})
