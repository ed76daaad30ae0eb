"""Connections, answers and bodies that do not come: when does the integration hang up?

Each probe holds one call for as long as a patient client waits, in a world of its own.
"""

from __future__ import annotations

from asyncio import Task, create_task
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from payproof.contracts.entries import Connection
from payproof.contracts.judging.steps import StepName
from payproof.contracts.profile import Profile
from payproof.contracts.run import Settings
from payproof.suites.probes import Params, probe
from payproof.suites.session.world import World

_TO_SEE_IT = 0.5
"""Seconds that a call is held beyond the limit and its grace, to see the hang-up."""
_MARGIN = 10.0
"""Seconds that a customer waits beyond that: a shop that ends its call because its customer has left has no limit of its own."""

_NOTED_WITHIN = 5.0
"""Seconds within which the connection of a call that was held is at its end, once nothing holds it any more."""


@dataclass(frozen=True, slots=True)
class _Hold:
    """``fault``: what holds it. ``operation``: of which calls; empty where nobody gets as far as a call. ``seconds``: the longest
    that somebody is waited for. ``decided``: whether one was held to its end. ``keep``: the share that is answered before."""

    fault: str
    operation: str
    seconds: float
    decided: Callable[[World], bool]
    keep: float = 0.0


def _each_call(profile: Profile, settings: Settings) -> Iterable[Params]:
    return ({"operation": operation} for operation in profile.paying)


def _silences(profile: Profile, settings: Settings) -> Iterable[Params]:
    for operation in profile.paying:
        yield {"operation": operation}
        yield {"operation": operation, "sends": "headers"}


_JUDGED = ("flow.recovers", "errors.friendly")


@probe(
    "timeout.response",
    *_JUDGED,
    group="stalled-{operation}",
    waits=lambda limits: limits.call_fails,
    variants=_silences,
)
async def stalled(world: World, operation: str, sends: str = "") -> None:
    """The gateway accepts a call and never answers, or sends the headers of its answer and then nothing."""
    fault = "stall" if sends else "never-answer"
    await _held(world, _Hold(fault, operation, world.profile.limits.call_fails + _TO_SEE_IT, _of(fault, operation)))


@probe(
    "timeout.drip",
    *_JUDGED,
    group="drip-{operation}",
    waits=lambda limits: limits.whole_grace,
    variants=_each_call,
)
async def dripping(world: World, operation: str) -> None:
    """The gateway answers a call with one byte a second."""
    await _held(world, _Hold("drip", operation, world.profile.limits.whole_grace + _TO_SEE_IT, _of("drip", operation)))


def _ways_not_to_connect(profile: Profile, settings: Settings) -> Iterable[Params]:
    yield {"how": "backlog"}
    if settings.secure:
        yield {"how": "silent"}
        yield {"how": "tls-silence"}


@probe(
    "timeout.connect",
    *_JUDGED,
    group="unconnected-{how}",
    waits=lambda limits: limits.connect_fails,
    system="linux",
    variants=_ways_not_to_connect,
)
async def unconnected(world: World, how: str) -> None:
    """The gateway's address accepts no connection: whoever connects waits. Or it accepts, and does not begin TLS, or stops in the middle
    of its handshake."""
    since = world.journal.next

    def decided(world: World) -> bool:
        ended = (each for each in world.journal.entries if each.n >= since and isinstance(each, Connection))
        # Somebody who connects and says nothing looks whether anybody is there: we do, between probe runs.
        return any(each.event == "unaccepted" or (each.fault == how and each.first_byte is not None) for each in ended)

    keep = 0.5 if how == "tls-silence" else 0.0
    await _held(world, _Hold(how, "", world.profile.limits.connect_fails + _TO_SEE_IT, decided, keep))


def _of(fault: str, operation: str) -> Callable[[World], bool]:
    return lambda world: any(call.fault == fault for call in world.calls(operation))


async def _held(world: World, hold: _Hold) -> None:
    """A customer's request meets the trouble; a customer who is answered sooner does not end it: when it is given up is asked of
    the socket."""
    if world.profile.role_of(hold.operation) == "authenticate" and "tokens" in world.target.powers:
        world.target.expire_tokens()
    if world.profile.verifies(hold.operation):
        await _held_check(world, hold)
    else:
        await _held_checkout(world, hold)
    await world.recover()


async def _held_checkout(world: World, hold: _Hold) -> None:
    order, customer = world.new_order(), world.customer(patience=hold.seconds + _MARGIN)
    async with world.fault(hold.fault, **_filters(hold)) as number:
        met = world.target.faults.fired
        waiting = create_task(world.checkout_until(lambda: met(number), order, customer))
        await world.until(lambda: met(number) > 0 or waiting.done(), world.shared.page_patience)
        await _until_given_up(world, hold, number, waiting)
    await _noted(world, hold, number)
    await waiting
    world.step("the gateway answers again", StepName.TRIED)
    await world.look(order, customer)


async def _held_check(world: World, hold: _Hold) -> None:
    order, customer = world.new_order(role="unverified"), world.customer(patience=hold.seconds + _MARGIN)
    tab = await world.pay_and_stay(order, customer)
    if tab is None:
        return
    world.step("the customer paid; the status check will never be answered", StepName.PAID)
    async with world.fault(hold.fault, **_filters(hold)) as number:
        coming = create_task(world.come_back(tab.url, customer, order))
        met = world.target.faults.fired
        await world.until(lambda: met(number) > 0 or coming.done(), world.shared.page_patience)
        # A background job may ask when the customer has had an answer.
        await world.until(lambda: met(number) > 0, world.shared.patience + 3)
        await _until_given_up(world, hold, number, coming)
        asked = met(number) > 0
        seen = create_task(world.look(order, customer))
        await world.until(lambda: seen.done() or (not asked and met(number) > 0), 5)
        if not asked:  # a shop may ask no sooner than when somebody looks at the order
            await _until_given_up(world, hold, number, seen)
    await _noted(world, hold, number)
    await coming
    await seen
    await world.mended(order, customer, tab.url)


async def _noted(world: World, hold: _Hold, number: int) -> None:
    """Until the last held call has its entry, which it has when its connection is at its end: one that was abandoned takes a moment."""
    if hold.operation and world.target.faults.fired(number):
        await world.until(lambda: hold.decided(world), _NOTED_WITHIN)


def _filters(hold: _Hold) -> Params:
    found: Params = {"operation": hold.operation} if hold.operation else {}
    return {**found, "keep": hold.keep} if hold.keep else found


async def _until_given_up(world: World, hold: _Hold, number: int, waiting: Task[object]) -> None:
    """Where somebody is held, wait until they give up and the customer, ``waiting``, has an answer: whoever tries again before is
    held again."""
    if world.target.faults.fired(number):
        await world.until(lambda: hold.decided(world) and waiting.done(), hold.seconds)
