"""``payproof record``, ``--target cassette``, ``payproof cassettes`` and pytest-recording, all with one recording of the
independent sandbox: HTTPS, sessions, CSRF, one-time codes.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from payproof.contracts.entries import OrderSeen, ReplayDifference
from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Verdict
from payproof.contracts.redaction.secrets import spellings
from payproof.contracts.run import Run
from payproof.reports import write_all
from payproof.simulator.cassettes import CassetteWriter, read
from payproof.simulator.relay.sandbox_exchange import SandboxExchange
from payproof.suites.commands import command
from payproof.suites.commands.record import FLOWS
from payproof.suites.config import Config, make_config
from payproof.suites.run.plan import Options
from payproof.suites.run.runner import perform
from payproof.suites.session.sandbox import known_secrets

from ..conftest import IndependentSandbox  # noqa: TID252

SHOP = Path(__file__).parents[2] / "examples" / "flask-shop"
Start = Callable[..., IndependentSandbox]
ROOTS = os.pathsep.join(
    str(Path(__file__).parents[2] / root) for root in ("contracts", "simulator", "reports", "suites")
)
REFUSED = "refused-canary-Q7x-password"


def configured(
    sandbox: dict[str, Any] | None, cassette: Path, *, env: dict[str, str] | None = None, **more: Any
) -> Config:
    table = tomllib.loads((SHOP / "payproof.qrpay.toml").read_text())
    table.pop("sandbox", None)
    program = "defects.py" if env else "app.py"
    table["integration"]["command"] = ["python", program]
    table["integration"]["env"] |= env or {}
    table |= {"cassettes": {"path": str(cassette)}} | ({"sandbox": sandbox} if sandbox else {}) | more
    return make_config(table, folder=SHOP, place="test", environ={})


def canaries(sandbox: IndependentSandbox) -> dict[str, Any]:
    """The sandbox's table, its refused payer with a password that nobody else has."""
    table = sandbox.table()
    table["payers"]["refused"] = {"login": "refused@sandbox.test", "password": REFUSED}
    return table


def recorded(
    config: Config, path: Path, *, probes: tuple[str, ...] = FLOWS, seed: int = 11
) -> tuple[list[SandboxExchange], Run]:
    """A recording at ``path``, what was taped for it in clear, and the run that it was made in."""
    assert config.sandbox
    writer = CassetteWriter(
        config.profile, base_url=config.sandbox.base_url, seed=seed, known=tuple(known_secrets(config))
    )
    taped: list[SandboxExchange] = []

    def take(each: SandboxExchange) -> None:
        taped.append(each)
        writer.take(each)

    run = asyncio.run(perform(config, Options(target="sandbox", probes=probes, seed=seed), on_exchange=take))
    assert run.scored, run.diagnosis
    writer.write(path, force=True)
    return taped, run


def replayed(config: Config) -> Run:
    return asyncio.run(perform(config, Options(target="cassette")))


def differences(run: Run) -> list[ReplayDifference]:
    return [entry for world in run.worlds for entry in world.of(ReplayDifference)]


def secrets_on(taped: list[SandboxExchange], config: Config) -> dict[str, str]:
    """Name -> value of every secret that passed, read off the wire by this test's own means."""
    assert config.sandbox
    found = {
        "client id": config.sandbox.client_id,
        "secret key": config.sandbox.secret_key,
        "refused password": REFUSED,
    }
    for n, each in enumerate(taped):
        if issued := _between(each.response.body, '"access_token":"', '"'):
            found[f"access token {n}"] = issued
        if csrf := _between(each.response.body, 'name="_token" value="', '"'):
            found[f"csrf {n}"] = csrf
        for name, value in each.response.headers:
            if name.lower() == "set-cookie":
                found[f"session {n}"] = value.partition(";")[0].partition("=")[2]
    return found


def _between(text: str, before: str, after: str) -> str:
    return text.partition(before)[2].partition(after)[0] if before in text else ""


