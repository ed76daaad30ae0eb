"""Captures, on gateways where the integration takes the money: there is none to take, or it is too late to take it."""

from __future__ import annotations

from collections.abc import Iterable

from payproof.contracts.judging.steps import StepName
from payproof.contracts.profile import Profile
from payproof.contracts.run import Settings
from payproof.suites.probes import Params, probe
from payproof.suites.session.world import World


def _without_money(profile: Profile, settings: Settings) -> Iterable[Params]:
    if not profile.has("settle"):
        return ()
    # Whoever operates a real sandbox names a payer who is refused, and no other.
    outcomes = ("refused", "insufficient") if "clock" in settings.powers else ("refused",)
    return tuple({"payer": outcome} for outcome in outcomes if outcome in profile.payers)


@probe("capture.declined", group="captures", needs=("refusal",), variants=_without_money)
async def declined_capture(world: World, payer: str) -> None:
    """The customer agrees to pay with money that is not there, and comes back; the capture is declined. Then the customer starts
    again, and pays with money that is."""
    order, customer = world.new_order(), world.customer()
    checkout = await world.checkout(order, customer)
    if not checkout.payment:
        return
    tab = await (await world.hosted(checkout, customer, payer)).confirm()
    if tab.state != "left":
        return
    world.step("the customer, whose money cannot be taken, comes back", StepName.REFUSED, url=tab.url)
    await world.come_back(tab.url, customer, order)
    await world.notices_over()
    await world.look(order, customer)
    world.step("the customer starts again, with money that is there", StepName.AGAIN)
    again = await world.checkout(order, customer, purpose="again", again=True)
    if again.payment:
        await world.pay(order, customer, again)
    else:
        await world.look(order, customer)


def _asked_for_again(profile: Profile, settings: Settings) -> Iterable[Params]:
    return ({},) if profile.has("settle") and settings.addresses_orders else ()


@probe("capture.once", group="captures", needs=("answers",), variants=_asked_for_again)
async def lost_capture(world: World) -> None:
    """The customer comes back, the gateway takes the money, and its answer is lost. Before a notice tells of it the customer starts again,
    and pays if they are asked to. Where nobody takes the money on the return, the gateway tells of the approval first."""
    order, customer = world.new_order(), world.customer()
    tab = await world.pay_and_stay(order, customer)
    if tab is None:
        return
    await world.notices_over()  # an earlier order may be captured once more because of them
    async with world.fault("dropped", operation=world.profile.named("settle"), after_effect=True, times=1) as number:
        await world.come_back(tab.url, customer, order)
        if not world.target.faults.fired(number):
            await world.release_notices()
            await world.look_when_hit(order, customer, number)
    world.step("the money was taken, and the answer was lost; the customer starts again", StepName.AGAIN)
    again = await world.checkout(world.same(order), customer, purpose="again", again=True)
    if again.payment:
        await world.pay(order, customer, again)
    await world.release_notices()
    await world.look(order, customer, wait=world.shared.patience)


@probe(
    "capture.expired", group="time", needs=("clock",), moves_clock=True,
    variants=lambda profile, settings: ({},) if profile.has("settle") else (),
)  # fmt: skip
async def late_return(world: World) -> None:
    """The customer agrees to pay, and comes back when the payment's life at the gateway is over."""
    order, customer = world.new_order(), world.customer()
    tab = await world.pay_and_stay(order, customer)
    if tab is None:
        return
    await world.target.advance(world.profile.payment_life + 1)
    world.step("the approval expired at the gateway; the customer comes back", StepName.EXPIRED)
    await world.come_back(tab.url, customer, order)
    await world.look(order, customer)
    await world.release_notices()
