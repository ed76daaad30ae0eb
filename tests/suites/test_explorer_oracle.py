"""The oracle on hand-written facts: each rule true, false and unknown."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from payproof.contracts.profile import load
from payproof.suites.explorer import quiesce
from payproof.suites.explorer.facts import Charge, Facts, Habits, OrderFacts, Sighting
from payproof.suites.explorer.oracle import RULES, Truth, broken, judge, verdict

HABITS = Habits(effects=1, shows_flags=True, waiting=frozenset({"pending"}))
PAID = Sighting(step=0, state="paid", paid=True, effects=1, charged=True)
PENDING = Sighting(step=1, state="pending", paid=False, effects=0)


def charge(page: int = 1, **changes: Any) -> Charge:
    given: dict[str, Any] = {
        "payment": f"p{page}",
        "page": page,
        "amount": Decimal("5000.00"),
        "currency": "XAF",
        "reference": "771",
    }
    return Charge(**given | changes)


def order(*sightings: Sighting, charges: tuple[Charge, ...] = (), number: int = 1, **changes: Any) -> OrderFacts:
    given: dict[str, Any] = {
        "number": number,
        "names": (f"77{number}",),
        "expected": Decimal("5000.00"),
        "currency": "XAF",
        "sightings": sightings,
        "charges": charges,
        **changes,
    }
    return OrderFacts(**given)


def ruled(rule: str, *orders: OrderFacts, habits: Habits = HABITS) -> Truth | None:
    """What the rule says of the first order; None when it was not put to the test."""
    found = [each for each in judge(Facts(habits=habits, orders=orders)) if each.rule == rule and each.order == 1]
    return found[0].truth if found else None


def at_rest(state: str, *, paid: bool | None = False, **more: Any) -> Sighting:
    return Sighting(step=0, state=state, paid=paid, charged=True, **more)


CHARGED = (charge(),)
TWICE = (charge(1), charge(2))
FORGOTTEN = (charge(verifiable=False),)


@pytest.mark.parametrize(
    ("facts", "rule", "truth"),
    [
        (order(PENDING, PAID, charges=CHARGED), "charged-is-paid", Truth.TRUE),
        (order(at_rest("pending", flagged="please call us"), charges=CHARGED), "charged-is-paid", Truth.TRUE),
        (order(at_rest("on hold"), charges=CHARGED), "charged-is-paid", Truth.TRUE),
        (order(at_rest("manual review"), charges=CHARGED), "charged-is-paid", Truth.TRUE),
        (order(at_rest("pending"), charges=CHARGED), "charged-is-paid", Truth.FALSE),
        (order(at_rest("cancelled"), charges=CHARGED), "charged-is-paid", Truth.FALSE),
        (order(at_rest("failed"), charges=CHARGED), "charged-is-paid", Truth.FALSE),
        (order(at_rest("", paid=None, problem="HTTP 500"), charges=CHARGED), "charged-is-paid", Truth.UNKNOWN),
        (order(charges=CHARGED), "charged-is-paid", Truth.UNKNOWN),
        (order(at_rest("zufrieden"), charges=CHARGED), "charged-is-paid", Truth.UNKNOWN),
        (order(at_rest("pending"), charges=FORGOTTEN), "charged-is-paid", Truth.UNKNOWN),
        (order(PENDING), "charged-is-paid", None),
        (order(PENDING, PAID, charges=CHARGED), "paid-is-charged", Truth.TRUE),
        (order(PENDING), "paid-is-charged", Truth.TRUE),
        (order(Sighting(step=2, state="paid", paid=True)), "paid-is-charged", Truth.FALSE),
        (order(Sighting(step=2, state="paid", paid=True), PAID, charges=CHARGED), "paid-is-charged", Truth.FALSE),
        (order(Sighting(step=2, problem="HTTP 404")), "paid-is-charged", None),
        (order(PAID, PAID, charges=CHARGED), "paid-stays-paid", Truth.TRUE),
        (order(PAID, at_rest("cancelled"), charges=CHARGED), "paid-stays-paid", Truth.FALSE),
        (order(PAID, at_rest("cancelled"), PAID, charges=CHARGED), "paid-stays-paid", Truth.FALSE),
        (order(PAID, at_rest("held"), charges=CHARGED), "paid-stays-paid", Truth.TRUE),
        (order(PAID, at_rest("", paid=None), charges=CHARGED), "paid-stays-paid", Truth.UNKNOWN),
        (order(PAID, charges=CHARGED), "charged-once", Truth.TRUE),
        (order(PAID, charges=TWICE), "charged-once", Truth.FALSE),
        (order(at_rest("paid", paid=True, flagged="double payment"), charges=TWICE), "charged-once", Truth.TRUE),
        (order(PAID, charges=TWICE, alerts=("order 771: paid twice",)), "charged-once", Truth.TRUE),
        (order(PAID, charges=TWICE, alerts=("3 errors in a row",)), "charged-once", Truth.UNKNOWN),
        (order(PAID, charges=TWICE, alerts=("order 17712: paid twice",)), "charged-once", Truth.UNKNOWN),
        (order(PAID, charges=(charge(1), charge(2, verifiable=False))), "charged-once", Truth.UNKNOWN),
        (order(at_rest("", paid=None), charges=TWICE), "charged-once", Truth.UNKNOWN),
        (order(PAID, charges=CHARGED), "right-money", Truth.TRUE),
        (order(PAID, charges=(charge(amount=Decimal("4999.00")),)), "right-money", Truth.FALSE),
        (order(PAID, charges=(charge(amount=Decimal("10000.00")),)), "right-money", Truth.FALSE),
        (order(PAID, charges=(charge(currency="USD"),)), "right-money", Truth.FALSE),
        (order(at_rest("held"), charges=(charge(currency="USD"),)), "right-money", Truth.TRUE),
        (
            order(PAID, charges=(charge(amount=Decimal("5000.01")),), tolerance=Decimal("0.01")),
            "right-money",
            Truth.TRUE,
        ),
        (order(PAID, charges=CHARGED), "own-payment", Truth.TRUE),
        (order(PAID, charges=(charge(reference="order-771"),)), "own-payment", Truth.TRUE),
        (order(PAID, charges=(charge(reference="a1b2c3"),)), "own-payment", Truth.UNKNOWN),
        (order(PAID, charges=CHARGED), "fulfilled-once", Truth.TRUE),
        (order(at_rest("paid", paid=True, effects=2), charges=CHARGED), "fulfilled-once", Truth.FALSE),
        (order(at_rest("paid", paid=True, effects=0), charges=CHARGED), "fulfilled-once", Truth.FALSE),
        (order(at_rest("paid", paid=True), charges=CHARGED), "fulfilled-once", Truth.UNKNOWN),
        (order(Sighting(step=0, state="new", paid=False, effects=1)), "fulfilled-once", Truth.FALSE),
        (order(PENDING), "fulfilled-once", None),
    ],
)
def test_a_rule_is_true_false_unknown_or_not_put_to_the_test(facts: OrderFacts, rule: str, truth: Truth | None) -> None:
    assert ruled(rule, facts) is truth


def test_a_second_charge_is_unknown_where_nothing_says_how_the_shop_flags() -> None:
    assert ruled("charged-once", order(PAID, charges=TWICE), habits=Habits(effects=1)) is Truth.UNKNOWN


def test_a_shop_that_counts_nothing_is_not_asked_for_its_fulfilments() -> None:
    assert ruled("fulfilled-once", order(PAID, charges=CHARGED), habits=Habits()) is None


def test_a_state_that_an_unpaid_order_has_is_never_a_hold() -> None:
    habits = Habits(waiting=frozenset({"bestellt"}))
    assert ruled("charged-is-paid", order(at_rest("bestellt"), charges=CHARGED), habits=habits) is Truth.FALSE
    assert ruled("charged-is-paid", order(at_rest("bestellt"), charges=CHARGED)) is Truth.UNKNOWN


def test_a_payment_of_another_order_is_no_payment_of_this_one() -> None:
    first = order(PAID, charges=(charge(reference="772"),))
    assert ruled("own-payment", first, order(PENDING, number=2)) is Truth.FALSE


def test_every_rule_is_tested_here_and_unknown_is_never_a_pass() -> None:
    true = judge(Facts(habits=HABITS, orders=(order(PENDING, PAID, charges=CHARGED),)))
    unknown = judge(Facts(habits=HABITS, orders=(order(at_rest("", paid=None), charges=CHARGED),)))
    false = judge(Facts(habits=HABITS, orders=(order(at_rest("failed"), charges=CHARGED),)))
    assert (verdict(true), verdict(unknown), verdict(false)) == (Truth.TRUE, Truth.UNKNOWN, Truth.FALSE)
    assert verdict((*unknown, *false)) is Truth.FALSE
    assert {each.rule for each in true} | {"paid-stays-paid"} == set(RULES)


def test_broken_rules_are_told_in_the_order_of_the_rules_with_values() -> None:
    facts = Facts(habits=HABITS, orders=(order(PAID, at_rest("cancelled", effects=2), charges=CHARGED),))
    found = broken(judge(facts))
    assert [each.rule for each in found] == ["paid-stays-paid", "charged-is-paid", "fulfilled-once"]
    assert found[1].actual == '5,000.00 XAF taken at page 1, and the shop says "cancelled" at rest'


@pytest.mark.parametrize(("payments", "verifiable"), [(("p1", "p2"), True), (("p1", "p1"), False)])
def test_a_payment_that_a_shop_leads_to_again_is_as_old_as_its_first_page(
    payments: tuple[str, str], verifiable: bool
) -> None:
    pages: list[Any] = [
        SimpleNamespace(number=n, began=300.0 * (n - 1), charged=1, checkout=SimpleNamespace(payment=payment))
        for n, payment in enumerate(payments, 1)
    ]
    view = SimpleNamespace(amount="1234.00", currency="XAF", reference="order 3")

    def payment(name: str) -> SimpleNamespace:
        return view

    world = SimpleNamespace(profile=load("qrpay"), target=SimpleNamespace(payment=payment))
    player: Any = SimpleNamespace(world=world, trouble=SimpleNamespace(added=600.0), pages=pages)
    assert quiesce._charge(player, pages[1]).verifiable is verifiable  # pyright: ignore[reportPrivateUsage]
