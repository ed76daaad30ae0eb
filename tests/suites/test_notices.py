"""Whole stories about notices, told to a shop with one defect: the requirement that it breaks is the one that fails."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from payproof.contracts.judge import judge
from payproof.contracts.model import Judgement, Verdict
from payproof.suites.config import Config, make_config
from payproof.suites.run.plan import Options
from payproof.suites.run.runner import perform

LIB = Path(__file__).parents[1] / "lib"


def a_shop(defect: str = "", **changes: Any) -> Config:
    env = {
        "PAY_BASE_URL": "{gateway.base_url}", "PAY_CLIENT_ID": "{gateway.client_id}", "PORT": "{port}",
        "PAY_SECRET_KEY": "{gateway.secret_key}", "NOTICE_SECRET": "{gateway.notice_secret}", "NOTICE_DEFECT": defect,
        "PUBLIC_URL": "{public_url}", "DATA_DIR": "{instance.dir}", "PYTHONPATH": str(LIB),
    }  # fmt: skip
    body = {"order_id": "{order.id}", "amount": "{order.amount}", "currency": "{order.currency}"}
    integration = {
        "command": [sys.executable, "-m", "careless_notices" if defect else "harbor.shop"],
        "ready": "/health",
        "env": env,
        "checkout": {"path": "/checkout", "json": body},
        "order": {"path": "/orders/{order.id}", "status": "json:/status", "effects": "json:/shipments"},
        "webhook": {"path": "/notices"},
    } | changes
    table = {"gateway": "harbor", "integration": integration, "simulator": {"https": False}}
    return make_config(table, folder=LIB, place="a test", environ={})


def judged(config: Config, *only: str, probes: tuple[str, ...] = ()) -> dict[str, Judgement]:
    run = asyncio.run(perform(config, Options(only=only, probes=probes, seed=1)))
    assert run.scored, run.diagnosis
    found = judge(run, config.profile).judgements
    return {judgement.requirement: judgement for judgement in found if judgement.requirement in only}


def test_a_careful_shop_passes() -> None:
    only = ("webhook.signature-verified", "webhook.duplicate", "webhook.before-return", "webhook.not-swallowed")
    for id, judgement in judged(a_shop(), *only).items():
        assert judgement.verdict is Verdict.PASS, (id, [finding.title for finding in judgement.findings])


@pytest.mark.parametrize(
    ("defect", "requirement", "verdict"),
    [
        ("believes-anybody", "webhook.signature-verified", Verdict.FAIL),
        ("ships-each-time", "webhook.duplicate", Verdict.FAIL),
    ],
)
def test_a_shop_with_a_defect_breaks_the_requirement_that_is_about_it(
    defect: str, requirement: str, verdict: Verdict
) -> None:
    found = judged(a_shop(defect), requirement)[requirement]
    assert found.verdict is verdict, [(finding.verdict, finding.title) for finding in found.findings]
