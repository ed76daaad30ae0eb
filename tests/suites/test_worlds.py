"""What a world does by itself, without a shop: each has its own memory and its own patience."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from payproof.contracts.entries import Checkout, OrderSeen
from payproof.contracts.secrets import Veil
from payproof.suites.customer import Place
from payproof.suites.driver import Order
from payproof.suites.progress import Silent
from payproof.suites.selftest import shop
from payproof.suites.shared import Purchase, Shared
from payproof.suites.targets import Simulators
from payproof.suites.world import World


def shared(folder: Path) -> Shared:
    config = shop("worlds")
    return Shared(
        config=config,
        profile=config.profile,
        seed=1,
        folder=folder,
        trust=None,
        veil=Veil(),
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
            world.place = Place("http://shop.test", "http://127.0.0.1:9", "http://gateway.test")
        monkeypatch.setattr("payproof.suites.world.asyncio.sleep", at_once)
        await first.recover()
        await first.recover()
        await second.recover()
        monkeypatch.undo()
        assert first.bought == 3, "the second recovery of a world that does not recover is not waited for"
        assert second.bought == 2, "the other world gave the shop its second of grace all the same"
        await first.stop()
        await second.stop()

    asyncio.run(story())
