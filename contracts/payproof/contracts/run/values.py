"""A run as checks see it: every world's journal, and what they may know besides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple, TypeAlias, cast, get_args

from payproof.contracts.entries import E, Entry, ProbeMark
from payproof.contracts.model import Json, Pointer

Power: TypeAlias = Literal["answers", "clock", "credentials", "notices", "refusal", "tokens"]
"""What somebody can do with a gateway: change its answers, move its clock, replace and revoke credentials, keep back, repeat and
forge its notices, have it refuse a payer, end a young access token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What checks may know of the configuration: promises and abilities, never a secret."""

    workers: int | None = None
    """Processes that each keep their own access token; None: not declared."""
    within: float = 0.0
    """Seconds that a background verification may take; 0 when not declared."""
    counts_effects: bool = False
    shows_flags: bool = False
    has_pages: bool = True
    """The integration listens on a port, where customers may get something from it."""
    names_orders: bool = True
    """The checkout request or its answer tells the order's id."""
    tells_orders_apart: bool = True
    """Two checkouts of one order can be told from two orders (an id in the request, or a session before it)."""
    addresses_orders: bool = True
    """The customer can ask for the checkout of one certain order again."""
    sets_amount: bool = True
    """The checkout request tells the order's amount, or the configuration does."""
    sets_currency: bool = True
    names_currencies: bool = True
    """The configuration says what the integration sells in, or that its request tells the currency."""
    fee: str = ""
    alert_channel: str = ""
    notices: bool = False
    """It is declared where the gateway's notices arrive."""
    refunds: bool = False
    """It is declared how the merchant gives money back."""
    scans_source: bool = False
    scans_frontend: bool = False
    own_credentials: bool = True
    """Each world has credentials of its own (false: the integration was started by somebody else)."""
    restarts: bool = True
    secure: bool = True
    """The gateway's base URL is https."""
    secure_note: str = ""
    powers: tuple[Power, ...] = get_args(Power)
    """What this run could do with the gateway."""


class ProbeSlice(NamedTuple):
    """What a journal holds between the begin and the end of one probe run; no end: it was broken off."""

    begin: ProbeMark
    end: ProbeMark | None
    entries: tuple[Entry, ...]


@dataclass(frozen=True, kw_only=True)
class RecordedWorld:
    """One target, one running instance, one journal."""

    name: str
    entries: tuple[Entry, ...]

    def of(self, kind: type[E]) -> Iterator[E]:
        return iter(cast(list[E], self._by_kind.get(kind, [])))

    @cached_property
    def _by_kind(self) -> Mapping[type[Entry], list[Entry]]:
        found: dict[type[Entry], list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(type(entry), []).append(entry)
        return found

    @cached_property
    def probe_slices(self) -> tuple[ProbeSlice, ...]:
        """The probe runs, in the order in which they began."""
        found: list[ProbeSlice] = []
        begin: ProbeMark | None = None
        since = 0
        for at, entry in enumerate(self.entries):
            if not isinstance(entry, ProbeMark):
                continue
            if entry.event == "begin":
                begin, since = entry, at
            elif begin is not None:
                found.append(ProbeSlice(begin, entry, self.entries[since : at + 1]))
                begin = None
        if begin is not None:
            found.append(ProbeSlice(begin, None, self.entries[since:]))
        return tuple(found)

    def entry(self, n: int) -> Entry | None:
        return self._by_number.get(n)

    @cached_property
    def _by_number(self) -> Mapping[int, Entry]:
        return {entry.n: entry for entry in reversed(self.entries)}

    def point(self, *entries: Entry | None) -> tuple[Pointer, ...]:
        """Evidence: pointers to these entries."""
        return tuple(Pointer(self.name, entry.n) for entry in entries if entry is not None)


@dataclass(frozen=True, kw_only=True)
class Run:
    """All that checks see: which gateway, which promises, every world's journal."""

    gateway: str
    settings: Settings = field(default_factory=Settings)
    worlds: tuple[RecordedWorld, ...] = ()
    given_up: tuple[RecordedWorld, ...] = ()
    """Worlds that were given up before anything was scored (the integration did not accept our certificate authority, and
    was started again over plain HTTP). They are evidence, and are not judged."""
    selected: tuple[str, ...] = ()
    """Requirements that were asked for; empty: all of the profile."""
    provoked_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Requirement -> the probes whose runs let it be judged."""
    left_out: tuple[str, ...] = ()
    """Probes that this run did not perform (``--quick``, ``--only``, no power over the gateway)."""
    powerless: Mapping[str, str] = field(default_factory=dict[str, str])
    """Requirements that nobody could judge on this target, each with the reason."""
    skipped: tuple[str, ...] = ()
    """Requirements that nobody could judge because the run was shortened: all of their probes were left out on purpose."""
    scored: bool = True
    cut: int | None = None
    """The run was broken off, and this many entries were written before; None: it is whole."""
    diagnosis: tuple[str, ...] = ()
    facts: Mapping[str, Json] = field(default_factory=dict[str, Json])

    @cached_property
    def by_name(self) -> Mapping[str, RecordedWorld]:
        return {world.name: world for world in (*self.worlds, *self.given_up)}

    def entry(self, pointer: Pointer) -> Entry | None:
        world = self.by_name.get(pointer.world)
        return world.entry(pointer.entry) if world else None
