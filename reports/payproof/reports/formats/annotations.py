"""GitHub's annotations, as workflow commands that a step prints: the verdict and the worst ten of what is to be mended."""

from __future__ import annotations

from collections.abc import Iterator

from payproof.contracts.model import Outcome, Result
from payproof.contracts.run import Run
from payproof.reports import facts, values
from payproof.reports.issues import Grade, issues
from payproof.reports.registry import writer

WORST = 10
"""GitHub shows ten errors, ten warnings and ten notices of a step."""
_LENGTH = 500


@writer("annotations", "annotations.txt")
def render(result: Result, run: Run) -> str:
    """A command a line. Nothing in a text ends its command or begins another."""
    return "".join(f"{line}\n" for line in _commands(result, run))


def _commands(result: Result, run: Run) -> Iterator[str]:
    found = issues(result, run)
    if result.outcome is not Outcome.NOT_SCORED:
        yield _command("notice", f"payproof: {facts.BANNERS[result.outcome]}", facts.sentence(result))
    for issue in found[:WORST]:
        where = {"file": issue.path, "line": str(issue.line)} if issue.in_source else {}
        level = "warning" if issue.grade is Grade.SHOULD else "error"
        yield _command(level, f"payproof: {issue.name}", issue.message, where)
    if len(found) > WORST:
        yield _command("notice", "payproof", f"and {len(found) - WORST} more, see the reports")


def _command(level: str, title: str, message: str, where: dict[str, str] | None = None) -> str:
    properties = ",".join(f"{name}={_property(value)}" for name, value in {**(where or {}), "title": title}.items())
    return f"::{level} {properties}::{_data(values.cut(facts.line(message), _LENGTH))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(facts.line(text)).replace(":", "%3A").replace(",", "%2C")
