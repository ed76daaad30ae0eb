"""The time of a quick run: what it ends, what it leaves out, and that it says so."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from tired_shop import tired

from payproof.contracts.entries import ProbeMark
from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Outcome, Result, Verdict
from payproof.contracts.run import Run
from payproof.suites.config import Config
from payproof.suites.run.plan import MAIN, QUICK_SECONDS, Options, quick_seconds
from payproof.suites.run.runner import perform

SECONDS = 8.0
"""Time enough for control and some probes, also on a busy machine; the hanging shop never ends by itself."""


def _judged(config: Config, options: Options) -> tuple[Run, Result, float]:
    began = time.monotonic()
    run = asyncio.run(perform(config, options))
    return run, judge(run, config.profile), time.monotonic() - began


@pytest.fixture(scope="module")
def hung() -> tuple[Run, Result, float]:
    return _judged(tired("hang", 1), Options(quick=True, seed=3, seconds=SECONDS))


def test_a_shop_that_hangs_does_not_hold_the_quick_run(hung: tuple[Run, Result, float]) -> None:
    """One page alone is worth a minute to a patient customer."""
    assert hung[2] < 45


def test_what_was_left_out_is_said_for_each_requirement(hung: tuple[Run, Result, float]) -> None:
    _, result, _ = hung
    titles = {each.requirement: [finding.title for finding in each.findings] for each in result.judgements}
    for id in ("flow.cancelled", "errors.server-error", "token.cached"):
        assert any("left out: the time of this quick run was up after 8 s" in title for title in titles[id]), titles[id]
    every = [title for each in titles.values() for title in each]
    assert any("waited for the shop's answer to the checkout of order" in title for title in every)
    assert any(title.endswith("before its turn came") for title in every)


def test_what_was_left_out_fails_nobody(hung: tuple[Run, Result, float]) -> None:
    _, result, _ = hung
    assert result.outcome is Outcome.PARTIAL
    assert [each.requirement for each in result.judgements if each.verdict in (Verdict.FAIL, Verdict.ERROR)] == []


def test_a_probe_run_that_was_ended_in_its_middle_is_no_evidence(hung: tuple[Run, Result, float]) -> None:
    for world in hung[0].worlds:
        begun = [entry.event for entry in world.entries if isinstance(entry, ProbeMark)]
        assert begun.count("begin") == begun.count("end")
        if world.name == MAIN:
            assert {entry.probe for entry in world.entries if isinstance(entry, ProbeMark)} == {"control"}


def test_a_shop_that_hangs_in_control_is_not_waited_for_longer_than_all_probes(tmp_path: Path) -> None:
    run, result, seconds = _judged(tired("hang", 0), Options(quick=True, seed=3, seconds=1.0))
    assert result.outcome is Outcome.NOT_SCORED
    assert seconds < 30
    assert "no answer within 1 s" in " ".join(run.diagnosis)


def test_a_run_without_a_time_of_its_own_has_all_that_it_needs() -> None:
    assert Options(quick=True).seconds is None
    assert quick_seconds(quick=True, target="simulator") == QUICK_SECONDS
    assert quick_seconds(quick=False, target="simulator") is None
    assert quick_seconds(quick=True, target="sandbox") is None
