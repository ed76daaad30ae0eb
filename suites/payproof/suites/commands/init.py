"""``payproof init``: asks, or takes flags, and writes payproof.toml."""

from __future__ import annotations

import shlex
import sys
import tomllib
from pathlib import Path
from typing import Any

import click

from payproof.contracts import files, profile
from payproof.contracts.model import PayproofError
from payproof.suites.commands import options
from payproof.suites.config import make_config
from payproof.suites.config import writing as writing
from payproof.suites.config.short_forms import Flags, tables

ORDER = "/orders/{order.id} json:/status=paid"


@click.command()
@click.option("--yes", is_flag=True, help="Ask nothing: take the flags, and the defaults for the rest.")
@click.option("--force", is_flag=True, help="Overwrite a payproof.toml that is there.")
@click.option("--output", type=click.Path(path_type=Path), default=Path("payproof.toml"), show_default=True)
@click.option("--command", "line", default="", help="Starts the integration, as in a shell (or behind --).")
@options.recipe
def init(yes: bool, force: bool, output: Path, line: str, command: tuple[str, ...], **flags: Any) -> int:
    """Write a commented payproof.toml. Asks for what the flags leave open."""
    if output.exists() and not force:
        raise PayproofError("there is one already", place=str(output), remedy="edit it, or overwrite it with --force")
    if flags["gateway"]:
        profile.load(flags["gateway"])
    words = command or tuple(_split(line))
    enough = (words or flags["url"]) and flags["checkout"] and flags["order"]
    answers = _assumed(words, flags) if yes or enough else _asked(words, flags)
    gateway = profile.load(answers.gateway)
    data = tables(answers, defaults=True)
    if answers.command:
        data["integration"].setdefault("env", writing.usual_env(gateway))
    else:
        data["simulator"] = writing.beforehand()
    text = writing.compose(data, gateway)
    make_config(tomllib.loads(text), folder=output.resolve().parent, place=str(output), text=text)
    files.write(output, text)
    click.echo(f"{output} is written. Look through it, then: payproof run")
    return 0


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise PayproofError(f"not a command: {error}", place="--command", remedy="close the quotes") from None


def _assumed(words: tuple[str, ...], flags: dict[str, Any]) -> Flags:
    given: dict[str, Any] = {key: value for key, value in flags.items() if value}
    name = Path.cwd().name or "integration"
    if not words and not flags["url"]:
        words = ("python", "app.py")
    defaults: dict[str, Any] = {"gateway": "quatapay", "name": name, "checkout": "POST /checkout", "order": ORDER}
    return Flags(**{**defaults, **given}, command=words)


def _asked(words: tuple[str, ...], flags: dict[str, Any]) -> Flags:
    """The same, with a question for each flag that is open."""
    asked = dict(flags)

    def ask(key: str, question: str, default: str) -> None:
        asked[key] = flags[key] or _prompt(question, default)

    known = ", ".join(sorted(name.replace("_", "-") for name in profile.names()))
    ask("gateway", f"Gateway ({known})", "quatapay")
    gateway = profile.load(asked["gateway"])
    ask("name", "Name of the integration", Path.cwd().name or "integration")
    if not words and not flags["url"]:
        words = tuple(_split(_prompt("Command that starts it (empty: it already runs)", "")))
    if not words:
        ask("url", "Where it runs", "http://127.0.0.1:8000")
    ask("ready", "A path that answers when it is ready", "/")
    ask("checkout", "How a customer starts to pay", "POST /checkout")
    ask("redirect", "Where that answer says where to pay (a pointer)", "location")
    ask("order", "Where an order's state is found, and the state that means paid", ORDER)
    if words and not flags["env"]:
        asked["env"] = tuple(_asked_env(gateway))
    within: float | None = asked.pop("within")
    return Flags(**asked, within=within, command=words)


def _prompt(question: str, default: str) -> str:
    try:
        return str(click.prompt(question, default=default, show_default=bool(default)))
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise PayproofError(
            "there is nobody to answer",
            place=question,
            remedy="give the answers as flags, and --yes (payproof init -h)",
        ) from None


def _asked_env(gateway: profile.Profile) -> list[str]:
    click.echo("The names of its environment variables (a dash: it has none)")
    pairs: list[str] = []
    for name, value in writing.usual_env(gateway).items():
        answer = _prompt(f"  {value}", name)
        if answer != "-":
            pairs.append(f"{answer}={value}")
    return pairs
