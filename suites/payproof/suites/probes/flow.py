"""Payments as they go every day: paid, cancelled, refused, left alone, late, slow."""

from __future__ import annotations

import asyncio
from urllib.parse import urljoin

from payproof.contracts.checks.flow import NO_PAGE, NOWHERE
from payproof.contracts.entries import Call, Ledger
from payproof.contracts.judging.steps import StepName
from payproof.suites.driver.recipe import uses
from payproof.suites.probes import always, probe
from payproof.suites.probes.token import count_processes, enough
from payproof.suites.session.world import World

_INEXACT = "256.15"
"""An amount whose cents a binary float loses: 256.15 * 100 is 25614.999999999996."""
_SOON_OVER = 1.0
"""Seconds after which a token's life is over for who took its seconds for milliseconds."""
_SEEN_EVERYWHERE = (
    "flow.success",
    "reference.order-id",
    "reference.distinct",
    "https.return-url",
    "https.cancel-url",
    "https.api",
    "credentials.not-served",
    "credentials.from-environment",
    "logs.no-access-token",
    "logs.no-secret-key",
    "logs.requests",
    "logs.responses",
    "verify.status-checked",
    "manual.exported",
    "amount.sent",
    "currency.sent",
    "contract.request",
    "idempotency.key-sent",
    "idempotency.new-key-per-order",
    "return.template",
    "api.version-pinned",
)


def currencies(world: World) -> tuple[str, ...]:
    """The currencies to try: those declared, else the gateway's default and one with decimals."""
    config = world.config
    declared = config.integration.checkout.currencies or (
        (config.integration.checkout.currency,) if config.integration.checkout.currency else ()
    )
    if declared:
        return tuple(currency for currency in declared if currency)
    with_decimals = next(
        (c for c in world.profile.currencies if world.profile.money.exponent(c) == 2), world.profile.default_currency
    )
    return tuple(dict.fromkeys((world.profile.default_currency, with_decimals)))


@probe(*_SEEN_EVERYWHERE, "token.cached", group="main")
async def steady(world: World) -> None:
    """Five customers buy, one after the other, for several amounts and currencies, well within a token's life, though not within
    a second in a run that has the time; more of them where there are many processes, so that each of these has served one."""
    tried = currencies(world)
    decimal = next((currency for currency in tried if world.profile.money.exponent(currency) > 0), tried[0])
    pause = _SOON_OVER if world.shared.seconds is None else 0.0
    await world.buy(world.new_order("1.00"))
    await asyncio.sleep(pause)
    await world.buy(world.new_order("5000.00"))
    await world.buy(world.new_order("1234.56" if world.profile.money.exponent(decimal) >= 2 else "1234.00", decimal))
    await asyncio.sleep(pause)
    await world.buy(world.new_order("250.00", tried[-1]))
    await world.buy(world.new_order(_INEXACT if world.profile.money.exponent(decimal) >= 2 else "99.00", decimal))
    for _ in range(enough(world, 5, 2, 3) - 5):
        await world.buy(world.new_order("99.00"))
    count_processes(world)


@probe("amount.sent", "flow.success")
async def large_amount(world: World) -> None:
    """A customer buys for an amount of five digits, where the customer's request tells the amount."""
    told = uses(world.config, "order.amount") or world.config.integration.driver
    if not told or world.config.integration.checkout.amount:
        return
    tried = currencies(world)
    decimal = next((currency for currency in tried if world.profile.money.exponent(currency) >= 2), "")
    order, customer = world.new_order("12345.67" if decimal else "12345.00", decimal or tried[0]), world.customer()
    checkout = await world.checkout(order, customer)
    if checkout.payment:
        await world.look(order, customer)  # what the shop says before anybody paid
    await world.pay(order, customer, checkout)


@probe("flow.cancelled")
async def cancelled(world: World) -> None:
    """The customer opens the hosted checkout, cancels, and is sent back to the shop (or looks at the order alone, where the shop gave
    no cancel URL). Where the shop answers that there is no such page, it is asked for an address that it certainly does not have."""
    await cancel(world, compares=True)


async def cancel(world: World, *, compares: bool = False) -> None:
    """A customer starts to pay, and cancels. ``compares``: a page that is not there, with another that is not there."""
    order, customer = world.new_order(), world.customer()
    checkout = await world.checkout(order, customer)
    if checkout.payment:
        tab = await (await world.hosted(checkout, customer)).cancel()
        if tab.state == "left":
            world.step("the customer cancelled", StepName.CANCELLED, url=tab.url)
            page = (await world.come_back(tab.url, customer, order, purpose="cancel")).page
            if compares and page and page.response and page.response.status in NO_PAGE:
                nobodys = "".join(world.rng.choices("bcdfghjkmnpqrstvwxz", k=12))
                await customer.browse("GET", urljoin(page.request.url, f"/{nobodys}"), purpose=NOWHERE, order=order.id)
        elif _cancelled(world, checkout.payment):
            # Where a cancel URL may be left out, the customer finds the way back alone.
            world.step("the customer cancelled; the gateway was told no way back", StepName.CANCELLED, no_way_back=True)
    await world.look(order, customer)


def _cancelled(world: World, payment: str) -> bool:
    entries = [entry for entry in world.journal.entries if isinstance(entry, Ledger) and entry.payment == payment]
    return any(entry.event == "cancelled" for entry in entries)


