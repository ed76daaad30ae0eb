"""A sandbox that is unwell: whatever of it fails, it fails for everybody, and no integration is to blame.

The sandbox is an independent server in another language; every so many of its answers go wrong (see tests/sandbox/README.md).
"""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from an_event import an_event

from payproof.contracts.entries import Call, Ledger, Log, ProbeMark, Request, Step
from payproof.contracts.gateways.qrpay import profile
from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Outcome, PayproofError, Result, Verdict
from payproof.contracts.profile import Limits
from payproof.contracts.run import Run
from payproof.simulator.relay import illness
from payproof.suites.config import Config, make_config
from payproof.suites.run.plan import Options
from payproof.suites.run.runner import perform
from payproof.suites.session.performance import spared

from ..conftest import IndependentSandbox  # noqa: TID252

SHOP = Path(__file__).parents[2] / "examples" / "flask-shop"
PROBES = ("cancelled", "forged-return", "paid-order")
Start = Callable[..., IndependentSandbox]


def _config(sandbox: IndependentSandbox, *, program: str = "app.py", env: dict[str, str] | None = None) -> Config:
    table: dict[str, Any] = tomllib.loads((SHOP / "payproof.qrpay.toml").read_text())
    table["integration"]["command"] = ["python", program]
    table["integration"]["env"] |= env or {}
    return make_config(table | {"sandbox": sandbox.table()}, folder=SHOP, place="test", environ={})


def _run(config: Config, *probes: str) -> tuple[Run, Result]:
    run = asyncio.run(perform(config, Options(target="sandbox", probes=probes, quick=True, seed=5)))
    return run, judge(run, config.profile)


def _accused(result: Result) -> dict[str, str]:
    bad = (Verdict.FAIL, Verdict.WARN, Verdict.ERROR)
    return {j.requirement: j.findings[0].title for j in result.judgements if j.verdict in bad}


def _steps(run: Run, name: str) -> list[str]:
    return [step.text for world in run.worlds for step in world.of(Step) if step.name == name]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--ill", "503:9"), "503 Backend ailing"),
        (("--ill-pages", "502:7"), "hosted checkout answered 502"),
        (("--prose", "7"), "cannot be read"),
        (("--cut", "8"), "gave no answer"),
        (("--shapeless", "10"), "does not hold what it must"),
    ],
)
def test_a_careful_shop_is_not_accused_at_a_sandbox_that_is_unwell(
    independent_sandbox: Start, capfd: pytest.CaptureFixture[str], flags: tuple[str, str], message: str
) -> None:
    run, result = _run(_config(independent_sandbox(*flags)), *PROBES)
    assert not _accused(result)
    assert result.outcome is Outcome.PARTIAL, result.reasons
    assert any(message in text for text in _steps(run, "spoiled"))
    assert "; it was unwell in " in str(run.facts["account"])
    assert "Traceback" not in capfd.readouterr().err


def test_what_became_of_earlier_payments_stays_when_a_probe_is_left_out() -> None:
    def status(n: int, payment: str) -> Call:
        asked = Request(method="GET", url=f"https://gateway.test/status/{payment}")
        event = an_event(operation="status", payment=payment)
        return Call(n=n, began=0, ended=0, ending="answered", request=asked, event=event)

    entries = [
        Ledger(n=1, event="opened", payment="earlier"),
        Ledger(n=2, event="token_issued"),
        ProbeMark(n=3, event="begin", probe="cancelled"),
        Ledger(n=4, event="token_issued"),
        Ledger(n=5, event="opened", payment="its own"),
        status(6, "earlier"),
        status(7, "its own"),
        Log(n=8, stream="stdout", text="a line"),
        Ledger(n=9, event="charged", payment="earlier"),
        ProbeMark(n=10, event="end", probe="cancelled"),
    ]
    assert [entry.n for entry in spared(entries, 3)] == [6, 8, 9]


def test_a_late_answer_is_the_sandboxs(independent_sandbox: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "PROFILE", replace(profile.PROFILE, limits=Limits(call=2)))
    run, result = _run(_config(independent_sandbox("--late", "9:3")), "cancelled", "forged-return", "paid-order")
    assert not _accused(result)
    assert any("the sandbox took 3 s" in text for text in _steps(run, "spoiled"))
    assert all(call.seconds < 3 for world in run.worlds for call in world.of(Call))


def test_a_broken_shop_is_found_at_a_sandbox_that_is_unwell(independent_sandbox: Start) -> None:
    config = _config(
        independent_sandbox("--ill", "503:5"), program="defects.py", env={"SHOP_DEFECT": "trusts-redirect"}
    )
    run, result = _run(config, "forged-return", "refused", "paid-order")
    assert _steps(run, "spoiled")
    assert "verify.forged-return" in _accused(result)


def test_a_probe_that_the_sandbox_spoils_twice_is_not_exercised_and_quotes_why(independent_sandbox: Start) -> None:
    sandbox = independent_sandbox("--ill", "503:2")
    with pytest.raises(PayproofError, match=r"answered 503 to a .* call: .*503 Backend ailing"):
        _run(_config(sandbox), "steady")


def test_what_is_spoiled_twice_after_the_control_payment_names_the_cause(
    independent_sandbox: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, probes_begun = illness.of_call, list[str]()

    def ill_while_forging(event: Any, answer: Any) -> str:
        return (
            "the sandbox answered 503"
            if probes_begun and probes_begun[-1] == "forged-return"
            else str(real(event, answer))
        )

    from payproof.simulator.relay.relay import Relay

    ready = Relay.ready

    async def noted(relay: Relay, probe: str = "") -> None:
        await ready(relay, probe)
        probes_begun.append(probe)

    monkeypatch.setattr(illness, "of_call", ill_while_forging)
    monkeypatch.setattr(Relay, "ready", noted)
    _, result = _run(_config(independent_sandbox()), "forged-return")
    forged = next(j for j in result.judgements if j.requirement == "verify.forged-return")
    assert forged.verdict is Verdict.NOT_EXERCISED
    assert "the sandbox answered 503" in forged.findings[0].title
    assert probes_begun.count("forged-return") == 2
