"""A run: control first, then every probe in its world, the waiting overlapped; what comes out is journals.

Nothing here judges. ``perform`` returns a ``Run`` whose journals hold all that happened, also when control failed
(``scored`` is False then, and ``diagnosis`` says why in plain words).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

from payproof.contracts.model import Json, PayproofError
from payproof.contracts.run import Run
from payproof.simulator.relay.sandbox_exchange import OnExchange
from payproof.simulator.target import Spoiled
from payproof.suites.config import Config
from payproof.suites.probes import Params, Probe
from payproof.suites.run.assembly import Losses, assembled, begun
from payproof.suites.run.plan import (
    MAIN,
    PATIENT,
    SLOW_START,
    Options,
    Plan,
    announcement,
    plan,
    powerless,
    several,
)
from payproof.suites.run.probe_runner import ProbeRunner, raise_if_lacking
from payproof.suites.session import control
from payproof.suites.session.control import ControlPayment
from payproof.suites.session.diagnosis import diagnose
from payproof.suites.session.launcher import Instance
from payproof.suites.session.progress import Progress
from payproof.suites.session.session import Session, opened
from payproof.suites.session.settings import settings_of
from payproof.suites.session.world import World

_LAUNCHES = 2
"""Instances that start at the same time; more where starting is waiting rather than work."""
_QUICK_WORLDS = 2
"""Instances beside the first one that a quick run has for each processor: more of them start longer than they save."""
_BUSY = 6
"""Worlds that work at the same time; those that only wait are not counted."""


async def perform(
    config: Config,
    options: Options,
    progress: Progress | None = None,
    *,
    on_exchange: OnExchange | None = None,
    run_file: Path | None = None,
) -> Run:
    """Run the probes against the target. ``on_exchange`` is told of each exchange with a sandbox. ``run_file``: where the
    journals are written as they grow, so that a run that is broken off leaves them.

    Raises:
        Lacking: the system has not enough files, ports, processes, memory or space for payproof.
        PayproofError: the configuration cannot be used, or the integration does not start.
    """
    if options.target == "cassette":
        from payproof.suites.run.recorded import as_recorded

        options = as_recorded(config, options)
    async with opened(
        config, target=options.target, seed=options.seed, progress=progress, on_exchange=on_exchange
    ) as session:
        if text := announcement(config, options):
            session.progress.ask(text)
        return await _Performance(session, options, run_file).run()


class _Performance:
    """One run of the probes in a session."""

    def __init__(self, session: Session, options: Options, run_file: Path | None) -> None:
        self.session, self.options, self.config, self.progress = session, options, session.config, session.progress
        self.losses = Losses()
        self.probe_runner = ProbeRunner(session, self.losses)
        self.begun = begun(session, options)
        self.run_file = session.write_to(run_file, self.begun) if run_file else None
        self.paid: ControlPayment
        """The last control payment."""
        self.busy = asyncio.Semaphore(_BUSY)
        # The first world is there all the time.
        self.slots = asyncio.Semaphore(max(options.worlds - 1, 1))
        self.launching = asyncio.Semaphore(_LAUNCHES)
        self.free: list[World] = []
        """Worlds whose instances wait for more probes."""
        self.shared_worlds = 0

    async def run(self) -> Run:
        session = self.session
        main, paid = await session.begin(MAIN, self._control, seconds=self.options.seconds)
        offered = session.transport
        settings = settings_of(self.config, secure=offered.secure, secure_note=offered.note, powers=main.target.powers)
        diagnosis: tuple[str, ...] = ()
        shared = session.shared
        shared.start_seconds = _start_seconds(main)
        planned = plan(self.config, self.options, settings, shared.latency, shared.start_seconds)
        self.launching = asyncio.Semaphore(launches_at_once(main.instance, self.options.worlds))
        if self.options.quick and planned.sharing and shared.latency <= PATIENT:
            self.slots = asyncio.Semaphore(max(min(self.options.worlds - 1, _QUICK_WORLDS * (os.cpu_count() or 1)), 1))
        if self.run_file is not None:
            left_out: list[Json] = [*planned.left_out, *planned.powerless]
            self.run_file.settings(settings, left_out=left_out, powerless={**powerless(planned, settings)})
        if shared.latency > PATIENT:
            self.busy = asyncio.Semaphore(3 * _BUSY)
        if paid and (wrong := await control.pointers(main, self.paid)):
            paid, diagnosis = False, wrong
        elif paid:
            if shared.seconds is not None:
                shared.deadline = session.now() + shared.seconds
            await self._run_all(planned, main)
        else:
            diagnosis = diagnose(main)
        if MAIN not in session.recorded:
            await session.retire(main)
        return assembled(
            session, self.begun, self.options, planned, settings, self.losses, scored=paid, diagnosis=diagnosis
        )

    async def _control(self, world: World) -> bool:
        """Raises:
        Spoiled: the sandbox itself did not work, twice.
        """
        self.progress.world_started(world.name)
        try:
            self.paid = await control.pay(world)
        except Spoiled as error:
            self.progress.note(f"the control payment is made again: {error.message}")
            self.paid = await control.pay(world)
        world.shared.latency = self.paid.latency
        return self.paid.paid

    async def _run_all(self, planned: Plan, main: World) -> None:
        movers = [
            name for name, probe_runs in planned.worlds.items() if any(probe.moves_clock for probe, _ in probe_runs)
        ]
        alone = movers if self.session.source.shares_clock and several(self.config) else []
        async with asyncio.TaskGroup() as group:
            group.create_task(self._run_first(main, planned))
            for name in planned.worlds:
                if planned.worlds[name] and name not in (MAIN, *alone):
                    group.create_task(self._live(name, planned))
        for name in alone:
            await self._live(name, planned)
        await asyncio.gather(*map(self._end, self.free))

    async def _run_first(self, main: World, planned: Plan) -> None:
        """The first world's own probes; then others have its place."""
        await self.probe_runner.run(main, planned.worlds[MAIN])
        if MAIN in planned.sharing and main.sound:
            self.free.append(main)
        else:
            await self._end(main)
        self.slots.release()

    async def _live(self, name: str, planned: Plan) -> None:
        """Run the probes of a world, in an instance that is free where it may be shared, else in a new one."""
        shared, probe_runs = self.session.shared, planned.worlds[name]
        sharing = name in planned.sharing
        async with contextlib.nullcontext() if name in planned.stalling else self.busy, self.slots:
            if shared.time_is_up:
                self.losses.leave_out(probe_runs, "", shared.seconds)
                return
            if sharing and self.free:
                world = self.free.pop()
            else:
                self.shared_worlds += sharing
                world = self.session.world(f"shared-{self.shared_worlds}" if sharing else name)
                if not await self._started(world, probe_runs):
                    return
            if sharing:
                world.begin(name)
            try:
                await self.probe_runner.run(world, probe_runs)
            except BaseException:
                await self.session.retire(world)
                raise
            if sharing and world.sound:
                self.free.append(world)
            else:
                await self._end(world)

    async def _started(self, world: World, probe_runs: tuple[tuple[Probe, Params], ...]) -> bool:
        shared = self.session.shared
        self.progress.world_started(world.name)
        clock = asyncio.timeout(shared.time_left)
        try:
            async with clock, self.launching:
                await world.start()
            return True
        except TimeoutError:
            if not clock.expired():
                raise
            self.losses.leave_out(probe_runs, "waited for the integration's start", shared.seconds)
        except PayproofError as error:
            raise_if_lacking(error)
            if complaint := world.target.complaint():
                for probe, _ in probe_runs:
                    self.losses.unreached |= dict.fromkeys(probe.requirements, complaint)
            else:
                self.losses.broke(probe_runs, error.message)
        await self.session.retire(world)
        self.progress.world_finished(world.name)
        return False

    async def _end(self, world: World) -> None:
        """Nothing more runs there."""
        try:
            await self.probe_runner.settle(world)
        finally:
            await self.session.retire(world)
            self.progress.world_finished(world.name)


def _start_seconds(world: World) -> float:
    return world.instance.start_seconds if world.instance is not None else 0.0


def launches_at_once(instance: Instance | None, most: int) -> int:
    """How many instances may start at a time, so that the processors of this machine are enough for them, as the first start tells."""
    if instance is None or instance.start_seconds <= SLOW_START:
        return _LAUNCHES
    share = max(instance.start_work / instance.start_seconds, 0.01)
    return max(_LAUNCHES, min(most, int((os.cpu_count() or 1) / share)))