def hunted(folder: Path, secrets: dict[str, str]) -> list[tuple[str, str]]:
    """(file, secret) of each find, in any spelling."""
    return [
        (str(file.relative_to(folder)), name)
        for file in folder.rglob("*")
        if file.is_file()
        for name, value in secrets.items()
        if any(len(spelled) >= 8 and spelled.encode() in file.read_bytes() for _, spelled in spellings(value))
    ]


@contextmanager
def config_file(folder: Path, sandbox: dict[str, Any] | None = None, **more: Any) -> Generator[Path]:
    """The shop's payproof.toml in its own folder (paths are relative to it), with what the test adds, as JSON in the environment."""
    values = {"PAYPROOF_CASSETTES": json.dumps({"path": str(folder / "cassette.yaml"), **more})}
    if sandbox:
        values["PAYPROOF_SANDBOX"] = json.dumps(sandbox)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(name, value)
        yield SHOP / "payproof.qrpay.toml"


# Recording


def test_record_writes_a_cassette_and_says_what_it_replaced(
    independent_sandbox: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with config_file(tmp_path, canaries(independent_sandbox("--otp"))) as file:
        assert command(["record", "--config", str(file), "--quiet"]) == 0
        out = capsys.readouterr().out
        assert "control, steady, cancelled, refused, forged-return" in out
        assert all(
            kind in out for kind in ("access-token", "session-cookie", "csrf-token", "one-time-code", "password")
        )
        before = (tmp_path / "cassette.yaml").read_bytes()
        assert command(["record", "--config", str(file), "--quiet"]) == 2
        assert "--force" in capsys.readouterr().err
        assert (tmp_path / "cassette.yaml").read_bytes() == before
    assert command(["cassettes", "inspect", str(tmp_path / "cassette.yaml")]) == 0
    shown = capsys.readouterr().out
    assert "less than an hour ago" in shown
    assert "/pay/sandbox/v1/user/authentication/mail/verify/submit/{id}" in shown
    assert command(["cassettes", "diff", str(tmp_path / "cassette.yaml"), str(tmp_path / "cassette.yaml")]) == 0


def test_what_an_unwell_sandbox_said_is_not_recorded(
    independent_sandbox: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with config_file(tmp_path, independent_sandbox("--ill", "503:11").table()) as file:
        assert command(["record", "--config", str(file), "--quiet"]) == 2
    out = capsys.readouterr().err
    assert "the sandbox was unwell while it was recorded, and nothing was written" in out
    assert "answered 503" in out
    assert not (tmp_path / "cassette.yaml").exists()


def test_without_a_sandbox_record_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bare = tmp_path / "payproof.toml"
    text = (SHOP / "payproof.qrpay.toml").read_text()
    bare.write_text(text.partition("[sandbox]")[0])
    assert command(["record", "--config", str(bare)]) == 2
    assert "[sandbox]" in capsys.readouterr().err
    assert not list(tmp_path.glob("cassettes/*"))


def test_no_canary_is_in_any_file_that_was_written(independent_sandbox: Start, tmp_path: Path) -> None:
    config = configured(canaries(independent_sandbox("--otp")), tmp_path / "out" / "cassette.yaml")
    taped, run = recorded(config, tmp_path / "out" / "cassette.yaml", probes=("cancelled", "refused", "forged-return"))
    write_all(judge(run, config.profile), run, tmp_path / "out" / "sandbox", None)
    again = replayed(config)
    write_all(judge(again, config.profile), again, tmp_path / "out" / "cassette", None)
    assert {file.name for file in (tmp_path / "out").rglob("*")} >= {
        "cassette.yaml",
        "run.jsonl",
        "report.html",
        "report.json",
    }
    secrets = secrets_on(taped, config)
    assert {name.split(" ")[0] for name in secrets} == {"client", "secret", "refused", "access", "csrf", "session"}
    for name, value in secrets.items():
        for _, spelled in spellings(value):
            (tmp_path / "planted").mkdir(exist_ok=True)
            (tmp_path / "planted" / "file.txt").write_text(f"text {spelled} text")
            assert ("file.txt", name) in hunted(tmp_path / "planted", secrets), (name, spelled)
    assert hunted(tmp_path / "out", secrets) == []
    cassette = (tmp_path / "out" / "cassette.yaml").read_text()
    assert not [
        word for word in ("appdevs", "123456", "refused@sandbox.test", "refused%40sandbox.test") if word in cassette
    ]


# Replaying to an integration


def test_the_same_shop_is_replayed_without_a_sandbox_and_without_a_difference(
    independent_sandbox: Start, tmp_path: Path
) -> None:
    path = tmp_path / "cassette.yaml"
    config = configured(canaries(independent_sandbox("--otp")), path)
    _, run = recorded(config, path)
    again = replayed(configured(None, path))
    assert again.scored, again.diagnosis
    assert differences(again) == []
    assert _orders(again) == _orders(run)
    was, now = judge(run, config.profile), judge(again, config.profile)
    verdicts = {each.requirement: each.verdict for each in now.judgements}
    assert {id for id, verdict in verdicts.items() if verdict is Verdict.PASS} >= {
        "flow.success", "flow.cancelled", "flow.failed", "verify.forged-return", "verify.status-checked", "amount.sent"
    }  # fmt: skip
    assert not [each for each in verdicts.values() if each in (Verdict.FAIL, Verdict.ERROR)]
    assert not [each.requirement for each in was.judgements if each.verdict is Verdict.FAIL]
    cassette: Any = again.facts["cassette"]
    assert (cassette["stale"], cassette["exchanges"]) == (False, len(read(path).exchanges))
    assert again.facts["seed"] == 11


def _orders(run: Run) -> dict[str, bool | None]:
    return {seen.order: seen.paid for world in run.worlds for seen in world.of(OrderSeen)}


def test_a_shop_that_changed_is_told_what_is_not_as_recorded(independent_sandbox: Start, tmp_path: Path) -> None:
    path = tmp_path / "cassette.yaml"
    recorded(configured(canaries(independent_sandbox()), path), path, probes=("forged-return", "cancelled"))
    config = configured(None, path, env={"SHOP_DEFECT": "trusts-redirect"})
    run = replayed(config)
    assert {(each.what, each.operation) for each in differences(run)} >= {("missing", "status"), ("missing", "token")}
    result = judge(run, config.profile)
    assert {each.requirement: each.verdict for each in result.judgements}["verify.forged-return"] is Verdict.FAIL
    write_all(result, run, tmp_path / "report", None)
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert len(report["replay"]["differences"]) == len(differences(run))
    for name in ("report.md", "report.html"):
        assert f"Replay of a recording: {len(differences(run))} difference" in (tmp_path / "report" / name).read_text()


def test_an_old_recording_warns_and_another_gateways_is_refused(
    independent_sandbox: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cassette.yaml"
    recorded(configured(canaries(independent_sandbox()), path), path, probes=("cancelled",))
    text = path.read_text()
    stamp = read(path).stamp
    assert stamp
    old = (datetime.now(UTC) - timedelta(days=91)).isoformat(timespec="seconds")
    path.write_text(text.replace(stamp.recorded_at, old))
    with config_file(tmp_path) as file:
        assert command(_run(file, tmp_path)) != 2
        shown = " ".join(capsys.readouterr().out.split())
    assert "(91 days ago)" in shown
    assert "older than 90d: record again" in shown
    path.write_text(text.replace("gateway: qrpay", "gateway: quatapay"))
    with config_file(tmp_path) as file:
        assert command(_run(file, tmp_path)) == 2
    assert 'a recording of "quatapay"' in capsys.readouterr().err


def _run(file: Path, folder: Path, *more: str) -> list[str]:
    return [
        "run",
        "--config",
        str(file),
        "--target",
        "cassette",
        "--quiet",
        "--report-dir",
        str(folder / "report"),
        *more,
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such cassette"),
        ("interactions: [", "not YAML"),
        ("interactions: []\n", "cut"),
        ("interactions: []\nversion: 1\n", "no stamp"),
    ],
)
def test_a_cassette_that_cannot_be_a_target_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "cassette.yaml").write_text(content)
    with config_file(tmp_path) as file:
        assert command(_run(file, tmp_path)) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert str(tmp_path / "cassette.yaml") in shown
    assert not (tmp_path / "report").exists()


def test_diff_and_inspect_tell_unreadable_files_plainly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["cassettes", "inspect", str(tmp_path / "none.yaml")]) == 2
    assert command(["cassettes", "diff", str(tmp_path / "none.yaml"), str(tmp_path / "none.yaml")]) == 2
    assert "no such cassette" in capsys.readouterr().err


