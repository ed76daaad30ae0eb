"""The alert drill: does anything arrive where alerts are declared to arrive?"""

from __future__ import annotations

from payproof.contracts.judging.alarms import is_alert
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Json
from payproof.suites.probes import probe
from payproof.suites.session.world import World

DRILL = 30.0
"""Seconds that an alert may take."""


def _heard(world: World, since: int) -> bool:
    if world.instance is not None:
        world.instance.read_logs()
    channel = world.config.integration.alert_channel
    return any(entry.n > since and is_alert(entry, channel) for entry in world.journal.entries)


@probe(
    "alerts.payment-error",
    group="alerts-errors-{fault}",
    waits=lambda limits: DRILL,
    variants=lambda profile, settings: (
        ({"fault": "status", "status": 500, "canary": "qzdrill"}, {"fault": "dropped"})
        if settings.alert_channel
        else ()
    ),
)
async def payment_errors(world: World, fault: str, **params: Json) -> None:
    """Three payments in a row fail: with an error of the gateway, or for want of any answer."""
    await world.buy(world.new_order(role="first"))
    mark = world.step("three payment errors in a row", StepName.DRILL)
    async with world.fault(fault, operation=world.profile.named("open"), **params):
        for number in range(3):
            await world.checkout(world.new_order(role=f"drill{number}"), world.customer())
    await world.until(lambda: _heard(world, mark.n), DRILL)
    world.step("the drill is over", StepName.DRILL_OVER)


@probe(
    "alerts.failed-verification",
    group="alerts-verification",
    waits=lambda limits: DRILL,
    variants=lambda profile, settings: ({},) if settings.alert_channel else (),
)
async def failed_verification(world: World) -> None:
    """Verifications fail: the amounts differ, the return was forged, the gateway cannot be asked."""
    mark = world.step("verifications will fail", StepName.DRILL)
    for how in ("mismatch", "forged", "unreachable"):
        await _fail_to_verify(world, how)
    await world.until(lambda: _heard(world, mark.n), DRILL)
    world.step("the drill is over", StepName.DRILL_OVER)


async def _fail_to_verify(world: World, how: str) -> None:
    order, customer = world.new_order(role=how), world.customer()
    checkout = await world.checkout(order, customer)
    if not checkout.payment:
        return
    if how == "forged":
        await world.come_back(world.target.forged_return(checkout.payment), customer, order)
        return
    if how == "mismatch":
        world.target.tamper(checkout.payment, amount="1.00")
    tab = await (await world.hosted(checkout, customer)).confirm()
    if tab.state != "left":
        return
    if how == "unreachable":
        async with world.fault("status", operation=world.profile.verification, status=500, canary="qzdrill") as number:
            await world.come_back(tab.url, customer, order)
            await world.look_when_hit(order, customer, number)
    else:
        await world.come_back(tab.url, customer, order)
        await world.look(order, customer, wait=min(world.config.integration.order.within, 3.0))
