"""A story is performed again when payproof itself lost a request of it, and for no other reason."""

from __future__ import annotations

import asyncio

import pytest

from payproof.contracts.entries import Connection, Entry, FaultSet, ProbeMark, Step
from payproof.contracts.run import RecordedWorld as Recorded
from payproof.contracts.steps import StepName
from payproof.suites.probes import Params, Probe, tell
from payproof.suites.run import teller
from payproof.suites.run.plan import MAIN, Options
from payproof.suites.run.repeats import lost_to_us
from payproof.suites.run.runner import perform
from payproof.suites.selftest.selftest import shop
from payproof.suites.session.world import World

LOST = Connection(event="retired", detail="POST /pay")
FAULT = FaultSet(event="armed", name="dropped")
SHUT = Step(text="the gateway takes no calls any more", name=StepName.GATE)


@pytest.mark.parametrize(
    ("entries", "lost"),
    [
        ([LOST], True), ([LOST, FAULT], True), ([LOST, SHUT], True), ([FAULT, LOST], False), ([SHUT, LOST], False), ([], False),
        ([Connection(event="refused", detail="POST /pay")], False), ([Connection(event="handshake_failed")], False),
    ],
)  # fmt: skip
def test_only_a_request_that_came_before_any_fault_on_a_connection_that_we_closed_was_lost_to_us(
    entries: list[Entry], lost: bool
) -> None:
    assert bool(lost_to_us(entries)) is lost


def played(monkeypatch: pytest.MonkeyPatch, losing: int) -> tuple[int, Recorded]:
    """How often the story was performed when its first ``losing`` tellings lose a request, and what is left of it."""
    count = 0

    async def told(probe: Probe, world: World, params: Params) -> None:
        nonlocal count
        count += 1
        if count <= losing:
            async with world.story(probe.name, params):
                world.journal.add(LOST)
        else:
            await tell(probe, world, params)

    monkeypatch.setattr(teller, "tell", told)
    run = asyncio.run(perform(shop("retold"), Options(probes=("cancelled",), seed=1)))
    return count, next(world for world in run.worlds if world.name == MAIN)


def begun(world: Recorded) -> list[str]:
    return [story.probe for story in world.of(ProbeMark) if story.event == "begin"]


def lost(world: Recorded) -> list[Connection]:
    return [entry for entry in world.of(Connection) if entry.event == "retired"]


def said(world: Recorded, name: str) -> list[str]:
    return [step.text for step in world.of(Step) if step.name == name]


def test_a_story_that_lost_a_request_to_us_is_performed_again_and_the_journal_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    count, world = played(monkeypatch, losing=1)
    assert count == 2
    assert begun(world).count("cancelled") == 1
    assert lost(world) == []
    assert "POST /pay was sent on a kept connection that payproof had closed" in said(world, "spoiled")[0]


def test_what_happens_twice_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    count, world = played(monkeypatch, losing=2)
    assert count == 2
    assert len(lost(world)) == 1
    assert "stands" in said(world, "stands")[0]


def test_a_story_in_which_we_lost_nothing_is_performed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    count, world = played(monkeypatch, losing=0)
    assert count == 1
    assert said(world, "spoiled") == said(world, "stands") == []
