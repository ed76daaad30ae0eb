"""Answers whose body does not fit its frame. The real answer is the raw material, so its effect happens in any case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from payproof.simulator.faults.context import FaultContext, Then, chunk
from payproof.simulator.faults.registry import fault


@fault("length-too-short")
@dataclass(frozen=True, slots=True, kw_only=True)
class LengthTooShort:
    """The real answer under a Content-Length that is ``by`` bytes too short; the rest comes all the same, before the end."""

    by: Annotated[int, Field(ge=1, le=65_536)] = 10

    async def act(self, context: FaultContext) -> None:
        answer = await context.real()
        body = bytes(answer.body)
        declared = max(len(body) - self.by, 0)
        await context.begin_raw(answer, (b"content-length", str(declared).encode()))
        await context.body_raw(body[:declared], body)
        await context.finish()


@fault("length-too-long")
@dataclass(frozen=True, slots=True, kw_only=True)
class LengthTooLong:
    """The real answer, whole, under a Content-Length that is ``by`` bytes too long; ``then`` the connection is closed, reset, or
    held until the client hangs up."""

    by: Annotated[int, Field(ge=1, le=65_536)] = 10
    then: Then = "close"

    async def act(self, context: FaultContext) -> None:
        answer = await context.real()
        body = bytes(answer.body)
        await context.begin_raw(answer, (b"content-length", str(len(body) + self.by).encode()))
        await context.body_raw(body)
        await context.finish(self.then)


@fault("chunk-cut")
@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkCut:
    """The real answer as one chunk, of which half comes; ``then`` the connection is closed, reset, or held until the client
    hangs up."""

    then: Then = "close"

    async def act(self, context: FaultContext) -> None:
        answer = await context.real()
        body = bytes(answer.body)
        half = len(body) // 2
        await context.begin_raw(answer, (b"transfer-encoding", b"chunked"))
        await context.body_raw(body[:half], b"%x\r\n" % len(body) + body[:half])
        await context.finish(self.then)


@fault("chunk-broken")
@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkBroken:
    """The real answer in two chunks; the size of the second is no number."""

    async def act(self, context: FaultContext) -> None:
        answer = await context.real()
        body = bytes(answer.body)
        half = len(body) // 2
        await context.begin_raw(answer, (b"transfer-encoding", b"chunked"))
        await context.body_raw(body[:half], chunk(body[:half]))
        await context.write(b"what\r\n" + body[half:] + b"\r\n0\r\n\r\n")
        await context.finish()
