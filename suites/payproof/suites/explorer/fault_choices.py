"""Which faults a story may arm at the gateway: all of the registry, with parameters that cost no long waiting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from payproof.contracts.model import Json
from payproof.contracts.profile import Profile
from payproof.simulator.faults import registered

HOLDING = frozenset({"never-answer", "stall"})
"""Faults that hold a call until they are cleared. A story waits ``HELD`` seconds and then cuts the call off."""
HELD = 0.15
LATER = 1
"""Seconds that a rate limit asks for."""

_PARAMS: Mapping[str, tuple[dict[str, Json], ...]] = {
    "delay": ({"seconds": 0.2},),
    "drip": ({"seconds": 0.0},),
    "rate-limit": ({"seconds": LATER},),
    "status": ({"status": 500}, {"status": 503}),
    "cut": ({"keep": 0.5}, {"keep": 0.97}),
}
_ONLY: Mapping[str, tuple[str, ...]] = {"other-payment": ("status",), "unauthorized": ("create", "status")}


@dataclass(frozen=True, slots=True)
class Mishap:
    """One fault on one operation."""

    operation: str
    name: str
    params: tuple[tuple[str, Json], ...] = ()


def mishaps(profile: Profile) -> Mapping[str, tuple[Mishap, ...]]:
    """Every mishap that a story may contain, by operation and name ("status dropped")."""
    found: dict[str, list[Mishap]] = {}
    for operation in sorted(operation.name for operation in profile.operations):
        for mishap in _of(operation, profile):
            found.setdefault(f"{operation} {mishap.name}", []).append(mishap)
    return {kind: tuple(variants) for kind, variants in found.items()}


def _of(operation: str, profile: Profile) -> Iterator[Mishap]:
    for name, cls in registered().items():
        if operation not in _ONLY.get(name, (operation,)):
            continue
        if "error" in {field.name for field in fields(cls)}:
            yield from (Mishap(operation, name, (("error", error),)) for error in _errors(operation, profile))
        else:
            yield from (Mishap(operation, name, tuple(params.items())) for params in _PARAMS.get(name, ({},)))


def _errors(operation: str, profile: Profile) -> Iterator[str]:
    """The gateway's own errors. "There is no such payment" would be a lie about money, which nobody can see through."""
    for name, error in profile.errors.items():
        if operation in error.operations and not (operation == "status" and error.status == 404):
            yield name
