"""Double clicks, second tabs, reloads: one order must be charged and delivered once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from payproof.contracts.entries import Checkout, Ledger
from payproof.contracts.judging.alarms import raised
from payproof.contracts.judging.steps import StepName
from payproof.contracts.profile import Profile
from payproof.contracts.run import Settings
from payproof.suites.customer.customer import Customer
from payproof.suites.driver.driver import Order
from payproof.suites.driver.recipe import RecipeDriver
from payproof.suites.probes import Params, always, probe
from payproof.suites.session.world import World

_ALERT = 3.0
"""Seconds that an alert about a second charge may take."""


async def _pay_whatever_can_be_paid(
    world: World, order: Order, customer: Customer, checkouts: Sequence[Checkout]
) -> None:
    for url in dict.fromkeys(checkout.payment_url for checkout in checkouts if checkout.payment):
        checkout = next(checkout for checkout in checkouts if checkout.payment_url == url)
        world.step("the customer pays at this hosted checkout", payment=checkout.payment)
        tab = await (await world.hosted(checkout, customer)).confirm()
        if tab.state == "left":
            await world.come_back(tab.url, customer, order)
    await world.look(order, customer, wait=world.shared.patience)


@probe("idempotency.double-submit", group="duplicates", variants=always({"round": 1}, {"round": 2}))
async def double_submit(world: World, round: int) -> None:
    """The customer double-clicks: one order's checkout arrives twice at once. Then whatever can be paid is paid."""
    order, customer = world.new_order(), world.customer()
    checkouts: list[Checkout] = []
    if isinstance(world.driver, RecipeDriver):
        # The page with the button is open; what is doubled is the click on it.
        await world.driver.prepare(order, customer)
    else:
        # Only the driver knows what belongs to an order's first checkout, so the clicks come after it.
        checkouts.append(await world.checkout(order, customer))
    world.step("the customer double-clicks", "double")
    clicks = (world.checkout(each, customer, purpose="double", again=True) for each in (order, world.same(order)))
    async with world.fault("gather", operation=world.profile.named("open"), calls=2, seconds=0.8):
        checkouts += await asyncio.gather(*clicks)
    await _pay_whatever_can_be_paid(world, order, customer, checkouts)


@probe("idempotency.back-and-retry")
async def back_and_retry(world: World) -> None:
    """The customer goes back from the hosted checkout, starts again, and then pays in both tabs."""
    order, customer = world.new_order(), world.customer()
    first = await world.checkout(order, customer)
    if not first.payment:
        return
    tab = await world.hosted(first, customer)
    world.step("the customer goes back and starts again", StepName.AGAIN)
    second = await world.checkout(world.same(order), customer, purpose="again", again=True)
    other = await world.hosted(second, customer) if second.payment and second.payment != first.payment else None
    await tab.confirm()
    if tab.state == "left":
        await world.come_back(tab.url, customer, order)
    if other is not None:
        world.step("the customer pays in the second tab too", "both")
        await other.confirm()
        if other.state == "left":
            await world.come_back(other.url, customer, order)
    await world.look(order, customer, wait=world.shared.patience)
    if other is not None:
        await until_an_alert(world, [first.order, second.order])


async def until_an_alert(world: World, orders: list[str]) -> None:
    """An alert about a second charge may come from a job in the background, so it gets a moment."""
    taken = [entry for entry in world.journal.entries if isinstance(entry, Ledger) and entry.event == "charged"]
    channel = world.config.integration.alert_channel
    if not channel or not taken:
        return

    def alerted() -> bool:
        if world.instance is not None:
            world.instance.read_logs()
        return any(True for _ in raised(world.recorded(), orders, channel, after=taken[-1].n))

    await world.until(alerted, max(_ALERT, world.config.integration.order.within))


@probe("idempotency.paid-order")
async def paid_order(world: World) -> None:
    """The order is paid, and its checkout is submitted once more."""
    bought = await world.buy()
    if bought.paid:
        world.step("the paid order is checked out again", StepName.AGAIN)
        await world.checkout(bought.order, bought.customer, purpose="again", again=True)
        await world.look(bought.order, bought.customer)


def _with_a_key(profile: Profile, settings: Settings) -> Iterable[Params]:
    return ({},) if profile.has("idempotency") else ()


@probe("idempotency.lost-answer", group="duplicates", variants=_with_a_key)
async def lost_answer(world: World) -> None:
    """The gateway opens a payment and its answer is lost; the customer tries again."""
    order, customer = world.new_order(), world.customer()
    async with world.fault("dropped", operation=world.profile.named("open"), after_effect=True, times=1):
        await world.checkout(order, customer)
    world.step("the gateway's answer was lost; the customer tries again", StepName.AGAIN)
    await world.checkout(world.same(order), customer, purpose="again", again=True)


@probe("idempotency.new-key-per-attempt", group="duplicates", variants=_with_a_key)
async def started_again(world: World) -> None:
    """The customer cancels; back in the shop they start to pay once more, and pay."""
    await _pay_after(world, "cancelled")


@probe("idempotency.new-key-per-attempt", group="duplicates", needs=("refusal",), variants=_with_a_key)
async def started_again_refused(world: World) -> None:
    """The gateway refuses the payment; back in the shop the customer starts to pay once more, and pays."""
    await _pay_after(world, "refused")


async def _pay_after(world: World, ended: str) -> None:
    order, customer = world.new_order(), world.customer()
    first = await world.checkout(order, customer)
    if not first.payment:
        return
    tab = await world.hosted(first, customer, "refused" if ended == "refused" else "paid")
    await (tab.confirm() if ended == "refused" else tab.cancel())
    if tab.url and world.place.where(tab.url) == "integration":
        await world.come_back(tab.url, customer, order, purpose="return" if tab.state == "left" else "cancel")
    await world.notices_over()
    await world.look(order, customer, wait=world.config.integration.order.within)
    world.step(f"the payment was {ended}; the customer starts again", StepName.AGAIN, ended=ended)
    again = await world.checkout(world.same(order), customer, purpose="again", again=True)
    if again.payment:
        await world.pay(order, customer, again)


@probe("idempotency.return-twice", group="duplicates", variants=always({"clients": 1}, {"clients": 6}))
async def return_twice(world: World, clients: int) -> None:
    """A paid customer's return URL is opened twice, or by six clients at once."""
    order, customer = world.new_order(), world.customer()
    checkout = await world.checkout(order, customer)
    if not checkout.payment:
        return
    await world.look(order, customer)
    tab = await (await world.hosted(checkout, customer)).confirm()
    if tab.state != "left":
        return
    tabs = [customer.tab() for _ in range(clients - 1)]
    world.step(f"the return URL is opened by {clients} client(s) at once, then once more", StepName.RETURNS)
    # The answers come together, so that whoever ships after asking, without asking again, is seen to do so.
    async with world.fault("gather", operation=world.profile.verification, calls=clients, seconds=0.8):
        await asyncio.gather(*(world.come_back(tab.url, each, order) for each in (customer, *tabs)))
    await world.look(order, customer, wait=world.shared.patience)
    await world.come_back(tab.url, customer, order, purpose="reload")
    await world.look(order, customer)
