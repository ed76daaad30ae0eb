"""``--target sandbox``: the probes against a gateway that payproof does not control, through the relay.

The sandbox is an independent server in another language, over HTTPS; the integration is the careful Flask shop.
"""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from payproof.contracts.entries import Call, Ledger, Step
from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Outcome, PayproofError, Result, Verdict
from payproof.contracts.redaction.secrets import spellings
from payproof.contracts.run import Run, dump
from payproof.reports import write_all
from payproof.simulator.relay.rate_budget import RateBudget
from payproof.suites.config import Config, make_config
from payproof.suites.run.plan import Options
from payproof.suites.run.runner import perform

from ..conftest import IndependentSandbox  # noqa: TID252

SHOP = Path(__file__).parents[2] / "examples" / "flask-shop"
BAD = (Verdict.FAIL, Verdict.WARN, Verdict.ERROR)
Start = Callable[..., IndependentSandbox]


def _config(sandbox: dict[str, Any], *, program: str = "app.py", env: dict[str, str] | None = None) -> Config:
    table = tomllib.loads((SHOP / "payproof.qrpay.toml").read_text())
    table["integration"]["command"] = ["python", program]
    table["integration"]["env"] |= env or {}
    return make_config(table | {"sandbox": sandbox}, folder=SHOP, place="test", environ={})


def _run(config: Config, *probes: str, only: tuple[str, ...] = ()) -> tuple[Run, Result]:
    options = Options(target="sandbox", probes=probes, only=only, quick=True, seed=5)
    run = asyncio.run(perform(config, options))
    return run, judge(run, config.profile)


def _verdicts(result: Result) -> dict[str, Verdict]:
    return {judgement.requirement: judgement.verdict for judgement in result.judgements}


def _title(result: Result, requirement: str) -> str:
    return next(j for j in result.judgements if j.requirement == requirement).findings[0].title


def _of(run: Run, kind: type[Any]) -> list[Any]:
    return [entry for world in run.worlds for entry in world.of(kind)]


def test_a_careful_shop_gets_no_finding_and_the_ledger_agrees_with_the_sandboxs_own_books(
    independent_sandbox: Start,
) -> None:
    sandbox = independent_sandbox()
    run, result = _run(
        _config(sandbox.table()), "steady", "cancelled", "refused", "forged-return", "wrong-money", "late-success"
    )
    assert not {id: _title(result, id) for id, verdict in _verdicts(result).items() if verdict in BAD}
    assert result.outcome is Outcome.PARTIAL
    passed = {id for id, verdict in _verdicts(result).items() if verdict is Verdict.PASS}
    assert {"flow.success", "flow.cancelled", "flow.failed", "verify.forged-return", "verify.failed-return"} <= passed
    assert {"verify.amount", "verify.currency", "flow.late-success", "verify.status-checked"} <= passed
    charged = sorted(entry.payment for entry in _of(run, Ledger) if entry.event == "charged")
    assert charged
    assert charged == sorted(row["id"] for row in sandbox.payments() if row["charged"])


def test_a_shop_that_believes_the_redirect_is_found_at_the_sandbox_too(independent_sandbox: Start) -> None:
    config = _config(independent_sandbox().table(), program="defects.py", env={"SHOP_DEFECT": "trusts-redirect"})
    _, result = _run(config, "forged-return", "refused")
    assert _verdicts(result)["verify.forged-return"] is Verdict.FAIL


def test_the_sandbox_itself_refuses_a_dead_bearer_and_revoked_credentials(independent_sandbox: Start) -> None:
    sandbox = independent_sandbox()
    run, result = _run(_config(sandbox.table()), "token-expired", "rotation", "revoked")
    verdicts = _verdicts(result)
    assert (verdicts["token.renewed"], verdicts["credentials.rotation"], verdicts["credentials.revoked"]) == (
        Verdict.PASS,
        Verdict.PASS,
        Verdict.PASS,
    )
    refused = [(seen["path"].rsplit("/", 1)[-1], seen["status"]) for seen in sandbox.requests()]
    assert ("token", 400) in refused, "the sandbox never saw the revoked secret"
    steps = [step for step in _of(run, Step) if step.name == "dead-bearer"]
    assert any(status == 403 for _, status in refused) == bool(steps)


def test_a_lost_answer_is_lost_after_its_effect_at_the_sandbox(independent_sandbox: Start) -> None:
    sandbox = independent_sandbox()
    run, _ = _run(_config(sandbox.table()), "network-error")
    lost = [call for call in _of(run, Call) if call.fault == "dropped"]
    assert lost
    assert all(call.response is None for call in lost)


