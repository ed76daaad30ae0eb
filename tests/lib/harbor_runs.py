"""Runs of Harbor's shop with notices, careful or with one defect, and what was found."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Judgement, Verdict
from payproof.suites.config import Config, make_config
from payproof.suites.run.plan import Options
from payproof.suites.run.runner import perform

LIB = Path(__file__).parent


def a_shop(defect: str = "", *, module: str = "careless_notices", **changes: Any) -> Config:
    env = {
        "PAY_BASE_URL": "{gateway.base_url}", "PAY_CLIENT_ID": "{gateway.client_id}", "PORT": "{port}",
        "PAY_SECRET_KEY": "{gateway.secret_key}", "NOTICE_SECRET": "{gateway.notice_secret}",
        "PUBLIC_URL": "{public_url}", "DATA_DIR": "{instance.dir}", "PYTHONPATH": str(LIB),
    }  # fmt: skip
    body = {"order_id": "{order.id}", "amount": "{order.amount}", "currency": "{order.currency}"}
    order = {"path": "/orders/{order.id}", "status": "json:/status", "effects": "json:/shipments", "within": 1}
    integration = {
        "command": [sys.executable, "-m", *((module, defect) if defect else ("harbor.shop",))],
        "ready": "/health",
        "env": env,
        "checkout": {"path": "/checkout", "json": body},
        "order": order,
        "webhook": {"path": "/notices"},
    } | changes
    table = {"gateway": "harbor", "integration": integration, "simulator": {"https": False}}
    return make_config(table, folder=LIB, place="a test", environ={})


def judged(config: Config, *names: str) -> dict[str, Judgement]:
    run = asyncio.run(perform(config, Options(probes=names, seed=1)))
    assert run.scored, run.diagnosis
    return {judgement.requirement: judgement for judgement in judge(run, config.profile).judgements}


def titles(found: dict[str, Judgement], *verdicts: Verdict) -> dict[str, list[str]]:
    return {
        id: [finding.title for finding in judgement.findings if finding.verdict in verdicts]
        for id, judgement in found.items()
        if judgement.verdict in verdicts
    }
