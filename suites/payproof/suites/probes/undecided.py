"""Payments that are decided later, and what is told of them meanwhile."""

from __future__ import annotations

from payproof.contracts.judging.steps import StepName
from payproof.suites.probes import probe
from payproof.suites.probes.idempotency import until_an_alert
from payproof.suites.session.world import World


@probe(
    "webhook.out-of-order", group="notices-later", needs=("notices", "clock", "refusal"), moves_clock=True,
    variants=lambda profile, settings: ({},) if profile.has("decides_later") else (),
)  # fmt: skip
async def pending_told_last(world: World) -> None:
    """A payment is decided later, and its money comes; only then the gateway's word that it was pending comes once more."""
    order, customer = world.new_order(), world.customer()
    checkout = await world.checkout(order, customer)
    if not checkout.payment:
        return
    tab = await (await world.hosted(checkout, customer, "pending")).confirm()
    if tab.state != "left":
        return
    await world.come_back(tab.url, customer, order)
    await world.notices_over()
    early = world.outbox.notices(checkout.payment)
    if not early:
        world.step("this gateway does not tell of payments that are not decided", StepName.NO_SUCH_NOTICE)
        return
    await world.target.advance(world.profile.traits.decides_later + 1)
    await world.notices_over()
    await world.look(order, customer, wait=world.shared.patience)
    world.step("the money has come, and what was told before comes once more", StepName.NOTICED)
    for notice in early:
        await world.outbox.repeat(notice.id)
    await world.look(order, customer, wait=world.config.integration.order.within)


@probe(
    "flow.pending-again", group="undecided", needs=("clock", "refusal"), moves_clock=True,
    variants=lambda profile, settings: ({},) if profile.has("decides_later") else (),
)  # fmt: skip
async def undecided_again(world: World) -> None:
    """The customer pays in a way that is decided later, comes back, and starts again before it is decided; they pay if they are asked to.
    Then the money of the first payment comes."""
    order, customer = world.new_order(), world.customer()
    first = await world.checkout(order, customer)
    if not first.payment:
        return
    tab = await (await world.hosted(first, customer, "pending")).confirm()
    if tab.state != "left":
        return
    world.step("the customer has done their part; whether the money comes is not decided", StepName.PENDING)
    await world.come_back(tab.url, customer, order)
    await world.notices_over()
    world.step("the customer starts again", StepName.AGAIN)
    second = await world.checkout(world.same(order), customer, purpose="again", again=True)
    if another := bool(second.payment) and second.payment != first.payment:
        await world.pay(order, customer, second)
    await world.target.advance(world.profile.traits.decides_later + 1)
    world.step("the money of the first payment has come", StepName.DECIDED, came=True)
    await world.notices_over()
    await world.look(order, customer, wait=world.shared.patience)
    if another:
        await until_an_alert(world, [first.order, second.order])
