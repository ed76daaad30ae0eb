"""What a world does by itself, without a shop: each has its own memory and its own patience."""

from __future__ import annotations

import asyncio
import dataclasses
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from payproof.contracts.entries import Checkout, OrderSeen
from payproof.contracts.secrets import Redactor
from payproof.suites.customer.customer import Customer, Routing, Visit
from payproof.suites.driver.driver import Order, OrderState
from payproof.suites.selftest.selftest import shop
from payproof.suites.session.context import LONGEST_PATIENCE, Purchase, Shared
from payproof.suites.session.progress import Silent
from payproof.suites.session.targets import Simulators
from payproof.suites.session.world import World


def shared(folder: Path) -> Shared:
    config = shop("worlds")
    return Shared(
        config=config,
        profile=config.profile,
        seed=1,
        folder=folder,
        trust=None,
        redactor=Redactor(),
        now=lambda: 0.0,
        progress=Silent(),
        alert_url=lambda name: "",
        alerts={},
        source=Simulators(config),
    )


class Unsold(World):
    """A world in which nobody gets through any more."""

    bought = 0

    async def buy(self, order: Order | None = None, *, payer: str = "paid", purpose: str = "checkout") -> Purchase:
        self.bought += 1
        order = order or self.new_order()
        checkout = Checkout(order=order.id, amount="1", currency="XAF", outcome="refused")
        return Purchase(order, self.customer(), checkout, seen=OrderSeen(order=order.id, paid=False))


def test_what_one_world_learned_changes_nothing_in_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(seconds: float, *args: Any) -> None:
        """No waiting."""

    async def story() -> None:
        ours = shared(tmp_path)
        first, second = Unsold("first", ours), Unsold("second", ours)
        for world in (first, second):
            world.place = Routing("http://shop.test", "http://127.0.0.1:9", "http://gateway.test")
        monkeypatch.setattr("payproof.suites.session.world.asyncio.sleep", at_once)
        await first.recover()
        await first.recover()
        await second.recover()
        monkeypatch.undo()
        assert first.bought == 3, "the second recovery of a world that does not recover is not waited for"
        assert second.bought == 2, "the other world gave the shop its second of grace all the same"
        await first.stop()
        await second.stop()

    asyncio.run(story())


class Believing:
    """A driver whose merchant believes what the test says: a state for each look at an order, the last one for good."""

    def __init__(self, **states: list[OrderState]) -> None:
        self.states, self.looks = states, dict.fromkeys(states, 0)

    async def order(self, order: Order, customer: Customer) -> OrderState:
        told = self.states[order.label]
        self.looks[order.label] += 1
        return told[min(self.looks[order.label], len(told)) - 1]


class Waiting(World):
    """A world whose customers only look."""

    async def come_back(self, url: str, customer: Customer, order: Order, *, purpose: str = "return") -> Visit:
        self.step(f"{order.id} reloads", "reload")
        return Visit((), url)


PENDING, PAID = OrderState("pending", paid=False), OrderState("paid", paid=True)
HELD = OrderState("pending", paid=False, flagged="double payment")


def waited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **states: list[OrderState]
) -> tuple[float, list[OrderSeen]]:
    """Seconds that a world took whose orders could not be verified and then could, and its looks."""
    now, turn = 0.0, asyncio.sleep

    async def passes(seconds: float, *args: Any) -> None:
        nonlocal now
        now += seconds
        await turn(0)

    async def story() -> list[OrderSeen]:
        world = Waiting("waits", dataclasses.replace(shared(tmp_path), now=lambda: now))
        world.driver = Believing(**states)  # type: ignore[assignment]
        world.place = Routing("http://shop.test", "http://127.0.0.1:9", "http://gateway.test")
        monkeypatch.setattr("payproof.suites.session.world.asyncio.sleep", passes)
        for name in states:
            order, customer = Order(name, Decimal(1), "XAF"), world.customer()
            world._orders.append((order, customer))  # pyright: ignore[reportPrivateUsage]
            await world.mended(order, customer, "http://shop.test/return")
        await world.settle()
        monkeypatch.undo()
        await world.stop()
        return [entry for entry in world.journal.entries if isinstance(entry, OrderSeen)]

    looks = asyncio.run(story())
    return now, looks


def test_orders_that_stay_unverified_wait_for_each_other_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds, looks = waited(tmp_path, monkeypatch, first=[PENDING], second=[PENDING], third=[PENDING])
    assert LONGEST_PATIENCE <= seconds < LONGEST_PATIENCE + 10, "not once for each"
    assert {seen.order for seen in looks if seen.at >= LONGEST_PATIENCE} == {"first", "second", "third"}


def test_an_order_that_is_visibly_held_ends_the_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds, looks = waited(tmp_path, monkeypatch, first=[HELD], second=[HELD])
    assert seconds < 5
    assert looks[-1].flagged == "double payment"


def test_a_held_order_does_not_shorten_the_wait_of_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds, looks = waited(tmp_path, monkeypatch, held=[HELD], lost=[PENDING])
    assert seconds >= LONGEST_PATIENCE
    assert not [seen for seen in looks if seen.order == "lost" and seen.paid]


def test_a_background_job_that_comes_late_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds, looks = waited(tmp_path, monkeypatch, slow=[*[PENDING] * 20, PAID])
    assert 2 < seconds < LONGEST_PATIENCE
    assert looks[-1].paid


def test_an_order_that_is_paid_at_once_costs_no_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds, _ = waited(tmp_path, monkeypatch, quick=[PAID])
    assert seconds < 2
