"""One request and its answer, as entries keep them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

BODY_LIMIT = 64 * 1024
"""Characters of a body that an entry keeps; ``size`` tells the whole."""


Headers: TypeAlias = tuple[tuple[str, str], ...]


def header(headers: Iterable[tuple[str, str]], name: str, default: str = "") -> str:
    """The first header of that name, in any letter case."""
    return next((value for key, value in headers if key.lower() == name.lower()), default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    url: str
    headers: Headers = ()
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    status: int
    headers: Headers = ()
    body: str = ""
    size: int = 0
    """Bytes of the whole body, also where ``body`` is cut."""
