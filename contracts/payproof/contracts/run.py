"""A run: every world's journal, and what checks may know besides. On disk it is JSON lines: a header, one line an entry
with its world's name, and an end line with the digest of all lines before it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast, get_args

from pydantic import TypeAdapter, ValidationError

from payproof.contracts.entries import AnyEntry, E, Entry
from payproof.contracts.model import Json, PayproofError, Pointer

_ENTRY: TypeAdapter[AnyEntry] = TypeAdapter(AnyEntry)


Power: TypeAlias = Literal["answers", "clock", "credentials", "refusal", "tokens"]
"""What somebody can do with a gateway: change its answers, move its clock, replace and revoke credentials, have it refuse
a payer, end a young access token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What checks may know of the configuration: promises and abilities, never a secret."""

    workers: int | None = None
    """Processes that each keep their own access token; None: not declared."""
    within: float = 0.0
    """Seconds that a background verification may take; 0 when not declared."""
    counts_effects: bool = False
    shows_flags: bool = False
    names_orders: bool = True
    """The checkout request or its answer tells the order's id."""
    tells_orders_apart: bool = True
    """Two checkouts of one order can be told from two orders (an id in the request, or a session before it)."""
    addresses_orders: bool = True
    """The customer can ask for the checkout of one certain order again."""
    sets_amount: bool = True
    """The checkout request tells the order's amount, or the configuration does."""
    sets_currency: bool = True
    fee: str = ""
    alert_channel: str = ""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One target, one running instance, one journal."""

    name: str
    entries: tuple[Entry, ...]

    def of(self, kind: type[E]) -> Iterator[E]:
        return (entry for entry in self.entries if isinstance(entry, kind))

    def point(self, *entries: Entry | None) -> tuple[Pointer, ...]:
        """Evidence: pointers to these entries."""
        return tuple(Pointer(self.name, entry.n) for entry in entries if entry is not None)


@dataclass(frozen=True, kw_only=True)
class Run:
    """All that checks see: which gateway, which promises, every world's journal."""

    gateway: str
    settings: Settings = field(default_factory=Settings)
    worlds: tuple[World, ...] = ()
    given_up: tuple[World, ...] = ()
    """Worlds that were given up before anything was scored (the integration did not accept our certificate authority, and
    was started again over plain HTTP). They are evidence, and are not judged."""
    selected: tuple[str, ...] = ()
    """Requirements that were asked for; empty: all of the profile."""
    provoked_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Requirement -> the probes whose stories let it be judged."""
    left_out: tuple[str, ...] = ()
    """Probes that this run did not perform (``--quick``, ``--only``, no power over the gateway)."""
    powerless: Mapping[str, str] = field(default_factory=dict[str, str])
    """Requirements that nobody could judge on this target, each with the reason."""
    skipped: tuple[str, ...] = ()
    """Requirements that nobody could judge because the run was shortened: all of their probes were left out on purpose."""
    scored: bool = True
    diagnosis: tuple[str, ...] = ()
    facts: Mapping[str, Json] = field(default_factory=dict[str, Json])

    @cached_property
    def by_name(self) -> Mapping[str, World]:
        return {world.name: world for world in (*self.worlds, *self.given_up)}

    def entry(self, pointer: Pointer) -> Entry | None:
        world = self.by_name.get(pointer.world)
        return next((entry for entry in world.entries if entry.n == pointer.entry), None) if world else None


def digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def dump(run: Run) -> str:
    """The run as JSON lines. ``load`` gives the same run back."""
    head: dict[str, Any] = {
        "payproof": "run",
        "format": 1,
        "gateway": run.gateway,
        "settings": dataclasses.asdict(run.settings),
        "worlds": [world.name for world in run.worlds],
        "given_up": [world.name for world in run.given_up],
        "selected": run.selected,
        "provoked_by": dict(run.provoked_by),
        "left_out": run.left_out,
        "skipped": run.skipped,
        "powerless": dict(run.powerless),
        "scored": run.scored,
        "diagnosis": run.diagnosis,
        "facts": dict(run.facts),
    }
    lines = [json.dumps(head, ensure_ascii=True)]
    # The journal's texts may hold what no UTF-8 file can: json escapes lone surrogates when asked for ASCII.
    lines += [
        json.dumps({"world": world.name, **_ENTRY.dump_python(cast("AnyEntry", entry))}, ensure_ascii=True)
        for world in (*run.worlds, *run.given_up)
        for entry in world.entries
    ]
    body = "\n".join(lines)
    return f"{body}\n{json.dumps({'end': len(lines) - 1, 'digest': digest(body)})}\n"


def load(text: str, *, place: str = "the run file") -> Run:
    """Read what ``dump`` wrote.

    Raises:
        PayproofError: not a run, cut short, or changed since it was written (the digest does not agree).
    """
    lines = text.splitlines()
    try:
        head, end = json.loads(lines[0]), json.loads(lines[-1])
        if head.get("payproof") != "run" or "digest" not in end:
            raise ValueError("no header or no end line")
    except (IndexError, ValueError, AttributeError) as error:
        raise PayproofError(
            f"not a whole payproof run: {error}",
            place=place,
            remedy="give the run.jsonl that `payproof run` wrote into its report folder",
        ) from None
    if end["digest"] != digest("\n".join(lines[:-1])):
        raise PayproofError(
            "the journal was changed or cut after it was written: its digest does not agree",
            place=place,
            remedy="judge the original file, or run again",
        )
    given_up = head.get("given_up", [])
    entries: dict[str, list[Entry]] = {name: [] for name in (*head["worlds"], *given_up)}
    for number, line in enumerate(lines[1:-1], start=2):
        try:
            raw = json.loads(line)
            entries[raw.pop("world")].append(_ENTRY.validate_python(raw))
        except (ValidationError, ValueError, KeyError) as error:
            raise PayproofError(f"line {number} is not a journal entry: {error}", place=place) from None
    worlds = {name: World(name=name, entries=tuple(found)) for name, found in entries.items()}
    return Run(
        gateway=head["gateway"],
        settings=_settings(head["settings"]),
        worlds=tuple(world for name, world in worlds.items() if name not in given_up),
        given_up=tuple(worlds[name] for name in given_up),
        selected=tuple(head["selected"]),
        provoked_by={id: tuple(names) for id, names in head.get("provoked_by", {}).items()},
        left_out=tuple(head["left_out"]),
        skipped=tuple(head["skipped"]),
        powerless=head.get("powerless", {}),
        scored=head["scored"],
        diagnosis=tuple(head["diagnosis"]),
        facts=head["facts"],
    )


def _settings(told: dict[str, Any]) -> Settings:
    if "powers" in told:
        told = {**told, "powers": tuple(told["powers"])}
    return Settings(**told)


def read(path: Path) -> Run:
    """``load`` from a file."""
    try:
        return load(path.read_text(encoding="utf-8"), place=str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise PayproofError(
            f"cannot read the run: {error}", place=str(path), remedy="check the path, or run `payproof run` first"
        ) from None
