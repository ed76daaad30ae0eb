"""Where stories are played: worlds in a known state, and what the control payment taught about the shop."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import tempfile
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from payproof.contracts.entries import OrderSeen
from payproof.contracts.model import PayproofError
from payproof.contracts.secrets import Redactor
from payproof.suites.config import Config
from payproof.suites.explorer.customer_pool import CustomerPool
from payproof.suites.explorer.facts import Habits
from payproof.suites.run.plan import settings_of
from payproof.suites.session.alert_hook import AlertHook
from payproof.suites.session.context import Shared
from payproof.suites.session.diagnosis import diagnose
from payproof.suites.session.progress import Silent
from payproof.suites.session.targets import Simulators
from payproof.suites.session.trust import Trust
from payproof.suites.session.world import World

SLOW = 0.5
"""Seconds: a shop that verifies later than this does so in the background, and its worlds mostly wait."""
_UNDECLARED = 8.0
"""Seconds that the control payment is waited for when nothing was declared."""


class NotScored(Exception):
    """The control payment did not go through; ``diagnosis`` says why in plain words."""

    def __init__(self, diagnosis: tuple[str, ...]) -> None:
        super().__init__(diagnosis)
        self.diagnosis = diagnosis


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


@dataclass(slots=True)
class Worker:
    """A world that stories are played in, one after the other."""

    world: World
    cast: CustomerPool
    stories: int = 0


class ExplorerSession:
    """Starts worlds and ends them. Use ``opened``."""

    def __init__(self, config: Config, folder: Path, seed: int) -> None:
        self.config, self.folder, self.seed = config, folder, seed
        self.known = KnownOrders()
        self.rng = random.Random(f"{seed}:stage")
        began = time.monotonic()
        self.now: Callable[[], float] = lambda: time.monotonic() - began
        self._hook = AlertHook()
        self._worlds: list[World] = []
        self._shared: Shared | None = None
        self._count = 0

    # -- start and stop -------------------------------------------------------------------------------------------------

    async def open(self) -> Worker:
        """The control payment; returns the world that it was made in.

        Raises:
            NotScored: it did not end in a paid order.
            PayproofError: the integration does not start.
        """
        _refuse_unprepared(self.config)
        await self._hook.start()
        last: Exception = NotScored(())
        for secure in self._transports():
            self._shared = self._share(secure=secure)
            try:
                ground = await self._start()
            except PayproofError as error:
                last = error
                continue
            if await self._control(ground):
                return ground
            last = NotScored(diagnose(ground.world))
            await self.close(ground)
            if ground.world.target.payments():
                break  # a payment was opened, so the gateway's address is not what is wrong
        raise last

    def _transports(self) -> tuple[bool, ...]:
        """Whether the gateway is offered over TLS: not, if the integration takes plain HTTP on loopback, because most of
        a story's time would go into handshakes."""
        tls = self.config.simulator.https and bool(self.config.integration.command)
        return (False, True) if tls else (False,)

    async def stop(self) -> None:
        """End everything, at once and together."""
        await asyncio.gather(*(world.stop() for world in self._worlds), self._hook.stop(), return_exceptions=True)
        self._worlds.clear()

    async def ground(self) -> Worker:
        """One more world, with a newly started integration that has seen one clean payment.

        Raises:
            PayproofError: the integration does not start, or takes no payment.
        """
        ground = await self._start()
        if not await self.warm(ground):
            await self.close(ground)
            raise PayproofError("a newly started integration does not take a clean payment")
        return ground

    async def close(self, ground: Worker) -> None:
        """End one world."""
        await ground.world.stop()
        if ground.world in self._worlds:
            self._worlds.remove(ground.world)
        self._hook.journals.pop(ground.world.name, None)

    async def _start(self) -> Worker:
        assert self._shared is not None
        self._count += 1
        # A veil for each world: it remembers every access token, and a world does not last.
        world = World(f"explorer-{self._count}", replace(self._shared, redactor=Redactor()))
        self._worlds.append(world)
        await world.start()
        return Worker(world, CustomerPool(world))

    def _share(self, *, secure: bool) -> Shared:
        folder = self.folder / ("secure" if secure else "plain")
        folder.mkdir()
        return Shared(
            config=self.config,
            profile=self.config.profile,
            seed=self.seed,
            folder=folder,
            trust=Trust(folder, self.config.profile.local_names) if secure else None,
            redactor=Redactor(),
            now=self.now,
            progress=Silent(),
            alert_url=self._hook.url,
            alerts=self._hook.journals,
            source=Simulators(self.config),
        )

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

    async def _control(self, ground: Worker) -> bool:
        """One clean payment, and a restart after it: what is normal in this shop."""
        world, known = ground.world, self.known
        async with world.story("control", {}):
            order, customer = world.new_order(), world.customer()
            checkout = await world.checkout(order, customer)
            before = await world.look(order, customer)
            purchase = await world.pay(order, customer, checkout)
            seen = purchase.seen
            if not purchase.paid and purchase.tab is not None and purchase.tab.state == "left":
                seen = await world.look(order, customer, wait=_UNDECLARED)
            if seen is None or not seen.paid:
                return False
            if purchase.visit is not None and purchase.visit.page is not None:
                known.latency = max(world.journal.now() - purchase.visit.page.ended, 0.0)
                known.quick = max(known.quick, 3 * known.latency)
            payment = world.target.payment(checkout.payment)
            known.referred = payment is not None and order.label in payment.reference
            known.habits = self._habits(before, seen)
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
    """A stage whose every process is ended when the block is left, also on Ctrl-C."""
    chosen = seed if seed is not None else secrets.randbelow(2**31)
    with tempfile.TemporaryDirectory(prefix="payproof-") as name:
        stage = ExplorerSession(config, Path(name), chosen)
        try:
            yield stage
        finally:
            await asyncio.shield(stage.stop())


def _refuse_unprepared(config: Config) -> None:
    simulator = config.simulator
    if not config.integration.command and not (simulator.port and simulator.client_id and simulator.secret_key):
        raise PayproofError(
            "an integration that already runs must know the simulator's address and credentials beforehand",
            place="payproof.toml: simulator",
            remedy="set port, client_id and secret_key in [simulator], start the integration with them, and run again",
        )
