"""A written story as Markdown, and as one self-contained page in the report's own style."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from payproof.contracts import __version__
from payproof.reports.facts import clean, line
from payproof.reports.sequence.account import Account
from payproof.reports.sequence.arrows import lines
from payproof.reports.sequence.mermaid import mermaid
from payproof.reports.sequence.svg import svg


def markdown(account: Account) -> str:
    """Rules, numbered sentences, and a mermaid diagram."""
    parts = [
        f"# {_title(account)}",
        "",
        f"{account.name} against {account.gateway}, found by payproof {__version__}.",
        "",
    ]
    for broken in account.broken:
        parts += [f"**{broken.rule}** is broken for order {broken.order}. {broken.text}", ""]
        parts += [f"- expected: {line(broken.expected)}", f"- actual: {line(broken.actual)}", ""]
    parts += ["## The story", ""]
    parts += [f"{number}. {line(sentence)}" for number, sentence in enumerate(account.sentences, start=1)]
    parts += ["", "Then everything is well again, and who has paid comes back once.", "", "## Again", ""]
    parts += ["```sh", account.replay, "```", "", "## What was said", "", "```mermaid", mermaid(lines(account.entries))]
    return clean("\n".join((*parts, "```", "")))


def html(account: Account) -> str:
    """One page without outside assets and without a script."""
    return (
        _environment()
        .get_template("story.html.j2")
        .render(account=account, title=_title(account), diagram=svg(lines(account.entries)), version=__version__)
    )


def _title(account: Account) -> str:
    return account.broken[0].text.rstrip(".") if account.broken else "A story"


@cache
def _environment() -> Environment:
    loader = PackageLoader("payproof.reports")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["clean"] = clean
    return environment
