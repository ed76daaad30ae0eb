"""The plan of a run: which probes run in which world, and what is left out."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from payproof.contracts.profile import Profile
from payproof.contracts.run import Power, Settings
from payproof.simulator.target import TargetKind
from payproof.suites.config import Config
from payproof.suites.probes import Params, Probe, probes

MAIN = "main"
BY_HAND: Mapping[str, int] = {"cancelled": 1, "forged-return": 0}
"""Probes that a person is asked for unless they choose others -> how often they are asked to do something."""
_BEHIND = 3
"""Worlds that work, behind each one that waits, in a quick run."""
PATIENT = 0.5
"""Seconds: a verification that takes longer happens in the background, and its worlds mostly wait."""
QUICK_SECONDS = 25.0
"""What `--quick` gives its probes, after control: a healthy shop needs under ten, and who asks for the quick run waits for
half a minute, not for an integration that hangs or holds every order."""


SLOW_START = 3.0
"""Seconds that an instance takes to start, from which on groups of probes share it, as in a quick run."""
_PIECE = 4
"""Probes that run in one go where instances are shared: whatever hangs holds up no more."""
WORLDS = 8
"""Worlds at a time, unless somebody chooses: an instance of the integration runs in each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """``only``: requirement ids to judge (empty: all). ``quick``: leave out the probes that wait for half a minute."""

    only: tuple[str, ...] = ()
    quick: bool = False
    seed: int | None = None
    target: TargetKind = "simulator"
    probes: tuple[str, ...] = ()
    """Only these probes (empty: all that ``only`` leaves)."""
    worlds: int = WORLDS
    """How many worlds there are at a time, at most."""
    seconds: float | None = None
    """The time of all probes together, after control: then those under way are ended, and the rest is left out."""


def quick_seconds(*, quick: bool, target: TargetKind) -> float | None:
    """The time of a quick run. A sandbox sets the pace itself, and a recording is played as it was."""
    return QUICK_SECONDS if quick and target == "simulator" else None


@dataclass(frozen=True, slots=True)
class Plan:
    """Which probes run in which world, and what was left out."""

    worlds: Mapping[str, tuple[tuple[Probe, Params], ...]]
    """Those that wait in real seconds come first, the longest wait before all: the run's length is made of that."""
    sharing: frozenset[str]
    """Those that may run with an instance that has served others, and sells as ever."""
    stalling: frozenset[str]
    left_out: tuple[str, ...]
    powerless: tuple[str, ...]
    """Probes that need more power over the gateway than there is, or more patience of a person."""
    known: Mapping[str, Probe]
    """All that there are for this gateway, by name."""


def plan(config: Config, options: Options, settings: Settings, pace: float = 0.0, start_seconds: float = 0.0) -> Plan:
    """Give every probe a world. An integration that cannot be started twice has one world, and probes take turns.

    ``pace``: seconds that a verification takes. Where that is long (a background job), a group's probes are spread over
    several worlds, because all they do is wait. ``start_seconds``: what an instance takes to start. Where that is long, and in a
    quick run, what it costs is saved: groups are cut into pieces, and share instances.
    """
    worlds: dict[str, list[tuple[Probe, Params]]] = {MAIN: []}
    stalling: set[str] = set()
    left_out: list[str] = []
    powerless: list[str] = []
    known = probes(config.gateway)
    found = sorted(known.values(), key=lambda probe: (probe.stalls, probe.name == "revoked"))
    for probe in found:
        wanted = not options.only or bool(set(probe.requirements) & set(options.only))
        wanted = wanted and (not options.probes or probe.name in options.probes)
        if "notices" in probe.needs and not settings.notices:
            continue  # there is nothing to try: the checks say what is not declared
        if not wanted or (options.quick and probe.stalls) or (probe.restarts and not settings.restarts):
            left_out.append(probe.name)
            continue
        spared = by_hand(config, options) and not _chosen(options) and probe.name not in BY_HAND
        if spared or _lacks(probe, settings):
            powerless.append(probe.name)
            continue
        for params in probe.variants(config.profile, settings):
            name = probe.world_of(params, config.profile).rstrip("-") if several(config) else MAIN
            worlds.setdefault(name, []).append((probe, params))
            if probe.stalls and several(config):
                stalling.add(name)
    order = {name: tuple(probe_runs) for name, probe_runs in worlds.items()}
    sharing = several(config) and options.target == "simulator" and (options.quick or start_seconds > SLOW_START)
    if several(config) and (sharing or pace > PATIENT):
        size = max(2, int(10 / pace)) if pace > PATIENT else _PIECE
        order, stalling = _spread(order, size, stalling, apart=sharing)
    if not several(config):
        order[MAIN] = tuple(sorted(order[MAIN], key=lambda probe_run: _irrevocable(probe_run, config.profile)))
    # Where starting takes long, nothing takes longer than starting again and again.
    order = dict(
        sorted(order.items(), key=lambda each: (not (sharing and _restarts(each[1])), -_waits(each[1], config.profile)))
    )
    if sharing and options.quick:
        order = _interleaved(order)
    shared = {name for name, probe_runs in order.items() if sharing and not _restarts(probe_runs)}
    return Plan(order, frozenset(shared), frozenset(stalling), tuple(left_out), tuple(powerless), known)


