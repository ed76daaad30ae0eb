"""A gateway that offers TLS 1.0 and 1.1 only: what a shop did is measured, and it sells again afterwards."""

from __future__ import annotations

import asyncio

from payproof.contracts.behaviour import behaviour
from payproof.contracts.judge import judge
from payproof.contracts.model import Verdict
from payproof.suites.run.plan import Options
from payproof.suites.run.runner import perform
from payproof.suites.selftest.selftest import shop


def test_that_a_shop_refuses_old_tls_is_measured_and_it_recovers() -> None:
    config = shop("old-tls")
    run = asyncio.run(perform(config, Options(seed=3, probes=("old-tls",))))
    refusal = next(each for each in behaviour(run).refusals if each.fault == "old-tls")
    assert (refusal.unmeasured, refusal.taken) == ("", 0)
    assert refusal.connections >= 1
    verdicts = {each.requirement: each.verdict for each in judge(run, config.profile).judgements}
    assert (verdicts["flow.recovers"], verdicts["errors.friendly"]) == (Verdict.PASS, Verdict.PASS)
