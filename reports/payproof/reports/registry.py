"""The report formats: each registers itself under a name that nobody else has, the name of its module."""

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

    @property
    def usual(self) -> bool:
        """Written when nobody says which formats are wanted."""
        ...

    def render(self, result: Result, run: Run, /) -> str: ...


@dataclass(frozen=True, slots=True)
class _Format:
    name: str
    filename: str
    usual: bool
    render: Render


_writers: dict[str, Writer] = {}
WRITERS: Mapping[str, Writer] = MappingProxyType(_writers)
"""Name -> writer."""


def writer(name: str, filename: str, *, usual: bool = False) -> Callable[[Render], Render]:
    """Register the decorated function as the format ``name``, written to ``filename``. ``usual``: see ``Writer``."""

    def register(render: Render) -> Render:
        taken = {known.filename for known in _writers.values()}
        if name in _writers or filename in taken:
            raise ValueError(f"the report format {name!r} ({filename}) is registered twice")
        _writers[name] = _Format(name, filename, usual, render)
        return render

    return register
