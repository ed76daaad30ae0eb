"""Probes: short situations that provoke a behaviour. One decorated function each; its docstring is the situation.

``variants`` runs a probe several times with other parameters. ``group`` names the world it runs in; ``{...}`` in it
is filled with the parameters (``{open}``: the gateway's name for the call that opens a payment), so that variants can have
worlds of their own. ``waits``: seconds that one probe run holds a call, as long as a patient client waits, or waits for somebody; its
world is for such probe runs alone.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from inspect import getdoc
from typing import Any, TypeAlias

from payproof.contracts.model import Json
from payproof.contracts.profile import Limits, Profile, module, package_of
from payproof.contracts.run import Power, Settings
from payproof.suites.session.world import World

Params: TypeAlias = dict[str, Json]
ProbeFunction: TypeAlias = Callable[..., Awaitable[None]]
Waits: TypeAlias = Callable[[Limits], float]
Variants: TypeAlias = Callable[[Profile, Settings], Iterable[Params]]


def always(*params: Mapping[str, Json]) -> Variants:
    """The same variants for every gateway and every integration."""
    return lambda profile, settings: map(dict, params)


_ONCE = always({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    name: str
    text: str
    requirements: tuple[str, ...]
    function: ProbeFunction
    group: str
    waits: Waits | None
    pauses: float
    """Seconds that it waits in any case, beside the calls: few enough to be run in a quick run, too."""
    needs: frozenset[Power]
    """Powers over the gateway without which the probe cannot run."""
    system: str
    """The operating system that it needs, as ``sys.platform`` names it; empty: any."""
    restarts: bool
    moves_clock: bool
    """Moves the gateway's clock where it can; where worlds share a clock, nothing else runs meanwhile."""
    variants: Variants

    @property
    def stalls(self) -> bool:
        """Whether most of it is waiting in real seconds."""
        return self.waits is not None

    def ends_token(self, params: Params, profile: Profile) -> bool:
        """Whether the probe ends the integration's access token, by the clock or at once: only an integration that renews
        it sells anything afterwards."""
        if self.moves_clock or self.needs & {"tokens", "credentials"}:
            return True
        return profile.role_of(str(params.get("operation", ""))) == "authenticate"

    def world_of(self, params: Params, profile: Profile) -> str:
        return self.group.format(**{"name": self.name, "open": profile.named("open"), **params})


_FOUND: dict[str, Probe] = {}


def probe(
    *requirements: str,
    group: str = "main",
    waits: Waits | None = None,
    pauses: float = 0.0,
    needs: Iterable[Power] = (),
    system: str = "",
    restarts: bool = False,
    moves_clock: bool = False,
    variants: Variants = _ONCE,
) -> Callable[[ProbeFunction], ProbeFunction]:
    """Register a probe under its function's name, with the requirements that its run lets judge."""

    def keep(function: ProbeFunction) -> ProbeFunction:
        name = function.__name__.replace("_", "-")
        if name in _FOUND:
            raise RuntimeError(f"two probes are named {name}")
        _FOUND[name] = Probe(
            name=name,
            text=" ".join((getdoc(function) or "").split()),
            requirements=requirements,
            function=function,
            group=group,
            waits=waits,
            pauses=pauses,
            needs=frozenset(needs),
            system=system,
            restarts=restarts,
            moves_clock=moves_clock,
            variants=variants,
        )
        return function

    return keep


@cache
def probes(gateway: str = "") -> Mapping[str, Probe]:
    """All probes, by name: those for every gateway, and a gateway's own, in the module or folder ``probes`` beside its profile."""
    for each in sorted(found.name for found in pkgutil.iter_modules(__path__)):
        importlib.import_module(f"{__name__}.{each}")
    own = f"{package_of(gateway)}.probes" if gateway else ""
    places = (__name__, own) if own and module(own) else (__name__,)
    return {
        name: found
        for name, found in _FOUND.items()
        if any(f"{found.function.__module__}.".startswith(f"{place}.") for place in places)
    }


def provoked_by(gateway: str) -> dict[str, tuple[str, ...]]:
    """Requirement -> the probes that let it be judged."""
    found: dict[str, tuple[str, ...]] = {}
    for name, known in probes(gateway).items():
        for id in known.requirements:
            found[id] = (*found.get(id, ()), name)
    return found


async def run_probe(found: Probe, world: World, params: Params) -> None:
    """Run a probe in a world."""
    async with world.probe_run(found.name, params):
        arguments: dict[str, Any] = dict(params)
        await found.function(world, **arguments)
