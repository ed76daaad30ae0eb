"""The requests as a shell script of cURL calls that runs from top to bottom."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator

from payproof.contracts.model import Result
from payproof.contracts.run import Run
from payproof.reports.facts import line
from payproof.reports.registry import writer
from payproof.reports.request_export import (
    ExportRequest,
    Handover,
    Text,
    Variable,
    handover,
    headers_of,
    sendable,
    show,
)

_BREAKS = re.compile(r"[\r\n\x00]+")
_PICK = """\
# Reads one value out of a JSON answer: pick '["data", 0]' < answer
pick() {
  python3 -c '
import json, sys
value = json.load(sys.stdin)
for key in json.loads(sys.argv[1]):
    value = value[key]
print(value)' "$1"
}"""


@writer("curl", "requests.sh", usual=True)
def render(result: Result, run: Run) -> str:
    """A POSIX shell script; credentials come from the environment."""
    return "\n".join(_script(handover(run))) + "\n"


def _script(export: Handover) -> Iterator[str]:
    yield "#!/bin/sh"
    yield "# The requests that the integration sent to the gateway, one for each operation, to be tried by hand."
    token = any("access_token" in ask.found for ask in export.asks)
    taken = "; the access token is taken from the answer" if token else ""
    yield f"# Written by payproof. Credentials come from the environment{taken}."
    if not export.asks:
        yield "# The integration never called the gateway: there is nothing to try."
        return
    yield "set -eu"
    yield ""
    # No apostrophe in there: bash takes it for a quote that never ends.
    yield f': "${{BASE_URL:?base URL of the gateway; the run used {_comment(export.base_url)}}}"'
    yield from (f': "${{{name.upper()}:?not set}}"' for name in export.variables)
    yield ""
    if any(ask.found for ask in export.asks):
        yield _PICK
        yield ""
    for ask in export.asks:
        yield from _call(ask)
        yield ""


def _call(ask: ExportRequest) -> Iterator[str]:
    if not sendable(ask):
        yield "# A request is left out: its method is none."
        return
    yield f"echo {shlex.quote(f'== {line(ask.operation)}')} >&2"
    yield "answer=$(curl -sS --globoff --max-time 30 \\"
    yield f"  --request {shlex.quote(ask.method)} \\"
    if ask.basic:
        yield '  --user "$CLIENT_ID:$SECRET_KEY" \\'
    yield from (f"  --header {_quoted(_one_line((f'{name}: ', *value)))} \\" for name, value in headers_of(ask))
    if ask.body:
        yield f"  --data-raw {_quoted(ask.body)} \\"
    yield f"  {_quoted(ask.url)})"
    yield "printf '%s\\n' \"$answer\""
    for name, path in ask.found.items():
        yield f"{name.upper()}=$(printf '%s' \"$answer\" | pick {shlex.quote(json.dumps(path))})"


def _quoted(text: Text) -> str:
    """One shell word: double quotes where that is readable, else texts in single and variables in double ones."""
    if not any(isinstance(part, str) and set(part) & set('"$`\\!') for part in text):
        return f'"{show(_shouted(text), "${", "}")}"'
    return "".join(
        f'"${{{part.name}}}"' if isinstance(part, Variable) else shlex.quote(part) for part in _shouted(text)
    )


def _one_line(text: Text) -> Text:
    """A header's value: a line break in it would begin another header."""
    return tuple(_BREAKS.sub(" ", part) if isinstance(part, str) else part for part in text)


def _shouted(text: Text) -> Text:
    """Variables of the environment are written in capitals."""
    return tuple(Variable(part.name.upper()) if isinstance(part, Variable) else part for part in text)


def _comment(text: str) -> str:
    """``text`` inside ``${NAME:?...}`` of a double-quoted word."""
    return "".join(letter for letter in line(text) if letter.isalnum() or letter in ":/.-_ ")
