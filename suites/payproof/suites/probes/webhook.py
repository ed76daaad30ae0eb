"""The gateway's notices as such: forged, spelled otherwise, malformed, and about nothing that anybody knows.

Each probe runs only where it is declared where notices arrive.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from functools import wraps
from typing import Literal, cast, get_args

from payproof.contracts.entries import Checkout, Forgery, LedgerEvent
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Json
from payproof.contracts.profile import Profile
from payproof.contracts.run import Settings
from payproof.simulator.notices.forging import SPELLINGS, emptied, spelled, unheard_of
from payproof.simulator.notices.outbox import Notice
from payproof.suites.customer.customer import Customer
from payproof.suites.driver.driver import Order
from payproof.suites.probes import Params, ProbeFunction, always, probe
from payproof.suites.session.context import Purchase
from payproof.suites.session.world import World

UNPAID: tuple[LedgerEvent, ...] = ("cancelled", "refused", "declined", "expired")
"""Events of a payment that came to nothing; a gateway tells of some of them."""
LARGE = 1024 * 1024
"""Bytes of a notice that is far too long."""


def _forgeries(profile: Profile, settings: Settings) -> Iterable[Params]:
    own_key = profile.notices is not None and profile.notices.impostor is not None
    timed = profile.notices is not None and profile.notices.tolerance > 0
    left_out = (*(() if timed else ("old",)), *(() if own_key else ("other-key",)))
    yield from ({"how": how} for how in get_args(Forgery) if how not in left_out)
    if profile.has("verify-notice"):
        yield {"how": "other-secret", "unverifiable": True}


_ODD = always({"odd": "event"}, {"odd": "data"})


def on_an_unpaid_order(function: ProbeFunction) -> ProbeFunction:
    """A probe of an order whose payment is open and not paid; it does not run when it does not come to that."""

    @wraps(function)
    async def probe_run(world: World, **params: Json) -> None:
        order, customer = world.new_order(), world.customer()
        checkout = await world.checkout(order, customer)
        if checkout.payment:
            await function(world, order, customer, checkout, **params)

    return probe_run


@probe("webhook.signature-verified", "webhook.stale", group="notices", needs=("notices",), variants=_forgeries)
@on_an_unpaid_order
async def forged_notice(
    world: World, order: Order, customer: Customer, checkout: Checkout, how: str, unverifiable: bool = False
) -> None:
    """Somebody who does not know the secret tells the shop that an unpaid order was paid; where the gateway verifies notices, once also
    while it cannot be asked to."""
    await world.look(order, customer)
    async with AsyncExitStack() as meanwhile:
        if unverifiable:
            verifying = world.profile.named("verify-notice")
            await meanwhile.enter_async_context(world.fault("status", operation=verifying, status=503))
        world.step(f"somebody tells the shop that the order was paid ({how})", StepName.NOTICED)
        await world.outbox.forge(checkout.payment, cast("Forgery", how))
    await world.look(order, customer, wait=world.config.integration.order.within)


async def _told_again(world: World, text: str) -> Purchase | None:
    """An order is paid, and the gateway tells of it once more, as ever; None where it was not paid."""
    bought = await world.buy()
    if not bought.paid:
        return None
    await world.outbox.idle(bought.checkout.payment)
    world.step(text, StepName.NOTICED)
    for notice in world.outbox.claims(bought.checkout.payment):
        await world.outbox.deliver(notice)
    return bought


@probe("webhook.raw-body", "webhook.fast-answer", "logs.webhooks", group="notices", needs=("notices",))
async def spelled_notice(world: World) -> None:
    """An order is paid; the gateway tells of it again, and then in bytes that no JSON library would write."""
    if (bought := await _told_again(world, "the gateway tells of the same payment in other bytes")) is None:
        return
    for how in SPELLINGS:
        for notice in world.outbox.claims(bought.checkout.payment):
            if (body := spelled(notice.body, how)) is not None:
                # Who asks the gateway to verify a notice puts it into another text: blanks around it are lost on the way.
                notice.body, notice.shape = body.strip() if world.profile.has("verify-notice") else body, how
                await world.outbox.deliver(notice)
    await world.look(bought.order, bought.customer)


@probe("webhook.secret-rolled", group="notices", needs=("notices",))
async def rolled_notice(world: World) -> None:
    """An order is paid while the webhook's secret is rolled: the gateway tells of it signed with two secrets, of which the shop's is once
    the newer and once the older."""
    if (bought := await _told_again(world, "the gateway tells of the same payment, signed with two secrets")) is None:
        return
    others: tuple[Literal["newer", "older"], ...] = ("newer", "older")
    for beside in others:
        for notice in world.outbox.claims(bought.checkout.payment):
            notice.beside, notice.shape = (
                beside,
                f"signed with {'an older' if beside == 'older' else 'a newer'} secret, too",
            )
            await world.outbox.deliver(notice)


@probe("webhook.foreign-mode", group="notices", needs=("notices",))
@on_an_unpaid_order
async def other_mode_notice(world: World, order: Order, customer: Customer, checkout: Checkout) -> None:
    """A signed notice of a success that is of the gateway's other mode: it says that an unpaid order was paid with live money, in a
    sandbox."""
    told = world.profile.notices.other_mode if world.profile.notices else None
    if told is None:
        world.step("this gateway's notices do not say of which mode they are", StepName.NO_SUCH_NOTICE)
        return
    await world.look(order, customer)
    for notice in world.outbox.claims(checkout.payment):
        await _send_odd(world, notice, told(notice.body), "of the other mode")
    await world.look(order, customer, wait=world.config.integration.order.within)


@probe("webhook.unknown-event", group="notices", needs=("notices",), variants=_ODD)
@on_an_unpaid_order
async def unknown_notice(world: World, order: Order, customer: Customer, checkout: Checkout, odd: str) -> None:
    """A signed notice of an event that nobody knows, or without any data, about an unpaid order; then a customer pays."""
    notice = (
        next(iter(world.outbox.compose(checkout.payment, *UNPAID)), None) or world.outbox.claims(checkout.payment)[0]
    )
    body = (
        unheard_of(world.profile.notices, notice.body)
        if odd == "event" and world.profile.notices
        else emptied(notice.body)
    )
    if body is None:
        world.step("no such notice can be made of this gateway's", StepName.NO_SUCH_NOTICE)
        return
    await world.look(order, customer)
    await _send_odd(world, notice, body, f"unknown-{odd}")
    await world.look(order, customer, wait=world.config.integration.order.within)
    await _next(world)


async def _send_odd(world: World, notice: Notice, body: bytes, shape: str) -> None:
    world.step(f"a signed notice is odd ({shape})", StepName.NOTICED)
    notice.body, notice.shape = body, shape
    await world.outbox.deliver(notice)


async def _next(world: World) -> None:
    """Another customer pays, and the gateway tells of it."""
    await world.revive()
    world.step("another customer pays, and the gateway tells of that", StepName.NEXT_NOTICE)
    bought = await world.buy(world.new_order(role="next"))
    await world.outbox.idle(bought.checkout.payment)


@probe("webhook.unknown-order", group="notices", needs=("notices",))
@on_an_unpaid_order
async def foreign_notice(world: World, order: Order, customer: Customer, checkout: Checkout) -> None:
    """A signed notice of a success that the shop never asked for: a payment and an order that it does not know."""
    stranger = world.new_order(role="foreign")
    for notice in world.outbox.claims(checkout.payment, foreign=stranger.id):
        await _send_odd(world, notice, notice.body, "unknown-order")
    await world.look(order, customer, wait=world.config.integration.order.within)
    if stranger.known:
        await world.look(stranger, world.customer())


_MALFORMED: Mapping[str, bytes] = {
    "prose": b"A payment was made. Have a nice day.",
    "empty": b"",
    "large": b'{"filling": "' + b"x" * LARGE + b'"}',
}


@probe(
    "webhook.malformed", group="notices", needs=("notices",),
    variants=always(*({"body": body} for body in _MALFORMED)),
)  # fmt: skip
@on_an_unpaid_order
async def malformed_notice(world: World, order: Order, customer: Customer, checkout: Checkout, body: str) -> None:
    """A signed notice that is no JSON, empty, or a megabyte long; then a customer pays."""
    await _send_odd(world, world.outbox.claims(checkout.payment)[0], _MALFORMED[body], body)
    await _next(world)
