"""Gateways that cannot show who they are: whoever sends them anything has not looked."""

from __future__ import annotations

from collections.abc import Iterable

from payproof.contracts.checks.https import FORGERIES
from payproof.contracts.entries import Call, Connection
from payproof.contracts.model import PayproofError
from payproof.contracts.profile import Profile
from payproof.contracts.run import Settings
from payproof.contracts.steps import StepName
from payproof.suites.probes import Params, probe
from payproof.suites.session.world import World


def _forgeries(profile: Profile, settings: Settings) -> Iterable[Params]:
    return ({"shows": fault} for fault in FORGERIES) if settings.secure else ()


@probe("https.certificate-verified", "flow.recovers", "errors.friendly", group="certificates", variants=_forgeries)
async def false_certificate(world: World, shows: str) -> None:
    """Somebody on the way shows a certificate of another host, one that has expired, or one of an authority that nobody knows: to who
    has just paid and comes back, and to who checks out. What asks for a payment's state may be another client than what opens one."""
    paid, payer = world.new_order(role="paid"), world.customer()
    tab = await world.pay_and_stay(paid, payer)
    async with world.fault(shows):
        mark = world.step(f"the gateway shows {FORGERIES[shows]}", StepName.DISTRUST).n
        if tab is not None:
            await world.come_back(tab.url, payer, paid)
            await world.until(lambda: _connected(world, mark), world.config.integration.order.within)
        await _try_to_pay(world)
    await world.recover()


@probe(
    "flow.recovers",
    "errors.friendly",
    group="certificates",
    variants=lambda profile, settings: ({},) if settings.secure else (),
)
async def old_tls(world: World) -> None:
    """The gateway's certificate is good, and it offers TLS 1.0 and 1.1 only, which nobody should speak any more."""
    async with world.fault("old-tls"):
        world.step("the gateway offers TLS 1.0 and 1.1 only", StepName.DISTRUST)
        await _try_to_pay(world)
    await world.recover()


@probe(
    "https.certificate-verified",
    group="certificates-unknown",
    restarts=True,
    variants=lambda profile, settings: ({},) if settings.secure else (),
)
async def unknown_certificate(world: World) -> None:
    """The integration is started again without the variables that name this run's authority, so that it knows nobody who vouches
    for the gateway."""
    try:
        await world.restart(authorities=False)
    except PayproofError as error:
        world.step(f"the integration does not start without the run's authority: {error.message}", StepName.LEFT_ALONE)
    else:
        text = "the integration was not told of the authority behind the gateway's certificate"
        world.step(text, StepName.DISTRUST)
        await _try_to_pay(world)


async def _try_to_pay(world: World) -> None:
    """Somebody checks out; every connection that comes of it is seen to its end."""
    mark = world.journal.next - 1
    order, customer = world.new_order(), world.customer()
    await world.checkout(order, customer)
    await world.until(lambda: _connected(world, mark), world.shared.patience)
    world.step("the customer gave up on this attempt", StepName.TRIED)
    await world.look(order, customer)


def _connected(world: World, mark: int) -> bool:
    return any(entry.n > mark and isinstance(entry, Call | Connection) for entry in world.journal.entries)
