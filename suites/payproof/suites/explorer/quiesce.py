"""A story at rest: everything is well again, customers who paid come back once, and then the shop must know."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from payproof.contracts import money
from payproof.contracts.entries import Alert, Log
from payproof.contracts.judging.alarms import is_alert
from payproof.suites.driver.driver import Order
from payproof.suites.explorer.facts import Charge, Facts, Habits, OrderFacts
from payproof.suites.explorer.oracle import Ruling, Truth, judge
from payproof.suites.explorer.player import OpenPage, Player
from payproof.suites.explorer.story import act

_MENDABLE = frozenset({"charged-is-paid", "charged-once", "fulfilled-once", "right-money"})
"""Rules that a background job or another reload may still make true."""
_MARGIN = 60.0
"""Seconds of real time that a story may take, for which the gateway's clock runs too."""


@dataclass(frozen=True, slots=True)
class Rested:
    """``waited``: seconds until nothing more was expected to change."""

    facts: Facts
    rulings: tuple[Ruling, ...]
    waited: float


async def rest(player: Player, habits: Habits, patience: float, matters: Callable[[str], bool]) -> Rested:
    """Make everything well, let customers come back, and judge; wait up to ``patience`` seconds for what may come true.

    ``matters``: rules that are worth waiting for.
    """
    world = player.world
    await player.trouble.end()
    world.step("Everything is well again; who has paid comes back once.", "rest")
    if any(each.do == "promise" for each in player.story.acts):  # what was promised comes now, or never will
        await player.trouble.handlers()["jump"](act("jump", seconds=world.profile.traits.decides_later + 1))
        await world.notices_over()
    settles = world.profile.has("settle")
    paid = [page for page in player.pages if page.charged or (settles and page.back)]
    player.step_begins()
    for page in paid:
        await player.visit(page, page.back, "return")
    began = world.journal.now()
    pause = 0.05
    while True:
        just_seen = player.sightings[-1][0].id if paid and player.sightings else ""
        for page in _one_each(player.pages):
            if page.order.id != just_seen:
                await player.look(page)
        facts = gather(player, habits)
        rulings = judge(facts)
        waited = world.journal.now() - began
        if not _may_change(rulings, matters) or waited >= patience:
            return Rested(facts, rulings, waited)
        await asyncio.sleep(min(pause, max(patience - waited, 0.01)))
        pause = min(pause * 2, 5.0)
        await world.hasten_notices()  # the schedule of the gateway is longer than anybody waits here
        for page in paid:
            await player.visit(page, page.back, "reload")


def _one_each(pages: Sequence[OpenPage]) -> Iterable[OpenPage]:
    """The newest page of each order."""
    return {page.order.id: page for page in pages}.values()


def _may_change(rulings: Iterable[Ruling], matters: Callable[[str], bool]) -> bool:
    """Something that matters is not yet true, of an order of which nothing is broken for good."""
    wrong = [ruling for ruling in rulings if ruling.truth is Truth.FALSE]
    lost = {ruling.order for ruling in wrong if ruling.rule not in _MENDABLE}
    mendable = any(matters(ruling.rule) and ruling.order not in lost for ruling in wrong)
    return mendable or any(ruling.truth is Truth.UNKNOWN and "cannot be read" in ruling.reason for ruling in rulings)


def gather(player: Player, habits: Habits) -> Facts:
    """What is known of every order that somebody started to pay."""
    groups: dict[str, list[OpenPage]] = {}
    for page in player.pages:
        groups.setdefault(page.order.id, []).append(page)
    return Facts(habits=habits, orders=tuple(_order(player, pages) for pages in groups.values()))


def _order(player: Player, pages: Sequence[OpenPage]) -> OrderFacts:
    order = pages[0].order
    expected, tolerance = _expected(player, order)
    charged = [page for page in pages if page.charged]
    return OrderFacts(
        number=pages[0].wish,
        names=tuple(dict.fromkeys((order.id, order.label))),
        expected=expected,
        currency=order.currency,
        tolerance=tolerance,
        charges=tuple(_charge(player, page) for page in charged),
        sightings=tuple(seen for whose, seen in player.sightings if whose.id == order.id),
        alerts=_alerts(player, max(page.booked for page in charged)) if len(charged) > 1 else (),
    )


def _expected(player: Player, order: Order) -> tuple[Decimal, Decimal]:
    """What the gateway should take, with the declared fee, and by how much it may differ."""
    fee = player.world.config.integration.checkout.fee or ""
    unit = Decimal(1).scaleb(-player.world.profile.money.decimals(order.currency))
    if fee.endswith("%"):
        return order.amount + order.amount * Decimal(fee[:-1]) / 100, unit
    return order.amount + Decimal(fee or 0), unit if fee else Decimal(0)


def _charge(player: Player, page: OpenPage) -> Charge:
    payment = player.world.target.payment(page.checkout.payment)
    assert payment is not None
    profile = player.world.profile
    # A shop may lead to a payment again that it opened before, and its age counts from then.
    opened = min(each.began for each in player.pages if each.checkout.payment == page.checkout.payment)
    age = player.trouble.added - opened
    return Charge(
        payment=page.checkout.payment,
        page=page.number,
        amount=money.parse(payment.amount) or Decimal(0),
        currency=payment.currency,
        reference=payment.reference,
        times=page.charged,
        verifiable=profile.traits.paid_survives_token or age < profile.token_life - _MARGIN,
    )


def _alerts(player: Player, after: int) -> tuple[str, ...]:
    """What arrived on the declared channel after a journal entry."""
    channel = player.world.config.integration.alert_channel
    entries = player.world.journal.entries
    return tuple(
        entry.text
        for entry in entries
        if entry.n > after and isinstance(entry, Alert | Log) and is_alert(entry, channel)
    )
