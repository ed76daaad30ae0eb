"""The oracle: money is conserved, or it is not, or it cannot be known. Pure functions of facts.

true: the rule was put to the test and held. false: it is broken. unknown: nobody can tell, which is never a pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from payproof.contracts import money
from payproof.contracts.reading.naming import names
from payproof.suites.explorer.facts import Facts, Habits, OrderFacts, Sighting


class Truth(StrEnum):
    """Three values."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


RULES = {
    "paid-is-charged": "An order is paid only once the gateway has charged its customer.",
    "paid-stays-paid": "A paid order never becomes unpaid again.",
    "charged-is-paid": "An order whose customer was charged is paid, or visibly held.",
    "charged-once": "An order is charged once; a second charge is visibly flagged.",
    "right-money": "The gateway takes the order's amount in the order's currency.",
    "own-payment": "A paid order's payment refers to this order, not to another one.",
    "fulfilled-once": "A paid order is fulfilled once, an unpaid one not at all.",
}
"""The rules by name; where a story breaks several, the first one says most about the cause."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """One rule about one order. ``expected`` and ``actual`` are for people; ``reason``: why it is unknown."""

    rule: str
    order: int
    truth: Truth
    expected: str = ""
    actual: str = ""
    reason: str = ""


_HOLDS = re.compile(
    r"(?i)hold|held|review|manual|flag|dispute|attention|investigat|suspici|refund|mismatch|over.?paid|under.?paid"
)
"""State words that show a person that something is wrong."""
_LOST = re.compile(
    r"(?i)new|open|pending|created?|wait|draft|cart|un.?paid|not.?paid|start|process|verif|check|progress"
    r"|fail|cancel|void|expire|declin|refus|reject|abandon|error|clos|invalid|abort|delet|remov|time"
)
"""State words that an order has when no money came, or that hide that some did."""


def judge(facts: Facts) -> tuple[Ruling, ...]:
    """Every rule that the story put to the test, for every order."""
    return tuple(ruling for order in facts.orders for ruling in _order(order, facts))


def verdict(rulings: Iterable[Ruling]) -> Truth:
    """The story's: false when anything is broken, true when nothing is unknown either."""
    found = {ruling.truth for ruling in rulings}
    return Truth.FALSE if Truth.FALSE in found else Truth.UNKNOWN if Truth.UNKNOWN in found else Truth.TRUE


def broken(rulings: Iterable[Ruling]) -> tuple[Ruling, ...]:
    """The rulings that are false, in the order of the rules."""
    order = tuple(RULES)
    found = (ruling for ruling in rulings if ruling.truth is Truth.FALSE)
    return tuple(sorted(found, key=lambda ruling: order.index(ruling.rule)))


def _order(order: OrderFacts, facts: Facts) -> Iterator[Ruling]:
    yield from _charged_is_paid(order, facts.habits)
    yield from _paid_is_charged(order)
    yield from _paid_stays_paid(order)
    yield from _charged_once(order, facts.habits)
    yield from _right_money(order)
    yield from _own_payment(order, facts)
    yield from _fulfilled_once(order, facts.habits)


def visibly_held(seen: Sighting) -> bool:
    """A person can see that this order needs one."""
    return bool(seen.flagged) or (seen.paid is False and _HOLDS.search(seen.state) is not None)


def _ruling(
    rule: str, order: OrderFacts, truth: Truth, expected: str = "", actual: str = "", reason: str = ""
) -> Ruling:
    return Ruling(rule, order.number, truth, expected, actual, reason)


def _says(seen: Sighting) -> str:
    if seen.paid is None:
        return f"the order cannot be read {seen.when} ({seen.problem or 'no reason given'})"
    flag = f", flagged “{seen.flagged}”" if seen.flagged else ""
    return f'the shop says "{seen.state}" {seen.when}{flag}'


def _charged_is_paid(order: OrderFacts, habits: Habits) -> Iterator[Ruling]:
    last = order.last
    if not order.charges:
        return
    rule, expected = "charged-is-paid", "the order paid, or visibly held"
    taken = "; ".join(
        f"{money.show(charge.amount, charge.currency)} taken at page {charge.page}" for charge in order.charges
    )
    if last is None or last.paid is None:
        why = _says(last) if last else "the order was never read"
        yield _ruling(rule, order, Truth.UNKNOWN, expected, taken, why)
    elif last.paid or visibly_held(last):
        yield _ruling(rule, order, Truth.TRUE)
    elif not any(charge.verifiable for charge in order.charges):
        why = "the gateway has forgotten the payment before the shop could ask about it"
        yield _ruling(rule, order, Truth.UNKNOWN, expected, taken, why)
    elif last.state in habits.waiting or _LOST.search(last.state):
        yield _ruling(rule, order, Truth.FALSE, expected, f"{taken}, and {_says(last)}")
    else:
        why = f'payproof does not know what the state "{last.state}" means: add it to order.paid or to order.flagged'
        yield _ruling(rule, order, Truth.UNKNOWN, expected, taken, why)


