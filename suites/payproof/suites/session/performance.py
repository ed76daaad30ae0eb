"""A probe run as it is performed in a world: where it begins and ends, what goes wrong at the gateway meanwhile, what is kept of it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Literal, TypeAlias

from payproof.contracts.entries import BROKEN_OFF, Call, Delivery, Entry, Ledger, Log, Page, ProbeMark, Process, Step
from payproof.contracts.faults import FaultSpec
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Json, PayproofError
from payproof.contracts.run import RecordedWorld as Recorded
from payproof.simulator.faults import registered
from payproof.simulator.notices.outbox import Outbox
from payproof.simulator.target import Spoiled
from payproof.suites.customer.customer import Customer
from payproof.suites.driver.driver import Order
from payproof.suites.session.context import Shared
from payproof.suites.session.deployment import Deployment

GateMode: TypeAlias = Literal["open", "refuse", "close", "reset"]
_GATES: Mapping[GateMode, str] = {"refuse": "refuse", "close": "dropped", "reset": "reset"}


class Performance(Deployment):
    """A deployment in which probes run, one after the other."""

    def __init__(self, name: str, shared: Shared) -> None:
        super().__init__(name, shared)
        self._orders: list[tuple[Order, Customer]] = []
        """Every order that was placed, and who placed it."""
        self._gate: int | None = None

    @asynccontextmanager
    async def probe_run(self, probe: str, params: dict[str, Json], *, calls: bool = True) -> AsyncGenerator[None]:
        """One run of a probe. A fault that is still armed at its end is cleared. ``calls``: the integration will have to call the
        gateway."""
        await self.target.ready(probe)
        self.shared.progress.probe_started(self.name, probe)
        await self.revive(to_call=calls)
        begin = self.journal.add(ProbeMark(event="begin", probe=probe, params=params))
        orders = len(self._orders)
        problem: dict[str, Json] = {}
        try:
            yield
        except Exception as error:
            problem = {"error": error.message} if isinstance(error, PayproofError) else {}
            if not self.target.complaint():
                raise
        except asyncio.CancelledError:
            problem = {BROKEN_OFF: True}
            raise
        finally:
            self.end_disturbances()
            if self.target.outbox is not None:
                self.target.outbox.resume()
            if self.instance is not None:
                self.instance.read_logs(probe_over=True)
            self.journal.add(ProbeMark(event="end", probe=probe, params=problem))
            self.target.finished()
        if complaint := self.target.complaint():
            self.leave_out(begin.n, orders=orders, why=f"the probe {probe} is left out: {complaint}")
            raise Spoiled(complaint, place=f"the probe {probe}", remedy="run again when the sandbox is well")

    def left_alone(self, probe: str, params: dict[str, Json], why: str) -> None:
        """Journal a probe that does not run, and why."""
        self.journal.add(ProbeMark(event="begin", probe=probe, params=params))
        self.step(f"this probe was not run: {why}", StepName.LEFT_ALONE)
        self.journal.add(ProbeMark(event="end", probe=probe))

    def leave_out(self, since: int, *, orders: int | None = None, why: str = "") -> None:
        """Forget what happened from this entry on, but for what became of earlier payments. ``orders``: those after so many are
        forgotten, too; ``why``: a step says so."""
        kept = spared(self.journal.entries, since)
        self.journal.drop(since)
        self.journal.entries.extend(kept)
        if orders is not None:
            del self._orders[orders:]
        if why:
            self.step(why, "spoiled")

    @property
    def orders(self) -> int:
        """How many orders were placed so far."""
        return len(self._orders)

    # -- what goes wrong ----------------------------------------------------------------------------------------------

    def step(self, text: str, name: str = "", **facts: Json) -> Step:
        return self.journal.add(Step(text=text, name=name, facts=facts))

    @asynccontextmanager
    async def fault(self, name: str, **spec: Json) -> AsyncGenerator[int]:
        """A fault for as long as the block lasts. ``spec``: fields of FaultSpec; anything else is a parameter. A canary is
        only for faults that send a text."""
        if "canary" not in {field.name for field in dataclasses.fields(registered()[name])}:
            spec.pop("canary", None)
        fields = {key: spec.pop(key) for key in tuple(spec) if key in FaultSpec.__slots__}
        number = self.target.faults.arm(FaultSpec(name=name, params=spec, **fields))  # type: ignore[arg-type]
        try:
            yield number
        finally:
            self.target.faults.clear(number)

    def gate(self, mode: GateMode) -> None:
        """What every call to the gateway meets from now on: ``open``, or a connection that is refused, closed or reset."""
        if self._gate is not None:
            self.target.faults.clear(self._gate)
            self._gate = None
        if mode != "open":
            self.step(f"the gateway takes no calls any more ({mode})", StepName.GATE, mode=mode)
            self._gate = self.target.faults.arm(FaultSpec(name=_GATES[mode]))

    def fresh_connections(self) -> None:
        """The integration's next call comes on a new connection: those that it keeps see their end."""
        self.server.retire_idle()

    def end_disturbances(self) -> None:
        """Nothing that was armed strikes any more."""
        self.target.faults.clear()
        self._gate = None

    @property
    def outbox(self) -> Outbox:
        """What sends the gateway's notices, and what can be done to them.

        Raises:
            PayproofError: the real gateway sends them itself.
        """
        if self.target.outbox is None:
            raise PayproofError("nobody can keep back, repeat and forge the notices of this gateway")
        return self.target.outbox

    async def notices_over(self) -> None:
        """Wait until every notice that is under way was answered."""
        if self.target.outbox is not None:
            await self.target.outbox.idle()

    async def hasten_notices(self) -> None:
        """Have the gateway send now what it would repeat later, and wait until it was answered."""
        if self.target.outbox is not None:
            await self.target.outbox.hasten()

    async def release_notices(self) -> None:
        """Let the gateway send what was kept back, and wait until it was answered."""
        if self.target.outbox is not None:
            await self.target.outbox.release()

    async def until(self, met: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is so; False when it never was."""
        deadline = self.journal.now() + seconds
        while not met():
            if self.journal.now() >= deadline:
                return False
            await asyncio.sleep(0.02)
        return True

    # -- what probes ask of the journal --------------------------------------------------------------------------------

    def recorded(self) -> Recorded:
        return Recorded(name=self.name, entries=tuple(self.journal.entries))

    def calls(self, *names: str) -> list[Call]:
        return [
            entry
            for entry in self.journal.entries
            if isinstance(entry, Call) and (not names or entry.is_one_of(*names))
        ]

    def pages(self) -> list[Page]:
        return [entry for entry in self.journal.entries if isinstance(entry, Page)]

    def exited(self) -> bool:
        return any(isinstance(entry, Process) and entry.event == "exited" for entry in self.journal.entries)


def spared(entries: Iterable[Entry], since: int) -> list[Entry]:
    """What stays of a probe run that is left out. What meanwhile became of earlier payments, by a background job say, has
    happened all the same, and so has what was logged."""
    known = list(entries)
    earlier = {entry.payment for entry in known if isinstance(entry, Ledger) and entry.n < since} - {""}
    later = (entry for entry in known if entry.n >= since)
    return [entry for entry in later if isinstance(entry, Log) or _payment_of(entry) in earlier]


def _payment_of(entry: Entry) -> str:
    """The payment that a call, a notice or an entry of the ledger is about; empty for anything else."""
    if isinstance(entry, Ledger | Delivery):
        return entry.payment
    return (entry.payment_status.answered or entry.event.payment or "") if isinstance(entry, Call) else ""
