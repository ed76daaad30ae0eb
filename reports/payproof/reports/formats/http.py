"""The requests as an .http file for VS Code's REST Client and Visual Studio."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

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


@writer("http", "requests.http", usual=True)
def render(result: Result, run: Run) -> str:
    """Variables first, then the requests in the order in which they can be sent."""
    about = "For VS Code's REST Client and Visual Studio. For IntelliJ and httpyac: payproof report run.jsonl --format intellij"
    return written(handover(run), _kept, about)


def written(export: Handover, kept: Callable[[ExportRequest], Iterator[str]], about: str) -> str:
    """The file. ``kept``: the lines behind a request that keep what its answer gives, in an editor's own way. ``about``: one line,
    for which editors."""
    return "\n".join(_file(export, kept, about)) + "\n"


def name_of(ask: ExportRequest) -> str:
    """What a request can be called by where only letters, digits and underscores make a name."""
    return re.sub(r"\W", "_", ask.operation)


def paths_of(ask: ExportRequest) -> Iterator[tuple[str, str]]:
    """(variable, where the answer holds it), without keys that an editor would read as more than a key."""
    texts = ((name, path_text(path)) for name, path in ask.found.items())
    return ((name, text) for name, text in texts if not any(mark in text for mark in ("{{", "}}", "%}")))


def _kept(ask: ExportRequest) -> Iterator[str]:
    if ask.found:
        yield "###"
    yield from (f"@{name} = {{{{{name_of(ask)}.response.body.${path}}}}}" for name, path in paths_of(ask))


def _file(export: Handover, kept: Callable[[ExportRequest], Iterator[str]], about: str) -> Iterator[str]:
    yield "# The requests that the integration sent to the gateway, one for each operation, to be tried by hand."
    yield "# Written by payproof. Fill in the credentials, then send the requests from top to bottom."
    yield f"# {about}"
    if not export.asks:
        yield "# The integration never called the gateway: there is nothing to try."
        return
    yield ""
    yield f"@{BASE_URL} = {line(export.base_url)}"
    # Not every editor takes a variable without a value for one.
    yield from (f"@{name} = your-{name.replace('_', '-')}" for name in export.variables)
    for ask in export.asks:
        yield ""
        yield from _request(ask)
        if sendable(ask) and (lines := tuple(kept(ask))):
            yield ""
            yield from lines


def _request(ask: ExportRequest) -> Iterator[str]:
    yield f"### {line(ask.operation)}"
    if not sendable(ask):
        yield "# This request is left out: its method is none."
        return
    if ask.body and (reason := _unsafe(ask.body)):
        yield f"# The body is left out: {reason}."
    yield f"# @name {name_of(ask)}"
    yield f"{ask.method} {line(show(ask.url))}"
    if ask.basic:
        yield "Authorization: Basic {{client_id}} {{secret_key}}"
    for name, value in headers_of(ask):
        # A name's first characters can make a comment or a separator of the line.
        if not templated(value) and name[:1] not in "#":
            yield f"{name}: {line(show(value))}"
    if ask.body and not _unsafe(ask.body):
        yield ""
        yield clean(show(ask.body))


def _unsafe(body: Text) -> str:
    """Why an editor would not send a body as it stands; empty when it would."""
    if templated(body):
        return "{ { in it would be filled in by the editor"
    text = show(body, "", "")
    if any(each.lstrip().startswith(_COMMANDS) for each in text.splitlines()):
        return "a line of it would be read as a command of the editor"
    return ""


_COMMANDS = ("#", "//", "/*", "<", ">", "@", "?", "```", "HTTP/")
"""What begins a separator, a comment, a file to read, a script, a variable, an assertion, a test or an answer in some editor."""
