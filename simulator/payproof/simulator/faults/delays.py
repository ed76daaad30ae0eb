"""Answers that come late, or never. Waiting is in real seconds, and a client that hangs up is noticed at once."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from pydantic import Field

from payproof.simulator.faults.context import FaultContext
from payproof.simulator.faults.registry import Seconds, fault


@fault("delay")
@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """The real answer after ``seconds``. Its effect happens then, or at once with ``after_effect``."""

    seconds: Seconds = 10.0

    async def act(self, hit: FaultContext) -> None:
        answer = await hit.real() if hit.spec.after_effect else None
        if await hit.hold(self.seconds):
            await hit.answer(answer or await hit.real())
        else:
            await hit.hang_up()


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

    async def act(self, hit: FaultContext) -> None:
        answer = await hit.real()
        full = asyncio.Event()
        self._crowd.append(full)
        if len(self._crowd) >= self.calls:
            for waiting in self._crowd:
                waiting.set()
            self._crowd.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(full.wait(), self.seconds)
        await hit.answer(answer)


@fault("never-answer")
@dataclass(frozen=True, slots=True, kw_only=True)
class NeverAnswer:
    """Takes the request and says nothing, until the client hangs up or the fault is cleared."""

    async def act(self, hit: FaultContext) -> None:
        await hit.hold()
        await hit.hang_up()


@fault("stall")
@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """The real answer's status and headers, Content-Length included, and not a byte of its body."""

    async def act(self, hit: FaultContext) -> None:
        await hit.begin(await hit.real())
        await hit.hold()
        await hit.hang_up()


@fault("drip")
@dataclass(frozen=True, slots=True, kw_only=True)
class Drip:
    """The real answer, one byte every ``seconds``: timeouts for each read never strike."""

    seconds: Seconds = 1.0

    async def act(self, hit: FaultContext) -> None:
        answer = await hit.real()
        body = bytes(answer.body)
        await hit.begin(answer)
        for index in range(len(body)):
            if not await hit.hold(self.seconds):
                await hit.hang_up()
                return
            more = index + 1 < len(body)
            await hit.send({"type": "http.response.body", "body": body[index : index + 1], "more_body": more})


@fault("dropped")
@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """The connection is closed without an answer. With ``after_effect`` the gateway has done its work."""

    async def act(self, hit: FaultContext) -> None:
        await hit.hang_up()
