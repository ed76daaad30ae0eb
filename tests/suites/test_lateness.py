"""On a machine with too much to do, what payproof answers late is not held against the integration."""

from __future__ import annotations

import asyncio
import time

import pytest

from payproof.contracts.entries import Call, Connection, Entry, ProbeMark, Request
from payproof.simulator.sockets.loop_watch import TICK
from payproof.suites.probes import Params, Probe, run_probe
from payproof.suites.run import probe_runner
from payproof.suites.run.plan import MAIN, Options
from payproof.suites.run.runner import perform
from payproof.suites.selftest.selftest import shop
from payproof.suites.session.lateness import TOO_LATE, Lateness
from payproof.suites.session.world import World


def call(began: float, ended: float, *, ending: str = "hung_up", fault: str = "") -> Call:
    request = Request(method="GET", url="http://gateway.test/pay/status/1")
    return Call(began=began, ended=ended, ending=ending, fault=fault, request=request)  # type: ignore[arg-type]


def connection(began: float, seconds: float, **facts: str) -> Connection:
    known = {"event": "handshake_failed", "ended_by": "client", **facts}
    return Connection(began=began, seconds=seconds, **known)  # type: ignore[arg-type]


def late(since: float, till: float) -> Lateness:
    found = Lateness(lambda: till)
    found.stood.append((since - TICK, till))
    return found


@pytest.mark.parametrize(
    ("entry", "ours"),
    [
        (call(10, 18), True), (connection(9, 12.8), True), (call(22, 22.1), True), (connection(22, 0.0), True),
        (call(10, 18, fault="never-answer"), False), (call(10, 18, ending="answered"), False), (call(30, 58), False),
        (connection(9, 12.8, ended_by="gateway"), False), (connection(9, 12.8, fault="tls-silence"), False),
        (connection(9, 12.8, event="served"), False), (call(10, 12.5), False),
    ],
)  # fmt: skip
def test_a_call_is_ours_when_the_integration_gave_it_up_while_nothing_was_done_here(entry: Entry, ours: bool) -> None:
    assert bool(late(12, 22).given_up([entry])) is ours


def test_short_delays_are_no_excuse() -> None:
    assert late(12, 12 + TOO_LATE / 3).given_up([call(10, 18)]) == ""


def test_the_longest_delay_is_told() -> None:
    found = late(12, 14.5)
    found.stood.append((14.0, 14.5))
    assert found.worst == 2.5
    assert Lateness(lambda: 20).worst == 0.0


def test_a_loop_that_stands_still_is_noticed() -> None:
    async def busy() -> float:
        lateness = Lateness(time.monotonic)
        lateness.start()
        began = time.monotonic()
        await asyncio.sleep(0.01)
        time.sleep(1.2)  # noqa: ASYNC251 - that is what is noticed
        await asyncio.sleep(0.3)
        lateness.stop()
        return lateness.between(began, time.monotonic())

    assert asyncio.run(busy()) >= 0.7


@pytest.mark.parametrize(("times", "left"), [(1, 1), (2, 0)])
def test_such_a_probe_runs_again_and_then_is_not_judged(monkeypatch: pytest.MonkeyPatch, times: int, left: int) -> None:
    count = 0

    async def late(probe: Probe, world: World, params: Params) -> None:
        nonlocal count
        count += 1
        if count > times:
            await run_probe(probe, world, params)
            return
        async with world.probe_run(probe.name, params):
            now = world.journal.now()
            world.journal.add(call(now, now))

    def always(lateness: Lateness, began: float, ended: float) -> float:
        return 9.0

    monkeypatch.setattr(probe_runner, "run_probe", late)
    monkeypatch.setattr(Lateness, "between", always)
    run = asyncio.run(perform(shop("late"), Options(probes=("cancelled",), seed=1)))
    world = next(world for world in run.worlds if world.name == MAIN)
    assert [mark.probe for mark in world.of(ProbeMark) if mark.event == "begin"].count("cancelled") == left
    reasons = [why for why in run.powerless.values() if "too much to do" in why]
    assert bool(reasons) is (left == 0)
