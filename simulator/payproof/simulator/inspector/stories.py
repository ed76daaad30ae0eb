"""What happened at the gateway, cut into the stories that a run would have told: so that the same checks can read it.

A run plays a probe and marks where it begins and ends. Here a person clicks: payments one after the other are the probe ``steady``, and a
fault that is armed until it is cleared is the probe that arms the same fault. Nothing is invented but the marks, and, for ``steady``, that
an order counts as paid when the gateway has told the integration so: what the shop itself believes is not seen from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from payproof.contracts.entries import Call, Entry, FaultSet, OrderSeen, ProbeMark, Step
from payproof.contracts.model import Json
from payproof.contracts.profile import Profile
from payproof.contracts.run import RecordedWorld
from payproof.contracts.steps import StepName
from payproof.simulator.operations import DISTURBED

WORLD = "gateway"


@dataclass(frozen=True, slots=True)
class _Kind:
    """``first``: the step that the check looks for after the story's begin."""

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


def stories(entries: Sequence[Entry], profile: Profile) -> tuple[RecordedWorld, ...]:
    """A world for each story, with the entries that belong to it under their own numbers."""
    found = [_steady(entries)] if profile.has("authenticate") else []
    found += [story for armed in entries if isinstance(armed, FaultSet) and (story := _faulty(entries, armed, profile))]
    return tuple(RecordedWorld(name=WORLD, entries=tuple(story)) for story in found if story)


def _steady(entries: Sequence[Entry]) -> list[Entry]:
    """What came since the gateway was last disturbed. A payment is over when the gateway first tells that it is paid."""
    begun = max((at for at, entry in enumerate(entries, 1) if _disturbs(entry)), default=0)
    told: list[Entry] = []
    paid: set[str] = set()
    for entry in entries[begun:]:
        told.append(entry)
        if isinstance(entry, Call) and entry.told.paid and (payment := entry.told.payment or "") not in paid:
            paid.add(payment)
            told.append(OrderSeen(n=entry.n, at=entry.at, order=entry.told.reference or payment, paid=True, state="told"))
    return _marked(told, "steady", {}) if told else []


def _disturbs(entry: Entry) -> bool:
    return isinstance(entry, FaultSet) or (isinstance(entry, Step) and entry.name == DISTURBED)


def _faulty(entries: Sequence[Entry], armed: FaultSet, profile: Profile) -> list[Entry]:
    """The story of a fault: what happened while it was armed, and what still belongs to it (a call ends when the fault is cleared)."""
    kind = _OF_A_FAULT.get(armed.name)
    number = armed.detail.get("id")
    if kind is None or armed.event != "armed":
        return []
    while_armed = list(_until_cleared((entry for entry in entries if entry.n > armed.n), armed.name, number))
    held = [entry for entry in while_armed if not isinstance(entry, FaultSet)]
    if kind.first is not None:
        held.insert(0, Step(n=armed.n, at=armed.at, text=f"the gateway shows {armed.name}", name=kind.first))
    calls = [entry for entry in held if isinstance(entry, Call) and entry.fault == armed.name]
    told: list[Entry] = []
    for operation in dict.fromkeys(call.event.operation for call in calls) or ("",):
        others = [entry for entry in held if entry not in calls or getattr(entry.event, "operation", "") == operation]  # type: ignore[attr-defined]
        params: dict[str, Json] = {"operation": operation or armed.operation or profile.named("open"), "shows": armed.name}
        told += _marked(others, kind.probe, params)
    return told


def _until_cleared(entries: Iterable[Entry], name: str, number: Json) -> Iterator[Entry]:
    """Until the fault is cleared, and the calls that it held, which end then."""
    cleared = False
    for entry in entries:
        if isinstance(entry, FaultSet) and entry.event == "cleared" and entry.detail.get("id") == number:
            cleared = True
        elif not cleared or getattr(entry, "fault", "") == name:
            yield entry


def _marked(entries: list[Entry], probe: str, params: dict[str, Json]) -> list[Entry]:
    first, last = entries[0] if entries else None, entries[-1] if entries else None
    begin = ProbeMark(event="begin", probe=probe, params=params)
    begin = replace(begin, n=first.n, at=first.at) if first else begin
    end = ProbeMark(event="end", probe=probe)
    return [begin, *entries, replace(end, n=last.n, at=last.at) if last else end]
