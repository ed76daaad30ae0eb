"""A gateway that offers old TLS only, or vouched for by somebody unknown: what a shop did is measured, and what it costs to try."""

from __future__ import annotations

import asyncio

from blind_token_call import blind

from payproof.contracts.behaviour import behaviour
from payproof.contracts.entries import OrderSeen, ProbeMark, Process
from payproof.contracts.judging.judge import judge
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


def test_who_was_not_told_of_the_authority_is_not_started_again_for_a_look() -> None:
    config = shop("untold")
    run = asyncio.run(perform(config, Options(seed=3, probes=("unknown-certificate",))))
    verdicts = {each.requirement: each.verdict for each in judge(run, config.profile).judgements}
    assert verdicts["https.certificate-verified"] is Verdict.PASS
    (world,) = [world for world in run.worlds if world.name == "certificates-unknown"]
    assert [each.event for each in world.of(Process)].count("started") == 2
    settled = next(each.n for each in world.of(ProbeMark) if each.probe == "settle")
    assert any(seen.n > settled and seen.status == 200 for seen in world.of(OrderSeen))


def test_a_token_call_alone_that_takes_another_hosts_certificate_is_found() -> None:
    config = blind()
    run = asyncio.run(perform(config, Options(seed=3, probes=("renewal-certificate",))))
    (judgement,) = (
        each for each in judge(run, config.profile).judgements if each.requirement == "https.certificate-verified"
    )
    failed = [each.title for each in judgement.findings if each.verdict is Verdict.FAIL]
    assert failed == ["1 request sent to a gateway that showed a certificate of another host"]


def test_a_careful_token_call_is_tried_with_each_certificate_and_passes() -> None:
    config = shop("careful")
    run = asyncio.run(perform(config, Options(seed=3, probes=("renewal-certificate",))))
    (judgement,) = (
        each for each in judge(run, config.profile).judgements if each.requirement == "https.certificate-verified"
    )
    assert [each.verdict for each in judgement.findings] == 3 * [Verdict.PASS]
