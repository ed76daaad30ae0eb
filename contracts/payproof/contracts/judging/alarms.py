"""Whether somebody was told: alerts on the declared channel, and what they say of an order.

One rule for checks and explorer: an alert, or a flag at the order, excuses something only when it comes after it and names
the order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from payproof.contracts.entries import Alert, Call, Entry, Log, OrderSeen
from payproof.contracts.events import names_in
from payproof.contracts.judging.probe_runs import names_of, payments_of
from payproof.contracts.reading import levels
from payproof.contracts.reading.naming import names
from payproof.contracts.run import RecordedWorld


def is_alert(entry: Entry, channel: str) -> bool:
    """Whether an entry is an alert. ``channel`` as in the settings: ``webhook``, ``log:LEVEL``, or empty."""
    kind, _, level = channel.partition(":")
    return isinstance(entry, Alert) or (kind == "log" and isinstance(entry, Log) and levels.reaches(entry.text, level))


def all_names(world: RecordedWorld, *orders: str) -> frozenset[str]:
    """By what an order may be called: its ids, its payments, their transactions, the references that were sent for it."""
    payments = {payment for order in orders for payment in payments_of(world, order)}
    found = {name for order in orders for name in names_of(world, order)} | payments
    for call in world.of(Call):
        if call.event.payment in payments:
            found |= names_in(call.event)
    return frozenset(found - {""})


def raised(world: RecordedWorld, orders: Iterable[str], channel: str, *, after: int) -> Iterator[Entry]:
    """What told a person of these orders after an entry: a flag at the order, or an alert that names it."""
    orders = tuple(dict.fromkeys(orders))
    ids = {name for order in orders for name in names_of(world, order)}
    known = all_names(world, *orders)
    for entry in world.entries:
        if entry.n <= after:
            continue
        shown = isinstance(entry, OrderSeen) and entry.order in ids and entry.flagged
        if shown or (isinstance(entry, Alert | Log) and is_alert(entry, channel) and names(entry.text, known)):
            yield entry
