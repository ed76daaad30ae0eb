"""``compare``, ``can-i-go-live``, ``bundle`` and ``verify`` as a user calls them, on a run that was saved."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from results import a_judgement, a_result, a_run

from payproof.contracts.gateways.quatapay.checklist import CHECKLIST
from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Result
from payproof.contracts.profile import load
from payproof.contracts.run import Run
from payproof.reports import WRITERS
from payproof.reports.folder import write_all
from payproof.suites.commands import command, run

COMMIT = "0123456789abcdef0123456789abcdef01234567"
RUN = a_run(commit=COMMIT, dirty=False, started=datetime.now(UTC).isoformat(timespec="seconds"), quick=False)
Says = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A report folder, in the folder where the command is called."""
    monkeypatch.chdir(tmp_path)
    write_all(judge(RUN, load("quatapay")), RUN, Path("payproof-report"), ["json", "markdown"])
    return tmp_path / "payproof-report"


def whole(**verdicts: str) -> Result:
    """Every requirement passes, but for these."""
    given = {name.replace("__", ".").replace("_", "-"): verdict for name, verdict in verdicts.items()}
    judged = (a_judgement(id, given.get(id, "pass")) for id in CHECKLIST.all_requirements())
    return a_result(*judged, scope=CHECKLIST.all_requirements(), facts=RUN.facts)


def report_of(result: Result, name: str = "report.json") -> str:
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(WRITERS["json"].render(result, RUN))
    return name


def keys(folder: Path) -> tuple[str, str]:
    key = Ed25519PrivateKey.generate()
    secret, public = folder / "key.pem", folder / "key.pub"
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return str(secret), str(public)


# -- compare ---------------------------------------------------------------------------------------------------------------


def test_a_run_that_is_no_worse_says_so_and_one_that_is_worse_exits_with_1(folder: Path, capsys: Says) -> None:
    good, bad = report_of(whole(), "good.json"), report_of(whole(token__cached="fail"), "bad.json")
    assert command(["compare", bad, good]) == 0
    assert "Mended (1)" in capsys.readouterr().out
    assert command(["compare", good, bad]) == 1
    out = capsys.readouterr().out
    assert "Fails now (1)" in out
    assert out.splitlines()[-1] == "WORSE: token.cached (READY -> NOT READY)."


