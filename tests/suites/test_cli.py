"""The command line: what it prints, and with which code it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from payproof.contracts import profile
from payproof.contracts import run as runs
from payproof.contracts.model import PayproofError
from payproof.reports import WRITERS
from payproof.suites import cli, commands
from payproof.suites.commands import options, verdict
from payproof.suites.commands.loop import run_async
from payproof.suites.commands.short_forms import Flags, tables
from payproof.suites.config import load_config, writing
from payproof.suites.run.selection import matcher, select

CHECKLIST = profile.load("quatapay").checklist
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs payproof in an empty folder: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("PAYPROOF_"):
            monkeypatch.delenv(name)

    def go(*arguments: str) -> tuple[int, str, str]:
        code = cli.run(arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return go


def test_the_version_is_printed(run: Run) -> None:
    assert run("--version")[:2] == (0, "payproof 0.1.0\n")


def test_usage_errors_end_with_2(run: Run) -> None:
    assert run("nosuch")[0] == 2
    assert run("run", "--seed", "x")[0] == 2
    assert run()[0] == 2


def test_an_error_says_what_where_and_what_to_do(run: Run) -> None:
    code, out, err = run("run")
    assert (code, out) == (2, "")
    first, at, do = err.splitlines()
    assert first.startswith("error: no payproof.toml here")
    assert at.startswith("  at: ")
    assert "payproof init" in do


RECIPE = ("--checkout", "POST /c", "--order", "/o json:/status=paid", "--", "true")


def test_a_sandbox_that_is_not_configured_is_refused_and_the_message_says_what_to_give(run: Run) -> None:
    code, _, err = run("run", "--target", "sandbox", *RECIPE)
    assert code == 2
    assert "the sandbox is not configured" in err
    assert "base_url, client_id and secret_key" in err


def test_a_sandbox_that_is_not_configured_can_be_skipped_with_one_line(run: Run) -> None:
    code, out, _ = run("run", "--target", "sandbox", "--skip-unconfigured", *RECIPE)
    assert code == 0
    assert len(out.splitlines()) == 1
    assert out.startswith("skipped: ")


def test_without_a_file_checkout_and_order_are_both_needed(run: Run) -> None:
    assert "--order is needed too" in run("run", "--checkout", "POST /checkout")[2]
    assert "--checkout is needed too" in run("run", "--", "python", "app.py")[2]


def test_flags_beside_a_file_that_is_not_named_say_how_to_name_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / "payproof.toml").touch()
    assert "--config payproof.toml" in run("run", "--checkout", "POST /checkout")[2]


def test_a_folder_that_cannot_be_written_is_told_before_the_run(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = run(
        "run", "--report-dir", "file/reports", "--checkout", "POST /c", "--order", "/o json:/s", "--", "true"
    )
    assert code == 2
    assert "no report can be written there" in err


@pytest.mark.parametrize("arguments", [("--only", "token.cachd"), ("-k", "cachd"), ("--gateway", "quatpay")])
def test_wrong_names_are_answered_with_near_ones(run: Run, arguments: tuple[str, str]) -> None:
    code, _, err = run("run", *arguments, "--checkout", "POST /c", "--order", "/o json:/s", "--", "true")
    assert code == 2
    assert ("quatapay" if "quatpay" in arguments else "token.cached") in err


def test_a_command_that_does_not_exist_is_not_scored(run: Run) -> None:
    code, _, err = run("run", "-q", "--checkout", "POST /c", "--order", "/o json:/s", "--", "payproof-no-such-program")
    assert code == 2
    assert "does not start" in err


def test_payproofs_own_faults_are_told_as_such(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> str:
        raise RuntimeError("a bug")

    monkeypatch.setattr("payproof.suites.commands.schema.json_schema", broken)
    monkeypatch.delenv("PAYPROOF_DEBUG", raising=False)
    code, _, err = run("schema")
    assert code == 2
    assert "payproof itself failed (RuntimeError: a bug)" in err
    assert "Traceback" not in err
    monkeypatch.setenv("PAYPROOF_DEBUG", "1")
    assert "Traceback" in run("schema")[2]


def test_an_error_within_a_group_of_tasks_is_told_like_any_other(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> str:
        raise ExceptionGroup("tasks", [ExceptionGroup("inner", [PayproofError("the port is taken", place="port")])])

    monkeypatch.setattr("payproof.suites.commands.schema.json_schema", broken)
    assert run("schema") == (2, "", "error: the port is taken\n  at: port\n")


def test_ctrl_c_ends_with_130(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("payproof.suites.commands.schema.json_schema", interrupted)
    code, _, err = run("schema")
    assert code == 130
    assert "Traceback" not in err


def test_ctrl_c_lets_the_work_clean_up_even_when_it_is_pressed_twice() -> None:
    cleaned: list[str] = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.Event().wait()
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(3):
                await asyncio.sleep(0)
            cleaned.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        run_async(work())
    assert cleaned == ["all of it"]


# -- selection ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "name", "matches"),
    [
        ("token", "token.cached", True), ("TOKEN", "token.cached", True), ("not token", "token.cached", False),
        ("token and not cached", "token.renewed", True), ("a or token.cached", "token.cached", True),
        ("not (token or flow)", "flow.success", False), ("not not token", "token.cached", True),
        ("token or flow and success", "token.cached", True), ("no-stampede", "token.no-stampede", True),
    ],
)  # fmt: skip
def test_expressions_are_read_as_pytest_reads_them(expression: str, name: str, matches: bool) -> None:
    assert matcher(expression)(name) is matches


@pytest.mark.parametrize("expression", ["and", "token and", "(token", "token)", "not", "token flow", "()"])
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(PayproofError, match="not an expression"):
        matcher(expression)


def test_only_takes_requirements_groups_and_items() -> None:
    renewed = ("token.renewed", "token.retried-once", "token.no-stampede")
    assert select(CHECKLIST, ["token.cached"]) == ("token.cached",)
    assert select(CHECKLIST, ["token"]) == ("token.cached", *renewed)
    assert select(CHECKLIST, ["7"]) == select(CHECKLIST, ["token-expiry"]) == renewed
    assert select(CHECKLIST, ["g2"]) == ("token.cached", *renewed)
    assert select(CHECKLIST, ["token"], "not stampede") == ("token.cached", *renewed[:2])
    assert select(CHECKLIST, []) == ()


# -- the short forms ---------------------------------------------------------------------------------------------------


def test_flags_become_tables() -> None:
    flags = Flags(
        checkout="POST /checkout",
        order="/orders/{order.id} json:/status=paid,done",
        env=("A={gateway.base_url}", "B=x=y"),
        command=("python", "app.py"),
    )
    integration = tables(flags, defaults=True)["integration"]
    assert integration["env"] == {"A": "{gateway.base_url}", "B": "x=y"}
    assert integration["order"] == {"path": "/orders/{order.id}", "status": "json:/status", "paid": ["paid", "done"]}
    assert integration["checkout"]["json"]["order_id"] == "{order.id}"


@pytest.mark.parametrize(
    ("order", "status", "paid"),
    [
        ("/o html:#s", "html:#s", None), ("/o html:input[name=s]", "html:input[name=s]", None),
        ("/o html:input[name=s]=paid", "html:input[name=s]", ["paid"]), ("/o header:X-S=ok", "header:X-S", ["ok"]),
    ],
)  # fmt: skip
def test_an_order_may_be_said_in_one_line(order: str, status: str, paid: list[str] | None) -> None:
    table = tables(Flags(order=order), defaults=False)["integration"]["order"]
    assert (table["status"], table.get("paid")) == (status, paid)


@pytest.mark.parametrize(
    "flags", [{"env": ("A",)}, {"checkout": "checkout"}, {"order": "/orders"}, {"json": "[1]"}, {"json": "{"}]
)
def test_wrong_flags_are_refused(flags: dict[str, Any]) -> None:
    with pytest.raises(PayproofError):
        tables(Flags(**flags), defaults=True)


def test_a_get_or_a_form_has_no_default_body() -> None:
    assert "json" not in tables(Flags(checkout="GET /pay/{order.id}"), defaults=True)["integration"]["checkout"]
    assert "json" not in tables(Flags(checkout="POST /c", form=("a=b",)), defaults=True)["integration"]["checkout"]


# -- init --------------------------------------------------------------------------------------------------------------


def test_init_writes_a_file_that_loads(run: Run, tmp_path: Path) -> None:
    code, out, _ = run(
        "init", "--yes", "--command", "node app.js", "--env", "BASE={gateway.base_url}", "--name", 'a "b"'
    )
    assert (code, "payproof run" in out) == (0, True)
    config = load_config(tmp_path)
    assert config.integration.command == ("node", "app.js")
    assert config.integration.name == 'a "b"'
    assert config.integration.env == {"BASE": "{gateway.base_url}"}


def test_everything_that_init_leaves_as_a_comment_is_right_too(run: Run, tmp_path: Path) -> None:
    run("init", "--yes")
    file = tmp_path / "payproof.toml"
    lines = file.read_text().splitlines()[3:]
    text = "\n".join(line.removeprefix("# ") if " = " in line or line.startswith("# [") else line for line in lines)
    file.write_text(text)
    assert "flagged" in tomllib.loads(text)["integration"]["order"]
    assert load_config(file).attest[0].item == "monitoring"


def test_init_for_an_integration_that_already_runs_gives_it_credentials(run: Run, tmp_path: Path) -> None:
    run("init", "--yes", "--url", "http://127.0.0.1:8000")
    config = load_config(tmp_path)
    assert not config.integration.command
    assert config.simulator.port == 8400
    assert config.simulator.secret_key


def test_init_does_not_overwrite(run: Run, tmp_path: Path) -> None:
    (tmp_path / "payproof.toml").write_text("mine")
    code, _, err = run("init", "--yes")
    assert (code, "--force" in err) == (2, True)
    assert (tmp_path / "payproof.toml").read_text() == "mine"
    assert run("init", "--yes", "--force")[0] == 0


def test_init_asks(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(
        ["qrpay", "shop", "python shop.py", "/up", "POST /pay", "json", "json:/url", "/o/{order.id} json:/s=ok"]
    )

    def prompt(question: str, *, default: str, show_default: bool) -> str:
        return next(answers, default)

    monkeypatch.setattr("click.prompt", prompt)
    assert run("init", "--no-try")[0] == 0
    config = load_config(tmp_path)
    assert (config.gateway, config.integration.name, config.integration.ready) == ("qrpay", "shop", "/up")
    assert config.integration.checkout.redirect == "json:/url"
    assert config.integration.env["PAY_BASE_URL"] == "{gateway.base_url}"


# -- list, explain, check, report --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "holds"),
    [
        ("checks", "verify.forged-return"), ("probes", "double-submit"), ("faults", "never-answer"),
        ("gateways", "qrpay"), ("reports", "junit.xml"), ("profile", "token_is_payment"), ("facts", "token_life"),
    ],
)  # fmt: skip
def test_everything_can_be_listed(run: Run, what: str, holds: str) -> None:
    code, out, err = run("list", what)
    assert (code, err) == (0, "")
    assert holds in out
    assert "``" not in out


def test_a_list_uses_the_whole_terminal_and_breaks_no_name(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "150")
    lines = run("list", "probes")[1].splitlines()
    assert 130 < max(map(len, lines)) <= 150
    assert not any(line.endswith("-") for line in lines)


def test_help_says_each_sentence_to_its_end(run: Run) -> None:
    for arguments in (("--help",), ("cassettes", "--help")):
        options = run(*arguments)[1].partition("Commands:")[2]
        assert "inspect" in options or "selftest" in options
        assert "..." not in options


def test_a_group_is_explained_as_it_can_be_asked_for(run: Run) -> None:
    code, out, err = run("explain", "token")
    assert (code, err) == (0, "")
    chosen = select(CHECKLIST, ["token"])
    assert [name for name in CHECKLIST.all_requirements() if f"  {name} " in out] == list(chosen)
    assert "payproof run --only token" in out


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("payproof se", ["serve", "selftest"]),
        ("payproof run --target s", ["simulator", "sandbox"]),
        ("payproof run --only token.c", ["token.cached"]),
        ("payproof explain http", ["https", "https.return-url"]),
    ],
)
def test_a_shell_can_complete(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: str, completed: list[str]
) -> None:
    monkeypatch.setenv("_PAYPROOF_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    with pytest.raises(SystemExit):
        commands.command([])
    offered = [line.partition(",")[2] for line in capsys.readouterr().out.splitlines()]
    assert offered[: len(completed)] == completed


def test_every_requirement_and_item_can_be_explained(run: Run) -> None:
    for name in (*CHECKLIST.all_requirements(), *(item.id for item in CHECKLIST.golive), "7", "G7"):
        code, out, err = run("explain", name)
        assert (code, err) == (0, ""), name
        assert len(out.splitlines()) > 3


def test_explain_tells_contradictions(run: Run) -> None:
    assert "Checked instead" in run("explain", "token.cached", "--gateway", "qrpay")[1]


def test_explain_suggests(run: Run) -> None:
    code, _, err = run("explain", "forged")
    assert (code, "verify.forged-return" in err) == (2, True)


def test_an_empty_run_can_be_judged_again_and_reported(run: Run, tmp_path: Path) -> None:
    saved = runs.Run(gateway="quatapay", scored=False, diagnosis=("it never called the gateway",))
    (tmp_path / "run.jsonl").write_text(runs.dump(saved))
    code, out, _ = run("check", "run.jsonl", "--report-dir", "out")
    assert code == 2
    assert "it never called the gateway" in out
    code, out, _ = run("report", "run.jsonl", "--report-dir", "again", "--format", "json")
    assert code == 0
    assert {file.name for file in (tmp_path / "again").iterdir()} == {"report.json", "run.jsonl"}


def test_a_file_that_is_no_run_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("{}")
    assert run("check", "x")[0] == 2
    assert run("report", "nosuch")[0] == 2


def test_the_command_line_knows_every_report() -> None:
    assert set(options.FORMATS) == set(WRITERS)


@pytest.mark.parametrize(("gateway", "asked"), [("harbor", True), ("quatapay", False)])
def test_a_new_file_asks_where_notices_arrive_where_the_gateway_sends_some(gateway: str, asked: bool) -> None:
    data = {
        "integration": {"name": "shop", "url": "http://127.0.0.1:1", "checkout": {"path": "/"}, "order": {"path": "/"}}
    }
    assert ("[integration.webhook]" in writing.compose(data, profile.load(gateway))) is asked


def test_an_instance_can_be_started_by_hand_with_what_a_run_hands_it(run: Run, tmp_path: Path) -> None:
    given = {"KEY": "{gateway.secret_key}", "URL": "{gateway.base_url}", "ODD": 'it\'s $HOME \\ "two"\nlines'}
    (tmp_path / "payproof.toml").write_text(
        writing.compose(
            {
                "integration": {
                    "name": "shop", "command": ["sh", "-c", 'printf "%s|" "$KEY" "$URL" "$ODD" "$STRANGE" {port}'],
                    "env": given, "checkout": {"path": "/pay"}, "order": {"path": "/o", "status": "json:/s"},
                },
            },
            profile.load("quatapay"),
        )
    )  # fmt: skip
    code, script, err = run("run", "--show-env")
    assert (code, err) == (0, "")
    printed = subprocess.run(
        ["sh"], input=script, capture_output=True, text=True, check=True, env={"STRANGE": "no"}
    ).stdout
    key, url, odd, strange, port, _ = printed.split("|")
    assert "payproof serve --gateway quatapay --port 8400 --client-id " in script
    assert f" --secret-key {key}\n" in script
    assert len(key) > 30
    assert (url, odd, strange) == ("http://localhost:8400/pay/sandbox/api/v1", given["ODD"], "")
    assert f"http://127.0.0.1:{port}." in script


def test_an_instance_with_a_fixed_address_is_said_to_call_the_real_gateway_when_started_by_hand(
    run: Run, tmp_path: Path
) -> None:
    integration = {
        "name": "shop", "command": ["sh"], "checkout": {"path": "/pay"}, "order": {"path": "/o", "status": "json:/s"},
        "gateway_hosts": ["api.gw.example"],
    }  # fmt: skip
    (tmp_path / "payproof.toml").write_text(writing.compose({"integration": integration}, profile.load("quatapay")))
    code, script, err = run("run", "--show-env")
    assert (code, err) == (0, "")
    assert "api.gw.example; started so, its calls go there, to the real gateway" in script


def test_what_already_runs_is_not_started_by_hand(run: Run) -> None:
    assert run("init", "--yes", "--url", "http://127.0.0.1:8000")[0] == 0
    code, _, err = run("run", "--show-env")
    assert (code, "has no command" in err) == (2, True)


def test_every_outcome_has_an_exit_code() -> None:
    assert {str(outcome): code for outcome, code in verdict.EXIT.items()} == {
        "ready": 0, "partial": 0, "not_ready": 1, "not_scored": 2,
    }  # fmt: skip
    assert commands.NOT_SCORED == 2
