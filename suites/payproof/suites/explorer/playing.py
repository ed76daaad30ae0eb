"""One story from a known state to its verdict, and the tally of many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from payproof.contracts.entries import Entry
from payproof.contracts.model import PayproofError
from payproof.suites.explorer.disturbances import Disturbances
from payproof.suites.explorer.explorer_session import ExplorerSession, Worker
from payproof.suites.explorer.facts import Facts
from payproof.suites.explorer.oracle import RULES, Ruling, Truth, broken, verdict
from payproof.suites.explorer.player import Player, SecondOrder
from payproof.suites.explorer.quiesce import rest
from payproof.suites.explorer.scope import separate
from payproof.suites.explorer.story import Story

CAUTIOUS, RENEWING, SLOWEST = 60.0, 20.0, 10.0
"""Seconds that a shop is waited for before it is accused: when calls to the gateway failed (a circuit breaker may be
open), when tokens, time or process were touched, and when all went well."""
CALM, WARY = 2.0, 5.0
"""Seconds that a story waits for a shop before a suspicion arises: when all went well, and when a fault was met."""


@dataclass(frozen=True, slots=True)
class Played:
    """How a story ended. ``entries``: its journal. ``problem``: why it could not be played to its end."""

    story: Story
    truth: Truth
    rulings: tuple[Ruling, ...] = ()
    facts: Facts | None = None
    entries: tuple[Entry, ...] = ()
    problem: str = ""

    @property
    def broken(self) -> tuple[Ruling, ...]:
        return broken(self.rulings)

    @property
    def charges(self) -> int:
        """How often money was taken."""
        return sum(order.taken for order in self.facts.orders) if self.facts else 0


class Care(StrEnum):
    """How much patience a story at rest is met with."""

    SHRINKING = "shrinking"
    """Little: whatever comes out is played again with all patience."""
    EXPLORING = "exploring"
    ACCUSING = "accusing"


def patience(stage: ExplorerSession, care: Care, trouble: Disturbances) -> float:
    """Seconds to wait for what a careful shop may still put right."""
    quick, within = stage.known.quick, stage.config.integration.order.within
    if care is Care.SHRINKING:
        return quick
    if care is Care.EXPLORING:
        return max(quick, within + 1 if within else WARY if trouble.failed else CALM)
    return max(quick, within + 2, CAUTIOUS if trouble.failed else RENEWING if trouble.moved else SLOWEST)


async def play(
    stage: ExplorerSession, ground: Worker, story: Story, care: Care, matters: Callable[[str], bool] = bool
) -> tuple[Played, bool]:
    """Play a story and judge it. The second value: the integration is still in the state that it began with."""
    world = ground.world
    world.journal.clear()
    ground.stories += 1
    tag = str(stage.rng.randrange(10_000_000, 100_000_000))
    player = Player(world, ground.cast, story, tag=tag, separate=separate(stage.config), referred=stage.known.referred)
    played: Played
    whole = True
    try:
        async with world.probe_run("explorer", {"steps": len(story.acts)}):
            await player.play()
            wait = patience(stage, care, player.trouble)
            rested = await rest(player, stage.known.habits, wait, matters)
        truth = verdict(rested.rulings)
        if truth is not Truth.FALSE and rested.waited > stage.known.quick:
            stage.known.quick = 1.5 * rested.waited
        played = Played(story, truth, rested.rulings, rested.facts, tuple(world.journal.entries))
    except PayproofError as error:
        played = Played(story, Truth.UNKNOWN, entries=tuple(world.journal.entries), problem=_problem(error))
        whole = isinstance(error, SecondOrder)  # which says nothing against the integration
    finally:
        player.trouble.stop()
        ground.cast.dismiss()
    return played, whole and not player.trouble.dirty


def _problem(error: PayproofError) -> str:
    """Why a story could not be played to its end; of a driver's mistake also what mends it."""
    return f"{error.message}; {error.remedy}" if isinstance(error, SecondOrder) else error.message


@dataclass(frozen=True, slots=True)
class Found:
    """A story that breaks a rule, played again on a fresh instance. ``after``: seconds until it was suspected."""

    rule: str
    played: Played
    after: float
    stories: int


@dataclass(slots=True)
class RuleTally:
    """How far the search is."""

    stories: int = 0
    steps: int = 0
    charges: int = 0
    shrinking: int = 0
    truths: Counter[Truth] = field(default_factory=Counter[Truth])
    reasons: Counter[str] = field(default_factory=Counter[str])
    found: list[Found] = field(default_factory=list[Found])
    unconfirmed: list[str] = field(default_factory=list[str])
    ended: str = ""
    """Why the search ended before its limits: the integration does not start again, say."""
    seconds: float = 0.0
    """Of playing, shrinking and confirming; without the control payment."""
    playing: float = 0.0
    """Of playing alone."""

    def add(self, played: Played) -> None:
        self.stories += 1
        self.steps += len(played.story.acts)
        self.charges += played.charges
        self.truths[played.truth] += 1
        if played.problem:
            self.reasons[played.problem] += 1
        for reason in {ruling.reason for ruling in played.rulings if ruling.truth is Truth.UNKNOWN}:
            self.reasons[reason] += 1


def rules_left(tally: RuleTally) -> tuple[str, ...]:
    """Rules that no story broke."""
    return tuple(rule for rule in RULES if rule not in {found.rule for found in tally.found})
