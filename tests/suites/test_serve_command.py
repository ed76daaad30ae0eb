"""``payproof serve`` as it is typed, and how little is imported before a command is called."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from payproof.suites.commands import COMMANDS, payproof
from payproof.suites.commands.serve import steering_nobody

HEAVY = {"httpx", "rich", "bs4", "psutil", "cryptography", "jinja2", "pydantic", "payproof.suites.config"}
"""What takes long to import, and is not needed to print a list or to answer a first call."""


def imported(script: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{script}\nprint('loaded:', *sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.rpartition("loaded:")[2].split())


def test_the_list_of_commands_imports_none_of_them() -> None:
    found = imported("from payproof.suites.commands import command\ncommand(['--help'])")
    assert not found & HEAVY
    assert not found & {place.partition(":")[0] for place in COMMANDS.values()}


def test_a_simulator_is_ready_without_what_only_some_of_its_users_need() -> None:
    script = """
import asyncio
import payproof.suites.commands.serve
from payproof.contracts.profile import load
from payproof.simulator.serve import serve

async def scenario():
    stop = asyncio.Event()
    await serve(load("quatapay"), port=0, control_port=0, out=lambda text: stop.set(), stop=stop)

asyncio.run(scenario())
"""
    assert not imported(script) & HEAVY


def test_nor_does_the_command_read_what_belongs_to_the_configuration() -> None:
    script = """
import payproof.simulator.serve as simulator
from payproof.suites.commands import command

async def ready(*_, **__):
    pass

simulator.serve = ready
assert command(["serve", "--port", "0", "--control-port", "0", "--credential", "webhook_secret=w"]) == 0
"""
    assert not imported(script) & HEAVY


def test_a_line_of_the_request_log_is_no_command_to_a_ci_server() -> None:
    heard = list[str]()
    steering_nobody(heard.append)("12:00:00  GET /##[set-env name=PATH]evil 404")
    assert heard == ["12:00:00  GET /# #[set-env name=PATH]evil 404"]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_as_it_describes_itself(name: str) -> None:
    context = click.Context(payproof, info_name="payproof", max_content_width=100, terminal_width=100)
    command = payproof.get_command(context, name)
    assert command is not None
    assert command.name == name
    listed = " ".join(payproof.get_help(context).split())
    assert f"{name} {command.get_short_help_str(200).removesuffix('.')[:30]}" in listed


def test_a_command_that_does_not_exist_is_refused() -> None:
    assert payproof.get_command(click.Context(payproof), "nonsense") is None


def test_settings_have_the_names_of_the_configuration_and_the_command_line_wins(tmp_path: Path) -> None:
    file = tmp_path / "payproof.toml"
    file.write_text(
        """
[integration]
command = ["true"]
[integration.env]
SHOP_GATEWAY = "{gateway.base_url}"
SHOP_ID      = "{gateway.client_id}"
SHOP_KEY     = "{gateway.secret_key}"
SHOP_MODE    = "plain text"
SHOP_PORT    = "{port}"
[integration.checkout]
path = "/checkout"
[integration.order]
path   = "/orders/{order.id}"
status = "json:/status"
[simulator]
client_id  = "from-the-file"
secret_key = "from-the-file-too"
"""
    )
    command = [
        sys.executable,
        "-m",
        "payproof.suites.cli",
        "serve",
        "--config",
        str(file),
        "--client-id",
        "typed-by-hand",
        "--tls",
    ]
    process = subprocess.Popen([*command, "--port", "0", "--control-port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        text = ""
        assert process.stdout is not None
        while "Ctrl-C stops it" not in text:
            line = process.stdout.readline()
            assert line, text
            text += line
        exports = dict(re.findall(r"^  export (\w+)=(.+)$", text, re.MULTILINE))
        assert exports["SHOP_GATEWAY"].startswith("https://localhost:")
        assert (exports["SHOP_ID"], exports["SHOP_KEY"], exports["SHOP_MODE"]) == (
            "typed-by-hand",
            "from-the-file-too",
            "'plain text'",
        )
        assert "SHOP_PORT" not in exports
        bundle = Path(exports["SSL_CERT_FILE"])
        assert bundle.is_file()
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert not bundle.exists(), "what was made for this start goes with it"
