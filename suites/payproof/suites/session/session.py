"""A session: what all that starts an integration shares. Its target, its trust, its worlds, and an end at which all of them stop."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from payproof.contracts.entries import Connection
from payproof.contracts.journal import Journal
from payproof.contracts.model import PayproofError
from payproof.contracts.redaction.secrets import Redactor
from payproof.contracts.run import RecordedWorld, Run
from payproof.contracts.run_file import RunFile
from payproof.simulator.relay.sandbox_exchange import OnExchange
from payproof.simulator.target import TargetKind
from payproof.suites.config import Config
from payproof.suites.resources import lacking, need_files
from payproof.suites.session.alert_hook import AlertHook
from payproof.suites.session.context import Shared
from payproof.suites.session.lateness import Lateness
from payproof.suites.session.progress import Progress, SilentProgress
from payproof.suites.session.sandbox import has_client_id
from payproof.suites.session.scratch import scratch
from payproof.suites.session.targets import Relays, Simulators, TargetSource
from payproof.suites.session.trust import Trust
from payproof.suites.session.world import World


@dataclass(frozen=True, slots=True)
class Transport:
    """How the gateway is offered to the integration; ``note``: why not over TLS."""

    secure: bool
    note: str = ""


class Session:
    """Starts worlds and ends them. Use ``opened``."""

    shared: Shared
    """What its worlds have in common, from ``begin`` on."""
    transport: Transport

    def __init__(self, config: Config, source: TargetSource, progress: Progress, folder: Path, seed: int) -> None:
        self.config, self.source, self.progress, self.folder = config, source, progress, folder
        self.seed, self.started = seed, datetime.now(UTC)
        began = time.monotonic()
        self.now: Callable[[], float] = lambda: time.monotonic() - began
        self.lateness = Lateness(self.now)
        self.redactor = Redactor()
        self.recorded: dict[str, RecordedWorld] = {}
        self.given_up: list[RecordedWorld] = []
        """Worlds that nothing is judged on: their journals show why, and no more."""
        self._hook = AlertHook()
        self._worlds: list[World] = []
        self._run_file: RunFile | None = None

    def write_to(self, path: Path, run: Run) -> RunFile:
        """Write the journals there as they grow. ``run``: what a session that is broken off has to say of itself."""
        self._run_file = RunFile(path, self.redactor, run)
        return self._run_file

    # -- worlds --------------------------------------------------------------------------------------------------------

    async def begin(
        self,
        name: str,
        control: Callable[[World], Awaitable[bool]],
        *,
        plain_first: bool = False,
        seconds: float | None = None,
    ) -> tuple[World, bool]:
        """The first world, and whether ``control`` says that it works; over the other transport where the first one is what
        was in the way. ``plain_first``: plain HTTP is tried first, because its handshakes cost no time.

        Raises:
            PayproofError: the integration does not start.
        """
        await self._hook.start()
        self.lateness.start()
        first, *other = self._transports(plain_first=plain_first)
        self._offer(first, seconds)
        world = self.world(name)
        try:
            await world.start()
        except PayproofError:
            if first.secure or not other:
                raise
        else:
            works = await self._tried(world, control)
            if works or not other or not _in_the_way(world, first):
                return world, works
            if first.secure and _hesitant(world):
                other = [Transport(False, "the integration did not end a TLS handshake with the gateway")]
        if first.secure:
            self.progress.note(f"{other[0].note}; plain HTTP instead")
        await self._give_up(world)
        self._offer(other[0], seconds)
        world = self.world(name)
        await world.start()
        return world, await control(world)

    async def _tried(self, world: World, control: Callable[[World], Awaitable[bool]]) -> bool:
        """Once more for somebody whose first handshake took too long, as it may in a runtime that has only begun, or on a busy machine."""
        before, orders = world.journal.next, world.orders
        works = await control(world)
        if works or not _in_the_way(world, self.transport) or not _hesitant(world):
            return works
        why = "a TLS handshake was given up before it was done; the control payment is made again"
        self.progress.note(why)
        world.leave_out(before, orders=orders, why=why)
        return await control(world)

    def _transports(self, *, plain_first: bool) -> tuple[Transport, ...]:
        if not self.config.integration.command:
            return (Transport(False, "the integration was started before this run's certificate authority existed"),)
        if not self.config.simulator.https:
            return (Transport(False, "simulator.https is switched off"),)
        if self.config.integration.gateway_hosts:
            return (Transport(True),)  # the address in its code is one of https, whatever is offered
        plain = Transport(
            False,
            "the integration did not accept the run's certificate authority, which SSL_CERT_FILE and the like name",
        )
        return (plain, Transport(True)) if plain_first else (Transport(True), plain)

    def _offer(self, transport: Transport, seconds: float | None) -> None:
        folder = self.folder / ("secure" if transport.secure else "plain")
        folder.mkdir()
        self.transport = transport
        self.shared = Shared(
            config=self.config,
            profile=self.config.profile,
            seed=self.seed,
            folder=folder,
            trust=Trust(folder, self._gateway_names()) if transport.secure else None,
            redactor=self.redactor,
            now=self.now,
            progress=self.progress,
            alert_url=self._hook.url,
            alerts=self._hook.journals,
            source=self.source,
            seconds=seconds,
        )

    def _gateway_names(self) -> tuple[str, ...]:
        return (*self.config.profile.local_names, *self.config.integration.gateway_hosts)

    def world(self, name: str, redactor: Redactor | None = None) -> World:
        """One more, not started yet. ``redactor``: one of its own, for a world that is not kept: it remembers every secret."""
        world = World(name, replace(self.shared, redactor=redactor) if redactor else self.shared)
        if self._run_file is not None:
            self._run_file.follow(name, world.journal)
        self._worlds.append(world)
        return world

    async def close(self, world: World) -> None:
        """Stop a world, and forget it."""
        await world.stop()
        if world in self._worlds:
            self._worlds.remove(world)
        self._hook.journals.pop(world.name, None)

    async def retire(self, world: World) -> None:
        """Stop a world and keep its journal."""
        await self.close(world)
        self.keep(world.name, world.journal)

    async def _give_up(self, world: World) -> None:
        await self.close(world)
        self.given_up.append(RecordedWorld(name=f"{world.name}-given-up", entries=tuple(world.journal.entries)))
        if self._run_file is not None:
            # In the file, too, the next world of this name begins with nothing.
            self._run_file.put(world.name, 0)

    def journal(self, name: str = "") -> Journal:
        """One that is no world's; with a name, written down like theirs. ``keep`` it when it is full."""
        journal = Journal(self.redactor, clock=self.now)
        if name and self._run_file is not None:
            self._run_file.follow(name, journal)
        return journal

    def keep(self, name: str, journal: Journal) -> None:
        self.recorded[name] = RecordedWorld(name=name, entries=tuple(journal.entries))

    async def stop(self) -> None:
        """End everything, at once and together."""
        self.lateness.stop()
        try:
            await asyncio.gather(*(world.stop() for world in self._worlds), self._hook.stop(), return_exceptions=True)
            self._worlds.clear()
        finally:
            if self._run_file is not None:
                self._run_file.close()


