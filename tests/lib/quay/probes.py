"""The situation for what Quay alone asks for."""

from __future__ import annotations

from payproof.suites.probes import probe
from payproof.suites.session.world import World


@probe("quay.small-orders")
async def for_a_cent(world: World) -> None:
    """A customer orders something for a cent."""
    await world.checkout(world.new_order("0.01"), world.customer())
