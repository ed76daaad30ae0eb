"""A run as JSON lines: a header, one line an entry with its world's name, and an end line with the digest of all lines before it.

While a run is going on, its file has no end line yet; lines that add to the header (``{"head": …}``) or take entries back
(``{"drop": world, "since": n}``) may stand in it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from payproof.contracts.entries import AnyEntry, Entry
from payproof.contracts.run.values import Run

if TYPE_CHECKING:
    from pydantic import TypeAdapter


@cache
def entry_adapter() -> TypeAdapter[AnyEntry]:
    """Made when it is first needed: whoever writes no run and reads none does not wait for it."""
    from pydantic import TypeAdapter

    return TypeAdapter(AnyEntry)


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
    return json.dumps({"world": world, **entry_adapter().dump_python(cast("AnyEntry", entry))}, ensure_ascii=True)


def drop_line(world: str, since: int) -> str:
    """In a file that is written as it happens: this world's entries from this number on are left out."""
    return json.dumps({"drop": world, "since": since})
