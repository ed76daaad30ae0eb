"""The family's answers: its envelope, and the framework's own shape outside of it (gateway-facts 3.2, 3.5)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from starlette.responses import HTMLResponse, Response

from payproof.contracts.model import Json, PayproofError
from payproof.contracts.profile import WireError
from payproof.simulator.calls import Answer
from payproof.simulator.dialect import GatewayDeps

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{text}</title>
<style>body{{font-family:ui-sans-serif,system-ui,sans-serif;margin:0;min-height:100vh;display:flex;align-items:center;
justify-content:center;background:#f7fafc;color:#a0aec0;font-size:1.125rem;letter-spacing:.05em}}
b{{border-right:1px solid #cbd5e0;padding-right:1rem;margin-right:1rem;font-weight:400}}</style></head>
<body><b>{status}</b><span>{text}</span></body></html>
"""
_ENCODER = json.JSONEncoder(separators=(",", ":"))


def encoded(content: Mapping[str, Any]) -> bytes:
    """JSON without spaces, every character that is not plain ASCII escaped."""
    found = msgspec.json.encode(content)
    # The quick writer escapes neither of these.
    return found if found.isascii() and b"\x7f" not in found else _ENCODER.encode(content).encode()


class Envelope:
    def __init__(self, deps: GatewayDeps) -> None:
        self._errors: Mapping[str, WireError] = deps.profile.errors
        self._escape = bool(deps.knobs["escaped_slashes"])

    def json(self, status: int, content: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
        text = encoded(content)
        body = text.replace(b"/", b"\\/") if self._escape else text
        if headers is None:
            return Answer(status, body, b"application/json")
        return Response(body, status_code=status, headers=headers, media_type="application/json")

    def success(self, text: str, data: Mapping[str, Json], status: int = 200) -> Response:
        return self.json(status, {"message": {"code": status, "success": [text]}, "data": data, "type": "success"})

    def failure(self, status: int, texts: Iterable[str]) -> Response:
        return self.json(status, {"message": {"code": status, "error": list(texts)}, "data": [], "type": "error"})

    def plain(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
        """The framework's shape: ``message`` is a text."""
        return self.json(status, {"message": text}, headers)

    def page(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
        """The framework's page for the same."""
        return HTMLResponse(_PAGE.format(status=status, text=text), status_code=status, headers=headers)

    def error(self, *names: str, canary: str = "", status: int = 0) -> Response:
        """Errors of the profile in one answer, to the letter; the first one's status unless another is given."""
        found = [self._known(name) for name in names]
        texts = [f"{text} {canary}".rstrip() for error in found for text in error.texts]
        code = status or found[0].status
        return self.failure(code, texts) if found[0].envelope else self.plain(code, texts[0])

    def _known(self, name: str) -> WireError:
        if name not in self._errors:
            raise PayproofError(f'the profile has no error "{name}"', place=name, remedy=", ".join(self._errors))
        return self._errors[name]
