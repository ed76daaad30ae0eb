"""The pytest plugin: one item for each requirement, one run for all of them, the verdicts of ``payproof run``."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from payproof.contracts.judging.requirements import requirements
from payproof.contracts.model import Level
from payproof.contracts.profile import load

pytest_plugins = ["pytester"]

ALL = tuple(load("quatapay").checklist.all_requirements())
CONFIG = """
[integration]
command = ["true"]
checkout.path = "/checkout"
order = { path = "/orders/{order.id}", status = "json:/status" }
"""

# The run and the judge are replaced: what is tested here is what pytest makes of a result.
CONFTEST = """
import json
from pathlib import Path

from payproof.contracts import profile
from payproof.contracts.run import Run
from payproof.contracts.model import *
from payproof.contracts.judging.requirements import requirements
from payproof.suites.run import runner
from payproof.suites.commands import verdict

HERE = Path(__file__).parent
ANSWERS = json.loads((HERE / "answers.json").read_text())


async def perform(config, options, progress):
    with (HERE / "performed.txt").open("a") as file:
        file.write(json.dumps([sorted(options.only), options.quick, options.seed]) + "\\n")
    if "error" in ANSWERS:
        raise PayproofError(ANSWERS["error"], place="integration.command", remedy="mend it")
    return Run(gateway="quatapay", selected=options.only)


def judged(run, config):
    found = []
    for name in run.selected or profile.load("quatapay").checklist.all_requirements():
        word = ANSWERS.get(name, "pass")
        finding = Finding(
            check=name, verdict=Verdict(word), title=f"title of {name}",
            expected={"paid": False}, actual={"paid": True},
            evidence=(Pointer("main", 42),),
        )
        level = requirements()[name].level
        found.append(Judgement(requirement=name, level=level, text="text", verdict=Verdict(word), findings=(finding,)))
    outcome = Outcome(ANSWERS.get("outcome", "ready"))
    reasons = tuple(f"{name}: title" for name in ANSWERS.get("reasons", []))
    return Result(
        outcome=outcome, reasons=reasons, diagnosis=tuple(ANSWERS.get("diagnosis", ())), golive=(), guidelines=(),
        judgements=tuple(found), scope=(), stale_baseline=tuple(ANSWERS.get("stale", ())), facts={"seed": 7},
    )


