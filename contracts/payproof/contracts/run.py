"""A run: every world's journal, and what checks may know besides. On disk it is JSON lines: a header, one line an entry
with its world's name, and an end line with the digest of all lines before it. While a run is going on, its file has no end line
yet; lines that add to the header (``{"head": …}``) or take entries back (``{"drop": world, "since": n}``) may stand in it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast, get_args

from pydantic import TypeAdapter, ValidationError

from payproof.contracts import bounded, files
from payproof.contracts.entries import BROKEN_OFF, AnyEntry, E, Entry, ProbeMark
from payproof.contracts.events import from_meaning
from payproof.contracts.model import Json, PayproofError, Pointer

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
    notices: bool = False
    """It is declared where the gateway's notices arrive."""
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
class RecordedWorld:
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
    worlds: tuple[RecordedWorld, ...] = ()
    given_up: tuple[RecordedWorld, ...] = ()
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
    cut: int | None = None
    """The run was broken off, and this many entries were written before; None: it is whole."""
    diagnosis: tuple[str, ...] = ()
    facts: Mapping[str, Json] = field(default_factory=dict[str, Json])

    @cached_property
    def by_name(self) -> Mapping[str, RecordedWorld]:
        return {world.name: world for world in (*self.worlds, *self.given_up)}

    def entry(self, pointer: Pointer) -> Entry | None:
        world = self.by_name.get(pointer.world)
        return next((entry for entry in world.entries if entry.n == pointer.entry), None) if world else None


def digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def dump(run: Run) -> str:
    """The run as JSON lines. ``load`` gives the same run back."""
    lines = [head_line(run)]
    lines += [entry_line(world.name, entry) for world in (*run.worlds, *run.given_up) for entry in world.entries]
    body = "\n".join(lines)
    return f"{body}\n{json.dumps({'end': len(lines) - 1, 'digest': digest(body)})}\n"


def head_line(run: Run) -> str:
    """The first line: everything but the journals."""
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
    if run.cut is not None:
        head["cut"] = run.cut
    return json.dumps(head, ensure_ascii=True)


def entry_line(world: str, entry: Entry) -> str:
    # The journal's texts may hold what no UTF-8 file can: json escapes lone surrogates when asked for ASCII.
    return json.dumps({"world": world, **_entry_adapter().dump_python(cast("AnyEntry", entry))}, ensure_ascii=True)


def drop_line(world: str, since: int) -> str:
    """In a file that is written as it happens: this world's entries from this number on are left out."""
    return json.dumps({"drop": world, "since": since})


