"""Misbehaviours on a connection that was accepted, before a byte of it is read."""

from __future__ import annotations

from dataclasses import dataclass

from payproof.simulator.faults.connection_context import ConnectionContext
from payproof.simulator.faults.registry import fault


@fault("silent", of="connection")
@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """Accepts the connection and never says a word, not even of TLS, until the client hangs up or the fault is cleared."""

    async def meet(self, context: ConnectionContext) -> None:
        await context.hold()
        context.end("silent")


@fault("close-on-accept", of="connection")
@dataclass(frozen=True, slots=True, kw_only=True)
class CloseOnAccept:
    """Accepts the connection and closes it (FIN) at once, before the client has said anything."""

    async def meet(self, context: ConnectionContext) -> None:
        context.end("closed_silent")


@fault("reset-on-accept", of="connection")
@dataclass(frozen=True, slots=True, kw_only=True)
class ResetOnAccept:
    """Accepts the connection and resets it (RST) at once, before the client has said anything."""

    async def meet(self, context: ConnectionContext) -> None:
        context.end("reset", reset=True)
