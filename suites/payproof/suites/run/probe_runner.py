"""Runs the probes of a world, one after the other: within the run's time, once more where payproof itself got in the way, and whatever becomes
of one, the next one's turn comes."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Coroutine
from typing import Any

from payproof.contracts.model import PayproofError
from payproof.simulator.relay.rate_budget import BudgetSpent
from payproof.simulator.target import Spoiled
from payproof.suites.probes import Params, Probe, run_probe
from payproof.suites.resources import breathe, lacking
from payproof.suites.run.assembly import Losses
from payproof.suites.run.repeats import ONCE, lost_to_us, turned_away
from payproof.suites.session.session import Session
from payproof.suites.session.world import World


class ProbeRunner:
    """``losses``: where it notes which requirements lost a probe run."""

    def __init__(self, session: Session, losses: Losses) -> None:
        self.session, self.losses = session, losses

    async def run(self, world: World, probe_runs: tuple[tuple[Probe, Params], ...]) -> None:
        alone = ""
        for number, (probe, params) in enumerate(probe_runs):
            if world.shared.time_is_up:
                self.losses.leave_out(probe_runs[number:], "", world.shared.seconds)
                return
            if alone:
                world.left_alone(probe.name, params, alone)
                continue
            try:
                if not await _in_time(world, self._run_fairly(world, probe, params)):
                    self.losses.leave_out(((probe, params),), f"waited for {world.waits_for}", world.shared.seconds)
                elif number + 1 < len(probe_runs):
                    alone = await self._unsold(world, probe, params)
                breathe(world.server.host, world.server.port, self.session.folder)
            except (BudgetSpent, Spoiled) as error:
                for id in probe.requirements:
                    self.losses.unreached.setdefault(id, error.message)
            except PayproofError as error:
                raise_if_lacking(error)
                self.losses.broke(((probe, params),), error.message)
            except Exception as error:
                raise_if_lacking(error)
                if os.environ.get("PAYPROOF_DEBUG"):
                    raise
                self.losses.broke(
                    ((probe, params),),
                    f"payproof's own fault in the probe {probe.name}: {type(error).__name__}: {error}",
                )

    async def settle(self, world: World) -> None:
        for _ in range(3):
            if world.shared.time_is_up:
                return
            try:
                await _in_time(world, world.settle())
            except Spoiled:
                continue
            except BudgetSpent:
                pass
            break

    async def _unsold(self, world: World, probe: Probe, params: Params) -> str:
        """Why no more probes can run with an integration that nobody restarts; empty while it sells."""
        doubtful = probe.ends_token(params, self.session.config.profile) or world.recovery_failed
        if self.session.config.integration.command or not doubtful:
            return ""
        with contextlib.suppress(BudgetSpent, Spoiled):
            if not await world.sells(probe.name):
                return f"the shop sells nothing any more since the probe {probe.name}, and nobody can restart it"
        return ""

    async def _run_fairly(self, world: World, probe: Probe, params: Params) -> None:
        """Once more when the sandbox itself did not work, or payproof; the first run is left out of the journal. So is a probe run
        in which the integration refused its customers for their number."""
        before, orders = len(world.journal.entries), world.orders
        await self._run_once_more(world, probe, params)
        entries = world.journal.entries
        if before < len(entries) and (why := turned_away(entries, entries[before].n)):
            world.leave_out(entries[before].n, orders=orders, why=f"the probe {probe.name} is left out: {why}")
            raise Spoiled(why, place=f"the probe {probe.name}", remedy="lift the limit while it is tested")

    async def _run_once_more(self, world: World, probe: Probe, params: Params) -> None:
        before, orders = len(world.journal.entries), world.orders
        try:
            await run_probe(probe, world, params)
        except Spoiled as error:
            self.session.progress.note(f"{probe.name} runs again: {error.message}")
            await world.calm()
        else:
            entries = world.journal.entries[before:]
            lost = lost_to_us(entries) or self.session.lateness.given_up(entries)
            if probe.name in ONCE or not lost:
                return
            world.leave_out(entries[0].n, orders=orders, why=f"the probe {probe.name} runs again: {lost}")
            self.session.progress.note(f"{probe.name} runs again: {lost}")
        before = len(world.journal.entries)
        try:
            await run_probe(probe, world, params)
        except Spoiled:
            await world.calm()
            raise
        entries = world.journal.entries[before:]
        if lost := lost_to_us(entries):
            world.step(f"{lost} once more: the probe {probe.name} stands as it is", "stands")
        elif late := self.session.lateness.given_up(entries):
            world.leave_out(entries[0].n, orders=orders, why=f"the probe {probe.name} is left out: {late}")
            raise Spoiled(late, place=f"the probe {probe.name}", remedy="run again when this machine has less to do")


async def _in_time(world: World, probe_run: Coroutine[Any, Any, None]) -> bool:
    """Run a probe; when the run's time is up, end it, forget it, and return False."""
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


def raise_if_lacking(error: Exception) -> None:
    """An error that comes of our own lack of something ends the run: nothing it does says anything any more."""
    if found := lacking(error):
        raise found from None
