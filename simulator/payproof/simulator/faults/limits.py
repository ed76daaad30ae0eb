"""Limits that are over before they were reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from payproof.simulator.faults.context import FaultContext
from payproof.simulator.faults.parameters import Text
from payproof.simulator.faults.registry import fault


@fault("rate-limit")
@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """Too many calls: 429 outside the envelope, with Retry-After in ``seconds``."""

    seconds: Annotated[int, Field(ge=0, le=86_400)] = 2
    canary: Text = ""

    async def act(self, context: FaultContext) -> None:
        await context.answer(context.dialect.limited(self.seconds, self.canary))
