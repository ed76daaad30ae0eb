"""What the integration's connections show: which TLS it speaks, which certificates it takes, how many calls share a connection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from payproof.contracts.behaviour.why import missed, why_not
from payproof.contracts.entries import Call, Connection
from payproof.contracts.judging.probe_runs import ProbeRun, probe_runs
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Pointer
from payproof.contracts.run import RecordedWorld, Run

CERTIFICATES = ("unknown-authority", "expired-certificate", "wrong-host", "old-tls")
"""Names of the faults that show a client what it should refuse."""
UNKNOWN_AUTHORITY, UNKNOWN_CERTIFICATE = CERTIFICATES[0], "unknown-certificate"
"""A fault that shows a certificate of an unknown authority, and the probe that makes the run's own authority one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """``chosen``: version -> connections that agreed on it, plain text under the empty name. ``offered``: the versions that the
    client offers, newest first. ``unmeasured``: why nothing is known; empty where something is."""

    chosen: Mapping[str, int]
    offered: tuple[str, ...] = ()
    unmeasured: str = ""
    evidence: tuple[Pointer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What the integration did when it was shown one kind of bad certificate, or old TLS. ``taken``: calls that it made all the
    same. ``alerts``: the TLS alerts by which it refused; a client may also break off without one. ``unmeasured``: why nothing is
    known."""

    fault: str
    connections: int = 0
    taken: int = 0
    alerts: tuple[str, ...] = ()
    unmeasured: str = ""
    evidence: tuple[Pointer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAlive:
    """Connections on which something was asked while nothing was wrong with them, and the calls that they carried."""

    connections: int = 0
    calls: int = 0
    most: int = 0
    unmeasured: str = ""
    evidence: tuple[Pointer, ...] = ()
    """The connection that carried most calls."""


_UNKNOWN = "the journal tells nothing of connections that were served"


def tls(run: Run) -> Tls:
    """What was agreed on by the connections that met no fault; offered also by those that did not take the run's authority."""
    sound = _sound(run)
    if not sound:
        return Tls(chosen={}, unmeasured=_UNKNOWN)
    turned_away = (each for world in run.given_up for each in world.of(Connection))
    offered = dict.fromkeys(
        version for each in (*(each for _, each in sound), *turned_away) for version in each.offered
    )
    world, first = sound[0]
    return Tls(
        chosen=dict(Counter(each.tls for _, each in sound)),
        offered=tuple(sorted(offered, reverse=True)),
        evidence=world.point(first),
    )


def kept_alive(run: Run) -> KeptAlive:
    sound = _sound(run)
    if not sound:
        return KeptAlive(unmeasured=_UNKNOWN)
    world, most = max(sound, key=lambda found: found[1].calls)
    return KeptAlive(
        connections=len(sound),
        calls=sum(each.calls for _, each in sound),
        most=most.calls,
        evidence=world.point(most),
    )


def _sound(run: Run) -> list[tuple[RecordedWorld, Connection]]:
    """Connections that carried calls and met no fault of their own."""
    found = ((world, each) for world in run.worlds for each in world.of(Connection))
    return [(world, each) for world, each in found if each.event == "served" and not each.fault]


def refusals(run: Run) -> tuple[Refusal, ...]:
    """One for each name in ``CERTIFICATES``."""
    return tuple(_refusal(run, fault) for fault in CERTIFICATES)


def _refusal(run: Run, fault: str) -> Refusal:
    shown = [*_shown(run, fault), *(_of_unknown_authority(run) if fault == UNKNOWN_AUTHORITY else ())]
    met = [(world, each) for world, each in shown if isinstance(each, Connection)]
    calls = [(world, each) for world, each in shown if isinstance(each, Call)]
    if not met and not calls:
        plain = "" if run.settings.secure else "this run was over plain HTTP"
        why = plain or why_not(run, "https.certificate-verified") or missed(run, "connection", (fault,))
        return Refusal(fault=fault, unmeasured=why)
    return Refusal(
        fault=fault,
        connections=len(met),
        taken=len(calls),
        alerts=tuple(dict.fromkeys(each.alert for _, each in met if each.alert)),
        evidence=tuple(_pointed([*calls, *met])),
    )


def _shown(run: Run, fault: str) -> Iterator[tuple[RecordedWorld, Call | Connection]]:
    for world in run.worlds:
        for each in world.entries:
            if isinstance(each, Call | Connection) and each.fault == fault:
                yield world, each


def _of_unknown_authority(run: Run) -> Iterator[tuple[RecordedWorld, Call | Connection]]:
    """What the integration made of the run's own authority where it does not know it: because it was not told, or trusts others only."""
    for probe_run in probe_runs(run, UNKNOWN_CERTIFICATE):
        others = (each for each in of_unknown_certificate(probe_run) if each.fault != UNKNOWN_AUTHORITY)
        yield from ((probe_run.world, each) for each in others)
    for world in run.given_up:
        yield from ((world, each) for each in world.of(Connection) if each.distrusted and not each.hesitant)


def of_unknown_certificate(probe_run: ProbeRun) -> Iterator[Call | Connection]:
    """What came of the gateway's own certificate while the integration had not been told of the authority behind it."""
    for each in probe_run.before(StepName.TRIED).after(StepName.DISTRUST).entries:
        if isinstance(each, Connection) or (isinstance(each, Call) and each.secure):
            yield each


def _pointed(seen: Sequence[tuple[RecordedWorld, Call | Connection]]) -> Iterator[Pointer]:
    for world, entry in seen[:3]:
        yield from world.point(entry)
