"""Which faults a story may arm at the gateway: all of the registry, with parameters that cost no long waiting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from payproof.contracts.events import VERIFYING, Role
from payproof.contracts.model import Json
from payproof.contracts.profile import Operation, Profile
from payproof.simulator.faults import registered
from payproof.simulator.faults.registry import Kind

HOLDING = frozenset({"never-answer", "stall", "endless", "silent", "tls-silence"})
"""Faults that hold a call, or a connection, until they are cleared. A story waits ``HELD`` seconds and then cuts the call off."""
HELD = 0.15
LATER = 1
"""Seconds that a rate limit asks for."""

_PARAMS: Mapping[str, tuple[dict[str, Json], ...]] = {
    "delay": ({"seconds": 0.2},),
    "drip": ({"seconds": 0.0},),
    "drip-headers": ({"seconds": 0.0},),
    "stall": ({}, {"keep": 0.5}),
    "tls-silence": ({}, {"keep": 0.5}),
    "rate-limit": ({"seconds": LATER},),
    "status": ({"status": 500}, {"status": 503}),
    "cut": ({"keep": 0.5}, {"keep": 0.97}),
}
_ONLY: Mapping[str, tuple[Role, ...]] = {"other-payment": VERIFYING, "unauthorized": ("open", *VERIFYING)}
"""Faults that only calls of some roles can meet."""
_BEFORE: tuple[Kind, ...] = ("connection", "handshake")
"""Kinds that act before a request is read. One of the port itself would shut out the customers, too."""


@dataclass(frozen=True, slots=True)
class Mishap:
    """One fault on one operation, or (``operation`` empty) before anybody knows which."""

    operation: str
    name: str
    params: tuple[tuple[str, Json], ...] = ()
    effect: bool = False
    """The call changes something at the gateway, whether its answer arrives or not."""


def mishaps(profile: Profile) -> Mapping[str, tuple[Mishap, ...]]:
    """Every mishap that a story may contain, by operation and name ("status dropped", "connection silent")."""
    found: dict[str, list[Mishap]] = {}
    for operation in sorted(profile.operations, key=lambda operation: operation.name):
        for mishap in _of(operation, profile):
            found.setdefault(f"{operation.name} {mishap.name}", []).append(mishap)
    for kind in _BEFORE:
        for name in registered(kind):
            found[f"{kind} {name}"] = [Mishap("", name, tuple(params.items())) for params in _PARAMS.get(name, ({},))]
    return {kind: tuple(variants) for kind, variants in found.items()}


def _of(operation: Operation, profile: Profile) -> Iterator[Mishap]:
    effect = operation.role in ("open", "settle")
    for name, cls in registered("call").items():
        if operation.role not in _ONLY.get(name, (operation.role,)):
            continue
        if "error" in {field.name for field in fields(cls)}:
            errors = _errors(operation, profile)
            yield from (Mishap(operation.name, name, (("error", error),), effect) for error in errors)
        else:
            choices = _PARAMS.get(name, ({},))
            yield from (Mishap(operation.name, name, tuple(params.items()), effect) for params in choices)


def _errors(operation: Operation, profile: Profile) -> Iterator[str]:
    """The gateway's own errors. "There is no such payment" would be a lie about money, which nobody can see through."""
    for name, error in profile.errors.items():
        if operation.name in error.operations and not (operation.role in VERIFYING and error.status == 404):
            yield name
