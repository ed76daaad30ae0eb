"""A client that has not seen the end of a kept connection loses a call to it: what it makes of a trouble is seen all the same."""

from __future__ import annotations

import asyncio

import pytest
from kept_connection import keeping

from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Finding, Verdict
from payproof.suites.run.plan import Options
from payproof.suites.run.runner import perform


def findings(probe: str, requirement: str) -> list[Finding]:
    config = keeping()
    run = asyncio.run(perform(config, Options(seed=3, probes=(probe,))))
    (judgement,) = (each for each in judge(run, config.profile).judgements if each.requirement == requirement)
    return list(judgement.findings)


@pytest.mark.parametrize("requirement", ["idempotency.no-storm", "flow.network-error"])
def test_a_lost_network_is_met_by_the_customers_next_click(requirement: str) -> None:
    found = findings("network-error", requirement)
    assert {(each.verdict, each.title) for each in found if each.verdict is not Verdict.PASS} == set()
    assert len(found) >= 4


def test_a_false_certificate_is_met_by_who_checks_out_and_by_who_comes_back() -> None:
    found = findings("false-certificate", "https.certificate-verified")
    assert [(each.verdict, len(each.evidence)) for each in found] == 3 * [(Verdict.PASS, 2)]