LARGEST, LONGEST = 256 << 20, 16 << 20
"""Bytes of a run's file, and characters of one line of it, beyond which it is not read."""
_REMEDY = "give the run.jsonl that `payproof run` wrote into its report folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """The first line of a run."""

    payproof: Literal["run"]
    format: Literal[1]
    gateway: str
    settings: Settings
    worlds: tuple[str, ...]
    given_up: tuple[str, ...] = ()
    selected: tuple[str, ...]
    provoked_by: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    left_out: tuple[str, ...]
    skipped: tuple[str, ...]
    powerless: dict[str, str] = field(default_factory=dict[str, str])
    scored: bool
    cut: int | None = None
    diagnosis: tuple[str, ...]
    facts: dict[str, Json]


@cache
def _head_adapter() -> TypeAdapter[_Head]:
    return TypeAdapter(_Head)


@cache
def _entry_adapter() -> TypeAdapter[AnyEntry]:
    """Made when it is first needed: whoever writes no run and reads none does not wait for it."""
    return TypeAdapter(AnyEntry)


def load(text: str, *, place: str = "the run file") -> Run:
    """Read what ``dump`` wrote, or what a run that was broken off had written so far (``cut`` is set then).

    Raises:
        PayproofError: not a run, changed since it was written (the digest does not agree), or not such as payproof writes.
    """
    lines = text.split("\n")
    rest = lines.pop()
    head = _header(lines[0] if lines else rest, place)
    end = _end(rest or (lines[-1] if len(lines) > 1 else ""))
    if end is None:
        # Without its end line a file tells that it was cut; the last line may be, too.
        return _cut(head, lines[1:], place)
    body = lines if rest else lines[:-1]
    if end != digest("\n".join(body)):
        raise PayproofError(
            "the journal was changed or cut after it was written: its digest does not agree",
            place=place,
            remedy="judge the original file, or run again",
        )
    entries: dict[str, list[Entry]] = {name: [] for name in (*head.worlds, *head.given_up)}
    for number, line in enumerate(body[1:], start=2):
        world, entry = _entry(_object(line, number, place), number, place)
        if world not in entries:
            raise _not_an_entry(number, place, f'the header knows no world "{world[:40]}"')
        entries[world].append(entry)
    return _run(head, entries)


def _cut(head: _Head, lines: list[str], place: str) -> Run:
    """A run as far as it goes, without the stories that had not come to their end: of them nothing can be said."""
    entries: dict[str, list[Entry]] = {name: [] for name in head.worlds}
    for number, line in enumerate(lines, start=2):
        raw = _object(line, number, place)
        if isinstance(raw.get("head"), dict):
            head = _header(line, place, known=head)
        elif "drop" in raw:
            name, since = str(raw["drop"]), raw.get("since")
            entries[name] = [each for each in entries.get(name, ()) if isinstance(since, int) and each.n < since]
        else:
            world, entry = _entry(raw, number, place)
            entries.setdefault(world, []).append(entry)
    count = sum(map(len, entries.values()))
    return dataclasses.replace(
        _run(head, {name: _told(found) for name, found in entries.items()}),
        cut=count,
        diagnosis=(f"the run was cut off after {count} entries; what is there was judged",),
    )


def _told(entries: list[Entry]) -> list[Entry]:
    """Without a last story that did not come to its own end."""
    begun: int | None = None
    for place, entry in enumerate(entries):
        if isinstance(entry, ProbeMark):
            if entry.params.get(BROKEN_OFF):
                break
            begun = place if entry.event == "begin" else None
    return entries if begun is None else entries[:begun]


def _header(line: str, place: str, known: _Head | None = None) -> _Head:
    """The header; ``known`` is what was known of it before this line added to it."""
    try:
        raw = _parsed(line)
        if known is not None:
            raw = {
                **cast("dict[str, Json]", _head_adapter().dump_python(known)),
                **cast("dict[str, Json]", raw["head"]),
            }
        return _head_adapter().validate_python(raw)
    except (ValidationError, ValueError) as error:
        raise PayproofError(f"not a payproof run: {_why(error)}", place=place, remedy=_REMEDY) from None


def _end(line: str) -> str | None:
    """The digest of an end line."""
    try:
        raw = _parsed(line)
    except ValueError:
        return None
    found = raw.get("digest")
    return found if isinstance(found, str) and "end" in raw else None


def _object(line: str, number: int, place: str) -> dict[str, Json]:
    try:
        return _parsed(line)
    except ValueError as error:
        raise _not_an_entry(number, place, _why(error)) from None


def _entry(raw: dict[str, Json], number: int, place: str) -> tuple[str, Entry]:
    try:
        if isinstance(old := raw.pop("meaning", None), dict):  # a run of an earlier version
            raw["event"] = from_meaning(old)
        return str(raw.pop("world")), _entry_adapter().validate_python(raw)
    except (ValidationError, ValueError, KeyError) as error:
        raise _not_an_entry(number, place, _why(error)) from None


def _not_an_entry(number: int, place: str, why: str) -> PayproofError:
    return PayproofError(f"line {number} is not a journal entry: {why}", place=place, remedy=_REMEDY)


def _parsed(line: str) -> dict[str, Json]:
    if len(line) > LONGEST:
        raise ValueError(f"a line has {len(line):,} characters, and more than {LONGEST:,} are not read")
    found = bounded.parse(line)
    if not isinstance(found, dict):
        raise ValueError("it is not an object")
    return found


def _why(error: Exception) -> str:
    """One line about what is wrong, without what stands in the file."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(str(part)[:40] for part in first['loc'])}: {first['msg'][:200]}"
    return f"it has no {error}" if isinstance(error, KeyError) else str(error)[:200]


def _run(head: _Head, entries: Mapping[str, list[Entry]]) -> Run:
    worlds = {name: RecordedWorld(name=name, entries=tuple(found)) for name, found in entries.items()}
    return Run(
        gateway=head.gateway,
        settings=head.settings,
        worlds=tuple(worlds[name] for name in worlds if name not in head.given_up),
        given_up=tuple(worlds[name] for name in head.given_up if name in worlds),
        selected=head.selected,
        provoked_by=head.provoked_by,
        left_out=head.left_out,
        skipped=head.skipped,
        powerless=head.powerless,
        scored=head.scored,
        cut=head.cut,
        diagnosis=head.diagnosis,
        facts=head.facts,
    )


def read(path: Path) -> Run:
    """``load`` from a file."""
    return load(
        files.read(
            path, says="cannot read the run", largest=LARGEST, remedy="check the path, or run `payproof run` first"
        ),
        place=str(path),
    )
