"""An integration that somebody else started: one world, one set of credentials, and nobody restarts it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ports import free_port, listens

from payproof.contracts.entries import Call, Checkout
from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Finding, Judgement, Outcome, Verdict
from payproof.contracts.run import Run
from payproof.suites.config import Config, make_config
from payproof.suites.run.plan import MAIN, Options, plan
from payproof.suites.run.runner import perform
from payproof.suites.session.settings import settings_of

SHOP = Path(__file__).parents[2] / "examples" / "flask-shop"
JUDGED = (
    "token.renewed",
    "token.no-stampede",
    "flow.abandoned",
    "flow.success",
    "flow.recovers",
    "errors.server-error",
    "errors.not-json",
    "credentials.revoked",
)


def tables() -> dict[str, Any]:
    return tomllib.loads((SHOP / "payproof.toml").read_text())


def started(program: str, defect: str) -> Config:
    """payproof starts the shop itself."""
    given = tables()
    integration = given["integration"]
    integration["command"] = [program if word == "app.py" else word for word in integration["command"]]
    integration["env"]["SHOP_DEFECT"] = defect
    return make_config(given, folder=SHOP, place="payproof.toml", environ={})


@contextmanager
def running(program: str, defect: str, folder: Path) -> Generator[Config]:
    """The same shop, started by us."""
    gateway, port = free_port(), free_port()
    keys = {"client_id": "canary-client-9f3b7c1d5e", "secret_key": "canary-secret-4a8e2d6c0b"}
    base = f"http://localhost:{gateway}/pay/sandbox/api/v1"
    env = {
        **os.environ, "PAY_BASE_URL": base, "PAY_CLIENT_ID": keys["client_id"], "PAY_SECRET_KEY": keys["secret_key"],
        "PUBLIC_URL": "https://shop.example", "PORT": str(port), "DATA_DIR": str(folder), "SHOP_DEFECT": defect,
    }  # fmt: skip
    given = tables()
    integration = given["integration"]
    for key in ("command", "env", "alerts"):
        integration.pop(key, None)
    integration["url"] = f"http://127.0.0.1:{port}"
    given["simulator"] = {"port": gateway, **keys}
    shop = subprocess.Popen(
        [sys.executable, SHOP / program], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 20
        while not listens(port):
            assert time.monotonic() < deadline, "the shop did not come up"
            time.sleep(0.05)
        yield make_config(given, folder=SHOP, place="payproof.toml", environ={})
    finally:
        shop.kill()
        shop.wait()


def verdicts(config: Config, options: Options) -> tuple[Run, dict[str, Judgement]]:
    run = asyncio.run(perform(config, options))
    result = judge(run, config.profile)
    assert result.outcome is not Outcome.NOT_SCORED, result.diagnosis
    return run, {judgement.requirement: judgement for judgement in result.judgements}


def because(judgement: Judgement) -> list[Finding]:
    return [finding for finding in judgement.findings if finding.because == "token.renewed"]


def test_what_ends_an_access_token_runs_last_and_what_judges_the_renewal_first_of_that(tmp_path: Path) -> None:
    with running("app.py", "", tmp_path) as config:
        probe_runs = plan(config, Options(), settings_of(config)).worlds[MAIN]
    ends = [probe.ends_token(params, config.profile) for probe, params in probe_runs]
    assert ends == sorted(ends)
    assert (
        next(probe.name for probe, params in probe_runs if probe.ends_token(params, config.profile)) == "token-expired"
    )
    assert probe_runs[-1][0].name == "revoked"


@pytest.mark.parametrize("how", ["started", "running"])
def test_a_shop_that_never_renews_its_token_is_judged_alike_however_it_was_started(how: str, tmp_path: Path) -> None:
    options = Options(only=JUDGED, quick=True, seed=7)
    if how == "started":
        run, found = verdicts(started("defects.py", "never-renews"), options)
    else:
        with running("defects.py", "never-renews", tmp_path) as config:
            run, found = verdicts(config, options)
    assert found["token.renewed"].verdict is Verdict.FAIL
    assert found["flow.success"].verdict is Verdict.PASS
    for id in set(JUDGED) - {"token.renewed", "flow.success"}:
        judgement = found[id]
        assert judgement.verdict is Verdict.NOT_EXERCISED, (id, [(f.verdict, f.title) for f in judgement.findings])
        if how == "running":
            assert because(judgement), (id, [finding.title for finding in judgement.findings])
        if how == "running" and id.startswith(("errors.", "flow.")):
            shown = [run.entry(pointer) for finding in because(judgement) for pointer in finding.evidence]
            assert any(isinstance(entry, Checkout) for entry in shown), id


def test_a_careful_shop_that_already_runs_sells_to_the_end(tmp_path: Path) -> None:
    with running("app.py", "", tmp_path) as config:
        _, found = verdicts(config, Options(only=JUDGED, quick=True, seed=7))
    bad = {
        id: judgement.findings for id, judgement in found.items() if judgement.verdict in (Verdict.FAIL, Verdict.WARN)
    }
    assert not bad
    assert found["token.renewed"].verdict is Verdict.PASS
    assert not any(finding.because for judgement in found.values() for finding in judgement.findings)


def test_a_shop_that_kept_its_token_of_an_earlier_run_is_scored_again(tmp_path: Path) -> None:
    options = Options(only=("flow.success",), quick=True, seed=7)
    with running("app.py", "", tmp_path) as config:
        verdicts(config, options)
        run, found = verdicts(config, replace(options, seed=8))
    assert found["flow.success"].verdict is Verdict.PASS
    first = next(call for call in run.worlds[0].of(Call) if call.role != "authenticate")
    assert first.response is not None
    assert first.response.status == 401


def test_a_shop_that_kept_a_token_and_asks_for_no_other_is_to_be_restarted(tmp_path: Path) -> None:
    options = Options(only=("flow.success",), quick=True, seed=7)
    with running("defects.py", "never-renews", tmp_path) as config:
        verdicts(config, options)
        run = asyncio.run(perform(config, replace(options, seed=8)))
    assert not run.scored
    assert run.diagnosis[0].startswith("It sent an access token that it was given before this run")
    assert run.diagnosis[0].endswith("Restart it, then run again.")
