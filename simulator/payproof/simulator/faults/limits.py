"""Limits that are over before they were reached."""

from __future__ import annotations

from dataclasses import dataclass

from payproof.simulator.faults.hit import Hit
from payproof.simulator.faults.registry import fault


@fault("rate-limit")
@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """Too many calls: 429 outside the envelope, with Retry-After in ``seconds``."""

    seconds: int = 2
    canary: str = ""

    async def act(self, hit: Hit) -> None:
        await hit.answer(hit.dialect.limited(self.seconds, self.canary))