def _interleaved(
    order: Mapping[str, tuple[tuple[Probe, Params], ...]],
) -> dict[str, tuple[tuple[Probe, Params], ...]]:
    """The same, some that work behind each one that waits: while all wait at once, nobody works."""
    first = [name for name, probe_runs in order.items() if _restarts(probe_runs)]
    waiting = [name for name, probe_runs in order.items() if any(probe.pauses for probe, _ in probe_runs)]
    working = [name for name in order if name not in (*first, *waiting)]
    for name in waiting:
        first += [name, *working[:_BEHIND]]
        del working[:_BEHIND]
    return {name: order[name] for name in dict.fromkeys((*first, *working))}


def _waits(probe_runs: tuple[tuple[Probe, Params], ...], profile: Profile) -> float:
    """Seconds that these probes, one after the other, may take to wait."""
    return sum(probe.pauses if probe.waits is None else probe.waits(profile.limits) for probe, _ in probe_runs)


def _restarts(probe_runs: tuple[tuple[Probe, Params], ...]) -> bool:
    """Whether an instance is started again in one of them: it may forget the orders of others."""
    return any(probe.restarts for probe, _ in probe_runs)


def _irrevocable(probe_run: tuple[Probe, Params], profile: Profile) -> int:
    """What may leave an integration that nobody restarts without a sale comes last; first of that, what judges just this."""
    probe, params = probe_run
    if probe.name == "revoked":
        return 3
    if not (probe.ends_token(params, profile) or probe.restarts):
        return 0
    return 1 if "token.renewed" in probe.requirements else 2


def several(config: Config) -> bool:
    """Whether several instances can run at a time: we start them, and each listens on a port of its own."""
    return bool(config.integration.command) and "{port}" in config.integration.url


def by_hand(config: Config, options: Options) -> bool:
    """A person pays in this run."""
    return options.target == "sandbox" and config.sandbox is not None and config.sandbox.customer == "person"


def _chosen(options: Options) -> bool:
    return bool(options.only or options.probes)


def announcement(config: Config, options: Options) -> str:
    """What a person is told before the run: how often they will be asked to do something; empty when nobody is."""
    if not by_hand(config, options):
        return ""
    often = (
        "once for the control payment, and at least once for nearly every probe of what was chosen"
        if _chosen(options)
        else f"{1 + sum(BY_HAND.values())} times"
    )
    return (
        f"A person pays at this sandbox: you will be asked {often}, each time with a link; one thing after the other."
    )


def _spread(
    worlds: Mapping[str, tuple[tuple[Probe, Params], ...]], size: int, stalling: set[str], *, apart: bool
) -> tuple[dict[str, tuple[tuple[Probe, Params], ...]], set[str]]:
    """Groups cut into worlds of at most ``size`` probes, and which of them stall. ``apart``: what waits runs one by one, where an
    instance is there for it at no cost."""
    found: dict[str, tuple[tuple[Probe, Params], ...]] = {}
    for name, probe_runs in worlds.items():
        alone = [probe_run for probe_run in probe_runs if apart and (probe_run[0].stalls or probe_run[0].pauses)]
        others = tuple(probe_run for probe_run in probe_runs if probe_run not in alone)
        whole = len(probe_runs) if name in stalling or _restarts(probe_runs) else size
        pieces = [others[start : start + whole] for start in range(0, len(others), max(whole, 1))]
        pieces += [(probe_run,) for probe_run in alone]
        found |= {f"{name}-{number}" if number > 1 else name: piece for number, piece in enumerate(pieces or [()], 1)}
    return found, {name for name, probe_runs in found.items() if any(probe.stalls for probe, _ in probe_runs)}


def skipped(planned: Plan, left_out: tuple[str, ...]) -> tuple[str, ...]:
    """Requirements whose every probe was left out."""
    judged = {id for name, probe in planned.known.items() if name not in left_out for id in probe.requirements}
    return tuple(dict.fromkeys(id for name in left_out for id in planned.known[name].requirements if id not in judged))


_LACKS: Mapping[Power, str] = {
    "answers": "nobody can change what this gateway answers",
    "clock": "this gateway's clock cannot be moved",
    "credentials": "the credentials cannot be replaced and revoked at this gateway",
    "notices": "nobody can keep back, repeat and forge the notices of this gateway",
    "refusal": "no payer is known whom this gateway refuses",
    "tokens": "an access token of this gateway cannot be ended before its time",
}


_SPARED = "a person pays at this sandbox; choose more with --only"


def powerless(planned: Plan, settings: Settings) -> dict[str, str]:
    """Requirements that only probes without the power for them could judge, each with the reason."""
    ids = skipped(planned, (*planned.left_out, *planned.powerless))
    return {
        id: "; ".join(_lacks(planned.known[name], settings)) or _SPARED
        for name in planned.powerless
        for id in planned.known[name].requirements
        if id in ids
    }


def _lacks(probe: Probe, settings: Settings) -> list[str]:
    """What a probe needs and does not have here, in words."""
    lacks = [_LACKS[power] for power in sorted(probe.needs - set(settings.powers))]
    if probe.system and not sys.platform.startswith(probe.system):
        lacks.append(f"only {probe.system} lets connections wait as this needs it")
    return list(dict.fromkeys(lacks))
