"""The report formats: each registers itself under a name that nobody else has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, TypeAlias

from payproof.contracts.model import Result
from payproof.contracts.run import Run

Render: TypeAlias = Callable[[Result, Run], str]


class Writer(Protocol):
    """A report format. ``render`` is pure: it writes nothing and asks nobody."""

    @property
    def name(self) -> str: ...

    @property
    def filename(self) -> str: ...

    def render(self, result: Result, run: Run, /) -> str: ...


@dataclass(frozen=True, slots=True)
class _Format:
    name: str
    filename: str
    render: Render


_writers: dict[str, Writer] = {}
WRITERS: Mapping[str, Writer] = MappingProxyType(_writers)
"""Name -> writer."""


def writer(name: str, filename: str) -> Callable[[Render], Render]:
    """Register the decorated function as the format ``name``, written to ``filename``."""

    def register(render: Render) -> Render:
        taken = {known.filename for known in _writers.values()}
        if name in _writers or filename in taken:
            raise ValueError(f"the report format {name!r} ({filename}) is registered twice")
        _writers[name] = _Format(name, filename, render)
        return render

    return register
