"""The gateway's notices and the state of an order: repeated, late, lost, out of order, before the customer comes back.

Each probe runs only where it is declared where notices arrive.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import wraps

from payproof.contracts.entries import Checkout, OrderSeen
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Json
from payproof.contracts.profile import Profile
from payproof.contracts.run import Settings
from payproof.simulator.notices.outbox import Notice
from payproof.suites.customer.customer import Customer
from payproof.suites.customer.hosted import Tab
from payproof.suites.driver.driver import Order
from payproof.suites.probes import Params, ProbeFunction, always, probe
from payproof.suites.probes.webhook import UNPAID, on_an_unpaid_order
from payproof.suites.session.context import LONGEST_PATIENCE
from payproof.suites.session.world import World

HOURS = 6
"""Hours after which a notice comes once more."""
_OUTAGE = 3.0
"""Seconds that the gateway's API stays down after its notice: more than a few quick tries take."""
_REPETITIONS = always(*({"how": how} for how in ("in-turn", "at-once", "other-id", "with-return")))
_DISORDERS = always(
    *({"order": each} for each in ("end-after-success", "end-before-success", "end-of-another-payment"))
)


def _paid_and_held(function: ProbeFunction) -> ProbeFunction:
    """A probe of a customer who pays and does not come back yet, while every notice is kept back; it does not run when it does not
    come to that."""

    @wraps(function)
    async def probe_run(world: World, **params: Json) -> None:
        order, customer = world.new_order(), world.customer()
        world.outbox.hold()
        if (agreed := await _agreed(world, order, customer)) is not None:
            await function(world, order, customer, *agreed, **params)

    return probe_run


async def _agreed(world: World, order: Order, customer: Customer) -> tuple[str, Tab] | None:
    """The customer pays and does not come back yet; None when it did not come to that."""
    tab = await world.pay_and_stay(order, customer)
    payment = next((entry.payment for entry in reversed(world.journal.entries) if isinstance(entry, Checkout)), "")
    return None if tab is None else (payment, tab)


async def _until_taken(world: World, payment: str, order: Order, customer: Customer, times: int) -> OrderSeen:
    """The gateway repeats what was not taken, so many times at most, as long as the order is not paid."""
    while True:
        await world.outbox.idle(payment)
        seen = await world.look(order, customer, wait=world.shared.patience)
        due = world.outbox.next_due(payment)
        if seen.paid or due is None or not times:
            return seen
        times -= 1
        world.step(f"{due:.0f} s later the gateway tells of it again", "told-again")
        await world.target.advance(due + 0.01)


@probe("webhook.duplicate", group="notices", needs=("notices",), variants=_REPETITIONS)
@_paid_and_held
async def repeated_notice(world: World, order: Order, customer: Customer, payment: str, tab: Tab, how: str) -> None:
    """The same notice comes three times, five times at once, under another id, or while the customer comes back."""
    await world.look(order, customer)
    world.step(f"the gateway tells of the payment more than once ({how})", StepName.NOTICED)
    if how == "with-return":
        await asyncio.gather(world.outbox.release(), world.come_back(tab.url, customer, order))
    else:
        for notice in world.outbox.notices(payment) if how == "at-once" else ():
            await world.outbox.repeat(notice.id, 5, at_once=True)
        await world.outbox.release()
        await world.come_back(tab.url, customer, order)
    await world.outbox.idle(payment)
    for notice in world.outbox.notices(payment):
        if how != "other-id":
            await world.outbox.repeat(notice.id, 3)
    if how == "other-id":
        for _ in range(3):
            await _deliver(world, world.outbox.claims(payment))
    await world.look(order, customer, wait=world.shared.patience)


@probe("webhook.replayed-old", group="notices-later", needs=("notices", "clock"), moves_clock=True)
async def replayed_notice(world: World) -> None:
    """Hours after an order was paid, and after a restart of the shop, its notices come once more."""
    bought = await world.buy()
    if not bought.paid:
        return
    await world.outbox.idle(bought.checkout.payment)
    await world.target.advance(HOURS * 3600)
    if world.instance is not None:
        await world.restart()
    await world.look(bought.order, bought.customer)
    world.step(f"{HOURS} hours later the gateway tells of the payment once more", StepName.NOTICED)
    for notice in world.outbox.notices(bought.checkout.payment):
        await world.outbox.repeat(notice.id)
    await world.look(bought.order, bought.customer, wait=world.config.integration.order.within)


