"""Refunds, where it is declared how the merchant gives money back: a part of it, and one whose answer was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from decimal import Decimal
from math import ceil

from payproof.contracts.entries import Call
from payproof.contracts.judging.steps import StepName
from payproof.contracts.profile import Profile
from payproof.contracts.run import Settings
from payproof.suites.probes import Params, probe
from payproof.suites.session.context import Purchase
from payproof.suites.session.world import World

_SHARE = Decimal("0.2")
"""How much of an order is given back."""
_PATIENCE = 3.0
"""Seconds that a shop may take over a notice, where it promises no time of its own."""
_PAUSE = 0.5
"""Seconds between looks at an order of which the shop was told something new."""


def _where_declared(profile: Profile, settings: Settings) -> Iterable[Params]:
    return ({},) if profile.has("refund") and settings.refunds else ()


async def _give_back(world: World, bought: Purchase) -> None:
    amount = bought.order.amount * _SHARE
    amount = amount.quantize(Decimal(1).scaleb(-world.profile.money.decimals(bought.order.currency)))
    said = world.profile.money.show(amount, bought.order.currency)
    world.step(f"the merchant gives back {said}", StepName.REFUNDED, amount=f"{amount:f}")
    await world.give_back(bought.order, bought.customer, amount)


@probe("refund.amount", group="refunds", variants=_where_declared)
async def partial_refund(world: World) -> None:
    """A fifth of what was paid is given back."""
    bought = await world.buy()
    if bought.paid:
        await _give_back(world, bought)
        await world.look(bought.order, bought.customer)


@probe("refund.noticed", group="refunds", needs=("notices",), variants=_where_declared)
async def given_back_there(world: World) -> None:
    """The merchant gives all of an order back in the gateway's own dashboard, and the gateway tells the shop."""
    bought = await world.buy()
    payment = bought.checkout.payment
    if not bought.paid:
        return
    await world.outbox.idle(payment)
    if not world.outbox.compose(payment, "refunded"):
        world.step("this gateway tells nobody of refunds", StepName.NO_SUCH_NOTICE)
        return
    before = await world.look(bought.order, bought.customer)
    world.step(f"all of order {bought.order.id} is given back at the gateway", StepName.GIVEN_BACK)
    world.target.give_back(payment)
    await world.outbox.idle(payment)
    for _ in range(ceil(max(world.config.integration.order.within, _PATIENCE) / _PAUSE)):
        if (await world.look(bought.order, bought.customer)).state != before.state:
            break
        await asyncio.sleep(_PAUSE)


@probe("refund.once", group="refunds", needs=("answers",), variants=_where_declared)
async def lost_refund(world: World) -> None:
    """The gateway gives money back, and its answer is lost; the merchant asks for the same refund again, where the program did not by
    itself, and was answered."""
    bought = await world.buy()
    if not bought.paid:
        return
    before = len(world.journal.entries)
    async with world.fault("dropped", operation=world.profile.named("refund"), after_effect=True, times=1):
        await _give_back(world, bought)
    calls = [entry for entry in world.journal.entries[before:] if isinstance(entry, Call) and entry.role == "refund"]
    if any(call.event.ok for call in calls):
        # The merchant was told of it; to ask once more would be to give back more.
        world.step("the gateway's answer was lost; the program asked again by itself", StepName.AGAIN)
    else:
        world.step("the gateway's answer was lost; the merchant asks again", StepName.AGAIN)
        await _give_back(world, bought)
    await world.look(bought.order, bought.customer)