def test_a_folder_and_its_run_say_the_same(folder: Path, capsys: Says) -> None:
    assert command(["compare", str(folder), str(folder / "run.jsonl"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["worse"], found["changes"], found["facts"]) == (False, [], [])
    assert len(found["same"]) == len(CHECKLIST.all_requirements())


@pytest.mark.parametrize("path", ["nowhere", "empty", "empty.json", "empty.jsonl"])
def test_what_cannot_be_compared_is_told_in_three_lines(folder: Path, capsys: Says, path: str) -> None:
    Path("empty").mkdir()
    Path("empty.json").touch()
    Path("empty.jsonl").touch()
    assert command(["compare", path, str(folder)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line[:6] for line in lines] == ["error:", "  at: ", "  do: "]


# -- can-i-go-live ----------------------------------------------------------------------------------------------------------


def test_a_whole_run_of_this_commit_may_go_live(folder: Path, capsys: Says) -> None:
    report_of(whole())
    assert command(["can-i-go-live", "report.json", "--commit", COMMIT[:10]]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "YES: the evidence is enough for commit 0123456789."


def test_what_is_missing_is_listed_with_its_command(folder: Path, capsys: Says) -> None:
    report_of(whole(token__cached="fail"))
    assert command(["can-i-go-live", "report.json", "--any-commit", "--sandbox"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("token.cached failed: token.cached fail")
    assert lines[1].strip() == "next payproof explain token.cached"
    assert lines[-1] == "NO: 2 things are missing before any commit may go live."


def test_a_report_whose_verdicts_were_changed_is_found_by_the_run_beside_it(folder: Path, capsys: Says) -> None:
    report_of(whole(), "payproof-report/report.json")
    assert command(["can-i-go-live", "--any-commit"]) == 1
    assert "the report says pass, and its run is judged" in capsys.readouterr().out


def test_a_report_that_knows_fewer_musts_than_this_version_is_not_enough(folder: Path, capsys: Says) -> None:
    report_of(a_result(a_judgement("token.cached", "pass"), facts=RUN.facts))
    assert command(["can-i-go-live", "report.json", "--any-commit"]) == 1
    assert "this version of payproof asks for" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["report.json", "--commit", "main"], "git rev-parse HEAD"),
        (["payproof-report/run.jsonl", "--any-commit"], "payproof report payproof-report/run.jsonl"),
        (["elsewhere", "--any-commit"], "report.json"),
        (["report.json"], "--commit SHA"),
    ],
)
def test_what_cannot_be_decided_exits_with_2_and_a_remedy(
    folder: Path, capsys: Says, monkeypatch: pytest.MonkeyPatch, words: list[str], says: str
) -> None:
    monkeypatch.setenv("PATH", "")
    report_of(whole())
    assert command(["can-i-go-live", *words]) == 2
    assert says in capsys.readouterr().err.splitlines()[-1]


# -- the baseline -----------------------------------------------------------------------------------------------------------

TOML = """\
[integration]
command = ["python", "app.py"]
checkout = { path = "/checkout" }
order = { path = "/orders/{order.id}", status = "json:/status" }
"""


def test_what_fails_is_written_down_completed_by_people_and_then_accepted(
    folder: Path, capsys: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    performed_run = replace(RUN, worlds=(a_run(return_url="http://shop/return").worlds[0],))

    def performed(*_: Any, **__: Any) -> Run:
        return performed_run

    monkeypatch.setattr(run, "performed", performed)
    Path("payproof.toml").write_text(TOML)
    file = Path("payproof-baseline.toml")
    assert command(["run", "--write-baseline", "--format", "json"]) == 1
    out = capsys.readouterr().out
    assert "write reason and owner of https.return-url" in out
    assert command(["check", "payproof-report/run.jsonl", "--config", "."]) == 2
    assert "https.return-url is accepted without a reason" in capsys.readouterr().err
    file.write_text(file.read_text().replace('""', '"staging"'))
    assert command(["check", "payproof-report/run.jsonl", "--config", "."]) == 1
    out = capsys.readouterr().out
    assert "staging (staging, until" in out
    assert "- https.return-url" not in out
    written = file.read_text()
    assert command(["run", "--write-baseline", "--format", "json"]) == 1
    assert file.read_text() == written
    performed_run = RUN
    assert command(["run", "--format", "json"]) == 1
    assert "its baseline entry in payproof-baseline.toml, line 4 is stale" in " ".join(capsys.readouterr().out.split())
    assert command(["run", "--write-baseline", "--format", "json"]) == 1
    assert "https.return-url" not in file.read_text()


def test_a_saved_run_can_have_its_failures_written_down_too(folder: Path, capsys: Says) -> None:
    run = replace(RUN, worlds=(a_run(return_url="http://shop/return").worlds[0],))
    write_all(judge(run, load("quatapay")), run, folder, ["json"])
    assert command(["check", "payproof-report/run.jsonl", "--write-baseline", "--format", "json"]) == 2
    assert "no payproof.toml here" in capsys.readouterr().err
    Path("payproof.toml").write_text(TOML)
    assert command(["check", "payproof-report/run.jsonl", "--write-baseline", "--format", "json"]) == 1
    assert "write reason and owner of https.return-url" in capsys.readouterr().out
    assert "https.return-url" in Path("payproof-baseline.toml").read_text()
    Path("payproof.toml").write_text('gateway = "qrpay"\n' + TOML)
    assert command(["check", "payproof-report/run.jsonl", "--write-baseline", "--format", "json"]) == 2
    assert "the run is of quatapay, the configuration of qrpay" in capsys.readouterr().err


# -- bundle and verify ------------------------------------------------------------------------------------------------------


def test_a_bundle_holds_the_reports_and_nothing_else_and_is_the_same_each_time(folder: Path, capsys: Says) -> None:
    (folder / ".env").write_text("KEY=1")
    (folder / "notes.txt").write_text("KEY=1")
    assert command(["bundle"]) == 0
    first = Path("evidence.zip").read_bytes()
    assert command(["bundle", str(folder), "-o", "again.zip"]) == 0
    assert Path("again.zip").read_bytes() == first
    with zipfile.ZipFile("evidence.zip") as archive:
        assert archive.namelist() == ["manifest.json", "report.json", "report.md", "run.jsonl"]
        assert json.loads(archive.read("manifest.json"))["run"]["commit"] == COMMIT
    capsys.readouterr()
    assert command(["verify", "evidence.zip"]) == 0
    out = capsys.readouterr().out
    assert "anybody can recompute a digest" in out
    assert "the verdicts are what payproof" in out
    assert out.splitlines()[-1] == "UNCHANGED, as far as a digest tells"


def test_a_signature_holds_under_its_own_key_only(folder: Path, capsys: Says) -> None:
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    (secret, public), (_, stranger) = keys(folder / "a"), keys(folder / "b")
    assert command(["bundle", "--sign", secret]) == 0
    assert command(["verify", "evidence.zip", "--key", public]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "GENUINE"
    assert command(["verify", "evidence.zip"]) == 0
    assert "give the public key with --key" in capsys.readouterr().out
    assert command(["verify", "evidence.zip", "--key", stranger]) == 1
    assert "not of this key" in capsys.readouterr().out
    assert command(["bundle"]) == 0
    assert command(["verify", "evidence.zip", "--key", public]) == 1
    assert "it is not signed" in capsys.readouterr().out


def test_a_byte_that_was_changed_is_found_and_its_file_named(folder: Path, capsys: Says) -> None:
    assert command(["bundle"]) == 0
    file = Path("evidence.zip")
    file.write_bytes(
        file.read_bytes().replace(b'"outcome": "not_ready",\n  "summary"', b'"outcome": "not_Ready",\n  "summary"')
    )
    assert command(["verify", "evidence.zip"]) == 1
    out = capsys.readouterr().out
    assert "report.json was changed" in out
    assert out.splitlines()[-1] == "NOT GENUINE"


def test_a_bundle_whose_report_says_other_than_its_run_is_not_made_and_not_genuine(folder: Path, capsys: Says) -> None:
    report_of(whole(), "payproof-report/report.json")
    assert command(["bundle"]) == 2
    assert "does not say what its run shows" in capsys.readouterr().err
    from payproof.contracts.results.evidence import pack

    files = {name: (folder / name).read_bytes() for name in ("report.json", "run.jsonl")}
    Path("evidence.zip").write_bytes(pack(files, {}, version="1")[1])
    assert command(["verify", "evidence.zip"]) == 1
    assert "the report says pass, and its run is judged" in capsys.readouterr().out


@pytest.mark.parametrize("what", ["public", "rsa", "nothing", "text"])
def test_a_key_that_is_none_is_refused_and_not_shown(folder: Path, capsys: Says, what: str) -> None:
    _, public = keys(folder)
    path = {"public": public, "nothing": "nowhere.pem"}.get(what, str(folder / "hunter2.pem"))
    if what in ("rsa", "text"):
        Path(path).write_text(
            "-----BEGIN RSA PRIVATE KEY-----\nhunter2-secret\n" if what == "rsa" else "hunter2-secret"
        )
    assert command(["bundle", "--sign", path]) == 2
    printed = capsys.readouterr()
    assert "do:" in printed.err
    assert "hunter2-secret" not in printed.err + printed.out
    assert not Path("evidence.zip").exists()


@pytest.mark.parametrize("name", ["nowhere.zip", "payproof-report", "payproof-report/report.json"])
def test_what_is_no_bundle_exits_with_2(folder: Path, capsys: Says, name: str) -> None:
    assert command(["verify", name]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "  do: give what `payproof bundle` wrote"