@probe("webhook.out-of-order", group="notices", needs=("notices",), variants=_DISORDERS)
async def disordered_notices(world: World, order: str) -> None:
    """That a payment came to nothing is told late: after its success, shortly before it, or after another payment of the same
    order succeeded."""
    wanted, customer = world.new_order(), world.customer()
    first = await world.checkout(wanted, customer)
    if not first.payment:
        return
    ended = world.outbox.compose(first.payment, *UNPAID)  # as it stands now: nobody paid
    if not ended:
        world.step("this gateway does not tell of payments that came to nothing", StepName.NO_SUCH_NOTICE)
        return
    checkout = first
    if order == "end-of-another-payment":
        leaving = await (await world.hosted(first, customer)).cancel()
        if leaving.state == "left":
            await world.come_back(leaving.url, customer, wanted, purpose="cancel")
        checkout = await world.checkout(wanted, customer, purpose="again")
    elif order == "end-before-success":
        world.step("the gateway tells that the payment came to nothing, before it succeeds", StepName.NOTICED)
        await _deliver(world, ended)
    bought = await world.pay(wanted, customer, checkout)
    if order != "end-before-success" and bought.paid:
        await world.outbox.idle()
        world.step(
            "only now the gateway tells that the payment, or an earlier one, had come to nothing", StepName.NOTICED
        )
        await _deliver(world, ended)
    await world.outbox.idle()
    await world.look(wanted, customer, wait=world.config.integration.order.within)


async def _deliver(world: World, notices: Iterable[Notice]) -> None:
    for notice in notices:
        await world.outbox.deliver(notice)


@probe(
    "webhook.before-return", "webhook.not-swallowed", "webhook.fast-answer", "logs.webhooks", "capture.without-return",
    group="notices-later",
    needs=("notices", "clock"), moves_clock=True,
)  # fmt: skip
@_paid_and_held
async def first_the_notice(world: World, order: Order, customer: Customer, payment: str, tab: Tab) -> None:
    """The customer pays and does not come back; the gateway tells of it, and twice again while that is not taken. Later the
    customer comes back after all."""
    world.step("the customer does not come back; the gateway tells of the payment", StepName.NOTICED)
    await world.outbox.release()
    await _until_taken(world, payment, order, customer, 2)
    await _returns(world, tab, order, customer)


async def _returns(world: World, tab: Tab, order: Order, customer: Customer) -> None:
    world.step("the customer comes back after all", StepName.RETURNED)
    await world.come_back(tab.url, customer, order)
    await world.look(order, customer, wait=world.shared.patience)


def _ways_of_being_late(profile: Profile, settings: Settings) -> Iterable[Params]:
    # Where the integration takes the money, nothing is taken for a payment that has ended.
    return ({"left": "cancelled"}, *(() if profile.traits.settles else ({"left": "walked-away"},)))


@probe(
    "webhook.late", group="notices-later", needs=("notices", "clock"), moves_clock=True, variants=_ways_of_being_late
)
@on_an_unpaid_order
async def late_notice(world: World, order: Order, customer: Customer, checkout: Checkout, left: str) -> None:
    """The customer cancels in one tab and pays in another, or pays and walks away; the notice comes when the payment's time is
    over, and the customer never comes back."""
    world.outbox.hold()
    paying = await world.hosted(checkout, customer)
    if left == "cancelled":
        leaving = await (await world.hosted(checkout, customer)).cancel()
        if leaving.state == "left":
            await world.come_back(leaving.url, customer, order, purpose="cancel")
    await paying.confirm()
    if left == "walked-away":
        await world.target.advance(world.profile.payment_life + 1)
    await world.look(order, customer)
    world.step("late, the gateway tells of the payment", StepName.NOTICED)
    await world.outbox.release()
    await _until_taken(world, checkout.payment, order, customer, 2)


@probe("webhook.lost", group="notices-lost", needs=("notices",))
async def lost_notice(world: World) -> None:
    """No notice ever arrives; the customer pays and comes back."""
    order, customer = world.new_order(), world.customer()
    world.outbox.lose()
    agreed = await _agreed(world, order, customer)
    if agreed is None:
        return
    world.step("no notice arrives; the customer comes back", StepName.NOTICED)
    await world.come_back(agreed[1].url, customer, order)
    await world.look(order, customer, wait=LONGEST_PATIENCE, or_held=True)


@probe("webhook.not-swallowed", group="notices-down", needs=("notices", "clock"), moves_clock=True, pauses=_OUTAGE)
@_paid_and_held
async def notice_in_an_outage(world: World, order: Order, customer: Customer, payment: str, tab: Tab) -> None:
    """The gateway's API is down while its notice arrives, and for some seconds more. Then it works again, and what was not taken is told again."""
    async with world.fault("status", status=503):
        world.step("the gateway's API is down, and its notice arrives", StepName.NOTICED)
        await world.outbox.release()
        await world.outbox.idle(payment)
        await asyncio.sleep(_OUTAGE)
    world.step("the gateway works again", StepName.WELL_AGAIN)
    retries = world.profile.notices.retries if world.profile.notices else ()
    seen = await _until_taken(world, payment, order, customer, len(retries))
    if not seen.paid:
        seen = await world.look(order, customer, wait=world.promised, or_held=True)
    if not seen.paid and world.profile.traits.settles:
        await _returns(world, tab, order, customer)
