"""Is the instrument valid on this machine? A careful shop must be clean, a careless one caught in every mistake."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import payproof.contracts
import payproof.reports
import payproof.simulator
import payproof.suites
from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Judgement, Outcome, Result, Verdict
from payproof.suites.config import Config, make_config
from payproof.suites.run.plan import Options
from payproof.suites.run.runner import perform
from payproof.suites.selftest.shop.defects import DEFECTS
from payproof.suites.session.progress import Progress

_ROOTS = (payproof.contracts, payproof.simulator, payproof.reports, payproof.suites)


@dataclass(frozen=True, slots=True)
class ShopTrial:
    """One shop: what is noted of it, and what is wrong."""

    name: str
    notes: tuple[str, ...]
    problems: tuple[str, ...]


def shop(name: str, defects: tuple[str, ...] = ()) -> Config:
    """The configuration of the shop that comes with payproof."""
    env = {
        "PAY_BASE_URL": "{gateway.base_url}",
        "PAY_CLIENT_ID": "{gateway.client_id}",
        "PAY_SECRET_KEY": "{gateway.secret_key}",
        "PUBLIC_URL": "{public_url}",
        "PORT": "{port}",
        "DATA_DIR": "{instance.dir}",
        "SHOP_DEFECT": ",".join(defects),
        # The shop must find the payproof that tests it, also where that is not installed.
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(str(Path(str(root.__file__)).parents[2]) for root in _ROOTS)),
    }
    body = {"order_id": "{order.id}", "amount": "{order.amount}", "currency": "{order.currency}"}
    integration = {
        "name": name,
        "command": [sys.executable, "-m", "payproof.suites.selftest.shop"],
        "ready": "/health",
        "env": env,
        "checkout": {"path": "/checkout", "json": body},
        "order": {
            "path": "/orders/{order.id}",
            "status": "json:/status",
            "effects": "json:/shipments",
            "flagged": {"json:/note": ["double payment"]},
        },
        "alerts": {"webhook_env": "ALERT_WEBHOOK_URL"},
    }
    folder = Path(str(payproof.suites.__file__)).parent
    return make_config({"integration": integration}, folder=folder, place="payproof selftest", environ={})


class _Part:
    """One trial's share of the progress that both show."""

    def __init__(self, whole: Progress, name: str) -> None:
        self._whole, self._name = whole, name

    def world_started(self, name: str) -> None:
        self._whole.world_started(f"{self._name}: {name}")

    def probe_started(self, world: str, probe: str) -> None:
        self._whole.probe_started(f"{self._name}: {world}", probe)

    def world_finished(self, name: str) -> None:
        self._whole.world_finished(f"{self._name}: {name}")

    def note(self, text: str) -> None:
        self._whole.note(f"{self._name}: {text}")

    def ask(self, text: str) -> None:
        self._whole.ask(f"{self._name}: {text}")

    def close(self) -> None: ...


async def trials(progress: Progress, seed: int | None = None) -> tuple[ShopTrial, ShopTrial]:
    """Both shops, at the same time."""
    async with asyncio.TaskGroup() as group:
        first = group.create_task(careful(_Part(progress, "careful"), seed))
        second = group.create_task(careless(_Part(progress, "careless"), seed))
    return first.result(), second.result()


async def careful(progress: Progress, seed: int | None = None) -> ShopTrial:
    """Every quick probe on the careful shop: nothing may be found."""
    result = await _result(shop("the careful shop"), Options(quick=True, seed=seed), progress)
    accused = [each for each in result.judgements if each.verdict in (Verdict.FAIL, Verdict.WARN, Verdict.ERROR)]
    problems = [f"{each.requirement}: {_title(each)}" for each in accused] or _unscored(result)
    passed = sum(each.verdict is Verdict.PASS for each in result.judgements)
    return ShopTrial("careful", (f"{passed} requirements pass", f"{len(accused)} found something"), tuple(problems))


async def careless(progress: Progress, seed: int | None = None) -> ShopTrial:
    """The shop with all its mistakes at once, asked about each of them."""
    config = shop("the careless shop", tuple(DEFECTS))
    result = await _result(config, Options(only=tuple(DEFECTS.values()), quick=True, seed=seed), progress)
    caught = {each.requirement for each in result.judgements if each.verdict is Verdict.FAIL}
    notes = [f"{name}: found by {check}" for name, check in DEFECTS.items() if check in caught]
    problems = [f"{name}: {check} did not find it" for name, check in DEFECTS.items() if check not in caught]
    return ShopTrial("careless", tuple(notes), tuple(problems + _unscored(result)))


async def _result(config: Config, options: Options, progress: Progress) -> Result:
    run = await perform(config, options, progress)
    return judge(run, config.profile, today=date.today())


def _unscored(result: Result) -> list[str]:
    return list(result.diagnosis) if result.outcome is Outcome.NOT_SCORED else []


def _title(judgement: Judgement) -> str:
    return next(finding.title for finding in judgement.findings if finding.verdict is judgement.verdict)