def _paid_is_charged(order: OrderFacts) -> Iterator[Ruling]:
    paid = [seen for seen in order.sightings if seen.paid]
    early = next((seen for seen in paid if not seen.charged), None)
    if early is not None:
        actual = f"{_says(early)}, and the gateway had taken nothing for it"
        yield _ruling("paid-is-charged", order, Truth.FALSE, "not paid before the customer is charged", actual)
    elif any(seen.paid is not None for seen in order.sightings):
        yield _ruling("paid-is-charged", order, Truth.TRUE)


def _paid_stays_paid(order: OrderFacts) -> Iterator[Ruling]:
    first = next((place for place, seen in enumerate(order.sightings) if seen.paid), None)
    if first is None:
        return
    rule, before, after = "paid-stays-paid", order.sightings[first], order.sightings[first + 1 :]
    lost = next((seen for seen in after if seen.paid is False and not visibly_held(seen)), None)
    if lost is not None:
        yield _ruling(rule, order, Truth.FALSE, "paid for ever", f"paid {before.when}, then {_says(lost)}")
    elif after and after[-1].paid is None:
        yield _ruling(rule, order, Truth.UNKNOWN, "paid for ever", f"paid {before.when}", _says(after[-1]))
    elif after:
        yield _ruling(rule, order, Truth.TRUE)


def _charged_once(order: OrderFacts, habits: Habits) -> Iterator[Ruling]:
    last = order.last
    if not order.taken:
        return
    rule, expected = "charged-once", "one charge, or a flag for a person"
    actual = f"charged {order.taken} times at the pages {', '.join(str(charge.page) for charge in order.charges)}"
    if (
        order.taken == 1
        or (last and visibly_held(last))
        or any(names(text, (*order.names, *(charge.payment for charge in order.charges))) for text in order.alerts)
    ):
        yield _ruling(rule, order, Truth.TRUE)
    elif why := _undecidable(order, habits):
        yield _ruling(rule, order, Truth.UNKNOWN, expected, actual, why)
    else:
        yield _ruling(
            rule, order, Truth.FALSE, expected, f"{actual}, and {_says(last) if last else 'never read'}, without a flag"
        )


def _undecidable(order: OrderFacts, habits: Habits) -> str:
    """Why nobody can say whether a second charge was flagged; empty when it was not."""
    if order.last is None or order.last.paid is None:
        return _says(order.last) if order.last else "the order was never read"
    if sum(charge.verifiable for charge in order.charges) < len(order.charges):
        return "the gateway has forgotten one of the payments before the shop could ask about it"
    if not (habits.shows_flags or habits.sends_alerts):
        return "the configuration does not say how the shop flags an order: declare order.flagged or an alert channel"
    return "an alert arrived that does not name the order" if order.alerts else ""


def _right_money(order: OrderFacts) -> Iterator[Ruling]:
    last = order.last
    for charge in order.charges:
        expected = money.show(order.expected, order.currency)
        same = charge.currency == order.currency and abs(charge.amount - order.expected) <= order.tolerance
        if same or (last is not None and visibly_held(last)):
            yield _ruling("right-money", order, Truth.TRUE)
            continue
        actual = f"{money.show(charge.amount, charge.currency)} taken at page {charge.page}"
        yield _ruling("right-money", order, Truth.FALSE, expected, actual)


def _own_payment(order: OrderFacts, facts: Facts) -> Iterator[Ruling]:
    if not order.charges or order.last is None or not order.last.paid:
        return
    rule, expected = "own-payment", f"a payment that refers to order {order.number}"
    if any(name in charge.reference for charge in order.charges for name in order.names):
        yield _ruling(rule, order, Truth.TRUE)
        return
    others = {name: each.number for each in facts.orders if each is not order for name in each.names}
    foreign = {number for charge in order.charges for name, number in others.items() if name in charge.reference}
    if foreign:
        yield _ruling(rule, order, Truth.FALSE, expected, f"its payment refers to order {min(foreign)}")
    else:
        yield _ruling(
            rule, order, Truth.UNKNOWN, expected, reason="no order id that payproof knows is in the payment's reference"
        )


def _fulfilled_once(order: OrderFacts, habits: Habits) -> Iterator[Ruling]:
    counted = [seen for seen in order.sightings if seen.effects is not None]
    if habits.effects is None or not order.sightings:
        return
    rule, most = "fulfilled-once", max(habits.effects, 1)
    over = next((seen for seen in counted if (seen.effects or 0) > (most if seen.charged else 0)), None)
    last = order.sightings[-1]
    if over is not None:
        expected = "fulfilled once" if over.charged else "not fulfilled: nothing was charged"
        yield _ruling(rule, order, Truth.FALSE, expected, f"fulfilled {over.effects} times {over.when}")
    elif not last.paid:
        return
    elif last.effects is None:
        yield _ruling(rule, order, Truth.UNKNOWN, "fulfilled once", reason="the counter of fulfilments cannot be read")
    elif last.effects < habits.effects:
        yield _ruling(
            rule, order, Truth.FALSE, "fulfilled once", f"paid, and fulfilled {last.effects} times {last.when}"
        )
    else:
        yield _ruling(rule, order, Truth.TRUE)
