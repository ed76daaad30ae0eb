"""A client that has not seen the end of a kept connection loses a call to it: what it makes of a trouble is seen all the same."""

from __future__ import annotations

import asyncio

import pytest
from kept_connection import keeping

from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Verdict
from payproof.suites.run.plan import Options
from payproof.suites.run.runner import perform


@pytest.mark.parametrize(
    ("probe", "requirement"),
    [
        ("network-error", "idempotency.no-storm"),
        ("network-error", "flow.network-error"),
        ("false-certificate", "https.certificate-verified"),
    ],
)
def test_the_trouble_is_met_by_the_customers_next_click(probe: str, requirement: str) -> None:
    config = keeping()
    run = asyncio.run(perform(config, Options(seed=3, probes=(probe,))))
    (judgement,) = (each for each in judge(run, config.profile).judgements if each.requirement == requirement)
    assert {(each.verdict, each.title) for each in judgement.findings if each.verdict is not Verdict.PASS} == set()
    assert len(judgement.findings) >= 4