# Two recordings


def test_diff_finds_what_a_planted_server_says_otherwise(
    independent_sandbox: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / "before.yaml", tmp_path / "after.yaml"]
    for path, plants in zip(paths, ((), ("--plant", "extra-field", "--plant", "amount-number")), strict=True):
        recorded(configured(canaries(independent_sandbox(*plants)), path), path, probes=("cancelled",))
    assert command(["cassettes", "diff", *map(str, paths)]) == 1
    shown = capsys.readouterr().out
    assert 'response field "data.expires_at": not there -> text' in shown
    assert '"data.amount": text -> number' in shown


# pytest-recording

UNIT_TEST = """
import {library} as http
import pytest

BASE = {base!r}


@pytest.mark.vcr
@pytest.mark.default_cassette({cassette!r})
def test_the_shop_pays():
    keys = {{"client_id": "__client-id-1__", "secret_id": "__secret-key-1__"}}
    answer = http.post(BASE + "/authentication/token", json=keys)
    assert answer.json()["data"]["access_token"] == "__access-token-1__"
    bearer = {{"Authorization": "Bearer " + answer.json()["data"]["access_token"]}}
    body = {order!r}
    created = http.post(BASE + "/payment/create", json=body, headers=bearer).json()["data"]
    assert created["payment_url"].startswith({origin!r})
    token = http.post(BASE + "/authentication/token", json=keys).json()["data"]["access_token"]
    bearer = {{"Authorization": "Bearer " + token}}
    paid = http.get(BASE + "/payment/status/" + created["token"], headers=bearer).json()["data"]
    assert paid["paid"] is True
    assert paid["custom"] == body["custom"]


@pytest.mark.vcr
@pytest.mark.default_cassette({cassette!r})
def test_what_was_not_recorded_is_not_asked_of_the_network():
    with pytest.raises(Exception, match="(?i)cassette|overwrite|network"):
        http.get(BASE + "/payment/status/never-recorded")
"""


@pytest.mark.parametrize("library", ["httpx", "requests"])
def test_pytest_recording_replays_the_same_file(independent_sandbox: Start, tmp_path: Path, library: str) -> None:
    pytest.importorskip(library)
    path = tmp_path / "cassettes" / "sandbox.yaml"
    recorded(configured(canaries(independent_sandbox()), path), path, probes=("cancelled",))
    recording = read(path)
    assert recording.stamp
    create = next(each for each in recording.exchanges if each.operation == "create")
    test = UNIT_TEST.format(
        library=library,
        base=recording.stamp.upstream + recording.stamp.base_path,
        origin=recording.stamp.upstream,
        cassette=str(path),
        order=json.loads(create.request.body),
    )
    (tmp_path / "test_shop.py").write_text(test)
    plugins = ["-p", "pytest_recording.plugin", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, "--record-mode=none", "--block-network", "test_shop.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": ROOTS},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
