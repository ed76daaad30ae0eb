"""A story as plain values: who buys what, and what happens in which order. It can be put in sentences, saved, and played again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from payproof.contracts import money
from payproof.contracts.model import Json, PayproofError


@dataclass(frozen=True, slots=True)
class OrderSpec:
    """An order that a customer wants to pay: ``number`` 1, 2, 3 within its story; ``amount`` in major units."""

    number: int
    amount: str
    currency: str
    customer: str

    @property
    def decimal(self) -> Decimal:
        return Decimal(self.amount)

    def shown(self) -> str:
        return money.show(self.amount, self.currency)


Value: TypeAlias = str | int | float | bool | tuple[tuple[str, Json], ...] | None
"""A parameter of a step. A mapping is kept as sorted pairs, so that steps can be compared and remembered."""


@dataclass(frozen=True, slots=True)
class StoryStep:
    """One step of a story: what is done, with plain parameters (``page`` 2 is what the second start led to)."""

    do: str
    params: tuple[tuple[str, Value], ...] = ()

    def number(self, name: str) -> int:
        """A parameter that is a number; 0 where it is missing."""
        value = dict(self.params).get(name, 0)
        return value if isinstance(value, int) else 0

    def text(self, name: str) -> str:
        """A parameter that is a word."""
        return str(dict(self.params).get(name, ""))

    def flag(self, name: str) -> bool:
        """A parameter that is true or false."""
        return dict(self.params).get(name) is True

    def mapping(self, name: str) -> dict[str, Json]:
        """A parameter that is a mapping."""
        value = dict(self.params).get(name)
        return dict(value) if isinstance(value, tuple) else {}

    def changed(self, **params: Json) -> StoryStep:
        """The same step with other parameters."""
        return act(self.do, **{**{name: _thawed(value) for name, value in self.params}, **params})

    def plain(self) -> dict[str, Json]:
        """The step as it stands in a file."""
        return {"do": self.do, **{name: _thawed(value) for name, value in self.params}}


def act(do: str, **params: Json) -> StoryStep:
    """A step out of plain parameters."""
    return StoryStep(do, tuple((name, _frozen(value)) for name, value in params.items()))


def _frozen(value: Json) -> Value:
    if isinstance(value, dict):
        return tuple(sorted(value.items()))
    return value if isinstance(value, str | int | float) else None


def _thawed(value: Value) -> Json:
    return dict(value) if isinstance(value, tuple) else value


Acts: TypeAlias = tuple[StoryStep, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """Orders and steps. Two stories with the same steps are the same story."""

    wishes: tuple[OrderSpec, ...]
    acts: Acts

    def wish(self, number: int) -> OrderSpec:
        return next(wish for wish in self.wishes if wish.number == number)

    def starts(self) -> tuple[StoryStep, ...]:
        """The steps that lead to a hosted checkout: page 1 is the first."""
        return tuple(each for each in self.acts if each.do == "start")

    def used(self) -> Story:
        """The same story without the orders that nobody starts to pay."""
        numbers = {each.number("order") for each in self.starts()}
        return Story(tuple(wish for wish in self.wishes if wish.number in numbers), self.acts)


_PARAMS: Mapping[str, tuple[str, ...]] = {
    "start": ("order", "how"),
    "pay": ("page", "then"),
    "refuse": ("page",),
    "promise": ("page", "kept", "then"),
    "cancel": ("page", "then"),
    "hosted": ("page",),
    "come-back": ("page",),
    "reload": ("order",),
    "forge": ("page",),
    "replay": ("page", "other"),
    "revoke": (),
    "jump": ("seconds",),
    "rotate": ("told",),
    "fault": ("operation", "name", "params", "after_effect", "times"),
    "well": (),
    "restart": (),
}
"""Every kind of step with its parameters."""
KINDS = tuple(_PARAMS)


def parsed(raw: Mapping[str, Json], *, place: str) -> StoryStep:
    """A step out of a file.

    Raises:
        PayproofError: not a step that this version knows.
    """
    do = str(raw.get("do"))
    if do not in _PARAMS or set(raw) != {"do", *_PARAMS[do]}:
        wanted = f"{do}: {', '.join(_PARAMS[do]) or 'no parameters'}" if do in _PARAMS else f"one of {', '.join(KINDS)}"
        raise PayproofError(f"not a step of a story: {dict(raw)}", place=place, remedy=wanted)
    return act(do, **{name: raw[name] for name in _PARAMS[do]})


def sentences(story: Story) -> tuple[str, ...]:
    """The story in sentences, one for each step."""
    orders = [each.number("order") for each in story.starts()]
    found: list[str] = []
    started = 0
    for each in story.acts:
        if each.do == "start":
            started += 1
            found.append(_start(story, each, started))
        else:
            found.append(_sentence(story, each, orders))
    return tuple(found)


def _start(story: Story, each: StoryStep, page: int) -> str:
    wish = story.wish(each.number("order"))
    how = {
        "fresh": f"Customer {wish.customer} starts to pay order {wish.number} ({wish.shown()})",
        "back": f"Customer {wish.customer} goes back and starts to pay order {wish.number} again",
        "tab": f"Customer {wish.customer} starts to pay order {wish.number} again in a second tab",
    }[each.text("how")]
    return f"{how}: page {page}."


def _sentence(story: Story, each: StoryStep, orders: Sequence[int]) -> str:
    page = each.number("page")
    order = orders[page - 1] if 0 < page <= len(orders) else each.number("order")
    who = next((f"Customer {wish.customer}" for wish in story.wishes if wish.number == order), "The customer")
    way = "and returns to the shop" if each.text("then") == "return" else "and walks away without returning"
    match each.do:
        case "pay":
            return f"{who} pays order {order} at page {page} {way}."
        case "promise":
            later = "comes later" if each.flag("kept") else "never comes"
            return f"{who} pays order {order} at page {page} with money that {later}, {way}."
        case "refuse":
            return f"The gateway refuses the payment of order {order} at page {page} and sends {who[0].lower()}{who[1:]} back."
        case "cancel":
            return f"{who} cancels at page {page} (order {order}) {way}."
        case "hosted":
            return f"{who} opens page {page} (order {order}) once more and follows its link back, if it has one."
        case "come-back":
            return f"{who} opens the return address of page {page} (order {order})."
        case "reload":
            return f"{who} reloads the page of the shop that order {order} last came back to."
        case "forge":
            return f"{who} opens a forged success address for page {page} (order {order}), without having paid."
        case "replay":
            return f"The return of page {each.number('other')} is replayed on the return address of page {page} (order {order})."
        case _:
            return _around(each)


def _around(each: StoryStep) -> str:
    match each.do:
        case "revoke":
            return "The gateway ends every access token before its time."
        case "jump":
            return f"{each.number('seconds')} seconds pass at the gateway."
        case "rotate":
            after = "and the integration is restarted with the new one" if each.flag("told") else "and nobody is told"
            return f"The secret key is replaced {after}."
        case "fault":
            return _fault(each)
        case "well":
            return "The gateway is well again."
        case _:
            return "The integration is restarted; its data is kept."


def _fault(each: StoryStep) -> str:
    times = each.number("times")
    what_of = f"{each.text('operation')} call" if each.text("operation") else "connection"
    calls = f"The next {what_of}" if times == 1 else f"The next {times} {what_of}s"
    after = " after their effect" if times > 1 else " after its effect"
    given = ", ".join(f"{key} {value}" for key, value in each.mapping("params").items())
    what = f"{each.text('name')}{f' ({given})' if given else ''}"
    return f"{calls} {'goes' if times == 1 else 'go'} wrong{after if each.flag('after_effect') else ''}: {what}."
