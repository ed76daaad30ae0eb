"""Answers whose body is damaged. The gateway's real answer is the raw material, so its effect happens in any case."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from payproof.simulator.faults.context import FaultContext
from payproof.simulator.faults.parameters import HeaderValue
from payproof.simulator.faults.registry import fault


def remade(answer: Response, body: bytes, media_type: str = "") -> Response:
    """``answer`` with another body, correctly framed, and perhaps another content type."""
    made = Response(body, status_code=answer.status_code)
    replaced = (b"content-length", b"content-type") if media_type else (b"content-length",)
    made.raw_headers = [pair for pair in answer.raw_headers if pair[0] not in replaced]
    made.raw_headers.append((b"content-length", str(len(body)).encode()))
    if media_type:
        made.raw_headers.append((b"content-type", media_type.encode()))
    return made


@fault("cut")
@dataclass(frozen=True, slots=True, kw_only=True)
class CutBody:
    """The real answer, cut after the share ``keep`` of it: broken JSON in a correct frame."""

    keep: Annotated[float, Field(ge=0, le=1)] = 0.5

    async def act(self, context: FaultContext) -> None:
        answer = await context.real()
        await context.answer(remade(answer, bytes(answer.body)[: int(len(answer.body) * self.keep)]))


@fault("wrong-content-type")
@dataclass(frozen=True, slots=True, kw_only=True)
class WrongContentType:
    """The real answer under another ``content_type``."""

    content_type: HeaderValue = "text/html; charset=UTF-8"

    async def act(self, context: FaultContext) -> None:
        answer = await context.real()
        await context.answer(remade(answer, bytes(answer.body), self.content_type))


@fault("oversized")
@dataclass(frozen=True, slots=True, kw_only=True)
class Oversized:
    """The real answer, true and valid, with a filler field of so many ``kilobytes``."""

    kilobytes: Annotated[int, Field(ge=0, le=65_536)] = 256

    async def act(self, context: FaultContext) -> None:
        answer = await context.real()
        body = bytes(answer.body)
        filler = json.dumps("x" * (self.kilobytes * 1024)).encode()
        rest = b"," + body[1:] if body.startswith(b"{") and len(body) > 2 else b"}"
        await context.answer(remade(answer, b'{"padding":' + filler + rest))
