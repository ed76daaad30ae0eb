"""When a story is performed again because payproof itself got in its way."""

from __future__ import annotations

from collections.abc import Iterable

from payproof.contracts.entries import Connection, Entry, FaultSet, Step
from payproof.contracts.steps import StepName

ONCE = frozenset({"revoked"})
"""Probes that leave nothing behind with which they could be performed again."""


def lost_to_us(entries: Iterable[Entry]) -> str:
    """Which request of the integration payproof itself lost in a story, before anything went wrong there on purpose; empty
    when there is none.

    There is one way to lose one: payproof closed a kept connection in an earlier story, and the integration's HTTP client
    had not noticed when it sent the next request there. Whatever else fails without a fault is the integration's own doing,
    also when it happens once in a while.
    """
    for entry in entries:
        if (isinstance(entry, FaultSet) and entry.event == "armed") or (
            isinstance(entry, Step) and entry.name == StepName.GATE
        ):
            return ""
        if isinstance(entry, Connection) and entry.event == "retired":
            return f"{entry.detail} was sent on a kept connection that payproof had closed in an earlier story"
    return ""
