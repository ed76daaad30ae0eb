"""Runs read from their lines: whole ones, broken off ones, and those of earlier versions."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar, cast

from payproof.contracts import bounded, files
from payproof.contracts.entries import BROKEN_OFF, Entry, ProbeMark
from payproof.contracts.events import from_meaning
from payproof.contracts.former_ids import current
from payproof.contracts.model import Json, PayproofError
from payproof.contracts.run.lines import digest, entry_adapter
from payproof.contracts.run.values import RecordedWorld, Run, Settings

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")
_BY_REQUIREMENT = ("errors", "cut")
"""Facts that stand by requirement."""
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
    from pydantic import TypeAdapter

    return TypeAdapter(_Head)


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
    """A run as far as it goes, without the probe runs that had not come to their end: of them nothing can be said."""
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
        _run(head, {name: _without_broken_off(found) for name, found in entries.items()}),
        cut=count,
        diagnosis=(f"the run was cut off after {count} entries; what is there was judged",),
    )


def _without_broken_off(entries: list[Entry]) -> list[Entry]:
    """Without a last probe run that did not come to its own end."""
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
    except ValueError as error:  # pydantic's errors are such
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
        return str(raw.pop("world")), entry_adapter().validate_python(raw)
    except (ValueError, KeyError) as error:
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
    from pydantic import ValidationError

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
        selected=tuple(map(current, head.selected)),
        provoked_by=_renamed(head.provoked_by),
        left_out=head.left_out,
        skipped=tuple(map(current, head.skipped)),
        powerless=_renamed(head.powerless),
        scored=head.scored,
        cut=head.cut,
        diagnosis=head.diagnosis,
        facts={**head.facts, **{name: _renamed(head.facts[name]) for name in _BY_REQUIREMENT if name in head.facts}},
    )


def _renamed(by_id: T) -> T:
    """A run of an earlier version may know requirements by former ids."""
    if not isinstance(by_id, dict):
        return by_id
    return cast("T", {current(id): value for id, value in cast("dict[str, Json]", by_id).items()})


def read(path: Path) -> Run:
    """``load`` from a file."""
    return load(
        files.read(
            path, says="cannot read the run", largest=LARGEST, remedy="check the path, or run `payproof run` first"
        ),
        place=str(path),
    )
