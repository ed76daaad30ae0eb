"""Answers that come late, or never. Waiting is in real seconds, and a client that hangs up is noticed at once."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from pydantic import Field

from payproof.simulator.exchange import Written
from payproof.simulator.faults.context import FaultContext, chunk, head
from payproof.simulator.faults.parameters import Seconds
from payproof.simulator.faults.registry import fault

_PARTS_A_SECOND = 20


@fault("delay")
@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """The real answer after ``seconds``. Its effect happens then, or at once with ``after_effect``."""

    seconds: Seconds = 10.0

    async def act(self, context: FaultContext) -> None:
        answer = await context.real() if context.spec.after_effect else None
        if await context.hold(self.seconds):
            await context.answer(answer or await context.real())
        else:
            await context.hang_up()


@fault("gather")
@dataclass(frozen=True, kw_only=True)
class Gather:
    """Holds answers until ``calls`` are waiting, ``seconds`` at most, and then gives them all at the same moment: what
    races will race."""

    calls: Annotated[int, Field(ge=1, le=1_000)] = 2
    seconds: Seconds = 1.0

    @cached_property
    def _crowd(self) -> list[asyncio.Event]:
        return []

    async def act(self, context: FaultContext) -> None:
        answer = await context.real()
        full = asyncio.Event()
        self._crowd.append(full)
        if len(self._crowd) >= self.calls:
            for waiting in self._crowd:
                waiting.set()
            self._crowd.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(full.wait(), self.seconds)
        await context.answer(answer)


@fault("never-answer")
@dataclass(frozen=True, slots=True, kw_only=True)
class NeverAnswer:
    """Takes the request and says nothing, until the client hangs up or the fault is cleared."""

    async def act(self, context: FaultContext) -> None:
        await context.hold()
        await context.hang_up()


@fault("stall")
@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """The real answer's status and headers, Content-Length included, the share ``keep`` of its body (0: not a byte), and then
    silence until the client hangs up."""

    keep: Annotated[float, Field(ge=0, lt=1)] = 0.0

    async def act(self, context: FaultContext) -> None:
        answer = await context.real()
        await context.begin(answer)
        if part := bytes(answer.body)[: int(len(answer.body) * self.keep)]:
            await context.send({"type": "http.response.body", "body": part, "more_body": True})
        await context.hold()
        await context.hang_up()


@fault("drip")
@dataclass(frozen=True, slots=True, kw_only=True)
class Drip:
    """The real answer, one byte of its body every ``seconds``: timeouts for each read never strike."""

    seconds: Seconds = 1.0

    async def act(self, context: FaultContext) -> None:
        answer = await context.real()
        body = bytes(answer.body)
        await context.begin(answer)
        for index in range(len(body)):
            if not await context.hold(self.seconds):
                await context.hang_up()
                return
            more = index + 1 < len(body)
            await context.send({"type": "http.response.body", "body": body[index : index + 1], "more_body": more})


@fault("drip-headers")
@dataclass(frozen=True, slots=True, kw_only=True)
class DripHeaders:
    """The real answer, one byte of its status line and headers every ``seconds``; its body then comes at once."""

    seconds: Seconds = 1.0

    async def act(self, context: FaultContext) -> None:
        answer = await context.real()
        framing = (b"content-length", str(len(answer.body)).encode()), (b"connection", b"close")
        for byte in head(answer, framing):
            if not await context.hold(self.seconds):
                await context.hang_up()
                return
            await context.write(bytes((byte,)))
        context.exchange.written = Written(answer)
        await context.body_raw(bytes(answer.body))
        context.exchange.whole = context.exchange.left() is None
        await context.finish()


@fault("endless")
@dataclass(frozen=True, slots=True, kw_only=True)
class Endless:
    """The real answer's status and headers, and a body that never ends: ``kilobytes`` a second, as long as the client reads."""

    kilobytes: Annotated[int, Field(ge=1, le=65_536)] = 1024

    async def act(self, context: FaultContext) -> None:
        await context.begin_raw(await context.real(), (b"transfer-encoding", b"chunked"))
        await context.body_raw(b'{"padding":"', chunk(b'{"padding":"'))
        part = b"x" * max(self.kilobytes * 1024 // _PARTS_A_SECOND, 1)
        while await context.hold(1 / _PARTS_A_SECOND):
            if not context.congested:
                await context.body_raw(part, chunk(part))
        await context.hang_up()


@fault("dropped")
@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """The connection is closed without an answer. With ``after_effect`` the gateway has done its work."""

    async def act(self, context: FaultContext) -> None:
        await context.hang_up()
