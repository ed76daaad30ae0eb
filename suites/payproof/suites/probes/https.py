"""Gateways that cannot show who they are: whoever sends them anything has not looked."""

from __future__ import annotations

from asyncio import create_task
from collections.abc import Iterable
from dataclasses import dataclass

from payproof.contracts.checks.https import FORGERIES
from payproof.contracts.entries import Call, Connection
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import PayproofError
from payproof.contracts.profile import Profile
from payproof.contracts.run import Settings
from payproof.suites.customer.customer import Customer
from payproof.suites.driver.driver import Order
from payproof.suites.probes import Params, probe
from payproof.suites.session.world import World

_TOLD_AFTER = 0.5
"""Seconds after which a call is told that its access token is good no more; by then another certificate stands ready."""


@dataclass(frozen=True, slots=True)
class _Paid:
    order: Order
    customer: Customer
    return_url: str


def _forgeries(profile: Profile, settings: Settings) -> Iterable[Params]:
    return ({"shows": fault} for fault in FORGERIES) if settings.secure else ()


def _forgeries_at_renewal(profile: Profile, settings: Settings) -> Iterable[Params]:
    for fault in FORGERIES if settings.secure and profile.has("authenticate") else ():
        yield {"shows": fault, "operation": profile.named("authenticate")}


@probe("https.certificate-verified", "flow.recovers", "errors.friendly", group="certificates", variants=_forgeries)
async def false_certificate(world: World, shows: str) -> None:
    """Somebody on the way shows a certificate of another host, one that has expired, or one of an authority that nobody knows. One
    customer checks out then, and another, who paid before, comes back."""
    paid = await _paid(world)
    async with world.fault(shows) as number:
        await _try_to_pay(world, f"the gateway shows {FORGERIES[shows]}", paid, number)
    await world.recover()


@probe(
    "https.certificate-verified",
    "flow.recovers",
    "errors.friendly",
    group="certificates-{operation}",
    needs=("tokens",),
    variants=_forgeries_at_renewal,
)
async def renewal_certificate(world: World, shows: str, operation: str) -> None:
    """A customer's call is told that its access token is good no more, and from then on such a certificate is shown: the call for
    another token is the first to meet it."""
    await _try_to_renew(world, shows)
    await world.recover()


@probe(
    "flow.recovers",
    "errors.friendly",
    group="certificates",
    variants=lambda profile, settings: ({},) if settings.secure else (),
)
async def old_tls(world: World) -> None:
    """The gateway's certificate is good, and it offers TLS 1.0 and 1.1 only, which nobody should speak any more."""
    async with world.fault("old-tls") as number:
        await _try_to_pay(world, "the gateway offers TLS 1.0 and 1.1 only", number=number)
    await world.recover()


@probe(
    "https.certificate-verified",
    group="certificates-unknown",
    restarts=True,
    variants=lambda profile, settings: ({},) if settings.secure else (),
)
async def unknown_certificate(world: World) -> None:
    """The integration is started again without the variables that name this run's authority, and the gateway shows a certificate of
    another, which it cannot have kept in a store of its own. One customer checks out then, and another, who paid before, comes back."""
    paid = await _paid(world)
    try:
        await world.restart(authorities=False)
    except PayproofError as error:
        world.step(f"the integration does not start without the run's authority: {error.message}", StepName.LEFT_ALONE)
    else:
        async with world.fault("unknown-authority"):
            what = "the integration was not told of the authority behind the gateway's certificate"
            await _try_to_pay(world, what, paid)


async def _paid(world: World) -> _Paid | None:
    """Somebody who has paid and is still to come back; None when it did not come to that."""
    order, customer = world.new_order(role="paid"), world.customer()
    tab = await world.pay_and_stay(order, customer)
    return _Paid(order, customer, tab.url) if tab else None


async def _try_to_pay(world: World, what: str, paid: _Paid | None = None, number: int = 0) -> None:
    """Somebody checks out, and somebody who ``paid`` comes back; every connection that comes of it is seen to its end. ``number``: of
    the fault that is to be met, where there is one."""
    mark = world.step(what, StepName.DISTRUST).n
    order, customer = world.new_order(), world.customer()
    await world.checkout_until(lambda: not number or world.target.faults.fired(number), order, customer)
    await world.until(lambda: _connected(world, mark), world.shared.patience)
    if paid is not None:
        mark = world.step("the customer who paid before comes back").n
        await world.come_back(paid.return_url, paid.customer, paid.order)
        pace = world.config.integration.order.within or 3 * world.shared.latency
        await world.until(lambda: _connected(world, mark), pace)
    world.step("nobody tries any more", StepName.TRIED)
    await world.look(order, customer)


async def _try_to_renew(world: World, shows: str) -> None:
    """Somebody checks out with an access token that is refused; whatever is asked after that meets the other certificate."""
    await world.buy(world.new_order(role="first"))
    world.target.expire_tokens()
    mark = world.step(
        f"the access token is refused, and then the gateway shows {FORGERIES[shows]}", StepName.DISTRUST
    ).n
    order, customer = world.new_order(), world.customer()
    async with world.fault("gather", operation=world.profile.named("open"), times=1, seconds=_TOLD_AFTER) as late:
        paying = create_task(world.checkout(order, customer))
        met = world.target.faults.fired
        await world.until(lambda: met(late) > 0 or paying.done(), world.shared.page_patience)
        async with world.fault(shows):  # the answer that is on its way is the last one of its connection
            await paying
            await world.until(lambda: _connected(world, mark, shows), world.shared.patience)
            world.step("nobody tries any more", StepName.TRIED)
            await world.look(order, customer)


def _connected(world: World, mark: int, fault: str = "") -> bool:
    """Whether anybody has, since then; and met this fault."""
    later = (entry for entry in world.journal.entries if entry.n > mark and isinstance(entry, Call | Connection))
    return any(not fault or entry.fault == fault for entry in later)
