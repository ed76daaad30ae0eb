"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
FORMATS = ("json", "junit", "markdown", "html", "curl", "http", "postman")
"""The names in ``payproof.reports.WRITERS``: a test says that they agree (importing the writers here would be slow)."""

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


def reports(function: F) -> F:
    """``--report-dir`` and ``--format``."""
    folder = click.Path(path_type=Path)
    function = click.option(
        "--format", "formats", multiple=True, type=click.Choice(FORMATS), help="Only these reports; repeatable."
    )(function)
    return click.option(
        "--report-dir", type=folder, default=Path("payproof-report"), show_default=True, help="Where reports go."
    )(function)
