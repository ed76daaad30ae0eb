"""Connections that end before the answer has come to its end."""

from __future__ import annotations

from dataclasses import dataclass

from payproof.simulator.faults.context import FaultContext
from payproof.simulator.faults.registry import fault


@fault("reset")
@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """The connection is reset (RST) before a byte of the answer. With ``after_effect`` the gateway has done its work."""

    async def act(self, hit: FaultContext) -> None:
        await hit.reset()
