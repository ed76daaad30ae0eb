"""The life of an access token: it expires, it is refused, everybody needs it at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from payproof.contracts.judging.steps import StepName
from payproof.contracts.profile import Profile
from payproof.contracts.run import Settings
from payproof.suites.probes import Params, probe
from payproof.suites.session.world import World

_CROWD = 10
_MANY, _UNKNOWN = 30, 5
"""Customers at most; processes that are assumed where nobody can count them."""


def count_processes(world: World) -> None:
    """Note how many processes there are that may keep a token each."""
    if world.instance is not None:
        number = world.instance.serving()
        world.step(f"the integration runs as {number} process(es)", StepName.PROCESSES, serving=number)


def enough(world: World, least: int, times: int, more: int) -> int:
    """Customers enough to tell processes that keep a token each from a shop that keeps none. At a sandbox, and with its
    recording, no more than ever."""
    traits = world.profile.traits
    if world.target.kind != "simulator" or not world.profile.has("authenticate") or traits.token_is_payment:
        return least
    processes = world.config.integration.workers or (world.instance.serving() if world.instance else _UNKNOWN)
    return min(max(least, times * processes + more), max(_MANY, least))


def _moments(profile: Profile, settings: Settings) -> Iterable[Params]:
    if not profile.has("authenticate"):
        return ()
    moments = ["between-payments"] if "clock" in settings.powers else []
    moments += ["revoked"]
    if profile.traits.paid_survives_token:
        # What the customer agreed to waits to be taken, and not for ever.
        waits = not profile.traits.settles or profile.token_life < profile.payment_life
        moments += ["before-status"] if waits and "clock" in settings.powers else []
        moments += ["revoked-before-status"]
    return tuple({"moment": moment} for moment in moments)


@probe("token.renewed", group="time", needs=("tokens",), moves_clock=True, variants=_moments)
async def token_expired(world: World, moment: str) -> None:
    """The access token's life ends between two payments, or between create and status check; or the gateway revokes a
    young token. The next call that uses it is answered 401."""
    await world.buy(world.new_order(role="first"))
    if moment in ("between-payments", "revoked"):
        await _end_token(world, moment == "revoked")
        await world.buy(world.new_order())
        return
    order, customer = world.new_order(), world.customer()
    tab = await world.pay_and_stay(order, customer)
    if tab is None:
        return
    await _end_token(world, moment == "revoked-before-status")
    await world.come_back(tab.url, customer, order)
    await world.release_notices()
    await world.look(order, customer, wait=world.shared.patience)


async def _end_token(world: World, revoke: bool) -> None:
    if revoke:
        world.target.expire_tokens()
        world.step("the gateway revokes the young access token", StepName.TOKEN_ENDED)
    else:
        await world.target.advance(world.profile.token_life + 1)
        world.step("the gateway's clock passes the access token's life", StepName.TOKEN_ENDED)


@probe(
    "token.retried-once",
    "errors.friendly",
    "flow.recovers",
    group="time",
    variants=lambda profile, settings: (
        ({"operation": profile.named("open")}, {"operation": profile.verification})
        if profile.has("authenticate")
        else ()
    ),
)
async def always_unauthorized(world: World, operation: str) -> None:
    """Every call of one kind is answered 401, with a fresh token too."""
    order, customer = world.new_order(), world.customer()
    if not world.profile.verifies(operation):
        async with world.fault("unauthorized", operation=operation):
            await world.checkout(order, customer)
    else:
        tab = await world.pay_and_stay(order, customer)
        if tab is None:
            return
        async with world.fault("unauthorized", operation=operation) as number:
            await world.come_back(tab.url, customer, order)
            await world.look_when_hit(order, customer, number)
    await world.recover()


@probe(
    "token.no-stampede",
    group="time",
    needs=("tokens",),
    moves_clock=True,
    variants=lambda profile, settings: ({},) if profile.has("authenticate") else (),
)
async def stampede(world: World) -> None:
    """The access token has expired, and ten customers (more where there are many processes) check out at the same moment."""
    await world.buy(world.new_order(role="first"))
    crowd = enough(world, _CROWD, 3, 1)
    orders = [world.new_order(role=f"crowd{number}") for number in range(crowd)]
    await _end_token(world, "clock" not in world.target.powers)
    world.step(f"the token has expired; {crowd} customers check out at once", StepName.CROWD)
    # A real gateway needs a moment for its answer. Here it takes one too, so that whoever asks without waiting for another is seen to do so.
    async with (
        world.fault("gather", operation=world.profile.named("authenticate"), calls=crowd, seconds=0.5),
        asyncio.TaskGroup() as group,
    ):
        for order in orders:
            group.create_task(world.checkout(order, world.customer(), purpose="crowd"))
    count_processes(world)


@probe("credentials.rotation", group="credentials", restarts=True, needs=("credentials", "tokens"))
async def rotation(world: World) -> None:
    """The secret key is replaced at the gateway; the integration is restarted with the new one and its data kept."""
    await world.buy(world.new_order(role="first"))
    merchant = world.target.rotate_secret()
    world.target.expire_tokens()
    world.step(
        "the secret key was replaced; the integration restarts with the new one",
        StepName.ROTATED,
        secret=merchant.secret_key,
    )
    await world.restart()
    await world.buy()


@probe("credentials.revoked", "errors.friendly", group="credentials", needs=("credentials", "tokens"))
async def revoked(world: World) -> None:
    """The secret key is revoked while the integration runs, and the access token with it."""
    await world.buy(world.new_order(role="first"))
    world.target.revoke_secret()
    world.target.expire_tokens()
    world.step("the secret key is revoked", StepName.REVOKED)
    order, customer = world.new_order(), world.customer()
    await world.checkout(order, customer)
    await world.look(order, customer)
