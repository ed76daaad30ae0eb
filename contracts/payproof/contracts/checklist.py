"""A gateway's published checklist: items that roll up requirements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from payproof.contracts.model import Level


@dataclass(frozen=True, slots=True)
class Item:
    """``number`` as published (1, G1); ``requirements`` for a guideline; ``items`` for one that rolls up guidelines."""

    number: str
    id: str
    title: str
    text: str
    requirements: tuple[str, ...] = ()
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checklist:
    """``golive`` is the first table of every report; ``guidelines`` are the published items, in their order. ``levels``: requirement ->
    how much it weighs on this gateway, where its guidance asks for more or less than is usual."""

    source: str
    golive: tuple[Item, ...]
    guidelines: tuple[Item, ...]
    levels: Mapping[str, Level] = field(default_factory=dict[str, Level])

    def requirements_of(self, item: Item) -> tuple[str, ...]:
        """An item's requirements, those of the guidelines that it rolls up included, without repeats."""
        below = [req for guide in self.guidelines if guide.number in item.items for req in guide.requirements]
        return tuple(dict.fromkeys((*below, *item.requirements)))

    def all_requirements(self) -> tuple[str, ...]:
        """Every requirement that a whole run judges, in the checklist's order."""
        return tuple(
            dict.fromkeys(req for item in (*self.guidelines, *self.golive) for req in self.requirements_of(item))
        )
