"""A world: one target, one running instance of the integration, one journal, and the verbs that probes use.

Each layer is a module: the ``Deployment`` starts and ends both, a ``Performance`` runs a probe, ``Shopping`` is the customers', and a
``World`` knows what is due once a trouble is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import random

from payproof.contracts.entries import Call, Checkout
from payproof.contracts.judging.steps import StepName
from payproof.simulator.target import Spoiled
from payproof.suites.customer.customer import Customer
from payproof.suites.driver.driver import Order
from payproof.suites.session.context import Shared
from payproof.suites.session.shopping import Shopping

_RELOADS = 4
"""How often a customer reloads in the last wait: a circuit breaker may still be open at the first time."""

CLOSES = (1.0, 4.0, 61.0)
"""Seconds between attempts once the gateway works again: a circuit that opened has a minute without any, and then must close."""

_CALMING = (0.0, 1.0, 4.0, 10.0, 20.0)
"""Seconds before each look whether an integration has got over a trouble that was the gateway's."""


class World(Shopping):
    """See the module. ``name`` is how evidence points here."""

    def __init__(self, name: str, shared: Shared) -> None:
        super().__init__(name, shared)
        self._pending: list[tuple[Order, Customer, str]] = []
        """Orders that were paid for and could not be verified, and the way back to each: they wait for each other at the end."""

    def begin(self, name: str) -> None:
        """The probes that follow are those of this name: their orders have the numbers that they have in any world."""
        self.rng = random.Random(f"{self.shared.seed}:{name}")

    @property
    def sound(self) -> bool:
        """Whether the integration runs and sells as ever, and owes nothing: what runs with it next runs with a sound one."""
        broken = self._pending or self.recovery_failed or not self.sold or self.exited()
        return not broken and (self.instance is None or self.instance.alive)

    async def calm(self) -> None:
        """The gateway itself was in trouble: give the integration the time to come back from that (a circuit that it opened
        closes again). Nothing of it is kept."""
        orders = len(self._orders)
        for pause in _CALMING:
            await asyncio.sleep(pause)
            mark = self.step("is the integration itself again after the gateway's trouble?", "calm").n
            went = False
            with contextlib.suppress(Spoiled):
                async with self.probe_run("calm", {}):
                    went = bool((await self.checkout(self.new_order(role="calm"), self.customer())).payment)
            self.leave_out(mark, orders=orders)
            if went:
                return

    async def recover(self, *, wait: float = 0.0, pauses: tuple[float, ...] = ()) -> None:
        """The fault is gone: the next clean payment must go through, after a second of grace at most, or after ``pauses``, one after the
        other. Where customers are turned away with a page, and without a call, a circuit may be open: it has its time to close."""
        self.end_disturbances()
        await self.release_notices()
        if wait:
            await asyncio.sleep(wait)
        await self.revive()
        mark = self.step("the gateway works again; another customer pays", StepName.RECOVER)
        for pause in (0.0, *(pauses or CLOSES[:1])):
            if await self._recovered(pause):
                return
        if not pauses and self.shared.seconds is None and self._turned_away_since(mark.n):
            for pause in CLOSES[1:]:
                if await self._recovered(pause):
                    return
        self.recovery_failed = not self.target.complaint()

    async def _recovered(self, pause: float) -> bool:
        """Whether another customer's payment goes through after so many seconds, or nobody's will. A program that just died may be seen
        to have ended a moment later only."""
        await asyncio.sleep(pause)
        await self.revive()
        return (await self.buy(self.new_order(role="recovery"), purpose="recovery")).paid or self.recovery_failed

    def _turned_away_since(self, since: int) -> bool:
        """Whether each customer since then got a page, and the gateway was asked for no payment."""
        entries = [entry for entry in self.journal.entries if entry.n > since]
        tries = [entry.outcome for entry in entries if isinstance(entry, Checkout)]
        asked = any(isinstance(entry, Call) and entry.role in ("authenticate", "open") for entry in entries)
        return bool(tries) and not asked and all(outcome in ("refused", "elsewhere") for outcome in tries)

    async def sells(self, after: str) -> bool:
        """Whether a clean purchase goes through after this probe, with some seconds of grace."""
        async with self.probe_run("still-selling", {"after": after}):
            for pause in (0.0, 1.0, 2.0, 4.0):
                await asyncio.sleep(pause)
                if (await self.buy()).paid:
                    return True
            return False

    async def mended(self, order: Order, customer: Customer, return_url: str) -> None:
        """The status check works again: the customer reloads. An order that stays unpaid has its long wait in ``settle``,
        together with all others of this world."""
        promised = self.promised
        self.step("the status check works again; the customer reloads", StepName.MENDED, promised=promised)
        await self.release_notices()
        await self.come_back(return_url, customer, order, purpose="reload")
        # Once one had to be left, the next ones are: they are looked at in the end, and nothing is lost by not waiting here.
        wait = 0.0 if self._pending else min(promised, self.shared.patience)
        seen = await self.look(order, customer, wait=wait, or_held=True)
        if not seen.paid and not seen.flagged:
            self._pending.append((order, customer, return_url))

    async def settle(self) -> None:
        """Give background jobs their time, then look once more at every order of this world."""
        if not self._orders:
            return
        async with self.probe_run("settle", {}, calls=bool(self._pending)):
            kept = [order for order, _ in self._orders]
            pending = [waiting for waiting in self._pending if any(waiting[0] is order for order in kept)]
            await asyncio.gather(asyncio.sleep(self.config.integration.order.within), self._last_wait(pending))
            seen: set[str] = set()
            for order, customer in self._orders:
                if order.id not in seen:
                    seen.add(order.id)
                    await self.look(order, customer)

    async def _last_wait(self, pending: list[tuple[Order, Customer, str]]) -> None:
        """One long wait for all: now and then each customer reloads, and between only looks."""
        if not pending:
            return
        promised = self.promised
        self.step(
            f"nothing goes wrong any more; {len(pending)} order(s) that were paid for have {promised:.0f} s to be verified",
            StepName.LAST_WAIT,
            promised=promised,
            orders=[order.id for order, _, _ in pending],
        )
        await asyncio.gather(*(self._await_verified(*waiting, promised) for waiting in pending))

    async def _await_verified(self, order: Order, customer: Customer, return_url: str, seconds: float) -> None:
        for _ in range(_RELOADS):
            await self.come_back(return_url, customer, order, purpose="reload")
            seen = await self.look(order, customer, wait=seconds / _RELOADS, or_held=True)
            if seen.paid or seen.flagged:
                return
