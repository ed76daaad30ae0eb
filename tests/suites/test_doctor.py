"""``payproof doctor``: what is there, what is not, and what to do."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from payproof.suites import cli
from payproof.suites.doctor import machine, runtimes
from payproof.suites.doctor.finding import HealthCheck
from payproof.suites.doctor.runtimes import Runtime
from payproof.suites.session.tool_environment import without_ours

PYTHON = runtimes.RUNTIMES[0]
CONFIG = """
[integration]
name = "shop"
command = ["{program}"]
checkout = {{ path = "/checkout" }}
order = {{ path = "/orders/{{order.id}}", status = "json:/status", paid = ["paid"] }}
"""
Doctor = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Doctor:
    """In an empty folder, with no runtime to be tried: (exit code, what it found)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runtimes, "RUNTIMES", ())

    def go() -> tuple[int, dict[str, Any]]:
        code = cli.run(("doctor", "--json"))
        return code, json.loads(capsys.readouterr().out)

    return go


def tried(monkeypatch: pytest.MonkeyPatch, *each: Runtime, command: tuple[str, ...] = ()) -> list[HealthCheck]:
    monkeypatch.setattr(runtimes, "RUNTIMES", each)
    return asyncio.run(runtimes.runtimes(command))


def finding(report: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in report["findings"] if each["name"] == name)


def test_a_machine_without_a_configuration_is_healthy_and_hears_of_init(doctor: Doctor) -> None:
    code, report = doctor()
    assert (code, report["healthy"]) == (0, True)
    assert finding(report, "payproof.toml")["remedy"] == "payproof init"
    assert "starlette " in finding(report, "packages")["detail"]


def test_what_is_wrong_with_a_configuration_is_a_problem_with_its_remedy(doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "payproof.toml").write_text('[integration]\nnam = "shop"\n')
    code, report = doctor()
    (problem,) = (each for each in report["findings"] if each["state"] == "problem")
    assert (code, report["healthy"], problem["area"]) == (1, False, "configuration")
    assert "nam" in problem["detail"] + problem["remedy"]


def test_a_command_that_does_not_exist_is_a_problem(doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "payproof.toml").write_text(CONFIG.format(program="no-such-program"))
    assert doctor()[0] == 1
    (tmp_path / "payproof.toml").write_text(CONFIG.format(program=sys.executable))
    assert doctor()[0] == 0


def test_everything_that_is_not_well_says_what_to_do(doctor: Doctor) -> None:
    assert [each for each in doctor()[1]["findings"] if each["state"] != "ok" and not each["remedy"]] == []


def test_the_words_for_people_end_with_the_verdict(
    tmp_path: Path, doctor: Doctor, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "payproof.toml").write_text(CONFIG.format(program="no-such-program"))
    assert cli.run(("doctor",)) == 1
    assert capsys.readouterr().out.rstrip().endswith("1 in the way of a run.")


def test_a_runtime_that_trusts_the_authority_by_its_variable_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = tried(monkeypatch, PYTHON)
    assert (found.name, found.state) == ("Python", "ok")
    assert "trusts the authority that SSL_CERT_FILE names" in found.detail


def test_a_runtime_that_does_not_is_a_note_and_a_problem_where_the_integration_needs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deaf = Runtime("Python", PYTHON.programs, "NODE_EXTRA_CA_CERTS", PYTHON.ask)
    (found,) = tried(monkeypatch, deaf)
    assert (found.state, "CERTIFICATE_VERIFY_FAILED" in found.detail) == ("note", True)
    (found,) = tried(monkeypatch, deaf, command=("/usr/bin/python3.12", "app.py"))
    assert found.state == "problem"


def test_a_program_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtimes, "_WITHIN", 1.0)
    slow = Runtime("Python", PYTHON.programs, "SSL_CERT_FILE", ("-c", "import time; time.sleep(60)"))
    (found,) = tried(monkeypatch, slow)
    assert (found.state, "in time" in found.detail) == ("note", True)


def test_what_is_not_tried_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = tried(monkeypatch, Runtime("Python", PYTHON.programs, "X", ("-c", ""), needs="no-such-compiler"))
    assert found.detail.endswith("X was not tried: no-such-compiler is not installed")


def test_an_extra_that_is_not_installed_is_a_note_that_says_who_needs_it(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "schemathesis", None)
    code, report = doctor()
    assert (code, report["healthy"]) == (0, True)
    found = finding(report, "payproof[suites]")
    assert (found["state"], found["remedy"]) == ("note", "pip install 'payproof[suites]'")
    assert "payproof explore" in found["detail"]


def test_a_port_that_is_taken_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(machine, "_SERVE_PORTS", (port,))
        (found,) = (each for each in machine.ports() if each.name == str(port))
    assert (found.state, "--port" in found.remedy) == ("note", True)


def test_windows_is_refused_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    code = cli.run(("--version",))
    out, err = capsys.readouterr()
    assert (code, out, err.count("\n"), "WSL" in err) == (2, "", 1, True)


@pytest.mark.parametrize(
    ("cfg", "environ", "left"),
    [
        ("relocatable = true\n", {"UV": "/uv"}, "/usr/bin"),
        ("relocatable = true\n", {}, "{ours}:/usr/bin"),
        ("relocatable = true\n", {"UV": "/uv", "VIRTUAL_ENV": "{prefix}"}, "{ours}:/usr/bin"),
        ("relocatable = true\nextends-environment = /home/me/.venv\n", {"UV": "/uv"}, "{ours}:/usr/bin"),
        ("home = /usr/bin\n", {"UV": "/uv"}, "{ours}:/usr/bin"),
    ],
    ids=["uvx", "not by uv", "activated", "uv run --with", "the user's own"],
)
def test_only_the_environment_that_uvx_made_leaves_the_integration_s_path(
    tmp_path: Path, cfg: str, environ: dict[str, str], left: str
) -> None:
    (tmp_path / "pyvenv.cfg").write_text(cfg)
    ours, prefix = f"{tmp_path}/bin", str(tmp_path)
    given = {name: value.format(prefix=prefix) for name, value in environ.items()}
    assert without_ours(f"{ours}:/usr/bin", given, prefix) == left.format(ours=ours)
