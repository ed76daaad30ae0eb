"""Notices that are not as the gateway sends them: forged signatures, and bodies that say the same in other bytes. No scheme is
known here: which header is the signature shows when the same body is signed with other secrets."""

from __future__ import annotations

import json
import re
import secrets as random_secrets
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias, cast, get_args

from payproof.contracts.entries import Forgery
from payproof.contracts.profile import Fields, Notices
from payproof.contracts.reading.json_text import table_of

AGE = 3600
"""Seconds ago that an old notice was signed, at least."""
Spelling: TypeAlias = Literal["indented", "escaped", "other-order", "spaced"]
"""How a JSON body can be written so that no library writes it like that again: indented; with ``\\/`` and ``\\u0061``; its keys
in another order; with blanks around it."""
SPELLINGS: tuple[Spelling, ...] = get_args(Spelling)
UNHEARD = "payproof.unheard-of"
"""Name of an event that no gateway has."""


def signed(notices: Notices, secrets: tuple[str, ...], body: bytes, at: int, how: Forgery | Literal[""]) -> Fields:
    """The headers of one delivery. ``secrets``: those that are good now, the newest first. ``how``: see ``Forgery``."""
    if how == "old":
        return notices.sign(secrets, body, at - max(AGE, 2 * notices.tolerance))
    if how == "other-key":
        return (notices.impostor or notices.sign)(secrets, body, at)
    if how == "other-body":
        return notices.sign(secrets, body[::-1] + b".", at)
    right = notices.sign(secrets, body, at)
    if not how:
        return right
    others = [notices.sign(tuple(random_secrets.token_hex(20) for _ in secrets), body, at) for _ in range(4)]
    if how == "other-secret":
        return others[0]
    return tuple(_weakened(right, [dict(other) for other in others], how))


def _weakened(right: Fields, others: list[dict[str, str]], how: Forgery) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in right:
        signatures = [value, *(other.get(name, "") for other in others)]
        if len(set(signatures)) == 1:
            found.append((name, value))  # it does not depend on the secret
        elif how != "unsigned":
            found.append((name, _without(signatures, how)))
    return found


_WORD = re.compile(r"([A-Za-z0-9+/_-]+)")


def _without(signatures: list[str], how: Forgery) -> str:
    """The first of these values, every word of it that depends on the secret halved, or left out: there may be several signatures in
    one header, each of which would do."""
    split = [_WORD.split(signature) for signature in signatures]
    if len({len(words) for words in split}) > 1:
        return signatures[0][: len(signatures[0]) // 2 if how == "half" else 0]
    return "".join(
        words[0] if len(set(words)) == 1 else words[0][: len(words[0]) // 2 if how == "half" else 0]
        for words in zip(*split, strict=True)
    )


def spelled(body: bytes, how: Spelling) -> bytes | None:
    """The same JSON in other bytes; None where the body is no JSON object, or there is no other way to write it."""
    value = table_of(body)
    if value is None:
        return None
    found = _SPELLED[how](value)
    return found if found != body and table_of(found) == value else None


def _escaped(value: Any) -> bytes:
    """Every text's first letter as an escape, and each slash too."""
    marked = json.dumps(_marked(value)).replace("/", "\\/")
    return "".join(
        f"\\u{ord(part[0]):04x}{part[1:]}" if n else part for n, part in enumerate(marked.split(_MARK))
    ).encode()


_MARK = "~payproof~"


def _marked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _marked(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_marked(item) for item in value]  # pyright: ignore
    return _MARK + value if isinstance(value, str) and value[:1].isascii() and value[:1].isalnum() else value


def _turned(value: Any) -> Any:
    """Its keys in the opposite order, at every depth."""
    if isinstance(value, dict):
        return {key: _turned(item) for key, item in reversed(cast("dict[str, Any]", value).items())}
    if isinstance(value, list):
        return [_turned(item) for item in value]  # pyright: ignore
    return value


_SPELLED: Mapping[Spelling, Callable[[Any], bytes]] = {
    "indented": lambda value: json.dumps(value, indent=3).encode(),
    "escaped": _escaped,
    "other-order": lambda value: json.dumps(_turned(value)).encode(),
    "spaced": lambda value: f" {json.dumps(value, separators=(' , ', ' : '))}\n".encode(),
}


def unheard_of(notices: Notices, body: bytes) -> bytes | None:
    """The body with an event's name that no gateway has; None where the name does not stand in it as a JSON text."""
    name = notices.read((), body).event
    found = body.replace(json.dumps(name).encode(), json.dumps(UNHEARD).encode(), 1)
    return found if name and notices.read((), found).event == UNHEARD else None


def emptied(body: bytes) -> bytes | None:
    """The body with an empty list for each object in it; None where it is no JSON object or holds none."""
    value = table_of(body)
    if value is None or not any(isinstance(item, dict) for item in value.values()):
        return None
    return json.dumps({key: [] if isinstance(item, dict) else item for key, item in value.items()}).encode()
