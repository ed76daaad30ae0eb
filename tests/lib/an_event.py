"""Events of the first gateway for tests that write journals by hand: by the name of the call, as flat fields."""

from __future__ import annotations

from typing import Any

from payproof.contracts.events import (
    AnyEvent,
    Authenticated,
    Confirmed,
    NoticeVerified,
    Opened,
    Problem,
    Refunded,
    Settled,
    Unknown,
)

_KINDS: dict[str, type[Any]] = {
    "token": Authenticated,
    "create": Opened,
    "status": Confirmed,
    "take": Settled,
    "refund": Refunded,
    "verify-notice": NoticeVerified,
}
_SENT = {"client_id": "client-id", "secret": "secret-key", "bearer": "access-token"}


def an_event(operation: str = "", **fields: Any) -> AnyEvent:
    """``errors``: texts; ``client_id``, ``secret``, ``bearer``: what was sent; the rest are fields of the event's type."""
    sent = {_SENT[name]: fields.pop(name) for name in tuple(fields) if name in _SENT}
    problems = tuple(Problem(text=text) for text in fields.pop("errors", ()))
    kind = _KINDS.get(operation, Unknown)
    made: AnyEvent = kind(operation=operation, sent=sent, problems=problems, **fields)
    return made
