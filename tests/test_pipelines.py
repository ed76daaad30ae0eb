"""What payproof brings for pipelines names commands, options, environments and files that exist."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from payproof.contracts.model import Outcome
from payproof.suites.commands import payproof

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
PAGES = [ROOT / "action.yml", *WORKFLOWS, ROOT / "README.md", ROOT / "docs/ci.md"]


def script(step: str) -> str:
    return str(next(each["run"] for each in STEPS if each.get("id") == step))


def options(command: str) -> set[str]:
    found = payproof.get_command(click.Context(payproof), command)
    assert found is not None
    return {name for each in found.params if isinstance(each, click.Option) for name in each.opts}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_an_action_of_others_is_pinned_by_its_commit_and_says_its_version(page: Path) -> None:
    used = [line.strip("- \n") for line in page.read_text().splitlines() if re.match(r"\s*(- )?uses:", line)]
    assert used
    for line in used:
        assert re.fullmatch(
            r"uses: (\./|OWNER/payproof@COMMIT.*|[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+.*)", line
        ), line


def test_the_action_uses_the_inputs_that_it_declares_and_no_others() -> None:
    used = set(re.findall(r"inputs\.([\w-]+)", json.dumps(STEPS)))
    assert used == set(ACTION["inputs"])


def test_the_action_takes_no_input_into_a_script_but_by_the_environment() -> None:
    assert not [each["run"] for each in STEPS if "${{" in each.get("run", "")]


def test_the_action_s_outputs_are_those_of_its_steps() -> None:
    for output in ACTION["outputs"].values():
        step, name = re.fullmatch(r"\$\{\{ steps\.(\w+)\.outputs\.(\w+) \}\}", output["value"]).groups()  # type: ignore[union-attr]
        assert f'echo "{name}=' in script(step)


def test_the_action_names_the_outcomes_that_there_are() -> None:
    assert set(re.findall(r"`(\w+)`", ACTION["outputs"]["outcome"]["description"])) == {each.value for each in Outcome}


def test_the_commands_of_the_action_and_of_the_hook_exist() -> None:
    run = next(line for line in script("run").splitlines() if '/payproof" ' in line)
    command = run.split('/payproof" ')[1].split()[0]
    assert set(re.findall(r"--[\w-]+", run)) <= options(command)
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    program, entry = shlex.split(hook["entry"])
    assert (hook["id"], program, entry in payproof.places) == ("payproof-lint", "payproof", True)


def run_step(folder: Path, code: int, report: dict[str, str] | None, **given: str) -> tuple[int, list[str], str]:
    """The action's main step with a payproof that notes its arguments and writes this report: exit code, arguments, output."""
    programs = folder / "payproof/bin"
    programs.mkdir(parents=True)
    reports = folder / "reports"
    reports.mkdir(exist_ok=True)
    written = "" if report is None else f"echo '{json.dumps(report)}' > \"{reports}/report.json\"\n"
    fake = programs / "payproof"
    fake.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{folder}/called"\n{written}exit {code}\n')
    fake.chmod(0o755)
    (programs / "python").symlink_to(sys.executable)
    outputs, called = folder / "told", folder / "called"
    env = {
        "PATH": os.environ["PATH"],
        "RUNNER_TEMP": str(folder),
        "GITHUB_OUTPUT": str(outputs),
        "REPORT_DIR": str(reports),
        "CONFIG": ".",
        "ARGS": "",
    }
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script("run")], env={**env, **given}, check=False
    )
    return done.returncode, called.read_text().splitlines() if called.exists() else [], outputs.read_text()


def test_the_action_hands_quoted_options_on_whole_and_runs_nothing_in_them(tmp_path: Path) -> None:
    args = "-k \"token and not stampede\" --only '$(touch no)' ; true"
    _, called, _ = run_step(tmp_path, 0, {"outcome": "partial"}, ARGS=args)
    assert called[-6:] == ["-k", "token and not stampede", "--only", "$(touch no)", ";", "true"]


def test_the_action_starts_nothing_with_options_whose_quotes_do_not_end(tmp_path: Path) -> None:
    assert run_step(tmp_path, 0, {"outcome": "ready"}, ARGS='--quick -k "token') == (2, [], "outcome=not_scored\n")


def test_options_of_blanks_are_none(tmp_path: Path) -> None:
    _, called, _ = run_step(tmp_path, 0, {"outcome": "ready"}, ARGS=" \n ")
    assert called[-1] == str(tmp_path / "reports")


def test_the_action_ends_as_payproof_does_and_tells_the_outcome(tmp_path: Path) -> None:
    assert run_step(tmp_path, 1, {"outcome": "not_ready"})[::2] == (1, "outcome=not_ready\n")


def test_without_a_report_nothing_was_scored(tmp_path: Path) -> None:
    code, called, outputs = run_step(tmp_path, 2, None)
    assert (code, called, outputs) == (
        2,
        ["run", "--config", ".", "--report-dir", str(tmp_path / "reports")],
        "outcome=not_scored\n",
    )


def test_the_report_of_an_earlier_run_is_not_this_run_s_outcome(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    earlier = tmp_path / "reports/report.json"
    earlier.write_text('{"outcome": "ready"}')
    os.utime(earlier, (0, 0))
    assert run_step(tmp_path, 2, None)[::2] == (2, "outcome=not_scored\n")


def test_the_summary_is_told_by_payproof_alone_and_so_once() -> None:
    assert not [each for each in STEPS if "GITHUB_STEP_SUMMARY" in each.get("run", "")]


def test_two_jobs_can_keep_their_reports_under_two_names() -> None:
    (kept,) = (each for each in STEPS if "/upload-artifact@" in each.get("uses", ""))
    assert kept["with"]["name"] == "${{ inputs.artifact }}"
    assert ACTION["inputs"]["artifact"]["default"] == "payproof-report"


def test_the_workflows_run_environments_that_there_are() -> None:
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    named = {env for page in WORKFLOWS for env in re.findall(r"tox -e ([\w,]+)", page.read_text())}
    assert named
    assert named <= {section.removeprefix("testenv:") for section in tox.sections()}


def test_the_workflow_tests_the_versions_that_the_package_names() -> None:
    matrix = yaml.safe_load(WORKFLOWS[0].read_text())["jobs"]["tests"]["strategy"]["matrix"]["python"]
    classifiers = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', (ROOT / "pyproject.toml").read_text())
    assert matrix == classifiers


def test_the_image_copies_what_there_is_and_runs_as_nobody_special() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copied = [
        name for line in lines if line.startswith("COPY ") and "--from" not in line for name in line.split()[1:-1]
    ]
    assert copied
    assert all((ROOT / name).exists() for name in copied)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {f"!{name}" for name in copied} <= set(ignored)
    assert lines.index("USER 1000") < lines.index('ENTRYPOINT ["payproof"]')
    (default,) = (json.loads(line.removeprefix("CMD ")) for line in lines if line.startswith("CMD "))
    assert default[0] in payproof.places