def test_the_sandboxs_credentials_and_payers_reach_neither_the_integration_nor_a_report(
    independent_sandbox: Start, tmp_path: Path
) -> None:
    login, password = "payer-canary@shop.example.test", "hunter2-correct-horse-battery"
    sandbox = independent_sandbox("--payer", f"{login}:{password}")
    config = _config(sandbox.table(payers={"paid": {"login": login, "password": password}}))
    run, result = _run(config, "steady", "cancelled")
    assert _verdicts(result)["flow.success"] is Verdict.PASS
    write_all(result, run, tmp_path, None)
    (tmp_path / "dump.jsonl").write_text(dump(run))
    written = {path.name: path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file()}
    for secret in (sandbox.client_id, sandbox.secret_key, password):
        for name, text in written.items():
            assert not any(spelt in text for _, spelt in spellings(secret)), name
    account = run.facts["sandbox"]
    assert isinstance(account, dict)
    assert account["requests"]


def test_a_spent_budget_leaves_requirements_not_exercised_and_says_so(independent_sandbox: Start) -> None:
    sandbox = independent_sandbox()
    run, result = _run(_config(sandbox.table(budget=15)), "steady", "cancelled", "forged-return")
    account = run.facts["sandbox"]
    assert isinstance(account, dict)
    api = [seen for seen in sandbox.requests() if "/api/" in seen["path"]]
    assert account["requests"] == len(api)
    assert "budget of 15" in _title(result, "verify.forged-return")
    assert _verdicts(result)["verify.forged-return"] is Verdict.NOT_EXERCISED
    assert result.outcome is Outcome.PARTIAL


def test_what_needs_the_gateways_clock_is_done_where_the_sandbox_has_one_and_explained_where_not(
    independent_sandbox: Start,
) -> None:
    sandbox = independent_sandbox()
    _, without = _run(_config(sandbox.table()), "abandoned")
    assert _verdicts(without)["flow.abandoned"] is Verdict.NOT_EXERCISED
    assert "clock cannot be moved" in _title(without, "flow.abandoned")
    _, with_clock = _run(_config(sandbox.table(clock=f"{sandbox.control}/clock")), "abandoned")
    assert _verdicts(with_clock)["flow.abandoned"] is Verdict.PASS


def test_without_credentials_the_message_names_what_to_set() -> None:
    table = {
        "base_url": "https://sandbox.example/pay/sandbox/api/v1",
        "client_id": "${A_KEY}",
        "secret_key": "${B_KEY}",
    }
    with pytest.raises(PayproofError, match="A_KEY, B_KEY") as caught:
        _run(_config(table))
    assert "sandbox" in caught.value.place


def test_a_sandbox_that_is_not_there_is_said_to_be_so_and_nothing_is_scored() -> None:
    table = {"base_url": "https://127.0.0.1:9/pay/sandbox/api/v1", "client_id": "x" * 20, "secret_key": "y" * 20}
    with pytest.raises(PayproofError, match="gave no answer"):
        _run(_config(table), "steady")


def test_a_wrong_test_payer_is_not_scored_and_the_diagnosis_names_the_setting(independent_sandbox: Start) -> None:
    wrong = {"paid": {"login": "sandbox@appdevs.net", "password": "not-it"}}
    sandbox = independent_sandbox()
    run, result = _run(_config(sandbox.table(payers=wrong)), "steady")
    assert result.outcome is Outcome.NOT_SCORED
    assert any("Credentials didn't match" in line for line in run.diagnosis)
    assert any("sandbox.payers.paid" in line for line in run.diagnosis)
    logins = [seen for seen in sandbox.requests() if seen["path"].rpartition("/form/submit/")[1]]
    assert len(logins) == 1, "the same wrong password was typed again"


def test_an_untrusted_sandbox_certificate_names_the_setting(independent_sandbox: Start) -> None:
    with pytest.raises(PayproofError, match=r'ca = "file.pem"'):
        _run(_config(independent_sandbox().table(ca=None)), "steady")


def test_a_profile_that_does_not_fit_the_sandbox_is_hinted_at(independent_sandbox: Start) -> None:
    table = tomllib.loads((SHOP / "payproof.toml").read_text())
    table["sandbox"] = independent_sandbox().table()
    run, _ = _run(make_config(table, folder=SHOP, place="test", environ={}), "steady")
    assert "payproof drift" in str(run.facts["account"])


def test_a_probe_that_the_sandbox_itself_spoiled_runs_again_and_accuses_nobody(
    independent_sandbox: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = independent_sandbox("--rate-limit", "8")
    held: list[float] = []

    def instead_of_waiting(polite: RateBudget, seconds: float) -> None:
        held.append(seconds)
        sandbox.advance(seconds)

    monkeypatch.setattr(RateBudget, "hold", instead_of_waiting)
    run, result = _run(_config(sandbox.table()), "cancelled", "forged-return")
    assert held, "the sandbox never answered 429"
    assert any(step.name == "spoiled" for step in _of(run, Step))
    assert not {id: _title(result, id) for id, verdict in _verdicts(result).items() if verdict in BAD}
    assert not any(call.response is not None and call.response.status == 429 for call in _of(run, Call))
