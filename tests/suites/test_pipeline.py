"""What a pipeline is told without being asked, and which reports a command writes."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from results import a_run

from payproof.contracts.entries import Log
from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Outcome, Result
from payproof.contracts.profile import load
from payproof.contracts.run import RecordedWorld, Run
from payproof.reports.folder import write_all
from payproof.suites.commands import command as payproof_command
from payproof.suites.commands import options, pipeline
from payproof.suites.run.assembly import placed

RESULT = Result(
    outcome=Outcome.PARTIAL, reasons=(), diagnosis=(), golive=(), guidelines=(), judgements=(), scope=("a.b",)
)
RUN = Run(gateway="nobody")


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)


def test_elsewhere_nothing_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    pipeline.report(RESULT, RUN)
    assert capsys.readouterr() == ("", "")


def test_on_github_annotations_are_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    pipeline.report(RESULT, RUN)
    assert capsys.readouterr().out.startswith("::notice title=payproof%3A PARTIAL::0 of 1 requirements judged")


STEERING = ["::error::hired", "  ::add-mask::paid", "said ##[error]so", "##vso[task.setvariable]x", "##teamcity[x]"]


def test_no_line_of_a_stranger_steers_a_ci_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    run = a_run()
    logs = tuple(Log(n=number, at=0.1, stream="stdout", text=text) for number, text in enumerate(STEERING, 1))
    world = RecordedWorld(name="main", entries=logs)
    broken = replace(run, worlds=(world,), scored=False, diagnosis=("It said:\n" + "\n".join(STEERING),))
    write_all(judge(broken, load("quatapay")), broken, tmp_path, ["json"])
    assert (
        payproof_command(["check", str(tmp_path / "run.jsonl"), "--report-dir", str(tmp_path), "--format", "json"]) == 2
    )
    out = capsys.readouterr().out
    for word in ("hired", "paid", "so", "task.setvariable", "teamcity"):
        assert word in out
    lines = out.splitlines()
    assert [line for line in lines if line.startswith("::")], "payproof's own annotations are commands"
    strangers = [line for line in lines if not line.startswith(("::error title=payproof", "::notice title=payproof"))]
    assert not [line for line in strangers if line.lstrip().startswith("::") or re.search(r"##\w*\[", line)]


def test_what_is_wrong_with_an_answer_steers_no_ci_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert payproof_command(["check", "nowhere\n::error::x"]) == 2
    assert not [line for line in capsys.readouterr().err.splitlines() if line.lstrip().startswith("::")]


def test_the_jobs_summary_is_added_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "summary"
    file.write_text("# Before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    pipeline.report(RESULT, RUN)
    assert file.read_text(encoding="utf-8").startswith("# Before\n## ⚪ PARTIAL: integration\n")


def test_a_summary_that_is_full_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "summary"
    with file.open("wb") as room:
        os.truncate(room.fileno(), 990_000)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    pipeline.report(RESULT, RUN)
    assert file.stat().st_size == 990_000
    assert "is full" in capsys.readouterr().err


def test_a_summary_that_cannot_be_written_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    pipeline.report(RESULT, RUN)
    assert f"cannot be written: {tmp_path}" in capsys.readouterr().err


def wanted(*arguments: str) -> tuple[str, ...]:
    """The formats that a command gets for these arguments."""
    found: list[tuple[str, ...]] = []

    @click.command()
    @options.reports
    def command(report_dir: Path, formats: tuple[str, ...]) -> None:
        found.append(formats)

    outcome = CliRunner().invoke(command, arguments)
    if outcome.exit_code:
        raise ValueError(outcome.output)
    return found[0]


def test_report_adds_to_the_usual_formats_and_format_replaces_them() -> None:
    usual = ("curl", "html", "http", "json", "junit", "markdown", "postman")
    assert wanted() == ()
    assert wanted("--format", "json", "--format", "junit") == ("json", "junit")
    assert wanted("--format", "json", "--report", "sarif") == ("json", "sarif")
    assert set(wanted("--report", "sarif, ctrf", "--report", "badge")) == {*usual, "sarif", "ctrf", "badge"}


def test_a_report_that_does_not_exist_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'pdf' is not one of .*'sarif'"):
        wanted("--report", "sarif,pdf")


def test_a_run_says_where_its_configuration_lies_below_the_folder_it_was_started_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = tmp_path / "repository"
    here.mkdir()
    monkeypatch.chdir(here)
    assert placed(here) == {"folder": "."}
    assert placed(here / "apps" / "shop") == {"folder": "apps/shop"}
    assert placed(tmp_path / "elsewhere") == {}