@asynccontextmanager
async def opened(
    config: Config,
    *,
    target: TargetKind = "simulator",
    seed: int | None = None,
    progress: Progress | None = None,
    on_exchange: OnExchange | None = None,
) -> AsyncGenerator[Session]:
    """A session, of which nothing is left when the block is left, also on Ctrl-C.

    Raises:
        Lacking: the system has not enough files, ports, processes, memory or space for payproof.
        PayproofError: the configuration cannot be used.
    """
    _refuse_unprepared(config, target)
    progress = progress or SilentProgress()
    source = _source(config, target, progress, on_exchange)
    try:
        need_files()
        chosen = seed if seed is not None else secrets.randbelow(2**31)
        with scratch("payproof-") as folder:
            session = Session(config, source, progress, folder, chosen)
            try:
                yield session
            finally:
                progress.close()
                await asyncio.shield(session.stop())
    except Exception as error:
        if found := lacking(error):  # whatever it was that failed for it
            raise found from None
        raise
    finally:
        await source.aclose()


def _source(config: Config, target: TargetKind, progress: Progress, on_exchange: OnExchange | None) -> TargetSource:
    if target == "sandbox":
        return Relays(config, progress, on_exchange)
    if target == "cassette":
        from payproof.suites.session.cassette_source import Recordings

        return Recordings(config, progress)
    return Simulators(config)


def _refuse_unprepared(config: Config, kind: TargetKind) -> None:
    simulator = config.simulator
    needs_id = has_client_id(config)
    named = simulator.client_id or not needs_id
    known = simulator.port and (kind == "sandbox" or (named and simulator.secret_key))
    if not config.integration.command and not known:
        raise PayproofError(
            "an integration that already runs must know the simulator's address and credentials beforehand",
            place="payproof.toml: simulator",
            remedy=f"set {'port, client_id' if needs_id else 'port'} and secret_key in [simulator], start the integration "
            "with them, and run again",
        )


def _hesitant(world: World) -> bool:
    """Whether every TLS handshake that came to nothing may have been too slow for the integration, and no more than that."""
    failed = [entry for entry in world.journal.entries if isinstance(entry, Connection) and entry.distrusted]
    return bool(failed) and all(entry.hesitant for entry in failed)


def _in_the_way(world: World, transport: Transport) -> bool:
    """Whether another transport may help: a TLS handshake with the gateway failed, and no call got through; over plain HTTP,
    no payment was opened."""
    if not transport.secure:
        return not world.target.payments()
    failed = any(isinstance(entry, Connection) and entry.distrusted for entry in world.journal.entries)
    return failed and not world.calls()
