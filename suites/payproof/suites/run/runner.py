"""A run: control first, then every probe in its world, the waiting overlapped; what comes out is journals.

Nothing here judges. ``perform`` returns a ``Run`` whose journals hold all that happened, also when control failed
(``scored`` is False then, and ``diagnosis`` says why in plain words).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from payproof.contracts import __version__
from payproof.contracts.entries import Connection, Step
from payproof.contracts.journal import Journal, covered
from payproof.contracts.model import Json, PayproofError
from payproof.contracts.requirements import LATER
from payproof.contracts.run import RecordedWorld as Recorded
from payproof.contracts.run import Run, Settings, digest
from payproof.contracts.run_file import RunFile
from payproof.contracts.secrets import Redactor
from payproof.simulator.relay.rate_budget import BudgetSpent
from payproof.simulator.relay.sandbox_exchange import OnExchange
from payproof.simulator.target import Spoiled
from payproof.suites.config import Config
from payproof.suites.probes import Params, Probe, provoked_by, tell
from payproof.suites.run import secret_scan as source
from payproof.suites.run.declared import unmatched
from payproof.suites.run.plan import (
    MAIN,
    PATIENT,
    Options,
    Plan,
    announcement,
    plan,
    powerless,
    settings_of,
    several,
    skipped,
)
from payproof.suites.run.repeats import ONCE, lost_to_us
from payproof.suites.session.alert_hook import AlertHook
from payproof.suites.session.cassette_source import Recordings, as_recorded, unrecorded
from payproof.suites.session.context import Purchase, Shared
from payproof.suites.session.diagnosis import diagnose
from payproof.suites.session.launcher import CUT
from payproof.suites.session.progress import Progress, Silent
from payproof.suites.session.resources import breathe, lacking, need_files
from payproof.suites.session.targets import Relays, Simulators, TargetSource
from payproof.suites.session.trust import Trust
from payproof.suites.session.world import World

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
    """Run the probes against the target. ``tape`` is told of each exchange with a sandbox. ``run_file``: where the journals are
    written as they grow, so that a run that is broken off leaves them.

    Raises:
        Lacking: the system has not enough files, ports, processes, memory or space for payproof.
        PayproofError: the configuration cannot be used, or the integration does not start.
    """
    _refuse_unusable(config, options)
    if options.target == "cassette":
        options = as_recorded(config, options)
    progress = progress or Silent()
    source = _source(config, options, progress, on_exchange)
    try:
        need_files()
        with tempfile.TemporaryDirectory(prefix="payproof-") as name:
            return await _Session(config, options, progress, Path(name), source, run_file).run()
    except Exception as error:
        if found := lacking(error):  # whatever it was that failed for it
            raise found from None
        raise
    finally:
        await source.aclose()


def _source(config: Config, options: Options, progress: Progress, on_exchange: OnExchange | None) -> TargetSource:
    if options.target == "sandbox":
        relays = Relays(config, progress, on_exchange)
        if text := announcement(config, options):
            progress.ask(text)
        return relays
    if options.target == "cassette":
        return Recordings(config, progress)
    return Simulators(config)


def _refuse_unusable(config: Config, options: Options) -> None:
    simulator = config.simulator
    known = simulator.port and (options.target == "sandbox" or (simulator.client_id and simulator.secret_key))
    if not config.integration.command and not known:
        raise PayproofError(
            "an integration that already runs must know the simulator's address and credentials beforehand",
            place="payproof.toml: simulator",
            remedy="set port, client_id and secret_key in [simulator], start the integration with them, and run again",
        )


class _Session:
    def __init__(
        self,
        config: Config,
        options: Options,
        progress: Progress,
        folder: Path,
        source: TargetSource,
        run_file: Path | None = None,
    ) -> None:
        self.config, self.options, self.progress, self.folder = config, options, progress, folder
        self.source = source
        self.unreached: dict[str, str] = {}
        self.cut: dict[str, str] = {}
        """Requirements that lost a probe because the run's time was up, each with what was left out and why."""
        self.unattributed = 0
        self.seed = options.seed if options.seed is not None else secrets.randbelow(2**31)
        self.started = datetime.now(UTC)
        began = time.monotonic()
        self.now: Callable[[], float] = lambda: time.monotonic() - began
        self.redactor = Redactor()
        self.hook = AlertHook()
        self.worlds: list[World] = []
        self.recorded: dict[str, Recorded] = {}
        self.given_up: list[Recorded] = []
        self.errors: dict[str, str] = {}
        self.bought: Purchase | None = None
        """What control bought."""
        self.run_file = RunFile(run_file, self.redactor, self._begun()) if run_file else None
        self.busy = asyncio.Semaphore(_BUSY)
        self.launching = asyncio.Semaphore(2)

    async def run(self) -> Run:
        await self.hook.start()
        try:
            return await self._run()
        finally:
            self.progress.close()
            try:
                # Whatever happens, also Ctrl-C: everything started is stopped, at once and together.
                await asyncio.shield(
                    asyncio.gather(*(world.stop() for world in self.worlds), self.hook.stop(), return_exceptions=True)
                )
            finally:
                if self.run_file is not None:
                    self.run_file.close()

    async def _run(self) -> Run:
        secure, note = self._transport()
        shared = self._shared(secure)
        main = self._world(MAIN, shared)
        await main.start()
        paid = await self._control(main)
        if not paid and secure and _distrusts(main):
            self.progress.note("the integration does not trust the run's certificate authority; plain HTTP instead")
            await self._give_up(main)
            secure, note = (
                False,
                "the integration did not accept the run's certificate authority, so the gateway was offered over plain HTTP",
            )
            shared = self._shared(secure)
            main = self._world(MAIN, shared)
            await main.start()
            paid = await self._control(main)
        settings = settings_of(self.config, secure=secure, secure_note=note, powers=main.target.powers)
        diagnosis: tuple[str, ...] = ()
        planned = plan(self.config, self.options, settings, main.shared.latency)
        if self.run_file is not None:
            left_out: list[Json] = [*planned.left_out, *planned.powerless]
            self.run_file.settings(settings, left_out=left_out, powerless={**powerless(planned, settings)})
        if main.shared.latency > PATIENT:
            self.busy = asyncio.Semaphore(3 * _BUSY)
        if paid and (wrong := await self._pointers(main)):
            paid, diagnosis = False, wrong
        elif paid:
            if shared.seconds is not None:
                shared.deadline = self.now() + shared.seconds
            await self._tell_all(planned, main, shared)
        else:
            diagnosis = diagnose(main)
        await self._retire(main)
        self._tell_of_logs(main.shared)
        self._scan_source()
        return self._assemble(settings, planned, scored=paid, diagnosis=diagnosis)

    def _unrecorded(self, planned: Plan) -> dict[str, str]:
        return unrecorded(planned.left_out) if self.options.target == "cassette" else {}

    def _transport(self) -> tuple[bool, str]:
        """Whether the gateway is offered over TLS, and why not."""
        if not self.config.integration.command:
            return False, "the integration was started before this run's certificate authority existed"
        return self.config.simulator.https, "" if self.config.simulator.https else "simulator.https is switched off"

    def _shared(self, secure: bool) -> Shared:
        folder = self.folder / ("secure" if secure else "plain")
        folder.mkdir()
        return Shared(
            config=self.config,
            profile=self.config.profile,
            seed=self.seed,
            folder=folder,
            trust=Trust(folder, self.config.profile.local_names) if secure else None,
            redactor=self.redactor,
            now=self.now,
            progress=self.progress,
            alert_url=self.hook.url,
            alerts=self.hook.journals,
            source=self.source,
            seconds=self.options.seconds,
        )

    def _world(self, name: str, shared: Shared) -> World:
        world = World(name, shared)
        if self.run_file is not None:
            self.run_file.follow(name, world.journal)
        self.worlds.append(world)
        return world

    async def _control(self, world: World) -> bool:
        """One clean payment with no fault; nothing is scored when it does not end in a paid order.

        Raises:
            Spoiled: the sandbox itself did not work, twice.
        """
        self.progress.world_started(world.name)
        try:
            return await self._pay_once(world)
        except Spoiled as error:
            self.progress.note(f"the control payment is made again: {error.message}")
            return await self._pay_once(world)

    async def _pay_once(self, world: World) -> bool:
        async with world.story("control", {}):
            purchase = await world.buy()
            paid, self.bought = purchase.paid, purchase
            if not paid and purchase.tab is not None and purchase.tab.state == "left":
                # An undeclared background job may be slow: look for a while, so that its pace is known.
                paid = bool((await world.look(purchase.order, purchase.customer, wait=8.0)).paid)
            if purchase.visit is not None and purchase.visit.page is not None:
                world.shared.latency = max(world.journal.now() - purchase.visit.page.ended, 0.0)
        return paid

    async def _pointers(self, world: World) -> tuple[str, ...]:
        """What is declared of an order and cannot be found on the paid one; a fulfilment in the background gets its time."""
        if self.bought is None or self.bought.seen is None:
            return ()
        page = self.bought.seen.page
        deadline = self.now() + max(self.config.integration.order.within, 2.0)
        while wrong := unmatched(self.config, next((e for e in world.pages() if e.n == page), None)):
            if self.now() >= deadline:
                return wrong
            await asyncio.sleep(0.2)
            page = (await world.look(self.bought.order, self.bought.customer)).page
        return ()

    async def _tell_all(self, planned: Plan, main: World, shared: Shared) -> None:
        movers = [name for name, told in planned.worlds.items() if any(probe.moves_clock for probe, _ in told)]
        alone = movers if self.source.shares_clock and several(self.config) else []
        async with asyncio.TaskGroup() as group:
            # Those that wait begin first: their waiting is what the run's length is made of.
            for name in sorted(planned.worlds.keys() - alone, key=lambda name: (name not in planned.stalling, name)):
                stories = planned.worlds[name]
                if name == MAIN:
                    group.create_task(self._tell(main, stories))
                elif stories:
                    group.create_task(self._live(name, shared, stories, stalls=name in planned.stalling))
        for name in alone:
            await self._live(name, shared, planned.worlds[name], stalls=False)

    async def _live(
        self, name: str, shared: Shared, stories: tuple[tuple[Probe, Params], ...], *, stalls: bool
    ) -> None:
        async with contextlib.nullcontext() if stalls else self.busy:
            if shared.time_is_up:
                self._leave_out(stories, "was not begun", shared)
                return
            world = self._world(name, shared)
            self.progress.world_started(name)
            clock = asyncio.timeout(shared.time_left)
            try:
                async with clock, self.launching:
                    await world.start()
                await self._tell(world, stories)
            except TimeoutError:
                if not clock.expired():
                    raise
                self._leave_out(stories, "waited for the integration's start", shared)
            except PayproofError as error:
                _raise_if_lacking(error)
                if complaint := world.target.complaint():
                    for probe, _ in stories:
                        self.unreached |= dict.fromkeys(probe.requirements, complaint)
                else:
                    self._broke(stories, error.message)
            finally:
                await self._retire(world)
                self.progress.world_finished(name)

    async def _tell(self, world: World, stories: tuple[tuple[Probe, Params], ...]) -> None:
        alone = ""
        for number, (probe, params) in enumerate(stories):
            if world.shared.time_is_up:
                self._leave_out(stories[number:], "was not begun", world.shared)
                return
            if alone:
                world.left_alone(probe.name, params, alone)
                continue
            try:
                if not await _in_time(world, self._tell_fairly(world, probe, params)):
                    self._leave_out(((probe, params),), f"waited for {world.waits_for}", world.shared)
                elif number + 1 < len(stories):
                    alone = await self._unsold(world, probe, params)
                breathe(world.server.host, world.server.port, self.folder)
            except (BudgetSpent, Spoiled) as error:
                for id in probe.requirements:
                    self.unreached.setdefault(id, error.message)
            except PayproofError as error:
                _raise_if_lacking(error)
                self._broke(((probe, params),), error.message)
            except Exception as error:
                _raise_if_lacking(error)
                if os.environ.get("PAYPROOF_DEBUG"):
                    raise
                self._broke(
                    ((probe, params),),
                    f"payproof's own fault in the probe {probe.name}: {type(error).__name__}: {error}",
                )
        for _ in range(3):
            try:
                await _in_time(world, world.settle())
            except Spoiled:
                continue
            except BudgetSpent:
                pass
            break

    async def _unsold(self, world: World, probe: Probe, params: Params) -> str:
        """Why no more stories can be told to an integration that nobody restarts; empty while it sells."""
        doubtful = probe.ends_token(params, self.config.profile) or world.recovery_failed
        if self.config.integration.command or not doubtful:
            return ""
        with contextlib.suppress(BudgetSpent, Spoiled):
            if not await world.sells(probe.name):
                return f"the shop sells nothing any more since the story {probe.name}, and nobody can restart it"
        return ""

    async def _tell_fairly(self, world: World, probe: Probe, params: Params) -> None:
        """Once more when the sandbox itself did not work, or payproof; the first telling is left out of the journal."""
        before, orders = len(world.journal.entries), world.orders
        try:
            await tell(probe, world, params)
        except Spoiled as error:
            self.progress.note(f"{probe.name} is told again: {error.message}")
            await world.calm()
        else:
            told = world.journal.entries[before:]
            if probe.name in ONCE or not (lost := lost_to_us(told)):
                return
            world.leave_out(told[0].n, orders=orders, why=f"the story {probe.name} is told again: {lost}")
            self.progress.note(f"{probe.name} is told again: {lost}")
        before = len(world.journal.entries)
        try:
            await tell(probe, world, params)
        except Spoiled:
            await world.calm()
            raise
        if lost := lost_to_us(world.journal.entries[before:]):
            world.step(f"{lost} once more: the story {probe.name} stands as it is", "stands")

    def _leave_out(self, stories: tuple[tuple[Probe, Params], ...], why: str, shared: Shared) -> None:
        for probe, _ in stories:
            for id in probe.requirements:
                text = f"left out: the time of this quick run was up after {shared.seconds:g} s; the probe {probe.name} {why}"
                self.cut.setdefault(id, text)

    def _broke(self, stories: tuple[tuple[Probe, Params], ...], message: str) -> None:
        for probe, _ in stories:
            for requirement in probe.requirements:
                self.errors.setdefault(requirement, message)

    async def _retire(self, world: World) -> None:
        """Stop a world and keep its journal."""
        await world.stop()
        if world in self.worlds:
            self.worlds.remove(world)
        self.recorded[world.name] = world.recorded()

    async def _give_up(self, world: World) -> None:
        """Stop a world that nothing is judged on: its journal shows why it was given up, and no more."""
        await world.stop()
        self.worlds.remove(world)
        name = f"{world.name}-given-up"
        self.given_up.append(Recorded(name=name, entries=tuple(world.journal.entries)))
        if self.run_file is not None:
            # In the file, too, the next world of this name begins with nothing.
            self.run_file.put(world.name, 0)

    def _tell_of_logs(self, shared: Shared) -> None:
        """Lines of shared log files that belong to no world are kept in one of their own: secrets are searched there too."""
        logs = shared.logs
        if logs.together:
            files = ", ".join(self.config.integration.logs.files)
            self.progress.note(
                f"all instances write {files}: {logs.unowned} of {logs.lines} lines name nothing by which they could be told"
                " apart; {instance.dir} or {port} in integration.logs.files gives each instance its own"
            )
            self.unattributed = logs.unowned
        if logs.aside:
            journal = Journal(self.redactor, clock=self.now)
            for line in logs.aside:
                journal.add(line)
            self.recorded["shared-logs"] = Recorded(name="shared-logs", entries=tuple(journal.entries))

    def _unread(self) -> dict[str, Json]:
        """Bytes that the integration wrote and that were too many to keep, by world."""
        cut = {
            name: sum(int(str(step.facts["bytes"])) for step in world.of(Step) if step.name == CUT)
            for name, world in self.recorded.items()
        }
        return {name: count for name, count in cut.items() if count}

    def _begun(self) -> Run:
        """What a run that is broken off has to say of itself."""
        return Run(gateway=self.config.gateway, selected=self.options.only, facts=self._facts())

    def _facts(self) -> dict[str, Json]:
        return {
            "name": self.config.integration.name,
            "payproof": __version__,
            "profile_version": self.config.profile.version,
            "target": self.options.target,
            "quick": self.options.quick,
            "seed": self.seed,
            "started": self.started.isoformat(timespec="seconds"),
        }

    def _scan_source(self) -> None:
        declared = self.config.integration.source
        if declared.paths or declared.frontend:
            journal = Journal(self.redactor, clock=self.now)
            if self.run_file is not None:
                self.run_file.follow("source", journal)
            source.scan(self.config, journal)
            self.recorded["source"] = Recorded(name="source", entries=tuple(journal.entries))

    def _assemble(self, settings: Settings, planned: Plan, *, scored: bool, diagnosis: tuple[str, ...]) -> Run:
        worlds = tuple(sorted(self.recorded.values(), key=lambda world: world.name != MAIN))
        if self.redactor.learned:
            # What was learned late covers what was written early, in any world.
            worlds = covered(worlds, self.redactor)
            diagnosis = covered(diagnosis, self.redactor)
        described = json.dumps(self.config.model_dump(mode="json"), sort_keys=True)
        facts: dict[str, Json] = {
            **self._facts(),
            "seconds": round(self.now(), 1),
            "configuration": digest(self.redactor.redact(described)),
            "journal": digest("\n".join(f"{world.name} {entry!r}" for world in worlds for entry in world.entries)),
            "errors": {id: self.redactor.redact(text) for id, text in self.errors.items()},
            "cut": dict(self.cut),
            "later": list(LATER),
            **({"unattributed_log_lines": self.unattributed} if self.unattributed else {}),
            **({"unread_bytes": unread} if (unread := self._unread()) else {}),
            **self.source.account(),
        }
        return Run(
            gateway=self.config.gateway,
            settings=settings,
            worlds=worlds,
            given_up=tuple(self.given_up),
            selected=self.options.only,
            provoked_by=provoked_by(),
            left_out=(*planned.left_out, *planned.powerless),
            skipped=tuple(dict.fromkeys((*(skipped(planned.left_out) if self.options.quick else ()), *self.cut))),
            powerless={**powerless(planned, settings), **self._unrecorded(planned), **self.unreached},
            scored=scored,
            diagnosis=diagnosis,
            facts=facts,
        )


async def _in_time(world: World, probe_run: Coroutine[Any, Any, None]) -> bool:
    """Tell a story; when the run's time is up, end it, forget it, and return False."""
    begin, world.waits_for = world.journal.next, "the integration"
    clock = asyncio.timeout(world.shared.time_left)
    try:
        async with clock:
            await probe_run
    except TimeoutError:
        if not clock.expired():
            raise
        world.leave_out(begin)
        return False
    return True


def _raise_if_lacking(error: Exception) -> None:
    """An error that comes of our own lack of something ends the run: nothing it does says anything any more."""
    if found := lacking(error):
        raise found from None


def _distrusts(world: World) -> bool:
    """A TLS handshake with the gateway failed, and no call got through."""
    failed = any(isinstance(entry, Connection) and entry.event == "handshake_failed" for entry in world.journal.entries)
    return failed and not world.calls()
