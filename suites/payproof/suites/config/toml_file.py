"""A TOML file that anybody may have written: read within bounds, or refused in plain words."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from payproof.contracts import files
from payproof.contracts.model import PayproofError

_LARGEST = 1_000_000
"""Bytes of a configuration; a team's largest pyproject.toml has a tenth of it."""
_DOTS = 500
"""Dots of one line: a key of thousands of parts takes the parser minutes."""


def read(file: Path) -> str:
    """The file's text.

    Raises:
        PayproofError: it is not there, cannot be read, is too large, or would take minutes to parse.
    """
    if not file.exists():
        raise PayproofError(
            "there is no such file", place=str(file), remedy="check the path, or write one with `payproof init`"
        )
    text = files.read(file, says="cannot be read", largest=_LARGEST, remedy=f"name a {file.name} that is a TOML file")
    if line := next((n for n, line in enumerate(text.splitlines(), 1) if line.count(".") > _DOTS), 0):
        raise PayproofError(
            f"line {line} holds more than {_DOTS} dots", place=str(file), remedy="write long lists over several lines"
        )
    return text


def parse(text: str, file: Path) -> dict[str, Any]:
    """The file's tables.

    Raises:
        PayproofError: it is no TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PayproofError(
            f"not valid TOML: {error}", place=str(file), remedy="texts stand in quotes, a table begins with [name]"
        ) from None
    except RecursionError:
        raise PayproofError("nested too deep to be read", place=str(file)) from None
