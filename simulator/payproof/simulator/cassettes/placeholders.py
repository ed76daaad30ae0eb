"""How a cassette spells a secret that it does not hold: ``__access-token-1__``.

Letters, digits, hyphens, dots and underscores are the only characters that every encoding of a URL, a form, a header, a cookie, JSON
and HTML leaves as they are; so a placeholder reads the same wherever it stands, and a client can send it as its credential.
"""

from __future__ import annotations

import re
from collections.abc import Callable

KINDS = (
    "client-id",
    "secret-key",
    "access-token",
    "authorization",
    "session-cookie",
    "csrf-token",
    "login",
    "password",
    "one-time-code",
    "credential",
)
"""Sorts of secrets, in the order in which they are listed."""
TYPED = frozenset({"login", "password", "one-time-code"})
"""What a customer types at the hosted checkout."""

PATTERN = re.compile(rf"__({'|'.join(KINDS)})-(\d+)((?:\.[a-z0-9]+)*)__")
_VEILED = re.compile(rf"<((?:{'|'.join(KINDS)})-\d+)((?::[a-z0-9]+)*)>")


def spelled(name: str) -> str:
    """The placeholder of a secret's name (``access-token-1``)."""
    return f"__{name}__"


def from_redactor(text: str) -> str:
    """What a redactor wrote, in a cassette's spelling: ``<access-token-1:base64>`` becomes ``__access-token-1.base64__``."""
    return _VEILED.sub(lambda match: spelled(match[1] + match[2].replace(":", ".")), text)


def substituted(text: str, value: Callable[[str, str], str | None]) -> str:
    """``text`` with whole placeholders replaced by ``value(kind, name)``; None leaves one as it is."""

    def fresh(match: re.Match[str]) -> str:
        new = None if match[3] else value(match[1], f"{match[1]}-{match[2]}")
        return match[0] if new is None else new

    return PATTERN.sub(fresh, text) if "__" in text else text
