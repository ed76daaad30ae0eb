"""The control payment: one clean payment with no fault, before anything is judged, and what it shows of the shop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from payproof.contracts.entries import OrderSeen
from payproof.suites.driver.declared import unmatched
from payproof.suites.session.context import Purchase
from payproof.suites.session.world import World

_UNDECLARED = 8.0
"""Seconds that an undeclared background job is waited for, so that its pace is known."""


@dataclass(frozen=True, slots=True)
class ControlPayment:
    """``before`` and ``seen``: the order before it was paid for (where that was looked at), and at the end.
    ``latency``: seconds from the customer's return to the last look."""

    purchase: Purchase
    before: OrderSeen | None
    seen: OrderSeen | None
    latency: float

    @property
    def paid(self) -> bool:
        return bool(self.seen and self.seen.paid)


async def pay(world: World, *, look_before: bool = False) -> ControlPayment:
    """Make it. Nothing is scored when it does not end in a paid order.

    Raises:
        Spoiled: the sandbox itself did not work.
    """
    async with world.probe_run("control", {}):
        order, customer = world.new_order(), world.customer()
        checkout = await world.checkout(order, customer)
        before = await world.look(order, customer) if look_before else None
        purchase = await world.pay(order, customer, checkout)
        seen = purchase.seen
        if not purchase.paid and purchase.tab is not None and purchase.tab.state == "left":
            seen = await world.look(order, customer, wait=_UNDECLARED)
        back = purchase.visit.page if purchase.visit is not None else None
        latency = max(world.journal.now() - back.ended, 0.0) if back is not None else 0.0
    return ControlPayment(purchase, before, seen, latency)


async def pointers(world: World, control: ControlPayment) -> tuple[str, ...]:
    """What is declared of an order and cannot be found on the paid one; a fulfilment in the background gets its time."""
    if control.seen is None:
        return ()
    page = control.seen.page
    deadline = world.shared.now() + max(world.config.integration.order.within, 2.0)
    while wrong := unmatched(world.config, next((e for e in world.pages() if e.n == page), None)):
        if world.shared.now() >= deadline:
            return wrong
        await asyncio.sleep(0.2)
        page = (await world.look(control.purchase.order, control.purchase.customer)).page
    return ()
