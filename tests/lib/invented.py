"""What the runs of the invented gateways' shops have in common."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from payproof.contracts.entries import ReplayDifference
from payproof.contracts.judging.judge import judge
from payproof.contracts.judging.requirements import requirements
from payproof.contracts.model import Level, Result, Verdict
from payproof.contracts.run import Run
from payproof.simulator.cassettes import CassetteWriter
from payproof.suites.config import Config, make_config
from payproof.suites.run.plan import Options
from payproof.suites.run.runner import perform
from payproof.suites.session.sandbox import checkout_of, known_secrets

BAD = (Verdict.FAIL, Verdict.WARN, Verdict.ERROR)
PROBES = (
    "steady", "cancelled", "refused", "forged-return", "replayed-return", "wrong-money", "late-success", "unverified",
    "refused-check", "network-error", "error-answer", "rate-limited", "always-unauthorized", "token-expired", "stampede",
    "double-submit", "back-and-retry", "paid-order", "lost-answer", "started-again", "started-again-refused",
    "return-twice", "abandoned", "rotation", "revoked", "false-certificate", "unknown-certificate", "old-tls",
)  # fmt: skip


def shop_config(
    gateway: str,
    folder: Path,
    *program: str,
    credentials: Mapping[str, str],
    integration: Mapping[str, Any],
    **more: Any,
) -> Config:
    """The configuration of a shop on an invented gateway. ``program``: its module and arguments; ``credentials``: settings that only
    this gateway has; ``integration`` and ``more``: tables besides the usual ones."""
    tables: dict[str, Any] = {
        "gateway": gateway,
        "integration": {
            "name": f"{gateway}-shop",
            "command": [sys.executable, "-m", *program],
            "ready": "/health",
            "env": {
                "PAY_BASE_URL": "{gateway.base_url}",
                "NOTICE_SECRET": "{gateway.notice_secret}",
                "PUBLIC_URL": "{public_url}",
                "PORT": "{port}",
                "DATA_DIR": "{instance.dir}",
                "PYTHONPATH": str(Path(__file__).parent),
                **credentials,
            },
            "checkout": {
                "path": "/checkout",
                "json": {"order_id": "{order.id}", "amount": "{order.amount}", "currency": "{order.currency}"},
            },
            "order": {
                "path": "/orders/{order.id}",
                "status": "json:/status",
                "effects": "json:/shipments",
                "flagged": {"json:/note": ["double payment"]},
            },
            "alerts": {"webhook_env": "ALERT_WEBHOOK_URL"},
            **integration,
        },
        **more,
    }
    return make_config(tables, folder=folder, place="payproof.toml", environ={})


def performed(config: Config, **options: Any) -> tuple[Run, Result]:
    run = asyncio.run(perform(config, Options(seed=7, **options)))
    return run, judge(run, config.profile)


def recorded(config: Config, gateway_url: str, path: Path, *probes: str) -> Run:
    """A run against the sandbox at ``gateway_url``, with its exchanges in a cassette at ``path``."""
    writer = CassetteWriter(
        config.profile, base_url=gateway_url, seed=5, known=tuple(known_secrets(config)), checkout=checkout_of(config)
    )
    run = asyncio.run(perform(config, Options(target="sandbox", probes=probes, seed=5), on_exchange=writer.take))
    assert run.scored, run.diagnosis
    writer.write(path)
    return run


def differences(config: Config) -> list[ReplayDifference]:
    """What a shop does otherwise than its recording."""
    replay = asyncio.run(perform(config, Options(target="cassette")))
    assert replay.scored, replay.diagnosis
    return [entry for world in replay.worlds for entry in world.of(ReplayDifference)]


def findings(result: Result) -> dict[str, list[str]]:
    return {
        judgement.requirement: [finding.title for finding in judgement.findings if finding.verdict in BAD]
        for judgement in result.judgements
        if judgement.verdict in BAD
    }


def verdicts(result: Result) -> dict[str, Verdict]:
    return {judgement.requirement: judgement.verdict for judgement in result.judgements}


def unjudged_musts(result: Result) -> set[str]:
    return {
        id
        for id, verdict in verdicts(result).items()
        if verdict is Verdict.NOT_EXERCISED and requirements()[id].level is Level.MUST
    }
