"""Payments as they go every day: paid, cancelled, refused, left alone, late, slow."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager

from payproof.contracts.profile import Profile
from payproof.contracts.run import Settings
from payproof.contracts.steps import StepName
from payproof.suites.probes import Params, probe
from payproof.suites.probes.tokens import count_processes, enough
from payproof.suites.session.world import World

_SEEN_EVERYWHERE = (
    "flow.success",
    "custom.order-id",
    "custom.distinct",
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
    """Five customers buy, one after the other, for several amounts and currencies, well within a token's life; more of them
    where there are many processes, so that each of these has served one."""
    tried = currencies(world)
    decimal = next((currency for currency in tried if world.profile.money.exponent(currency) > 0), tried[0])
    await world.buy(world.new_order("1.00"))
    await world.buy(world.new_order("5000.00"))
    await world.buy(world.new_order("1234.56" if world.profile.money.exponent(decimal) >= 2 else "1234.00", decimal))
    await world.buy(world.new_order("250.00", tried[-1]))
    await world.buy(world.new_order("99.00"))
    for _ in range(enough(world, 5, 2, 3) - 5):
        await world.buy(world.new_order("99.00"))
    count_processes(world)


@probe("flow.cancelled")
async def cancelled(world: World) -> None:
    """The customer opens the hosted checkout, cancels, and is sent back to the shop."""
    order, customer = world.new_order(), world.customer()
    checkout = await world.checkout(order, customer)
    if checkout.payment:
        tab = await (await world.hosted(checkout, customer)).cancel()
        if tab.state == "left":
            world.step("the customer cancelled", StepName.CANCELLED, url=tab.url)
            await world.come_back(tab.url, customer, order, purpose="cancel")
    await world.look(order, customer)


@probe("flow.failed", "verify.failed-return", needs=("refusal",))
async def refused(world: World) -> None:
    """The gateway refuses the payment and sends the customer to the return URL, saying so in the query."""
    order, customer = world.new_order(), world.customer()
    checkout = await world.checkout(order, customer)
    if checkout.payment:
        tab = await (await world.hosted(checkout, customer, "refused")).confirm()
        if tab.state == "left":
            declined = "the customer, whose payment will be refused, came back"
            refused_here = world.profile.traits.returns_after_failure
            told = "the gateway refused the payment and sent the customer back" if refused_here else declined
            world.step(told, StepName.REFUSED, url=tab.url)
            await world.come_back(tab.url, customer, order)
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


def _ways_of_leaving(profile: Profile, settings: Settings) -> Iterable[Params]:
    return ({"left": "cancelled"}, {"left": "walked-away"})


@probe("flow.late-success", variants=_ways_of_leaving)
async def late_success(world: World, left: str) -> None:
    """The hosted checkout is open in two tabs; the customer cancels (or walks away) in one and then pays in the other."""
    order, customer = world.new_order(), world.customer()
    checkout = await world.checkout(order, customer)
    if not checkout.payment:
        return
    paying = await world.hosted(checkout, customer)
    if left == "cancelled":
        leaving = await (await world.hosted(checkout, customer)).cancel()
        if leaving.state == "left":
            await world.come_back(leaving.url, customer, order, purpose="cancel")
    else:
        await world.look(order, customer)
    world.step("the customer pays in the other tab after all", StepName.LATE)
    await paying.confirm()
    if paying.state == "left":
        await world.come_back(paying.url, customer, order)
    await world.look(order, customer, wait=world.shared.patience)


@probe("flow.slow-success", group="slow", stalls=True)
async def slow(world: World) -> None:
    """The gateway works, but each answer takes a third of the time that a call has: ten seconds of thirty."""
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


@probe(
    "flow.network-error",
    "verify.unreachable",
    "flow.recovers",
    "errors.friendly",
    group="network",
    variants=lambda profile, settings: (
        {"operation": operation, "how": how} for operation in profile.paying for how in ("refuse", "close")
    ),
)
async def network_error(world: World, operation: str, how: str) -> None:
    """The gateway refuses connections, or accepts the request and closes without a byte of an answer."""
    if world.profile.verifies(operation):
        await _break_verification(world, operation, how)
    else:
        order, customer = world.new_order(), world.customer()
        if world.profile.role_of(operation) == "authenticate":
            world.target.expire_tokens()
        async with _outage(world, operation, how):
            await world.checkout(order, customer)
        world.step("the customer gave up on this attempt", StepName.TRIED)
        await world.look(order, customer)
    await world.recover()


@asynccontextmanager
async def _outage(world: World, operation: str, how: str) -> AsyncGenerator[None]:
    if how == "close":
        async with world.fault("dropped", operation=operation):
            yield
    else:
        world.gate("refuse")
        yield
        world.gate("open")


async def _break_verification(world: World, operation: str, how: str) -> None:
    order = world.new_order(role="unverified")
    customer = world.customer()
    tab = await world.pay_and_stay(order, customer)
    if tab is None:
        return
    world.step("the customer paid, and now the network fails", StepName.PAID)
    async with _outage(world, operation, how):
        await world.come_back(tab.url, customer, order)
        await world.look(order, customer)
    world.step("the network is back", StepName.TRIED)
    await world.mended(order, customer, tab.url)
