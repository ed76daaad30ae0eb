"""Integrations whose address of the gateway is fixed, in six languages: they are led to this run's gateway by its hosts' names."""

from __future__ import annotations

import asyncio
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import certifi
import pytest

from payproof.contracts.entries import Call, Connection
from payproof.contracts.judging.judge import judge
from payproof.contracts.model import PayproofError, Verdict
from payproof.contracts.profile import load
from payproof.contracts.run import Run
from payproof.suites.config import make_config
from payproof.suites.run.plan import Options
from payproof.suites.run.runner import perform

ROOT = Path(__file__).parents[2]
EXAMPLES, STYLES = ROOT / "examples", ROOT / "tests" / "integrations"
HOST = "api.gateway-sandbox.example"
FIXED = f"https://{HOST}{load('quatapay').base_path}"
BAD = (Verdict.FAIL, Verdict.WARN, Verdict.ERROR)


def performed(tables: dict[str, Any], folder: Path, *probes: str, hosts: tuple[str, ...] = (HOST,)) -> Run:
    integration = tables["integration"] | {"gateway_hosts": list(hosts)}
    config = make_config(tables | {"integration": integration}, folder=folder, place="payproof.toml", environ={})
    return asyncio.run(perform(config, Options(probes=probes, seed=3)))


def example(name: str) -> dict[str, Any]:
    tables = tomllib.loads((EXAMPLES / name / "payproof.toml").read_text())
    tables["integration"]["env"]["PAY_BASE_URL"] = FIXED
    return tables


def found(run: Run) -> dict[str, str]:
    result = judge(run, load("quatapay"))
    return {each.requirement: each.findings[0].title for each in result.judgements if each.verdict in BAD}


def through_tls(run: Run) -> bool:
    calls = [call for world in run.worlds for call in world.of(Call)]
    return bool(calls) and all(call.secure and "//localhost:" in call.request.url for call in calls)


@pytest.mark.parametrize(
    ("name", "needs"),
    [("flask-shop", "python"), ("express-shop", "node_modules"), ("php-shop", "php")],
)
def test_an_example_with_a_fixed_address_is_led_here(name: str, needs: str) -> None:
    if not (shutil.which(needs) or (EXAMPLES / name / needs).is_dir()):
        pytest.skip(f"{needs} is missing")
    run = performed(example(name), EXAMPLES / name, "cancelled", "error-answer")
    assert run.scored, run.diagnosis
    assert found(run) == {}
    assert through_tls(run)


@pytest.mark.parametrize(
    ("name", "variable"),
    [("java-html-page", "PAY_BASE_URL"), ("ruby-session-cart", "WALLET_URL"), ("go-prefork", "PAY_BASE_URL")],
)
def test_a_fixed_address_in_another_language_leads_here(
    name: str, variable: str, style: Callable[..., dict[str, Any]]
) -> None:
    tables = style(name)
    tables["integration"]["env"][variable] = FIXED
    run = performed(tables, STYLES / name, "cancelled")
    assert run.scored, run.diagnosis
    assert found(run) == {}
    assert through_tls(run)


def test_what_goes_wrong_with_a_connection_is_met_behind_a_tunnel_too() -> None:
    run = performed(example("flask-shop"), EXAMPLES / "flask-shop", "false-certificate", "network-error")
    result = judge(run, load("quatapay"))
    judged = {each.requirement: each.verdict for each in result.judgements}
    assert (judged["https.certificate-verified"], judged["flow.network-error"]) == (Verdict.PASS, Verdict.PASS)
    met = {entry.fault for world in run.worlds for entry in world.of(Connection)}
    assert {"expired-certificate", "unknown-authority", "wrong-host"} <= met


def test_another_host_is_named_in_the_diagnosis() -> None:
    run = performed(example("flask-shop"), EXAMPLES / "flask-shop", "cancelled", hosts=("pay.other.example",))
    assert not run.scored
    assert f"It wants to reach {HOST}, and is led to pay.other.example only." in run.diagnosis


def test_who_trusts_other_authorities_only_is_told_so() -> None:
    tables = example("flask-shop")
    tables["integration"]["env"] |= dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), certifi.where())
    run = performed(tables, EXAMPLES / "flask-shop", "cancelled")
    assert not run.scored
    assert "does not trust the run's certificate authority" in run.diagnosis[0], run.diagnosis
    assert not any("integration.gateway_hosts leads it here" in line for line in run.diagnosis)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"simulator": {"https": False}}, "needs the gateway over TLS"),
        ({"integration": {"command": [], "url": "http://127.0.0.1:8000"}}, "that payproof starts"),
        ({"integration": {"gateway_hosts": ["https://gateway.example"]}}, "write the name alone"),
    ],
)
def test_what_cannot_work_is_refused(change: dict[str, Any], says: str) -> None:
    tables = example("flask-shop")
    tables["integration"] |= {"gateway_hosts": [HOST]} | change.pop("integration", {})
    with pytest.raises(PayproofError) as refused:
        make_config(tables | change, folder=EXAMPLES / "flask-shop", place="payproof.toml", environ={})
    assert says in f"{refused.value.message}: {refused.value.remedy}"
