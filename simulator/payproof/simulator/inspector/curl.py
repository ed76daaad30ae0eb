"""A call of the integration as a command to paste: credentials are variables of the shell."""

from __future__ import annotations

import re
import shlex

from payproof.contracts.entries import Request

_SECRET = re.compile(r"<([a-z][a-z-]*?)-\d+(?::[a-z0-9:]+)?>")
_OWN = frozenset({"host", "content-length", "connection", "accept-encoding", "transfer-encoding", "user-agent"})
"""Headers that curl writes by itself."""


def curl(request: Request) -> str:
    """One command. ``<access-token-1>`` becomes ``"$ACCESS_TOKEN"``."""
    method = request.method if re.fullmatch(r"[A-Za-z]{1,20}", request.method) else "GET"
    parts = ["curl -sS --globoff", f"-X {method}"]
    for name, value in request.headers:
        if name.lower() not in _OWN:
            parts.append(f"-H {_word(f'{name}: {value}')}")
    if request.body:
        parts.append(f"--data-raw {_word(request.body)}")
    return " \\\n  ".join([*parts, _word(request.url)])


def _word(text: str) -> str:
    """One word of a shell."""
    found: list[str] = []
    end = 0
    for match in _SECRET.finditer(text):
        found += [shlex.quote(text[end : match.start()])] if match.start() > end else []
        found.append(f'"${match[1].replace("-", "_").upper()}"')
        end = match.end()
    return "".join([*found, shlex.quote(text[end:])] if end < len(text) or not found else found)
