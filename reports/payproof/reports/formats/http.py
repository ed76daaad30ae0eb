"""The requests as an .http file for editors (VS Code's REST Client, Visual Studio)."""

from __future__ import annotations

from collections.abc import Iterator

from payproof.contracts.model import Result
from payproof.contracts.run import Run
from payproof.reports.facts import clean, line
from payproof.reports.registry import writer
from payproof.reports.request_export import (
    BASE_URL,
    ExportRequest,
    Handover,
    Text,
    handover,
    headers_of,
    path_text,
    sendable,
    show,
    templated,
)


@writer("http", "requests.http")
def render(result: Result, run: Run) -> str:
    """Variables first, then the requests in the order in which they can be sent."""
    return "\n".join(_file(handover(run))) + "\n"


def _file(export: Handover) -> Iterator[str]:
    yield "# The requests that the integration sent to the gateway, one for each operation, to be tried by hand."
    yield "# Written by payproof. Fill in the credentials, then send the requests from top to bottom."
    if not export.asks:
        yield "# The integration never called the gateway: there is nothing to try."
        return
    yield ""
    yield f"@{BASE_URL} = {line(export.base_url)}"
    yield from (f"@{name} = " for name in export.variables)
    for ask in export.asks:
        yield ""
        yield from _request(ask)


def _request(ask: ExportRequest) -> Iterator[str]:
    yield f"### {line(ask.operation)}"
    if not sendable(ask):
        yield "# This request is left out: its method is none."
        return
    yield f"# @name {line(ask.operation)}"
    yield f"{ask.method} {line(show(ask.url))}"
    if ask.basic:
        yield "Authorization: Basic {{client_id}}:{{secret_key}}"
    for name, value in headers_of(ask):
        # A name's first characters can make a comment or a separator of the line.
        if not templated(value) and name[:1] not in "#":
            yield f"{name}: {line(show(value))}"
    if ask.body:
        yield ""
        if reason := _unsafe(ask.body):
            yield f"# The body is left out: {reason}."
        else:
            yield clean(show(ask.body))
    paths = {name: path_text(path) for name, path in ask.found.items()}
    if ask.found:
        yield ""
        yield "###"
    yield from (
        f"@{name} = {{{{{line(ask.operation)}.response.body.${path}}}}}"
        for name, path in paths.items()
        if "{{" not in path and "}}" not in path
    )


def _unsafe(body: Text) -> str:
    """Why an editor would not send a body as it stands; empty when it would."""
    if templated(body):
        return "{ { in it would be filled in by the editor"
    text = show(body, "", "")
    if any(each.lstrip()[:1] in _COMMANDS for each in text.splitlines() if each.strip()) or "//" in (
        each.lstrip()[:2] for each in text.splitlines()
    ):
        return "a line of it would be read as a command of the editor"
    return ""


_COMMANDS = ("#", "<", ">", "@")
"""What begins a separator, a comment, a file to read, a script or a variable."""
