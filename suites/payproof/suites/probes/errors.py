"""Every kind of answer that is not the one hoped for, at each call."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from payproof.contracts.events import VERIFYING, Role
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Json
from payproof.contracts.profile import Profile
from payproof.contracts.run import Settings
from payproof.suites.customer.customer import Customer
from payproof.suites.driver.driver import Order
from payproof.suites.driver.recipe import uses
from payproof.suites.probes import Params, probe
from payproof.suites.probes.flow import cancel
from payproof.suites.probes.verify import mint_canary, unverifiable
from payproof.suites.session.world import CLOSES, World

UNKNOWN_CURRENCY = "XTS"
"""The code that ISO 4217 keeps for testing: no platform sells in it."""
_RETRY_AFTER = 2
_MOMENTS = (0.0, 1.0, 2.0)
"""Seconds before each attempt of a customer who starts again."""
_GOES_ON = 0.4
"""Seconds without another call after which nobody goes on without the customer."""
_CUSTOMERS = 8
"""More than the failures in a row after which circuit breakers usually open."""

BODIES: tuple[tuple[str, dict[str, Json]], ...] = (
    ("status", {"status": 500}),
    ("plain-error", {"status": 500}),
    ("html", {"status": 502}),
    ("not-json", {}),
    ("empty", {}),
    ("cut", {}),
    ("wrong-content-type", {}),
)


def _own_errors(profile: Profile, *operations: str) -> list[tuple[str, dict[str, Json]]]:
    names = dict.fromkeys(name for found in profile.faults.values() for name in found)
    return [("error", {"error": name}) for name in names if set(operations) & set(profile.errors[name].operations)]


def _answers(profile: Profile, settings: Settings) -> Iterable[Params]:
    roles: tuple[Role, ...] = ("authenticate", "open")
    for operation in (profile.named(role) for role in roles if profile.has(role)):
        for fault, params in (*_own_errors(profile, operation), *BODIES):
            yield {"operation": operation, "fault": fault, **params}


def _refused_checks(profile: Profile, settings: Settings) -> Iterable[Params]:
    asking = (operation.name for operation in profile.operations if operation.role in VERIFYING)
    return ({"fault": fault, **params} for fault, params in _own_errors(profile, *asking))


LEAKS = ("logs.no-access-token", "logs.no-secret-key", "credentials.not-served")
"""What comes out most when something goes wrong: a request that is dumped, an answer that is quoted."""
_JUDGED = (
    *LEAKS,
    "errors.invalid-token",
    "errors.currency",
    "errors.missing-parameter",
    "errors.server-error",
    "errors.not-json",
    "errors.no-retry",
    "errors.backoff",
    "errors.friendly",
    "flow.recovers",
    "logs.request-id",
)


@probe(*_JUDGED, "errors.conflict", group="errors-{operation}", variants=_answers)
async def error_answer(world: World, operation: str, fault: str, **params: Json) -> None:
    """The gateway answers a call with one of its own errors, with something that is not JSON, or with nothing. Whom it refused an
    access token, without a fault of their order, starts again when another customer has paid."""
    order, customer = world.new_order(), world.customer()
    canary = mint_canary(world)
    if world.profile.role_of(operation) == "authenticate":
        world.target.expire_tokens()
    world.step(f"the gateway will answer {operation} with: {params.get('error', fault)}", "armed", canary=canary)
    async with world.fault(fault, operation=operation, canary=canary, **params) as number:
        await world.checkout(order, customer)
        await world.look(order, customer)
        if fault == "status":  # one kind of answer is enough to see who goes on without the customer
            await world.burst(number, pause=_GOES_ON)
    world.step("the customer gave up on this attempt", StepName.TRIED)
    await world.recover()
    if operation == world.profile.named("open") and params.get("error") == _no_fault_of_the_order(world):
        await _start_again(world, order, customer)


def _no_fault_of_the_order(world: World) -> str:
    """The error of a create call by which no order is to blame; empty where the customer's request does not say which order it is for."""
    names_order = uses(world.config, "order.id") or world.config.integration.driver
    known = _own_errors(world.profile, world.profile.named("open"))
    own = {str(params["error"]) for _, params in known}.intersection(
        world.profile.faults.get("errors.invalid-token", ())
    )
    return min(own) if own and names_order else ""


