"""The requests as an .http file for editors (VS Code's REST Client, Visual Studio)."""

from __future__ import annotations

from collections.abc import Iterator

from payproof.contracts.model import Result
from payproof.contracts.run import Run
from payproof.reports.facts import line
from payproof.reports.handover import BASE_URL, Ask, Handover, handover, path_text, show
from payproof.reports.registry import writer


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


def _request(ask: Ask) -> Iterator[str]:
    yield f"### {ask.operation}"
    yield f"# @name {ask.operation}"
    yield f"{ask.method} {line(show(ask.url))}"
    if ask.basic:
        yield "Authorization: Basic {{client_id}}:{{secret_key}}"
    yield from (f"{line(name)}: {line(show(value))}" for name, value in ask.headers)
    if ask.body:
        yield ""
        # A line of three number signs would begin the next request.
        yield show(ask.body).replace("\n###", "\n ###")
    if ask.found:
        yield ""
        yield "###"
    yield from (
        f"@{name} = {{{{{ask.operation}.response.body.${path_text(path)}}}}}" for name, path in ask.found.items()
    )
