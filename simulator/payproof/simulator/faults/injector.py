"""The book of armed faults: which call is hit by which."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Protocol, cast

from payproof.contracts.entries import FaultSet
from payproof.contracts.events import AnyEvent, Opened
from payproof.contracts.faults import FaultSpec
from payproof.contracts.model import PayproofError
from payproof.simulator.dialect import Dialect, GatewayDeps
from payproof.simulator.exchange import Exchange
from payproof.simulator.faults.registry import AnyFault, ConnectionFault, Fault, Kind, PortFault, build, kind_of


@dataclass(slots=True)
class Armed:
    id: int
    spec: FaultSpec
    fault: AnyFault
    kind: Kind
    rng: random.Random
    seen: int = 0
    fired: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)
    held: set[Callable[[], None]] = field(default_factory=set["Callable[[], None]"])
    """What is to be done at once when the fault is cleared, while it is still known."""


class FaultListener(Protocol):
    """Whoever listens for the gateway: only it can do what happens before a request is read."""

    def fault_armed(self, armed: Armed) -> None:
        """A fault that does not act on calls holds from now on.

        Raises:
            PayproofError: it cannot be done here.
        """
        ...

    def fault_cleared(self, armed: Armed) -> None: ...


class FaultInjector:
    def __init__(self, deps: GatewayDeps, dialect: Dialect, *, seed: int = 0) -> None:
        self.deps, self.dialect = deps, dialect
        self._seed = seed
        self._armed: dict[int, Armed] = {}
        self._fired: dict[int, int] = {}
        self._next = 1
        self.wires: list[FaultListener] = []

    def arm(self, spec: FaultSpec) -> int:
        """Let the gateway misbehave; the answer is the number to clear it by.

        Raises:
            PayproofError: no such fault, a parameter or a filter that it does not have, a share outside 0 to 1, or a fault of
                the connection where nobody listens.
        """
        if not 0 <= spec.share <= 1:
            raise PayproofError(f"a share lies between 0 and 1, not {spec.share}", place="share")
        made = build(spec, self.deps.profile)
        rng = random.Random(f"{self._seed}:{self._next}")
        armed = Armed(self._next, spec, made, kind_of(spec.name), rng)
        if armed.kind != "call":
            self._arm_wires(armed)
        self._armed[armed.id] = armed
        self._next += 1
        self._record("armed", armed)
        return armed.id

    def _arm_wires(self, armed: Armed) -> None:
        if not self.wires:
            raise PayproofError(
                f'the fault "{armed.spec.name}" acts on the {armed.kind}, and nobody listens for this gateway here', place="name",
                remedy="arm it once a GatewayServer runs with these faults: `payproof serve`, the fixture payproof_gateway, a world",
            )  # fmt: skip
        for wire in self.wires:
            wire.fault_armed(armed)

    def clear(self, id: int | None = None) -> None:
        """End one fault, or all; calls that it holds are closed without an answer. Unknown numbers are ignored."""
        for number in [id] if id is not None else list(self._armed):
            if armed := self._armed.pop(number, None):
                self._fired[number] = armed.fired
                armed.released.set()
                for let_go in tuple(armed.held):
                    let_go()
                if armed.kind != "call":
                    for wire in self.wires:
                        wire.fault_cleared(armed)
                self._record("cleared", armed)

    def fired(self, id: int) -> int:
        """How many calls this fault has hit; also after it was cleared."""
        armed = self._armed.get(id)
        return armed.fired if armed else self._fired.get(id, 0)

    @property
    def any(self) -> bool:
        return bool(self._armed)

    def any_of(self, kind: Kind) -> bool:
        return any(armed.kind == kind for armed in self._armed.values())

    def armed(self) -> tuple[Armed, ...]:
        return tuple(self._armed.values())

    def match(self, exchange: Exchange) -> tuple[Armed, Fault] | None:
        """The first armed fault that hits this call."""
        for armed in self._armed.values():
            if armed.kind == "call" and self._concerns(armed.spec, exchange) and self._drawn(armed):
                armed.fired += 1
                return armed, cast("Fault", armed.fault)
        return None

    def match_connection(self, kind: Kind) -> tuple[Armed, ConnectionFault] | None:
        """The first armed fault that hits a connection which was accepted now, or which begins a ``handshake`` now."""
        for armed in self._armed.values():
            if armed.kind == kind and self._drawn(armed):
                armed.fired += 1
                return armed, cast("ConnectionFault", armed.fault)
        return None

    def shut(self) -> tuple[Armed, PortFault] | None:
        """The fault that the port has now: the one that was armed last."""
        found = [armed for armed in self._armed.values() if armed.kind == "port"]
        return (found[-1], cast("PortFault", found[-1].fault)) if found else None

    def _concerns(self, spec: FaultSpec, exchange: Exchange) -> bool:
        if spec.path not in exchange.path or (exchange.page and not spec.path):
            return False
        asked = exchange.asked
        if asked is None:
            asked = exchange.asked = self.deps.profile.read(exchange.request(), None)
        return (
            (not spec.operation or asked.is_one_of(spec.operation))
            and spec.payment in ("", asked.payment)
            and (not spec.reference or spec.reference in self._reference(asked))
        )

    def _reference(self, asked: AnyEvent) -> str:
        if isinstance(asked, Opened):
            return asked.reference or ""
        row = self.deps.store.get(asked.payment) if asked.payment else None
        return row.reference or "" if row else ""

    def _drawn(self, armed: Armed) -> bool:
        if armed.spec.times is not None and armed.fired >= armed.spec.times:
            return False
        armed.seen += 1
        return armed.seen > armed.spec.skip and (armed.spec.share >= 1 or armed.rng.random() < armed.spec.share)

    def _record(self, event: str, armed: Armed) -> None:
        spec = armed.spec
        detail = {key: value for key, value in asdict(spec).items() if value not in ("", None, {}, 0, False)}
        for shown in ("name", "operation"):
            detail.pop(shown, None)
        if spec.share == 1:
            detail.pop("share", None)
        self.deps.journal.add(
            FaultSet(
                event="armed" if event == "armed" else "cleared",
                name=spec.name,
                operation=spec.operation,
                detail={"id": armed.id, **detail} | ({} if event == "armed" else {"fired": armed.fired}),
            )
        )
