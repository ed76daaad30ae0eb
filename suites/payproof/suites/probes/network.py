"""The network fails at a call, before the gateway did what it was asked or after."""

from __future__ import annotations

from asyncio import Task, create_task
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager

from payproof.contracts.entries import Call
from payproof.contracts.judging.steps import StepName
from payproof.contracts.profile import Profile
from payproof.contracts.run import Settings
from payproof.suites.probes import Params, probe
from payproof.suites.probes.errors import LEAKS
from payproof.suites.session.world import World

_STORM = 12
"""Calls after which a probe has seen enough: an integration that never stops is let through."""
_PAUSE = 1.0
"""Seconds without another call after which nobody is thought to go on."""
_WRITTEN = 3.0
"""Seconds after which the entry of a lost call is there at the latest."""
_BREAKS = {"close": "dropped", "reset": "reset"}
"""How a connection ends -> the fault."""


def _outages(profile: Profile, settings: Settings) -> Iterable[Params]:
    for operation in profile.paying:
        yield {"operation": operation, "how": "refuse"}
        for how in _BREAKS:
            yield {"operation": operation, "how": how}
            yield {"operation": operation, "how": how, "phase": "after"}


@probe(
    "flow.network-error",
    "idempotency.no-storm",
    "verify.unreachable",
    "flow.recovers",
    "errors.friendly",
    *LEAKS,
    group="network-{operation}",
    variants=_outages,
)
async def network_error(world: World, operation: str, how: str, phase: str = "before") -> None:
    """The gateway refuses connections; or it accepts the request and closes or resets the connection without a byte of an
    answer, before the request has had its effect or after."""
    if world.profile.verifies(operation):
        await _break_verification(world, operation, how, phase)
    else:
        order, customer = world.new_order(), world.customer()
        if world.profile.role_of(operation) == "authenticate":
            world.target.expire_tokens()
        async with _outage(world, operation, how, phase) as number:
            fired = world.target.faults.fired
            paying = create_task(world.checkout_until(lambda: not number or fired(number), order, customer))
            await _seen_through(world, number, paying, opens=True)
        world.step("the customer gave up on this attempt", StepName.TRIED)
        await world.look(order, customer)
    await world.recover()


def _lost(world: World, since: int) -> int:
    return sum(call.n >= since and call.fault in _BREAKS.values() for call in world.calls())


@asynccontextmanager
async def _outage(world: World, operation: str, how: str, phase: str) -> AsyncGenerator[int]:
    """Yields the fault's number; 0 where connections are refused, which nobody counts."""
    if how == "refuse":
        world.gate("refuse")
        yield 0
        world.gate("open")
    else:
        world.fresh_connections()
        begun = world.journal.next
        async with world.fault(_BREAKS[how], operation=operation, after_effect=phase == "after") as number:
            yield number
        # A call is written when the connection has come to its end on either side; the customer may be answered sooner.
        await world.until(lambda: _lost(world, begun) >= world.target.faults.fired(number), _WRITTEN)


async def _seen_through(world: World, number: int, waiting: Task[object], *, opens: bool = False) -> None:
    """Until the customer has an answer, or the call was sent often enough to know. ``opens``: and until nobody sends it again; what
    a background job asks again and again is its good right."""
    faults = world.target.faults

    def storms() -> bool:
        return faults.fired(number) >= _STORM

    await world.until(lambda: storms() or waiting.done(), world.shared.page_patience)
    if opens and faults.fired(number) > 1:
        await world.until(lambda: storms() or _quiet(world), world.shared.page_patience)
    if storms():
        world.target.faults.clear(number)
    await waiting


def _quiet(world: World) -> bool:
    last = next((entry for entry in reversed(world.journal.entries) if isinstance(entry, Call)), None)
    return last is None or world.journal.now() - last.ended > _PAUSE


async def _break_verification(world: World, operation: str, how: str, phase: str) -> None:
    order = world.new_order(role="unverified")
    customer = world.customer()
    tab = await world.pay_and_stay(order, customer)
    if tab is None:
        return
    world.step("the customer paid, and now the network fails", StepName.PAID)
    async with _outage(world, operation, how, phase) as number:
        await _seen_through(world, number, create_task(world.come_back(tab.url, customer, order)))
        if number and not world.target.faults.fired(number) and not world.config.integration.order.within:
            # What it asked was lost to a connection that it kept, and whose end it had not seen.
            await _seen_through(world, number, create_task(world.come_back(tab.url, customer, order, purpose="reload")))
        await (world.look_when_hit(order, customer, number) if number else world.look(order, customer))
    world.step("the network is back", StepName.TRIED)
    await world.mended(order, customer, tab.url)