@probe("flow.failed", "verify.failed-return", needs=("refusal",))
async def refused(world: World) -> None:
    """The gateway refuses the payment and sends the customer to the return URL, saying so in the query; or it says so on its own
    page, and the customer goes back to the shop from there."""
    order, customer = world.new_order(), world.customer()
    checkout = await world.checkout(order, customer)
    if checkout.payment:
        tab = await (await world.hosted(checkout, customer, "refused")).confirm()
        if tab.state == "left":
            declined = "the customer, whose payment will be refused, came back"
            refused_here = world.profile.traits.returns_after_failure
            outcome = "the gateway refused the payment and sent the customer back" if refused_here else declined
            world.step(outcome, StepName.REFUSED, url=tab.url)
            await world.come_back(tab.url, customer, order)
        elif tab.state == "problem" and not world.profile.traits.returns_after_failure:
            back = bool(tab.url) and world.place.where(tab.url) == "integration"
            outcome = "the customer goes back to the shop" if back else "no way leads back to the shop"
            world.step(f"the gateway refused the payment on its own page; {outcome}", StepName.REFUSED, url=tab.url)
            if back:
                await world.come_back(tab.url, customer, order, purpose="cancel")
    await world.look(order, customer)


@probe("flow.abandoned", group="time", needs=("clock",), moves_clock=True)
async def abandoned(world: World) -> None:
    """The customer leaves the hosted checkout; the payment expires; later the customer wants to try again."""
    order, customer = world.new_order(), world.customer()
    checkout = await world.checkout(order, customer)
    if not checkout.payment:
        return
    await world.target.advance(world.profile.payment_life + 1)
    world.step("the payment expired at the gateway", StepName.EXPIRED)
    tab = await world.hosted(checkout, customer)
    if tab.state == "problem" and tab.url and world.place.where(tab.url) == "integration":
        await world.come_back(tab.url, customer, order, purpose="cancel")
    await world.look(order, customer)
    again = await world.checkout(order, customer, purpose="again")
    if again.payment and again.payment != checkout.payment:
        await world.pay(order, customer, again)


async def _until_asked(world: World, payment: str, since: int) -> None:
    """A background job has heard of the cancelling before the customer pays after all: what it makes of that is the point."""

    def asked() -> bool:
        calls = (entry for entry in world.journal.entries[since:] if isinstance(entry, Call) and entry.event.ok)
        return any(call.is_one_of("verification") and call.event.payment == payment for call in calls)

    if await world.until(asked, world.config.integration.order.within):
        await asyncio.sleep(0.2)  # the answer is on its way


@probe("flow.late-success", variants=always({"left": "cancelled"}, {"left": "walked-away"}))
async def late_success(world: World, left: str) -> None:
    """The hosted checkout is open in two tabs; the customer cancels (or walks away) in one and then pays in the other. The cancel page,
    still open in the first one, is loaded again then, as a browser does that wakes up."""
    order, customer = world.new_order(), world.customer()
    checkout = await world.checkout(order, customer)
    if not checkout.payment:
        return
    paying = await world.hosted(checkout, customer)
    stale = ""
    if left == "cancelled":
        leaving = await (await world.hosted(checkout, customer)).cancel()
        mark = len(world.journal.entries)
        if leaving.state == "left":
            stale = leaving.url
            await world.come_back(stale, customer, order, purpose="cancel")
        await _until_asked(world, checkout.payment, mark)
    else:
        await world.look(order, customer)
    world.step("the customer pays in the other tab after all", StepName.LATE)
    await paying.confirm()
    if paying.state == "left":
        await world.come_back(paying.url, customer, order)
    seen = await world.look(order, customer, wait=world.shared.patience)
    if seen.paid and stale:
        world.step("the cancel page, still open in the first tab, is loaded again", StepName.STALE, url=stale)
        await world.come_back(stale, customer, order, purpose="cancel")
        await world.look(order, customer, wait=world.shared.patience)


@probe(
    "flow.pending",
    "flow.pending-success",
    "flow.pending-failure",
    group="undecided",
    needs=("clock", "refusal"),
    moves_clock=True,
    variants=lambda profile, settings: ({"came": True}, {"came": False}) if profile.has("decides_later") else (),
)
async def undecided(world: World, came: bool) -> None:
    """The customer pays in a way that is decided later, and comes back. Much later the money comes, or does not; in that case the
    customer tries again."""
    order, customer = world.new_order(), world.customer()
    checkout = await world.checkout(order, customer)
    if not checkout.payment:
        return
    tab = await (await world.hosted(checkout, customer, "pending" if came else "unsettled")).confirm()
    if tab.state != "left":
        return
    world.step("the customer has done their part; whether the money comes is not decided", StepName.PENDING)
    await world.come_back(tab.url, customer, order)
    await world.notices_over()
    await world.look(order, customer, wait=world.config.integration.order.within)
    await world.target.advance(world.profile.traits.decides_later + 1)
    world.step(f"the money {'has come' if came else 'will never come'}", StepName.DECIDED, came=came)
    await world.notices_over()
    await world.look(order, customer, wait=world.shared.patience if came else world.config.integration.order.within)
    if not came:
        world.step("the customer tries again", StepName.AGAIN)
        await world.pay(order, customer, await world.checkout(order, customer, purpose="again"))


@probe("flow.slow-success", group="slow", waits=lambda limits: 3 * limits.slow)
async def slow(world: World) -> None:
    """The gateway works, but each answer takes ten seconds, or a third of the time that a call has where that is less."""
    order, customer = world.new_order(), world.customer()
    seconds = world.profile.limits.slow
    async with world.fault("delay", seconds=seconds):
        checkout = await world.checkout(order, customer)
        if not checkout.payment:
            await world.look(order, customer)
            return
        tab = await (await world.hosted(checkout, customer)).confirm()
        if tab.state == "left":
            world.step("the customer paid", StepName.PAID)
            await world.come_back(tab.url, customer, order)
        await world.look(order, customer, wait=world.shared.patience + seconds + 5)
