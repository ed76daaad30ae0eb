"""What a world does by itself, without a shop: each has its own memory and its own patience."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from receiver import Receiver

from payproof.contracts.checks.handling import MOST_ATTEMPTS
from payproof.contracts.entries import Checkout, OrderSeen
from payproof.contracts.journal import Journal
from payproof.contracts.profile import load
from payproof.contracts.redaction.secrets import Redactor
from payproof.simulator import Simulator, SimulatorTarget, Target
from payproof.simulator.notices.outbox import Notice
from payproof.simulator.testing import GatewayThread
from payproof.suites.config.models import WebhookTable
from payproof.suites.customer.customer import Customer
from payproof.suites.customer.errands import Visit
from payproof.suites.customer.routing import Routing
from payproof.suites.driver.driver import Order, OrderState
from payproof.suites.selftest.selftest import shop
from payproof.suites.session.context import LONGEST_PATIENCE, Purchase, Shared
from payproof.suites.session.endpoint import endpoint
from payproof.suites.session.progress import SilentProgress
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
        progress=SilentProgress(),
        alert_url=lambda name: "",
        alerts={},
        source=Simulators(config),
    )


def test_a_start_beside_others_may_take_longer_than_the_first_one_took(tmp_path: Path) -> None:
    ours = shared(tmp_path)
    configured = ours.config.integration.ready_timeout
    assert ours.start_patience == configured
    ours.start_seconds = configured / 2
    assert ours.start_patience > configured


class Unsold(World):
    """A world in which nobody gets through any more."""

    bought = 0

    async def buy(self, order: Order | None = None, *, payer: str = "paid", purpose: str = "checkout") -> Purchase:
        self.bought += 1
        order = order or self.new_order()
        checkout = Checkout(order=order.id, amount="1", currency="XAF", outcome="refused")
        return Purchase(order, self.customer(), checkout, seen=OrderSeen(order=order.id, paid=False))


class TurnedAway(Unsold):
    """Customers get a page, and the gateway is not asked: a circuit may be open."""

    async def buy(self, order: Order | None = None, *, payer: str = "paid", purpose: str = "checkout") -> Purchase:
        bought = await super().buy(order, payer=payer, purpose=purpose)
        self.journal.add(bought.checkout)
        return bought


@pytest.mark.parametrize(("seconds", "attempts"), [(None, 4), (30.0, 2)])
def test_a_circuit_has_its_time_to_close_where_there_is_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float | None, attempts: int
) -> None:
    async def at_once(seconds: float, *args: Any) -> None:
        """No waiting."""

    async def scenario() -> None:
        ours = shared(tmp_path)
        ours.seconds = seconds
        world = TurnedAway("first", ours)
        world.place = Routing("http://shop.test", "http://127.0.0.1:9", "http://gateway.test")
        monkeypatch.setattr("payproof.suites.session.world.asyncio.sleep", at_once)
        await world.recover()
        monkeypatch.undo()
        assert world.bought == attempts
        await world.stop()

    asyncio.run(scenario())


class DiedUnseen(Unsold):
    """Its integration has just ended, which is seen once a customer was refused; started again, it sells."""

    running = True

    async def revive(self, *, to_call: bool = True) -> None:
        self.running = self.running or self.bought > 0

    async def buy(self, order: Order | None = None, *, payer: str = "paid", purpose: str = "checkout") -> Purchase:
        bought = await super().buy(order, payer=payer, purpose=purpose)
        return dataclasses.replace(bought, seen=OrderSeen(order=bought.order.id, paid=self.running))


def test_an_integration_that_is_seen_to_have_ended_a_moment_later_is_started_for_the_next_customer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_once(seconds: float, *args: Any) -> None:
        """No waiting."""

    async def scenario() -> None:
        world = DiedUnseen("first", shared(tmp_path))
        world.running = False
        world.place = Routing("http://shop.test", "http://127.0.0.1:9", "http://gateway.test")
        monkeypatch.setattr("payproof.suites.session.world.asyncio.sleep", at_once)
        await world.recover()
        monkeypatch.undo()
        assert (world.bought, world.recovery_failed) == (2, False)
        await world.stop()

    asyncio.run(scenario())


def test_what_one_world_learned_changes_nothing_in_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(seconds: float, *args: Any) -> None:
        """No waiting."""

    async def scenario() -> None:
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

    asyncio.run(scenario())


class Believing:
    """A driver whose merchant believes what the test says: a state for each look at an order, the last one for good."""

    def __init__(self, **states: list[OrderState]) -> None:
        self.states, self.looks = states, dict.fromkeys(states, 0)

    async def order(self, order: Order, customer: Customer) -> OrderState:
        states = self.states[order.label]
        self.looks[order.label] += 1
        return states[min(self.looks[order.label], len(states)) - 1]


class Waiting(World):
    """A world whose customers only look."""

    async def come_back(
        self, url: str, customer: Customer, order: Order, *, purpose: str = "return", names_order: bool = True
    ) -> Visit:
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

    async def scenario() -> list[OrderSeen]:
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

    looks = asyncio.run(scenario())
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


def test_a_notice_reaches_the_instance_by_its_public_address_as_a_customer_does() -> None:
    declared = WebhookTable(path="/notices?shop={port}", headers={"X-Shop": "{gateway.client_id}"})
    values = {"public_url": "https://shop-81.localhost", "port": "81", "gateway.client_id": "ours"}
    found = endpoint(declared, values, "http://127.0.0.1:81")
    assert (found.url, found.through) == ("https://shop-81.localhost/notices?shop=81", "http://127.0.0.1:81")
    assert dict(found.headers) == {
        "X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop-81.localhost", "X-Forwarded-Port": "443",
        "X-Forwarded-For": "203.0.113.7", "X-Shop": "ours",
    }  # fmt: skip
    with Receiver() as shop, GatewayThread("harbor") as gateway:
        there = endpoint(declared, values, shop.url.removesuffix("/notices"))
        gateway.simulator.outbox.endpoint = there
        gateway._wait_for(gateway.simulator.outbox.deliver(phantom(gateway)))  # pyright: ignore[reportPrivateUsage]
    (got,) = shop.got
    assert (got.path, got.headers["host"], got.headers["x-forwarded-proto"]) == (
        "/notices?shop=81", "shop-81.localhost", "https",
    )  # fmt: skip


def phantom(gateway: GatewayThread) -> Notice:
    row = next(gateway.simulator.store.merchants())  # pyright: ignore[reportPrivateUsage]
    return Notice(id="n1", payment="p1", merchant=row, body=b"{}")


def test_an_endpoint_at_the_instances_own_address_needs_no_proxys_words() -> None:
    found = endpoint(WebhookTable(path="/n"), {"public_url": "http://127.0.0.1:81"}, "http://127.0.0.1:81")
    assert found.headers == ()


class Harbors(Simulators):
    """A simulator of the gateway that sends notices."""

    def target(self, journal: Journal, seed: int) -> Target:
        sim = Simulator(load("harbor"), journal=journal)
        return SimulatorTarget(sim, sim.add_merchant())


def test_what_a_probe_kept_back_does_not_arrive_in_the_next_one(tmp_path: Path) -> None:
    async def scenario() -> None:
        ours = shared(tmp_path)
        ours.source = Harbors(ours.config)
        world = Unsold("first", ours)
        assert "notices" in world.target.powers
        async with world.probe_run("any", {}):
            world.outbox.hold()
        assert world.outbox.mode != "hold"
        await world.stop()

    asyncio.run(scenario())


def test_a_gateway_without_notices_gives_no_power_over_them(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = Unsold("first", shared(tmp_path))
        assert "notices" not in world.target.powers
        await world.stop()

    asyncio.run(scenario())


def _until_the_burst_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attempts: Callable[[float], float]
) -> tuple[float, int]:
    """Seconds that a fault was left armed, and how often it was met: ``attempts`` gives the number that a job has made by then."""
    now, turn = 0.0, asyncio.sleep

    async def passes(seconds: float, *args: Any) -> None:
        nonlocal now
        now += seconds
        await turn(0)

    def fired(number: int) -> int:
        return int(attempts(now))

    async def scenario() -> int:
        world = World("busy", dataclasses.replace(shared(tmp_path), now=lambda: now))
        monkeypatch.setattr("payproof.suites.session.shopping.asyncio.sleep", passes)
        monkeypatch.setattr(world.target.faults, "fired", fired)
        await world.burst(1)
        met = world.target.faults.fired(1)
        monkeypatch.undo()
        await world.stop()
        return met

    met = asyncio.run(scenario())
    return now, met


def test_a_job_that_asks_again_and_again_is_watched_until_there_is_no_doubt_also_on_a_busy_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet, met = _until_the_burst_is_over(tmp_path, monkeypatch, lambda seconds: 1 + 100 * seconds)
    assert (quiet, met > MOST_ATTEMPTS) == (0.2, True)
    busy, met = _until_the_burst_is_over(tmp_path, monkeypatch, lambda seconds: 1 + 6 * seconds)
    assert (busy < 3, met > MOST_ATTEMPTS) == (True, True)


def test_a_job_that_pauses_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _until_the_burst_is_over(tmp_path, monkeypatch, lambda seconds: 1 + seconds) == (0.2, 1)
