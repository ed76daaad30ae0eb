"""Options that several commands share."""

from __future__ import annotations

import functools
import importlib.util
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from payproof.contracts.model import PayproofError

if TYPE_CHECKING:
    from payproof.contracts.profile import Profile

F = TypeVar("F", bound=Callable[..., Any])


def _formats() -> tuple[str, ...]:
    found = importlib.util.find_spec("payproof.reports")
    folders = found.submodule_search_locations if found else None
    return tuple(module.name for module in pkgutil.iter_modules([f"{folder}/formats" for folder in folders or ()]))


FORMATS = _formats()
"""The names in ``payproof.reports.WRITERS``, which are those of their modules: importing the writers here would be slow."""

_RECIPE = (
    click.option("--gateway", default="", metavar="NAME", help="Gateway to test against (payproof list gateways)."),
    click.option("--name", default="", help="What the reports call the integration."),
    click.option("--url", default="", help="Where it listens; default http://127.0.0.1:{port}."),
    click.option("--ready", default="", metavar="PATH", help="Path that is asked until it answers; default /."),
    click.option("--env", multiple=True, metavar="K=V", help="Its environment; values may hold {placeholders}."),
    click.option("--checkout", default="", metavar="'POST /PATH'", help="How the customer starts to pay."),
    click.option("--form", multiple=True, metavar="K=V", help="Form field of the checkout, instead of JSON."),
    click.option("--json", default="", metavar="OBJECT", help="JSON body of the checkout."),
    click.option(
        "--redirect", default="", metavar="POINTER", help="Where the answer says where to pay; default location."
    ),
    click.option("--order", default="", metavar="'/PATH POINTER=STATE'", help="'/orders/{order.id} json:/status=paid'"),
    click.option("--within", type=float, default=None, help="Seconds that a background verification may take."),
)


def ids(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """What a shell may complete: requirements, their groups and checklist items of the gateway that was named."""
    from payproof.contracts import profile

    checklist = profile.load(ctx.params.get("gateway") or "quatapay").checklist
    requirements = checklist.all_requirements()
    items = (item.id for item in (*checklist.guidelines, *checklist.golive))
    known = dict.fromkeys((*(name.partition(".")[0] for name in requirements), *requirements, *items))
    return [name for name in known if name.startswith(incomplete)]


def each_gateway() -> Iterator[Profile]:
    """The profiles of the gateways that are known here. One that cannot be loaded is named on stderr, in one line, and left out."""
    from payproof.contracts import profile
    from payproof.reports import facts

    for name in profile.names():
        try:
            yield profile.load(name)
        except PayproofError as error:
            click.echo(facts.line(f"left out: {error.message}"), err=True)


def recipe(function: F) -> F:
    """The flags that describe an integration without a file, and the command behind ``--``."""
    for option in reversed(_RECIPE):
        function = option(function)
    return click.argument("command", nargs=-1, type=click.UNPROCESSED)(function)


def config(function: F) -> F:
    """``--config``."""
    path = click.Path(path_type=Path)
    return click.option("--config", "config_path", type=path, default=None, help="payproof.toml or its folder.")(
        function
    )


def write_baseline(function: F) -> F:
    """``--write-baseline``."""
    text = "Accept what fails for now: write payproof-baseline.toml, to be completed."
    return click.option("--write-baseline", is_flag=True, help=text)(function)


def reports(function: F) -> F:
    """``--report-dir``, ``--format`` and ``--report``; the function gets ``report_dir`` and ``formats``: empty for the usual ones."""

    @functools.wraps(function)
    def chosen(*args: Any, formats: tuple[str, ...], also: tuple[str, ...], **options: Any) -> Any:
        return function(*args, formats=_wanted(formats, also), **options)

    folder = click.Path(path_type=Path)
    for option in (
        click.option("--report", "also", multiple=True, metavar="NAME", callback=_names, help=_ALSO),
        click.option("--format", "formats", multiple=True, type=click.Choice(FORMATS), help=_ONLY, metavar="NAME"),
        click.option(
            "--report-dir", type=folder, default=Path("payproof-report"), show_default=True, help="Where reports go."
        ),
    ):
        chosen = option(chosen)
    return cast("F", chosen)


_ONLY = "Only this report; repeatable (payproof list reports)."
_ALSO = "This report besides the usual ones; repeatable, or with commas."


def _names(context: click.Context, option: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    names = tuple(name.strip() for value in values for name in value.split(","))
    return tuple(click.Choice(FORMATS).convert(name, option, context) for name in names if name)


def _wanted(only: tuple[str, ...], also: tuple[str, ...]) -> tuple[str, ...]:
    if only or not also:
        return tuple(dict.fromkeys((*only, *also)))
    from payproof.reports.folder import usual

    return tuple(dict.fromkeys((*usual(), *also)))


def pairs(texts: Iterable[str], flag: str) -> dict[str, str]:
    """``NAME=VALUE`` texts as a table."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (equals and name):
            raise PayproofError(f'"{text}" is not NAME=VALUE', place=flag, remedy=f"write {flag} NAME=VALUE")
        found[name] = value
    return found