runner.perform = perform
verdict.judged = judged
"""

SUITE = ("--payproof-config", "payproof.toml", "--pyargs", "payproof.suites")


@pytest.fixture
def shop(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p payproof.suites.pytest_plugin.plugin -p xdist")
    pytester.makefile(".toml", payproof=CONFIG)
    pytester.makepyprojecttoml('[tool.pytest.ini_options]\naddopts = ["--strict-markers"]\nfilterwarnings = ["error"]')
    return pytester


def prepare(shop: pytest.Pytester, answers: dict[str, object]) -> None:
    shop.makeconftest(CONFTEST)
    (shop.path / "answers.json").write_text(json.dumps(answers))


def run(shop: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return shop.runpytest_subprocess(*arguments, timeout=120)


def performed(shop: pytest.Pytester) -> list[tuple[list[str], bool, int | None]]:
    return [tuple(json.loads(line)) for line in (shop.path / "performed.txt").read_text().splitlines()]


def group(*names: str) -> set[str]:
    """The requirements of these groups."""
    return {id for id in ALL if id.partition(".")[0] in names}


def musts(ids: set[str]) -> set[str]:
    return {id for id in ids if requirements()[id].level is Level.MUST}


def outcomes(result: pytest.RunResult) -> dict[str, set[str]]:
    """What pytest -v says: outcome -> requirements."""
    found: dict[str, set[str]] = {}
    for id, outcome in re.findall(r"::([\w.-]+) (PASSED|FAILED|SKIPPED)", result.stdout.str()):
        found.setdefault(outcome.lower(), set()).add(id)
    return found


def test_each_requirement_is_an_item_and_one_run_serves_them_all(shop: pytest.Pytester) -> None:
    prepare(shop, {})
    result = run(shop, *SUITE, "-v")
    result.stdout.fnmatch_lines(["*::token.cached PASSED*", "*= payproof =*", "ready; seed 7"])
    assert outcomes(result) == {"passed": set(ALL)}
    assert performed(shop) == [([], False, None)]


def test_only_what_is_selected_is_asked_for(shop: pytest.Pytester) -> None:
    prepare(shop, {})
    result = run(
        shop, *SUITE, "-v", "-k", "token and not logs", "-m", "must", "--payproof-quick", "--payproof-seed", "3"
    )
    names = musts({id for id in ALL if "token" in id} - group("logs"))
    assert {"errors.invalid-token", "token.cached", "token.renewed"} <= names
    assert outcomes(result) == {"passed": names}
    assert performed(shop) == [(sorted(names), True, 3)]


def test_groups_are_markers(shop: pytest.Pytester) -> None:
    prepare(shop, {})
    assert outcomes(run(shop, *SUITE, "-v", "-m", "verify and must")) == {"passed": musts(group("verify"))}


@pytest.mark.parametrize("arguments", [("-m", "custom"), ("-k", "custom")])
def test_items_are_found_by_what_they_were_called_before(shop: pytest.Pytester, arguments: tuple[str, str]) -> None:
    prepare(shop, {})
    assert outcomes(run(shop, *SUITE, "-v", *arguments)) == {"passed": group("reference")}


def test_verdicts_become_outcomes(shop: pytest.Pytester) -> None:
    prepare(
        shop,
        {
            "outcome": "not_ready",
            "verify.amount": "fail",
            "verify.currency": "not_exercised",
            "reasons": ["verify.amount", "verify.currency"],
            "verify.unreachable": "not_exercised",
            "token.no-stampede": "warn",
            "https.cancel-url": "not_applicable",
        },
    )
    result = run(shop, *SUITE, "-k", "verify or stampede or cancel-url", "-v", "-rsP")
    failed, skipped = {"verify.amount", "verify.currency"}, {"verify.unreachable", "https.cancel-url"}
    passed = group("verify") - failed - skipped | {"token.no-stampede"}
    assert outcomes(result) == {"passed": passed, "failed": failed, "skipped": skipped}
    result.stdout.fnmatch_lines(
        [
            "*verify.amount (must)*",
            "verify.amount: text",
            "  title of verify.amount",
            "    expected  {'paid': False}",
            "    actual    {'paid': True}",
            "    evidence  main#42",
            "  more: payproof explain verify.amount",
            "SKIPPED*test_requirements.py:*https.cancel-url: not applicable: title of https.cancel-url",
        ]
    )
    result.stdout.fnmatch_lines(["*token.no-stampede (should)*", "  title of token.no-stampede"])
    result.stdout.no_fnmatch_line("*Traceback*")
    assert result.ret == 1


def test_a_stale_baseline_fails_its_requirement(shop: pytest.Pytester) -> None:
    prepare(shop, {"outcome": "not_ready", "reasons": ["token.cached"], "stale": ["token.cached"]})
    result = run(shop, *SUITE, "-v", "-k", "token.cached")
    result.stdout.fnmatch_lines(["  the baseline entry is stale*"])
    assert outcomes(result) == {"failed": {"token.cached"}}


def test_not_scored_fails_every_item_with_the_diagnosis(shop: pytest.Pytester) -> None:
    prepare(shop, {"outcome": "not_scored", "diagnosis": ["It never called the gateway."]})
    result = run(shop, *SUITE, "-v", "-m", "token")
    assert outcomes(result) == {"failed": group("token")}
    result.stdout.fnmatch_lines(["token.cached: not scored", "  It never called the gateway."])


def test_an_error_is_told_once_for_each_item_and_met_once(shop: pytest.Pytester) -> None:
    prepare(shop, {"error": "the command does not exist"})
    result = run(shop, *SUITE, "-v", "-m", "token")
    assert outcomes(result) == {"failed": group("token")}
    result.stdout.fnmatch_lines(["payproof: the command does not exist", "  at: integration.command", "  do: mend it"])
    assert len(performed(shop)) == 1


def test_xdist_workers_share_one_run(shop: pytest.Pytester) -> None:
    prepare(shop, {"outcome": "not_ready", "token.cached": "fail", "reasons": ["token.cached"]})
    result = run(shop, *SUITE, "-n", "2", "-m", "token or verify")
    result.assert_outcomes(passed=len(group("token", "verify")) - 1, failed=1)
    assert len(performed(shop)) == 1
    result.stdout.fnmatch_lines(["not ready; seed 7"])


def test_the_last_failed_are_run_again_alone(shop: pytest.Pytester) -> None:
    prepare(shop, {"outcome": "not_ready", "token.cached": "fail", "reasons": ["token.cached"]})
    run(shop, *SUITE).assert_outcomes(passed=len(ALL) - 1, failed=1)
    run(shop, *SUITE, "--lf").assert_outcomes(failed=1)
    assert [only for only, _, _ in performed(shop)] == [[], ["token.cached"]]


def test_reports_are_written_where_asked(shop: pytest.Pytester) -> None:
    prepare(shop, {})
    run(shop, *SUITE, "-m", "token", "--payproof-report-dir", "out")
    assert {"report.json", "junit.xml", "run.jsonl"} <= {file.name for file in (shop.path / "out").iterdir()}


def test_without_a_configuration_it_says_what_to_give_and_proves_nothing(shop: pytest.Pytester) -> None:
    result = run(shop, "--pyargs", "payproof.suites", "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*give the integration: pytest --payproof-config payproof.toml *"])
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_nothing_selected_is_no_success(shop: pytest.Pytester) -> None:
    prepare(shop, {})
    assert run(shop, *SUITE, "-k", "nonsense").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_target_that_nobody_knows_is_a_usage_error(shop: pytest.Pytester) -> None:
    prepare(shop, {})
    result = run(shop, *SUITE, "--payproof-target", "live")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*invalid choice: 'live'*"])


def test_a_wrong_configuration_is_a_usage_error(shop: pytest.Pytester) -> None:
    result = run(shop, "--payproof-config", "nosuch.toml", "--pyargs", "payproof.suites")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*there is no such file*"])


def test_the_fixture_gives_a_gateway(shop: pytest.Pytester) -> None:
    shop.makepyfile(
        """
        import httpx

        def test_token(payproof_gateway):
            body = {"client_id": payproof_gateway.client_id, "secret_id": payproof_gateway.secret_key}
            answer = httpx.post(f"{payproof_gateway.base_url}/authentication/token", json=body)
            assert answer.json()["type"] == "success"
        """
    )
    run(shop).assert_outcomes(passed=1)


def test_the_gateway_of_the_session_is_as_new_for_each_test_at_one_address_with_one_pair_of_keys(
    shop: pytest.Pytester,
) -> None:
    shop.makepyfile(
        """
        import httpx
        import pytest

        ORDER = {"amount": "5.00", "currency": "XAF", "return_url": "https://s.example/r", "cancel_url": "https://s.example/c", "custom": "1"}
        HTTP = httpx.Client(verify=False)
        seen = set()

        @pytest.mark.parametrize("turn", [1, 2, 3])
        def test_everything_that_a_test_can_leave_behind(payproof_session_gateway, turn):
            gateway = payproof_session_gateway
            seen.add((gateway.base_url, gateway.client_id, gateway.secret_key))
            assert len(seen) == 1
            sim = gateway.simulator
            assert (gateway.payments(), gateway.journal(), gateway.notices(), sim.faults.armed(), sim.outbox.endpoint) == ((), (), (), (), None)
            assert sim.clock.now() < 300
            assert len(sim.merchants()) == 1

            keys = {"client_id": gateway.client_id, "secret_id": gateway.secret_key}
            token = HTTP.post(f"{gateway.base_url}/authentication/token", json=keys).json()["data"]["access_token"]
            made = HTTP.post(f"{gateway.base_url}/payment/create", json=ORDER, headers={"Authorization": f"Bearer {token}"})
            gateway.pay(made.json()["data"]["payment_url"])
            assert [entry.n for entry in gateway.journal()][:2] == [1, 2]
            assert "<access-token-1>" in str(gateway.journal())

            assert gateway.arm("never-answer", operation="create") == 1
            with pytest.raises(httpx.ReadTimeout):
                HTTP.post(f"{gateway.base_url}/payment/create", json=ORDER, headers={"Authorization": f"Bearer {token}"}, timeout=0.2)
            gateway.arm("refuse")
            gateway.advance(601)
            gateway.notify("http://127.0.0.1:9/notices")
            gateway.hold_notices()
            gateway.add_merchant("another")
            gateway.rotate_secret()
            gateway.revoke_secret()
        """
    )
    run(shop).assert_outcomes(passed=3)


def test_the_fixture_over_https_gives_the_authority_to_trust_and_takes_faults_of_tls(shop: pytest.Pytester) -> None:
    shop.makepyfile(
        """
        import ssl

        import httpx
        import pytest

        def test_token(payproof_https_gateway):
            gateway = payproof_https_gateway
            with httpx.Client(verify=ssl.create_default_context(cadata=gateway.ca)) as http:
                assert http.post(f"{gateway.base_url}/authentication/token").status_code == 400
                gateway.arm("expired-certificate", times=1)
                with pytest.raises(httpx.ConnectError, match="expired"):
                    http.post(f"{gateway.base_url}/authentication/token")
                assert http.post(f"{gateway.base_url}/authentication/token").status_code == 400
        """
    )
    run(shop).assert_outcomes(passed=1)


def test_pytest_starts_no_slower_where_payproof_is_not_used() -> None:
    script = """
import sys
import pytest
before = set(sys.modules)
import payproof.suites.pytest_plugin.plugin
print(*sorted(name for name in set(sys.modules) - before if not name.startswith("payproof")))
print(*sorted(name for name in sys.modules if name.startswith("payproof")))
"""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    others, ours = done.stdout.splitlines()
    assert not others
    assert ours.split() == [
        "payproof",
        "payproof.suites",
        "payproof.suites.pytest_plugin",
        "payproof.suites.pytest_plugin.plugin",
    ]


def test_other_peoples_tests_are_left_alone(shop: pytest.Pytester) -> None:
    Path(shop.path, "test_requirements.py").write_text("def test_mine():\n    pass\n")
    run(shop).assert_outcomes(passed=1)
