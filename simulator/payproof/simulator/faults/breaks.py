"""Connections that end before the answer has come to its end. With ``after_effect`` the gateway has done its work."""

from __future__ import annotations

from dataclasses import dataclass

from payproof.simulator.faults.context import FaultContext, Then, head
from payproof.simulator.faults.registry import fault

_GARBAGE = bytes((7 * number + 128) % 256 for number in range(256))
"""Begins with bytes that no text in HTTP has."""


@fault("reset")
@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """The connection is reset (RST) before a byte of the answer."""

    async def act(self, context: FaultContext) -> None:
        await context.reset()


@fault("reset-in-headers")
@dataclass(frozen=True, slots=True, kw_only=True)
class ResetInHeaders:
    """The status line and half of the real answer's headers, and then a reset (RST)."""

    async def act(self, context: FaultContext) -> None:
        answer = await context.real()
        whole = head(answer, [(b"content-length", str(len(answer.body)).encode())])
        line = whole.index(b"\r\n") + 2
        await context.write(whole[: line + (len(whole) - line) // 2])
        await context.finish("reset")


@fault("reset-in-body")
@dataclass(frozen=True, slots=True, kw_only=True)
class ResetInBody:
    """The real answer's headers and half of its body, and then a reset (RST)."""

    async def act(self, context: FaultContext) -> None:
        answer = await context.real()
        body = bytes(answer.body)
        await context.begin_raw(answer, (b"content-length", str(len(body)).encode()))
        await context.body_raw(body[: len(body) // 2])
        await context.finish("reset")


@fault("half-status-line")
@dataclass(frozen=True, slots=True, kw_only=True)
class HalfStatusLine:
    """``HTTP/1.``, and ``then`` the connection is closed, reset, or held until the client hangs up."""

    then: Then = "close"

    async def act(self, context: FaultContext) -> None:
        await context.write(b"HTTP/1.")
        await context.finish(self.then)


@fault("garbage")
@dataclass(frozen=True, slots=True, kw_only=True)
class Garbage:
    """256 bytes that are no HTTP, and ``then`` the connection is closed, reset, or held until the client hangs up."""

    then: Then = "close"

    async def act(self, context: FaultContext) -> None:
        await context.write(_GARBAGE)
        await context.finish(self.then)
