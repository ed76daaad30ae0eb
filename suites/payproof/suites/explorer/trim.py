"""Makes a story smaller on its plain values: what hypothesis leaves is tried without each step, and with simpler ones."""

from __future__ import annotations

from collections.abc import Iterator

from payproof.contracts.model import Json
from payproof.suites.explorer.story import Acts, Story, StoryStep, act


def smaller(story: Story) -> Iterator[Story]:
    """Stories that are a little smaller or simpler than this one, the smaller first."""
    for place in reversed(range(len(story.acts))):
        if found := without(story, place):
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
