"""Which probes share an instance, which begin first, and how many instances start at a time."""

from __future__ import annotations

import os
import pkgutil
import sys
from types import SimpleNamespace
from typing import Any, cast

import pytest

from payproof.contracts import checks
from payproof.contracts.profile import load
from payproof.suites import probes as probe_modules
from payproof.suites.config import Config
from payproof.suites.probes import probes
from payproof.suites.run.plan import SLOW_START, Options, Plan, plan, powerless
from payproof.suites.run.runner import launches_at_once
from payproof.suites.selftest.selftest import shop
from payproof.suites.session.settings import settings_of


def planned(config: Config, *, quick: bool = False, starts: float = 0.2) -> Plan:
    return plan(config, Options(quick=quick), settings_of(config), start_seconds=starts)


def probe_runs(chosen: Plan) -> list[str]:
    return sorted(
        f"{probe.name} {sorted(params.items())}" for found in chosen.worlds.values() for probe, params in found
    )


def test_the_worlds_that_wait_longest_come_first() -> None:
    chosen = planned(shop("plan"))
    limits = load("quatapay").limits
    waits = [
        sum(probe.waits(limits) for probe, _ in found if probe.waits is not None) for found in chosen.worlds.values()
    ]
    assert waits == sorted(waits, reverse=True)
    assert waits[0] > limits.whole_grace
    assert {name for name, seconds in zip(chosen.worlds, waits, strict=True) if seconds} == chosen.stalling


def test_a_quick_run_leaves_out_whatever_waits_and_nothing_else() -> None:
    config = shop("plan")
    assert set(planned(config, quick=True).left_out) == {probe.name for probe in probes().values() if probe.stalls}


def test_no_world_waits_longer_than_a_drip_by_more_than_one_call_s_grace() -> None:
    """The run takes as long as its longest world."""
    limits = load("quatapay").limits
    for found in planned(shop("plan")).worlds.values():
        waits = [probe.waits(limits) for probe, _ in found if probe.waits is not None]
        assert sum(waits) <= max(limits.whole_grace, 2 * limits.grace)


def test_instances_are_shared_where_starting_costs_most_and_the_same_probes_run() -> None:
    config = shop("plan")
    usual, slow, quick = planned(config), planned(config, starts=10.0), planned(config, quick=True)
    assert not usual.sharing
    assert probe_runs(usual) == probe_runs(slow)
    assert probe_runs(quick) == sorted(
        f"{probe.name} {sorted(params.items())}"
        for found in usual.worlds.values()
        for probe, params in found
        if not probe.stalls
    )
    for chosen in (slow, quick):
        restarting = {name for name, found in chosen.worlds.items() if any(probe.restarts for probe, _ in found)}
        assert restarting
        assert chosen.sharing == set(chosen.worlds) - restarting
        assert set(list(chosen.worlds)[: len(restarting)]) == restarting


def test_what_hangs_in_a_shared_instance_holds_up_little_and_what_waits_waits_alone() -> None:
    for chosen in (planned(shop("plan"), starts=10.0), planned(shop("plan"), quick=True)):
        for name in chosen.sharing:
            found = chosen.worlds[name]
            assert len(found) == 1 if any(probe.stalls or probe.pauses for probe, _ in found) else len(found) <= 4
        assert {
            name for name, found in chosen.worlds.items() if any(probe.stalls for probe, _ in found)
        } == chosen.stalling


def test_in_a_quick_run_some_worlds_work_behind_each_one_that_waits() -> None:
    worlds = planned(shop("plan"), quick=True).worlds.values()
    waits = [any(probe.pauses for probe, _ in found) for found in worlds]
    assert sum(waits) >= 4
    assert not any(waits[n] and any(waits[n + 1 : n + 3]) for n in range(len(waits)))


def test_a_recording_and_a_sandbox_are_never_shared() -> None:
    config = shop("plan")
    for target in ("cassette", "sandbox"):
        assert not plan(config, Options(quick=True, target=target), settings_of(config)).sharing


def instance(seconds: float, work: float) -> Any:
    return cast("Any", SimpleNamespace(start_seconds=seconds, start_work=work))


def test_many_start_together_only_where_starting_is_waiting() -> None:
    assert launches_at_once(instance(10.0, 0.1), 8) == 8
    assert launches_at_once(instance(10.0, 10.0), 8) <= max(2, os.cpu_count() or 1)


def test_usually_two_start_together() -> None:
    assert [launches_at_once(each, 8) for each in (None, instance(0.3, 0.3), instance(SLOW_START, 0.0))] == [2, 2, 2]


def test_a_probe_stands_in_the_module_that_is_named_like_its_check_s() -> None:
    """Requirement and check are one function in contracts; their probe is found by the same name."""
    beside = {module.name for module in pkgutil.iter_modules(checks.__path__)}
    assert {module.name for module in pkgutil.iter_modules(probe_modules.__path__)} <= beside


def test_what_this_system_cannot_do_is_said_and_fails_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    config = shop("plan")
    monkeypatch.setattr(sys, "platform", "darwin")
    settings = settings_of(config)
    chosen = plan(config, Options(), settings)
    assert chosen.powerless == ("unconnected",)
    assert powerless(chosen, settings) == {"timeout.connect": "only linux lets connections wait as this needs it"}
