"""A probe runs again when payproof itself lost a request of it, and for no other reason."""

from __future__ import annotations

import asyncio

import pytest
from an_event import an_event

from payproof.contracts.entries import Call, Connection, Entry, FaultSet, Page, ProbeMark, Request, Response, Step
from payproof.contracts.judging.steps import StepName
from payproof.contracts.run import RecordedWorld as Recorded
from payproof.suites.probes import Params, Probe, run_probe
from payproof.suites.run import probe_runner
from payproof.suites.run.plan import MAIN, Options
from payproof.suites.run.repeats import lost_to_us, turned_away
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
    """How often the probe ran when its first ``losing`` runs lose a request, and what is left of it."""
    count = 0

    async def losing_run(probe: Probe, world: World, params: Params) -> None:
        nonlocal count
        count += 1
        if count <= losing:
            async with world.probe_run(probe.name, params):
                world.journal.add(LOST)
        else:
            await run_probe(probe, world, params)

    monkeypatch.setattr(probe_runner, "run_probe", losing_run)
    run = asyncio.run(perform(shop("repeated"), Options(probes=("cancelled",), seed=1)))
    return count, next(world for world in run.worlds if world.name == MAIN)


def begun(world: Recorded) -> list[str]:
    return [mark.probe for mark in world.of(ProbeMark) if mark.event == "begin"]


def lost(world: Recorded) -> list[Connection]:
    return [entry for entry in world.of(Connection) if entry.event == "retired"]


def texts(world: Recorded, name: str) -> list[str]:
    return [step.text for step in world.of(Step) if step.name == name]


def test_a_probe_that_lost_a_request_to_us_runs_again_and_the_journal_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    count, world = played(monkeypatch, losing=1)
    assert count == 2
    assert begun(world).count("cancelled") == 1
    assert lost(world) == []
    assert "POST /pay was sent on a kept connection that payproof had closed" in texts(world, "spoiled")[0]


def test_what_happens_twice_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    count, world = played(monkeypatch, losing=2)
    assert count == 2
    assert len(lost(world)) == 1
    assert "stands" in texts(world, "stands")[0]


def test_a_probe_in_which_we_lost_nothing_runs_once(monkeypatch: pytest.MonkeyPatch) -> None:
    count, world = played(monkeypatch, losing=0)
    assert count == 1
    assert texts(world, "spoiled") == texts(world, "stands") == []


def page(purpose: str, status: int = 200, *, order: str = "2", customer: str = "customer 2", n: int = 10) -> Page:
    asked = Request(method="POST" if purpose == "checkout" else "GET", url=f"https://shop.test/{purpose}?order={order}")
    return Page(
        n=n, began=1, ended=2, where="integration", purpose=purpose, order=order, customer=customer,
        request=asked, response=Response(status=status),
    )  # fmt: skip


ASKED_TO_REST = Call(
    n=9, began=0, ended=1, ending="answered", secure=True, request=Request(method="POST", url="https://localhost/create"),
    response=Response(status=429), event=an_event(operation="create"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("entries", "where"),
    [
        ([page("checkout", 429)], "a customer's first request"),
        ([page("before", 429)], "a customer's first request"),
        ([page("checkout"), page("order", 429)], "a look at the order"),
        ([page("checkout", order="1", n=3), page("checkout", 429)], "a customer's first request"),
        ([page("checkout"), page("checkout", 429)], ""),  # a guard against a second click
        ([page("checkout", n=3), page("checkout", 429)], ""),
        ([page("checkout", 429, order="1", n=3), page("checkout")], ""),  # in an earlier probe run
        ([page("checkout", 503)], ""),
        ([ASKED_TO_REST, page("checkout", 429)], ""),  # the gateway's own limit is passed on
    ],
)
def test_who_is_refused_for_the_number_of_requests_before_doing_anything_was_turned_away(
    entries: list[Entry], where: str
) -> None:
    why = turned_away(entries, since=10)
    assert why.startswith(
        where and f"the integration itself answered {where} with 429: it limits how many requests it takes"
    )
    assert bool(why) is bool(where)


def test_a_probe_that_met_the_integrations_own_limit_is_not_judged_and_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def limited(probe: Probe, world: World, params: Params) -> None:
        async with world.probe_run(probe.name, params):
            world.journal.add(page("checkout", 429, order="limited", customer="customer 99"))

    monkeypatch.setattr(probe_runner, "run_probe", limited)
    run = asyncio.run(perform(shop("repeated"), Options(probes=("cancelled",), seed=1)))
    main = next(world for world in run.worlds if world.name == MAIN)
    assert "cancelled" not in begun(main)
    assert run.powerless["flow.cancelled"].startswith(
        "the integration itself answered a customer's first request with 429"
    )
