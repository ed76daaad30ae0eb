"""What is printed steers no CI server: a line of a stranger's log may look like one of its commands."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Generator
from typing import Any, TextIO, cast

_COMMAND = re.compile(r"^([^\S\n]*:):|##(?=\w*\[)", re.MULTILINE)
"""GitHub reads ``::name::`` at the begin of a line, also after blanks, and ``##[name]`` anywhere; Azure has ``##vso[``, TeamCity
``##teamcity[``."""


def unsteered(text: str) -> str:
    """``text`` with a blank in what a CI server would take for its command."""
    return _COMMAND.sub(lambda found: f"{found[1]} :" if found[1] else "# #", text)


class _Unsteered:
    """A text stream; ``raw`` is the one behind it, for commands of our own."""

    def __init__(self, raw: TextIO) -> None:
        self.raw = raw

    def write(self, text: str) -> int:
        self.raw.write(unsteered(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)


@contextlib.contextmanager
def guarded() -> Generator[None]:
    """Both of the process' own streams, as long as the context lasts."""
    out, err = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = cast("TextIO", _Unsteered(out)), cast("TextIO", _Unsteered(err))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err


def command(text: str) -> None:
    """Write what is meant as a command to the CI server on stdout."""
    getattr(sys.stdout, "raw", sys.stdout).write(text)