async def _start_again(world: World, order: Order, customer: Customer) -> None:
    """The customer whom the error met wants to pay the same order: by the form that is still open, and by one that is opened anew, as a
    form may be good once; who is asked to wait gets a moment."""
    world.step("the customer whom the error met starts again", StepName.AGAIN)
    for pause in _MOMENTS:
        await asyncio.sleep(pause)
        if (await world.checkout(world.same(order), customer, purpose="again", again=not pause)).payment:
            return


@probe("flow.recovers", "errors.friendly", group="errors-in-a-row", waits=lambda limits: sum(CLOSES))
async def errors_in_a_row(world: World) -> None:
    """Many customers meet an error of the gateway when they start to pay; then it works again. Only where no payment goes through
    at once, as with a circuit breaker that has opened, the next customers wait: for a minute in the end."""
    if not (await world.buy(world.new_order(role="first"))).paid:
        return
    canary = mint_canary(world)
    world.step(f"the gateway will answer {_CUSTOMERS} customers with an error", "armed", canary=canary)
    async with world.fault("status", operation=world.profile.named("open"), canary=canary, status=500):
        orders = [world.new_order(role=f"met{number}") for number in range(_CUSTOMERS)]
        await asyncio.gather(*(world.checkout(order, world.customer()) for order in orders))
    world.step("the customers gave up on this attempt", StepName.TRIED)
    await world.recover(pauses=CLOSES)


@probe(*_JUDGED, "verify.unreachable", group="unverified", variants=_refused_checks)
async def refused_check(world: World, fault: str, **params: Json) -> None:
    """The customer has paid, and the status check is answered with one of the gateway's own errors; then it works again."""
    await unverifiable(world, fault, params)


@probe("flow.cancelled", "errors.friendly", "flow.recovers", group="unverified")
async def cancelled_in_trouble(world: World) -> None:
    """The customer cancels and is sent back to the shop, while the gateway answers status checks with an error."""
    canary = mint_canary(world)
    world.step("the gateway will answer status checks with an error", "armed", canary=canary)
    async with world.fault("status", operation=world.profile.verification, canary=canary, status=500):
        await cancel(world)
    await world.recover()


@probe(
    "errors.currency",
    "errors.friendly",
    "flow.recovers",
    group="errors-{open}",
    variants=lambda profile, settings: ({},) if settings.sets_currency else (),
)
async def unknown_currency(world: World) -> None:
    """The customer asks to pay in a currency that no platform knows; the gateway refuses it, if it is asked at all."""
    order, customer = world.new_order("5000.00", UNKNOWN_CURRENCY), world.customer()
    await world.checkout(order, customer)
    await world.look(order, customer)
    await world.recover()


@probe(
    "errors.rate-limit",
    "verify.unreachable",
    "flow.recovers",
    "errors.friendly",
    group="rate-limit",
    pauses=_RETRY_AFTER,
    variants=lambda profile, settings: ({"operation": op} for op in profile.paying),
)
async def rate_limited(world: World, operation: str) -> None:
    """One call is answered 429 with Retry-After: 2; whatever asks again later is answered properly."""
    if world.profile.verifies(operation):
        await _limited_check(world, operation)
        return
    order, customer = world.new_order(), world.customer()
    canary = mint_canary(world)
    if world.profile.role_of(operation) == "authenticate":
        world.target.expire_tokens()
    async with world.fault("rate-limit", operation=operation, times=1, seconds=_RETRY_AFTER, canary=canary):
        world.step("the gateway will answer 429", "armed", canary=canary)
        await world.checkout(order, customer)
    await world.recover(wait=_RETRY_AFTER + 0.1)


async def _limited_check(world: World, operation: str) -> None:
    """The customer has paid. A job's look at another order must not use the answer up, and a job may look when the customer has gone."""
    order, customer = world.new_order(role="unverified"), world.customer()
    canary = mint_canary(world)
    tab = await world.pay_and_stay(order, customer)
    if tab is None:
        return
    named = all(call.event.payment for call in world.calls(operation))
    mine = world.payment_of(order) if named else ""
    world.step("the customer paid", StepName.PAID)
    async with world.fault(
        "rate-limit", operation=operation, payment=mine, times=1, seconds=_RETRY_AFTER, canary=canary
    ) as number:
        world.step("the gateway will answer 429", "armed", canary=canary)
        await world.come_back(tab.url, customer, order)
        await world.until_hit(number)
    await asyncio.sleep(_RETRY_AFTER + 0.1)
    await world.mended(order, customer, tab.url)
    await world.recover()
