"""Where stories are played: worlds in a known state, and what the control payment taught about the shop."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from payproof.contracts.entries import OrderSeen
from payproof.contracts.model import PayproofError
from payproof.contracts.redaction.secrets import Redactor
from payproof.suites.config import Config
from payproof.suites.customer.customer import Customer
from payproof.suites.explorer.facts import Habits
from payproof.suites.session import control
from payproof.suites.session.diagnosis import diagnose
from payproof.suites.session.session import Session
from payproof.suites.session.session import opened as session_of
from payproof.suites.session.settings import settings_of
from payproof.suites.session.world import World

SLOW = 0.5
"""Seconds: a shop that verifies later than this does so in the background, and its worlds mostly wait."""


class NotScored(PayproofError):
    """There is nothing to explore: ``reason`` is a clause, and ``diagnosis`` says why in plain words."""

    def __init__(self, reason: str, diagnosis: tuple[str, ...]) -> None:
        super().__init__(
            f"not scored: {reason}. {' '.join(diagnosis)}",
            place="the control payment",
            remedy="mend the configuration until `payproof run` is scored, then explore",
        )


@dataclass(slots=True)
class KnownOrders:
    """What was learned of the shop.

    ``latency``: seconds from the customer's return to the paid order. ``quick``: seconds that a story at rest waits for
    what a careful shop does soon; it grows when a careful shop was seen to need more. ``restarts``: an order outlives a
    restart. ``referred``: payments refer to orders by the ids that we give them.
    """

    habits: Habits = field(default_factory=Habits)
    latency: float = 0.0
    quick: float = 0.25
    restarts: bool = False
    referred: bool = False
    notes: list[str] = field(default_factory=list[str])


class CustomerPool:
    """The customers of one world. They are used again, each time with an empty browser."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._free: list[Customer] = []
        self._busy: list[Customer] = []

    def dismiss(self) -> None:
        """The story is over: everybody may be somebody else from now on."""
        self._free += self._busy
        self._busy.clear()

    def customer(self, name: str, like: Customer | None = None) -> Customer:
        """Somebody called ``name``; with the cookies of ``like`` it is the same person in another tab."""
        someone = self._free.pop() if self._free else self._world.customer()
        self._busy.append(someone)
        someone.name = name
        someone.cookies.clear()
        for cookie in like.cookies.jar if like is not None else ():
            someone.cookies.jar.set_cookie(cookie)
        return someone


@dataclass(slots=True)
class Worker:
    """A world that stories are played in, one after the other."""

    world: World
    cast: CustomerPool
    stories: int = 0


class ExplorerSession:
    """A session's worlds for stories. Use ``opened``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.config, self.folder, self.seed, self.now = session.config, session.folder, session.seed, session.now
        self.known = KnownOrders()
        self.rng = random.Random(f"{self.seed}:stage")
        self._count = 1
        self._wrong: tuple[str, ...] = ()

    # -- start and stop -------------------------------------------------------------------------------------------------

    async def open(self) -> Worker:
        """The control payment; returns the world that it was made in. Plain HTTP is tried first, because most of a story's time
        would go into handshakes.

        Raises:
            NotScored: it did not end in a paid order, or what is declared of an order is not on it.
            PayproofError: the integration does not start.
        """
        world, paid = await self._session.begin("explorer-1", self._control, plain_first=True)
        if not paid:
            raise NotScored("the control payment did not end in a paid order", diagnose(world))
        if self._wrong:
            raise NotScored("what is declared of an order cannot be found on the paid one", self._wrong)
        return Worker(world, CustomerPool(world))

    async def ground(self) -> Worker:
        """One more world, with a newly started integration that has seen one clean payment.

        Raises:
            PayproofError: the integration does not start, or takes no payment.
        """
        self._count += 1
        # A redactor for each world: it remembers every access token, and a world does not last.
        world = self._session.world(f"explorer-{self._count}", Redactor())
        await world.start()
        ground = Worker(world, CustomerPool(world))
        if not await self.warm(ground):
            await self.close(ground)
            raise PayproofError("a newly started integration does not take a clean payment")
        return ground

    async def close(self, ground: Worker) -> None:
        """End one world."""
        await self._session.close(ground.world)

    # -- the known state ------------------------------------------------------------------------------------------------

    async def warm(self, ground: Worker) -> bool:
        """Let one customer get as far as the hosted checkout: then the integration works and holds a good access token."""
        world = ground.world
        for pause in (0.1, 0.5, 1.0, 1.5, 0.0):
            with contextlib.suppress(PayproofError):
                await world.revive()
                customer = ground.cast.customer("customer Z")
                checkout = await world.checkout(world.new_order(role="warm"), customer, purpose="warm")
                ground.cast.dismiss()
                if checkout.payment:
                    return True
            await asyncio.sleep(pause)
        return False

    async def _control(self, world: World) -> bool:
        """One clean payment, and a restart after it: what is normal in this shop."""
        known = self.known
        paid = await control.pay(world, look_before=True)
        if paid.seen is None or paid.before is None or not paid.paid:
            return False
        self._wrong = await control.pointers(world, paid)
        known.latency = paid.latency
        known.quick = max(known.quick, 3 * known.latency)
        order, customer = paid.purchase.order, paid.purchase.customer
        payment = world.target.payment(paid.purchase.checkout.payment)
        known.referred = payment is not None and order.label in payment.reference
        known.habits = self._habits(paid.before, paid.seen)
        if self.config.integration.command:
            await world.restart()
            known.restarts = bool((await world.look(order, customer)).paid)
            if not known.restarts:
                known.notes.append("a paid order cannot be read after a restart: no story restarts the integration")
        return True

    def _habits(self, before: OrderSeen, seen: OrderSeen) -> Habits:
        settings = settings_of(self.config)
        return Habits(
            effects=seen.effects,
            shows_flags=settings.shows_flags or bool(self.config.integration.driver),
            sends_alerts=bool(settings.alert_channel),
            waiting=frozenset({before.state} if before.paid is False and before.state else ()),
        )


@asynccontextmanager
async def opened(config: Config, seed: int | None) -> AsyncGenerator[ExplorerSession]:
    """A session for stories, of which nothing is left when the block is left, also on Ctrl-C."""
    async with session_of(config, seed=seed) as session:
        yield ExplorerSession(session)
