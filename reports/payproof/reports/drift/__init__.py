"""What a comparison of contract, simulator and gateway found, for people and for programs: text, JSON, Markdown.

Each writer is a pure function from a ``Drift`` to a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from payproof.contracts import files
from payproof.contracts.comparing.drift import Drift
from payproof.reports.drift import console, json, markdown

FORMATS: Mapping[str, tuple[str, Callable[[Drift], str]]] = MappingProxyType(
    {
        "text": ("drift.txt", console.render),
        "json": ("drift.json", json.render),
        "markdown": ("drift.md", markdown.render),
    }
)
"""Name -> file and writer."""


def write(drift: Drift, folder: Path, names: Iterable[str] = ()) -> dict[str, Path]:
    """Write the named formats (all when none is); returns format -> file.

    Raises:
        PayproofError: the folder cannot be written.
    """
    written: dict[str, Path] = {}
    for name in dict.fromkeys(names) or FORMATS:
        filename, render = FORMATS[name]
        path = folder / filename
        files.write(path, render(drift), remedy="name another --report-dir")
        written[name] = path
    return written


__all__ = ["FORMATS", "write"]
