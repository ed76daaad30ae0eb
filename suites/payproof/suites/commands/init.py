"""``payproof init``: asks, or takes flags, tries one payment, and writes payproof.toml."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from payproof.contracts import files, profile
from payproof.contracts.model import PayproofError
from payproof.suites.commands import options
from payproof.suites.commands.prompting import prompt, split
from payproof.suites.commands.short_forms import Flags, fields_of, tables
from payproof.suites.config import make_config, writing
from payproof.suites.discovery.surroundings import Surroundings, look_around

ORDER = f"{writing.ORDER_PAGE} json:/status=paid"


@click.command()
@click.option("--yes", is_flag=True, help="Ask nothing: take the flags, and what the folder tells for the rest.")
@click.option("--force", is_flag=True, help="Overwrite a payproof.toml that is there.")
@click.option("--output", type=click.Path(path_type=Path), default=Path("payproof.toml"), show_default=True)
@click.option("--command", "line", default="", help="Starts the integration, as in a shell (or behind --).")
@click.option("--try/--no-try", "trying", default=None, help="Start it and try one checkout; asked for without --yes.")
@options.recipe
def init(
    yes: bool, force: bool, output: Path, line: str, trying: bool | None, command: tuple[str, ...], **flags: Any
) -> int:
    """Write a commented payproof.toml. Asks for what the flags leave open, tries one checkout, and corrects what it sees."""
    if output.exists() and not force:
        raise PayproofError("there is one already", place=str(output), remedy="edit it, or overwrite it with --force")
    words = command or tuple(split(line))
    asks = not (yes or ((words or flags["url"]) and flags["checkout"] and flags["order"]))
    flags["gateway"] = flags["gateway"] or (_asked_gateway() if asks else "quatapay")
    gateway, folder = profile.load(flags["gateway"]), output.resolve().parent
    around = look_around(folder, gateway)
    answers = _asked(words, flags, around, gateway) if asks else _assumed(words, flags, around)
    data = tables(answers, defaults=True)
    if answers.command:
        env = data["integration"].setdefault("env", _env(around, gateway))
        if around.gateway_hosts:
            click.echo(
                f"Its code names {', '.join(around.gateway_hosts)}: calls to there are led to the run's gateway."
            )
            data["integration"]["gateway_hosts"] = list(around.gateway_hosts)
        if flags["env"]:  # what was given is part of it: the code reads more
            read = around.settings.env.items()
            env.update([(name, value) for name, value in read if name not in env and value not in env.values()])
    else:
        data["simulator"] = writing.beforehand(gateway)
    if _wants_trial(trying, answers, asks=asks):
        data = _tried(data, folder, around, asks=asks)
    text = writing.compose(data, gateway, _unset(data, around))
    make_config(tomllib.loads(text), folder=folder, place=str(output), text=text)
    files.write(output, text)
    click.echo(f"{output} is written. Look through it, then: payproof run")
    return 0


def _wants_trial(trying: bool | None, answers: Flags, *, asks: bool) -> bool:
    if trying is not None or not answers.command:
        return bool(trying and answers.command)
    return asks and click.confirm("Start it now and try one checkout?", default=True)


def _unset(data: dict[str, Any], around: Surroundings) -> list[str]:
    """Names that the code reads and that the draft gives nothing for."""
    told: dict[str, str] = data["integration"].get("env", {})
    return [name for name in around.settings.open if told and name not in told]


def _tried(data: dict[str, Any], folder: Path, around: Surroundings, *, asks: bool) -> dict[str, Any]:
    """The draft as far as payments that were tried made it better; who is asked may correct an answer, and have it tried again."""
    from rich.console import Console

    from payproof.reports.text_output import TextOutput
    from payproof.suites.commands.correcting import corrected
    from payproof.suites.commands.loop import run_async
    from payproof.suites.discovery.drafting import improved

    while True:
        draft = run_async(improved(data, folder, TextOutput(Console()).lines))
        if draft.paid or not asks:
            return draft.tables
        if unset := _unset(draft.tables, around):
            click.echo(f"The code also reads {', '.join(unset)}, and the draft gives nothing for them (env).")
        if (again := corrected(draft.tables)) is None:
            return draft.tables
        data = again


def _env(around: Surroundings, gateway: profile.Profile) -> dict[str, str]:
    """What it is told by its environment, under the names that its code seems to read."""
    read = {value: name for name, value in around.settings.env.items()}
    return {read.get(value, name): value for name, value in writing.usual_env(gateway).items()} | dict(
        around.settings.env
    )


def _assumed(words: tuple[str, ...], flags: dict[str, Any], around: Surroundings) -> Flags:
    given: dict[str, Any] = {key: value for key, value in flags.items() if value}
    name = Path.cwd().name or "integration"
    if not words and not flags["url"]:
        words = around.command or ("python", "app.py")
    defaults: dict[str, Any] = {"name": name, "checkout": "POST /checkout", "order": ORDER}
    return Flags(**{**defaults, **given}, command=words)


def _asked_gateway() -> str:
    known = ", ".join(sorted(name.replace("_", "-") for name in profile.names()))
    return prompt("gateway", f"Gateway ({known})", "quatapay", profile.load)


def _asked(words: tuple[str, ...], flags: dict[str, Any], around: Surroundings, gateway: profile.Profile) -> Flags:
    """The same, with a question for each flag that is open. Each answer is looked at before the next question."""
    asked = dict(flags)

    def ask(key: str, question: str, default: str, check: Callable[[Flags], object] | None = None) -> None:
        asked[key] = flags[key] or prompt(key, question, default, _checked(key, check))

    ask("name", "Name of the integration", Path.cwd().name or "integration")
    if not words and not flags["url"]:
        if around.framework:
            click.echo(f"This looks like {around.framework}.")
        words = tuple(split(prompt("command", "Command that starts it", shlex.join(around.command), split)))
    if not words:
        ask("url", "Where it runs", "http://127.0.0.1:8000", _draft)
    ask("ready", "A path that answers when it is ready", "/", _draft)
    ask("checkout", "How a customer starts to pay", "POST /checkout", _draft)
    if not (flags["json"] or flags["form"]):
        body = prompt("body", "Sent as json or form", "json", _body)
        asked["form"] = fields_of(body)
        asked["json"] = body if body.startswith("{") else ""
    ask("redirect", "Where that answer says where to pay (a pointer)", "location", _draft)
    ask("order", "Where an order's state is found, and the state that means paid", ORDER, _draft)
    if words and not flags["env"]:
        asked["env"] = tuple(_asked_env(gateway, around))
    within: float | None = asked.pop("within")
    return Flags(**asked, within=within, command=words)


def _draft(given: Flags) -> None:
    """Raises:
    PayproofError: what was answered so far cannot stand in the file.
    """
    data = tables(Flags(**{**_FILLER, **{key: value for key, value in _fields(given).items() if value}}), defaults=True)
    make_config(data, folder=Path.cwd(), place="your answer", environ={})


_FILLER: dict[str, Any] = {
    "gateway": "quatapay",
    "name": "x",
    "command": ("x",),
    "checkout": "POST /checkout",
    "order": ORDER,
}


def _fields(given: Flags) -> dict[str, Any]:
    return {name: getattr(given, name) for name in Flags.__slots__}


def _checked(key: str, check: Callable[[Flags], object] | None) -> Callable[[str], object]:
    def look(text: str) -> None:
        given: dict[str, Any] = {key: text}
        if check:
            check(Flags(**given))

    return look


def _body(text: str) -> None:
    """Raises:
    PayproofError: this is neither a kind of body nor the body itself.
    """
    if text.startswith("{"):
        _draft(Flags(json=text))
    elif text != "json":
        _draft(Flags(form=fields_of(text)))


def _asked_env(gateway: profile.Profile, around: Surroundings) -> list[str]:
    """The names of its settings, each as the code seems to read it."""
    more = f"; the code also reads {', '.join(around.settings.open)}" if around.settings.open else ""
    click.echo(f"The names of its environment variables (a dash: it has none{more})")
    read = {value: name for name, value in around.settings.env.items()}
    pairs: list[str] = []
    for name, value in writing.usual_env(gateway).items():
        answer = prompt("env", f"  {value}", read.get(value, name))
        if answer != "-":
            pairs.append(f"{answer}={value}")
    usual, named = writing.usual_env(gateway).values(), {pair.partition("=")[0] for pair in pairs}
    rest = {name: value for name, value in around.settings.env.items() if value not in usual and name not in named}
    return [*pairs, *(f"{name}={value}" for name, value in rest.items())]
