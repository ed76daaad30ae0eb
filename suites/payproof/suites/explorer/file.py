"""Story files: small, versioned and self-contained; written for people too."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from payproof.contracts import bounded, files, money
from payproof.contracts.model import Json, PayproofError
from payproof.reports.sequence import Account, BrokenStep, html, markdown
from payproof.suites.explorer import origin
from payproof.suites.explorer.oracle import RULES, Ruling
from payproof.suites.explorer.playing import Played
from payproof.suites.explorer.story import OrderSpec, Story, parsed, sentences

VERSION = 1
_LARGEST, _MOST = 1_000_000, 1_000
"""Bytes of a story file, and orders or steps of a story."""
_WORD, _NUMBER, _FIELDS = 200, 1_000_000, 20
_REMEDY = "name a story-N.json that `payproof explore` wrote"


@dataclass(frozen=True, slots=True)
class StoryFile:
    """A story as it stands in a file. ``rules``: what it broke when it was written."""

    story: Story
    gateway: str
    seed: int
    rules: tuple[str, ...]
    found_with: origin.StoryOrigin | None = None
    """The configuration that it was found with; None: the file does not say."""


def write(
    folder: Path,
    number: int,
    played: Played,
    *,
    name: str,
    gateway: str,
    seed: int,
    config: Path | None,
    found_with: origin.StoryOrigin | None = None,
) -> Path:
    """``story-N.json`` with its ``.md`` and ``.html``; returns the first. ``config``: what the command named."""
    path = folder / f"story-{number}.json"
    files.write(path, json.dumps(_plain(played, name, gateway, seed, found_with), indent=2, ensure_ascii=False) + "\n")
    where = ["--config", str(config)] if config else []
    account = Account(
        name=name,
        gateway=gateway,
        broken=tuple(_broken(ruling) for ruling in played.broken),
        sentences=sentences(played.story),
        entries=played.entries,
        replay=shlex.join(["payproof", "replay", str(path), *where]),
        facts={"seed": str(seed), "story": path.name},
    )
    files.write(path.with_suffix(".md"), markdown(account))
    files.write(path.with_suffix(".html"), html(account))
    return path


def _broken(ruling: Ruling) -> BrokenStep:
    return BrokenStep(ruling.rule, RULES[ruling.rule], ruling.order, ruling.expected, ruling.actual)


def _plain(
    played: Played, name: str, gateway: str, seed: int, found_with: origin.StoryOrigin | None
) -> dict[str, Json]:
    return {
        "payproof": "story",
        "version": VERSION,
        "gateway": gateway,
        "integration": name,
        "seed": seed,
        **({"configuration": found_with.plain()} if found_with else {}),
        "orders": [
            {"order": wish.number, "amount": wish.amount, "currency": wish.currency, "customer": wish.customer}
            for wish in played.story.wishes
        ],
        "steps": [act.plain() for act in played.story.acts],
        "told": list(sentences(played.story)),
        "broken": [
            {"rule": each.rule, "order": each.order, "expected": each.expected, "actual": each.actual}
            for each in played.broken
        ],
    }


def read(path: Path) -> StoryFile:
    """A story file.

    Raises:
        PayproofError: not one, or of a version or with steps that this payproof does not know.
    """
    place = str(path)
    text = files.read(path, says="cannot read the story", largest=_LARGEST, remedy=_REMEDY)
    try:
        raw = bounded.parse(text)
    except ValueError as error:
        raise PayproofError(f"cannot read the story: {error}", place=place, remedy=_REMEDY) from None
    if not isinstance(raw, dict) or raw.get("payproof") != "story":
        raise PayproofError("not a story", place=place, remedy=_REMEDY)
    found = raw
    if found.get("version") != VERSION:
        raise PayproofError(
            f"this story is of version {str(found.get('version'))[:40]}, and this payproof reads version {VERSION}",
            place=place,
            remedy="let `payproof explore` of this version write it again",
        )
    try:
        return _written(found, place)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PayproofError(
            f"not a whole story: {str(error)[:200]}", place=place, remedy="use the file as it was written"
        ) from None


def _written(raw: Mapping[str, Json], place: str) -> StoryFile:
    wishes = tuple(_wish(each) for each in _tables(raw["orders"]))
    for each in _tables(raw["steps"]):
        _bounded(each)
    acts = tuple(parsed(each, place=f"{place}: step {number}") for number, each in enumerate(_tables(raw["steps"]), 1))
    known = {wish.number for wish in wishes}
    if len(known) != len(wishes):
        raise ValueError("an order stands twice")
    if not acts or any(act.do == "start" and act.number("order") not in known for act in acts):
        raise ValueError("a step starts an order that is not listed")
    rules = tuple(str(each["rule"])[:_WORD] for each in _tables(raw["broken"]))
    seed = raw["seed"]
    found_with = origin.read(raw.get("configuration"))
    story = Story(wishes, acts)
    sentences(story)  # a word that no sentence knows is no step
    return StoryFile(story, str(raw["gateway"])[:_WORD], seed if isinstance(seed, int) else 0, rules, found_with)


def _tables(value: Json) -> Sequence[dict[str, Json]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value) or len(value) > _MOST:
        raise ValueError(f"a list of at most {_MOST} objects is wanted")
    return cast(list[dict[str, Json]], value)


def _bounded(params: Json) -> None:
    """Numbers and words of the size that the explorer writes: no jump of a million years, no word of a megabyte."""
    if isinstance(params, dict):
        if len(params) > _FIELDS:
            raise ValueError("a step has too many fields")
        for name, value in params.items():
            _bounded(name)
            _bounded(value)
    elif isinstance(params, str):
        if len(params) > _WORD or not params.isprintable():
            raise ValueError("a word of a step is too long, or none")
    elif isinstance(params, int | float) and abs(params) > _NUMBER:
        raise ValueError(f"a number of a step is larger than {_NUMBER}")


def _wish(raw: Mapping[str, Json]) -> OrderSpec:
    number, amount, currency, customer = (raw[key] for key in ("order", "amount", "currency", "customer"))
    sum_ = money.parse(amount) if isinstance(amount, str) else None
    if not isinstance(number, int) or isinstance(number, bool) or sum_ is None or sum_ <= 0:
        raise ValueError("an order has a number and an amount")
    if not isinstance(currency, str) or not re.fullmatch(r"[A-Z]{3}", currency):
        raise ValueError("an order has a currency")
    if not isinstance(customer, str) or not customer.isprintable() or not 0 < len(customer) <= 40:
        raise ValueError("an order has a customer")
    return OrderSpec(number, str(amount), currency, customer)
