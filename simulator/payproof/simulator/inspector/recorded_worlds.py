"""What happened at the gateway, cut into the probe runs that a run would have made: so that the same checks can read it.

A run plays a probe and marks where it begins and ends. Here a person clicks: payments one after the other are the probe ``steady``, and a
fault that is armed until it is cleared is the probe that arms the same fault. Nothing is invented but the marks, and, for ``steady``, that
an order counts as paid when the gateway has taken the money: what the shop itself believes is not seen from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from payproof.contracts.entries import Call, Connection, Entry, FaultSet, Ledger, OrderSeen, ProbeMark, Step
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Json
from payproof.contracts.profile import Profile
from payproof.contracts.run import RecordedWorld
from payproof.simulator.control.operations import DISTURBED

WORLD = "gateway"


@dataclass(frozen=True, slots=True)
class _Kind:
    """``first``: the step that the check looks for at the probe run's begin."""

    probe: str
    first: StepName | None = None


_OF_A_FAULT: Mapping[str, _Kind] = {
    "never-answer": _Kind("stalled"),
    "stall": _Kind("stalled"),
    "drip": _Kind("dripping"),
    "backlog": _Kind("unconnected"),
    "unauthorized": _Kind("always-unauthorized"),
    "wrong-host": _Kind("false-certificate", StepName.DISTRUST),
    "expired-certificate": _Kind("false-certificate", StepName.DISTRUST),
    "unknown-authority": _Kind("false-certificate", StepName.DISTRUST),
}


def recorded_worlds(entries: Sequence[Entry], profile: Profile) -> tuple[RecordedWorld, ...]:
    """A world for each probe run, with the entries that belong to it under their own numbers."""
    found = [_steady(calm) for calm in _calm(entries)] if profile.has("authenticate") else []
    for armed in entries:
        if isinstance(armed, FaultSet) and armed.event == "armed" and armed.name in _OF_A_FAULT:
            found += _faulty(entries, armed)
    return tuple(RecordedWorld(name=WORLD, entries=tuple(probe_run)) for probe_run in found if probe_run)


def _calm(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """The stretches in which nobody disturbed the gateway, and no fault was armed."""
    calm: list[Entry] = []
    armed: set[str] = set()
    for entry in entries:
        if isinstance(entry, FaultSet):
            (armed.add if entry.event == "armed" else armed.discard)(str(entry.detail.get("id")))
        if isinstance(entry, FaultSet) or (isinstance(entry, Step) and entry.name == DISTURBED):
            yield calm
            calm = []
        elif not armed:
            calm.append(entry)
    yield calm


def _steady(calm: Sequence[Entry]) -> list[Entry]:
    """Payments one after the other; each is over when the gateway has taken the money. Nothing where there are fewer than two."""
    entries: list[Entry] = []
    paid: set[str] = set()
    for entry in calm:
        entries.append(entry)
        if isinstance(entry, Ledger) and entry.event == "charged" and entry.payment not in paid:
            paid.add(entry.payment)
            entries.append(
                OrderSeen(n=entry.n, at=entry.at, order=entry.reference or entry.payment, paid=True, state="charged")
            )
    return _marked(entries, "steady", {}) if len(paid) > 1 else []


def _faulty(entries: Sequence[Entry], armed: FaultSet) -> Iterator[list[Entry]]:
    """The probe runs of a fault, one for each operation that it hit: what happened while it was armed, and the calls that it held, which
    end when it is cleared."""
    kind = _OF_A_FAULT[armed.name]
    after = (entry for entry in entries if entry.n > armed.n)
    met = list(_until_cleared(after, armed.name, armed.detail.get("id")))
    hit = [entry for entry in met if isinstance(entry, Call | Connection) and entry.fault == armed.name]
    for operation in dict.fromkeys(_operation(entry) for entry in hit):
        probe_run = [entry for entry in met if entry not in hit or _operation(entry) == operation]
        if kind.first is not None:
            probe_run.insert(0, Step(n=armed.n, at=armed.at, text=f"the gateway shows {armed.name}", name=kind.first))
        yield _marked(probe_run, kind.probe, {"operation": operation, "shows": armed.name})


def _operation(entry: Entry) -> str:
    return entry.event.operation if isinstance(entry, Call) else ""


def _until_cleared(entries: Iterable[Entry], name: str, number: Json) -> Iterator[Entry]:
    """Until the fault is cleared, and the calls that it held, which end then."""
    cleared = False
    for entry in entries:
        if isinstance(entry, FaultSet) and entry.event == "cleared" and entry.detail.get("id") == number:
            cleared = True
        elif not cleared or getattr(entry, "fault", "") == name:
            yield entry


def _marked(entries: list[Entry], probe: str, params: dict[str, Json]) -> list[Entry]:
    first, last = entries[0], entries[-1]
    begin = ProbeMark(n=first.n, at=first.at, event="begin", probe=probe, params=params)
    return [begin, *entries, ProbeMark(n=last.n, at=last.at, event="end", probe=probe)]
