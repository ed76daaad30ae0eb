"""When a probe run says nothing of the integration: payproof itself got in its way, or the integration takes no more from us."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from payproof.contracts.entries import Call, Connection, Entry, FaultSet, Page, Step
from payproof.contracts.judging.steps import StepName

ONCE = frozenset({"revoked"})
"""Probes that leave nothing behind with which they could be performed again."""


def lost_to_us(entries: Iterable[Entry]) -> str:
    """Which request of the integration payproof itself lost in a probe run, before anything went wrong there on purpose; empty
    when there is none.

    There is one way to lose one: payproof closed a kept connection in an earlier probe run, and the integration's HTTP client
    had not noticed when it sent the next request there. Whatever else fails without a fault is the integration's own doing,
    also when it happens once in a while.
    """
    for entry in entries:
        if (isinstance(entry, FaultSet) and entry.event == "armed") or (
            isinstance(entry, Step) and entry.name == StepName.GATE
        ):
            return ""
        if isinstance(entry, Connection) and entry.event == "retired":
            return f"{entry.detail} was sent on a kept connection that payproof had closed in an earlier probe run"
    return ""


def turned_away(entries: Sequence[Entry], since: int) -> str:
    """Which request the integration itself refused with 429 in the probe run that begins at entry number ``since``, because of how many
    came before; empty when there is none.

    Somebody's first request for an order, or a look at one, that reached no gateway: nothing that this customer did can be the reason.
    A second click that is refused so is a guard, and a gateway that asked for a rest in this world may be passed on.
    """
    if any(isinstance(entry, Call) and entry.response and entry.response.status == 429 for entry in entries):
        return ""
    known: set[tuple[str, str]] = set()
    for entry in entries:
        if not isinstance(entry, Page) or entry.where != "integration":
            continue
        first = (entry.customer, entry.order) not in known
        known.add((entry.customer, entry.order))
        if entry.n < since or entry.response is None or entry.response.status != 429:
            continue
        if first or entry.purpose == "order":
            where = "a look at the order" if entry.purpose == "order" else "a customer's first request"
            return f"the integration itself answered {where} with 429: it limits how many requests it takes, so lift that for the run"
    return ""
