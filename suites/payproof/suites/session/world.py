"""A world: one target, one running instance of the integration, one journal, and the verbs that probes use."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Literal, TypeAlias

import httpx

from payproof.contracts import money, pages
from payproof.contracts.entries import (
    BROKEN_OFF,
    Call,
    Checkout,
    Delivery,
    Entry,
    Ledger,
    Log,
    OrderSeen,
    Page,
    ProbeMark,
    Process,
    Step,
)
from payproof.contracts.faults import FaultSpec
from payproof.contracts.model import Json, PayproofError
from payproof.contracts.run import RecordedWorld as Recorded
from payproof.contracts.steps import StepName
from payproof.simulator.faults import registered
from payproof.simulator.local_names import LocalNames
from payproof.simulator.outbox import Outbox
from payproof.simulator.target import Spoiled
from payproof.suites.customer.customer import Customer, Visit
from payproof.suites.customer.hosted import Tab
from payproof.suites.driver.driver import Order, RecipeDriver, Started, uses
from payproof.suites.session.context import LONGEST_PATIENCE, Purchase, Shared
from payproof.suites.session.deployment import Deployment

GateMode: TypeAlias = Literal["open", "refuse", "close", "reset"]
_GATES: Mapping[GateMode, str] = {"refuse": "refuse", "close": "dropped", "reset": "reset"}

_RELOADS = 4
"""How often a customer reloads in the last wait: a circuit breaker may still be open at the first time."""

_CALMING = (0.0, 1.0, 4.0, 10.0, 20.0)
"""Seconds before each look whether an integration has got over a trouble that was the gateway's."""


class World(Deployment):
    """See the module. ``name`` is how evidence points here."""

    def __init__(self, name: str, shared: Shared) -> None:
        super().__init__(name, shared)
        # One way to the gateway for all customers: its TLS handshakes are ours, and prove nothing.
        self._outside = LocalNames(httpx.AsyncHTTPTransport(verify=shared.trust.client if shared.trust else False))
        self._customers: list[Customer] = []
        self._people = 0
        self._orders: list[tuple[Order, Customer]] = []
        self._pending: list[tuple[Order, Customer, str]] = []
        """Orders that were paid for and could not be verified, and the way back to each: they wait for each other at the end."""
        self._gate: int | None = None
        self.recovery_failed = False
        """Once no payment went through after a fault of this world, later recoveries are not waited for."""
        self.waits_for = ""
        """What the customer is waiting for, in words for a run whose time is up."""

    async def stop(self) -> None:
        """End everything of this world."""
        for customer in self._customers:
            with contextlib.suppress(Exception):
                await customer.aclose()
        self._customers.clear()
        await self._outside.aclose()
        await super().stop()

    def recorded(self) -> Recorded:
        return Recorded(name=self.name, entries=tuple(self.journal.entries))

    # -- telling -------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def story(self, probe: str, params: dict[str, Json]) -> AsyncGenerator[None]:
        """One telling of a probe. A fault that is still armed at its end is cleared."""
        await self.target.ready(probe)
        self.shared.progress.story(self.name, probe)
        await self.revive()
        begin = self.journal.add(ProbeMark(event="begin", probe=probe, params=params))
        orders = len(self._orders)
        problem: dict[str, Json] = {}
        try:
            yield
        except Exception as error:
            problem = {"error": error.message} if isinstance(error, PayproofError) else {}
            if not self.target.complaint():
                raise
        except asyncio.CancelledError:
            problem = {BROKEN_OFF: True}
            raise
        finally:
            self.target.faults.clear()
            self.gate("open")
            if self.target.outbox is not None:
                self.target.outbox.resume()
            if self.instance is not None:
                self.instance.read_logs(story_over=True)
            self.journal.add(ProbeMark(event="end", probe=probe, params=problem))
            self.target.finished()
        if complaint := self.target.complaint():
            self.leave_out(begin.n, orders=orders, why=f"the story {probe} is left out: {complaint}")
            raise Spoiled(complaint, place=f"the story {probe}", remedy="run again when the sandbox is well")

    def left_alone(self, probe: str, params: dict[str, Json], why: str) -> None:
        """Journal a story that is not told, and why."""
        self.journal.add(ProbeMark(event="begin", probe=probe, params=params))
        self.step(f"this story was not told: {why}", StepName.LEFT_ALONE)
        self.journal.add(ProbeMark(event="end", probe=probe))

    def leave_out(self, since: int, *, orders: int | None = None, why: str = "") -> None:
        """Forget what happened from this entry on, but for what became of earlier payments. ``orders``: those after so many are
        forgotten, too; ``why``: a step says so."""
        kept = spared(self.journal.entries, since)
        self.journal.drop(since)
        self.journal.entries.extend(kept)
        if orders is not None:
            del self._orders[orders:]
        if why:
            self.step(why, "spoiled")

    @property
    def orders(self) -> int:
        """How many orders were placed so far."""
        return len(self._orders)

    async def calm(self) -> None:
        """The gateway itself was in trouble: give the integration the time to come back from that (a circuit that it opened
        closes again). Nothing of it is kept."""
        orders = len(self._orders)
        for pause in _CALMING:
            await asyncio.sleep(pause)
            mark = self.step("is the integration itself again after the gateway's trouble?", "calm").n
            went = False
            with contextlib.suppress(Spoiled):
                async with self.story("calm", {}):
                    went = bool((await self.checkout(self.new_order(role="calm"), self.customer())).payment)
            self.leave_out(mark, orders=orders)
            if went:
                return

    def step(self, text: str, name: str = "", **facts: Json) -> Step:
        return self.journal.add(Step(text=text, name=name, facts=facts))

    @asynccontextmanager
    async def fault(self, name: str, **spec: Json) -> AsyncGenerator[int]:
        """A fault for as long as the block lasts. ``spec``: fields of FaultSpec; anything else is a parameter. A canary is
        only for faults that send a text."""
        if "canary" not in {field.name for field in dataclasses.fields(registered()[name])}:
            spec.pop("canary", None)
        fields = {key: spec.pop(key) for key in tuple(spec) if key in FaultSpec.__slots__}
        number = self.target.faults.arm(FaultSpec(name=name, params=spec, **fields))  # type: ignore[arg-type]
        try:
            yield number
        finally:
            self.target.faults.clear(number)

    def gate(self, mode: GateMode) -> None:
        """What every call to the gateway meets from now on: ``open``, or a connection that is refused, closed or reset."""
        if self._gate is not None:
            self.target.faults.clear(self._gate)
            self._gate = None
        if mode != "open":
            self.step(f"the gateway takes no calls any more ({mode})", StepName.GATE, mode=mode)
            self._gate = self.target.faults.arm(FaultSpec(name=_GATES[mode]))

    def fresh_connections(self) -> None:
        """The integration's next call comes on a new connection: those that it keeps see their end."""
        self.server.retire_idle()

    @property
    def outbox(self) -> Outbox:
        """What sends the gateway's notices, and what can be done to them.

        Raises:
            PayproofError: the real gateway sends them itself.
        """
        if self.target.outbox is None:
            raise PayproofError("nobody can keep back, repeat and forge the notices of this gateway")
        return self.target.outbox

    async def until(self, met: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is so; False when it never was."""
        deadline = self.journal.now() + seconds
        while not met():
            if self.journal.now() >= deadline:
                return False
            await asyncio.sleep(0.02)
        return True

    # -- the customer's verbs ------------------------------------------------------------------------------------------

    def new_order(self, amount: str = "5000.00", currency: str = "", *, role: str = "main") -> Order:
        """An order that nobody has seen before. A price that the recipe cannot set is the configured one."""
        recipe = self.config.integration.checkout
        known = recipe.order_id is None and (uses(self.config, "order.id") or bool(self.config.integration.driver))
        number = str(self.rng.randrange(100_000_000, 1_000_000_000))
        order = Order(
            number,
            Decimal(recipe.amount or amount),
            recipe.currency or currency or self.config.currencies[0],
            known,
        )
        self.step(
            f"a customer wants to pay order {order.id}: {money.show(order.amount, order.currency)}",
            f"order:{role}",
            order=order.id,
            amount=f"{order.amount:f}",
            currency=order.currency,
        )
        return order

    def customer(self, patience: float = 0.0) -> Customer:
        """Somebody new, with an empty browser. ``patience``: seconds that they wait for a page, where that must be longer than usual."""
        self._people += 1
        return self._keep(
            Customer(
                self.place,
                self.journal,
                self.profile.hosted,
                name=f"customer {self._people}",
                outside=self._outside,
                patience=max(self.shared.page_patience, patience),
            )
        )

    def _keep(self, customer: Customer) -> Customer:
        self._customers.append(customer)
        return customer

    def tab(self, customer: Customer) -> Customer:
        """Another tab of the same browser."""
        return self._keep(customer.tab())

    async def checkout(
        self, order: Order, customer: Customer, *, purpose: str = "checkout", again: bool = False
    ) -> Checkout:
        """Start to pay; journals how it ended."""
        before = order.id
        self.waits_for = f"the shop's answer to the checkout of order {order.id}"
        started = await self.driver.checkout(order, customer, again=again)
        self._renamed(order, before)
        self._orders.append((order, customer))
        payment = self.target.payment_at(started.payment_url) if started.payment_url else ""
        return self.journal.add(
            Checkout(
                order=order.id,
                amount=f"{order.amount:f}",
                currency=order.currency,
                outcome=_outcome(started, payment),
                payment=payment,
                payment_url=started.payment_url,
                page=started.page.n if started.page else 0,
                purpose=purpose,
                order_known=order.known,
            )
        )

    def same(self, order: Order) -> Order:
        """The order for a second submission: a recipe names it as the customer does, a driver as it learned to."""
        return order.twin() if isinstance(self.driver, RecipeDriver) else order

    async def hosted(self, checkout: Checkout, customer: Customer, payer: str = "paid") -> Tab:
        """Open the hosted checkout and log in."""
        source = self.shared.source
        tab = source.tab(self.target, customer, source.payers[payer], checkout)
        return await tab.open(checkout.payment_url)

    async def pay_and_stay(self, order: Order, customer: Customer) -> Tab | None:
        """Check out and pay, without opening the way back yet; None when it did not come to that."""
        checkout = await self.checkout(order, customer)
        if not checkout.payment:
            return None
        tab = await (await self.hosted(checkout, customer)).confirm()
        return tab if tab.state == "left" else None

    async def come_back(self, url: str, customer: Customer, order: Order, *, purpose: str = "return") -> Visit:
        """Open an address that leads back to the shop; its pages may tell the integration's own order id."""
        self.waits_for = f"the shop's page after the return to order {order.id}"
        visit = await customer.browse("GET", url, purpose=purpose, order=order.id)
        if not order.known and isinstance(self.driver, RecipeDriver):
            before = order.id
            self.driver.learn(order, visit)
            self._renamed(order, before)
        return visit

    def _renamed(self, order: Order, before: str) -> None:
        if order.id != before:
            text = f"the integration calls order {order.label} by the id {order.id}"
            self.step(text, StepName.RENAMED, order=order.id, ours=order.label)

    async def look(self, order: Order, customer: Customer, *, wait: float = 0.0, or_held: bool = False) -> OrderSeen:
        """What the merchant believes of the order; waits up to ``wait`` seconds for it to be paid (or to be held for a
        person, with ``or_held``)."""
        deadline = self.journal.now() + wait
        pause = 0.05
        self.waits_for = f"order {order.id} to be paid" if wait else f"the state of order {order.id}"
        while True:
            state = await self.driver.order(order, customer)
            if state.paid or (or_held and state.flagged) or self.journal.now() >= deadline:
                break
            await asyncio.sleep(min(pause, 0.5, max(deadline - self.journal.now(), 0.0)))
            pause *= 1.5
        return self.journal.add(
            OrderSeen(
                order=order.id,
                state=state.state,
                paid=state.paid,
                effects=state.effects,
                flagged=state.flagged,
                status=state.page.response.status if state.page and state.page.response else 0,
                problem=state.problem,
                page=state.page.n if state.page else 0,
            )
        )

    async def look_when_hit(self, order: Order, customer: Customer, fault: int) -> OrderSeen:
        """Look at an order once its verification, perhaps a background job's, has met the fault."""
        pace = self.config.integration.order.within or 3 * self.shared.latency
        await self.until(lambda: self.target.faults.fired(fault) > 0, pace)
        if self.config.integration.order.within:
            await asyncio.sleep(0.2)
        return await self.look(order, customer)

    async def pay(self, order: Order, customer: Customer, checkout: Checkout, payer: str = "paid") -> Purchase:
        """From the hosted checkout to a look at the order."""
        if not checkout.payment:
            return Purchase(order, customer, checkout, seen=await self.look(order, customer))
        tab = await self.hosted(checkout, customer, payer)
        await tab.confirm()
        visit = await self.come_back(tab.url, customer, order) if tab.state == "left" else None
        hopeless = self.recovery_failed and checkout.purpose == "recovery"
        wait = self.shared.patience if payer in ("paid", "slow") and tab.state == "left" and not hopeless else 0.0
        return Purchase(order, customer, checkout, tab, visit, await self.look(order, customer, wait=wait))

    async def buy(self, order: Order | None = None, *, payer: str = "paid", purpose: str = "checkout") -> Purchase:
        """A new customer buys, with nothing going wrong on purpose."""
        order = order or self.new_order()
        customer = self.customer()
        return await self.pay(order, customer, await self.checkout(order, customer, purpose=purpose), payer)

    async def recover(self, *, wait: float = 0.0) -> None:
        """The fault is gone: the next clean payment must go through, after a second of grace at most."""
        self.target.faults.clear()
        self.gate("open")
        if wait:
            await asyncio.sleep(wait)
        await self.revive()
        self.step("the gateway works again; another customer pays", StepName.RECOVER)
        if (await self.buy(self.new_order(role="recovery"), purpose="recovery")).paid or self.recovery_failed:
            return
        await asyncio.sleep(1.0)
        again = await self.buy(self.new_order(role="recovery"), purpose="recovery")
        self.recovery_failed = not (again.paid or self.target.complaint())

    async def sells(self, after: str) -> bool:
        """Whether a clean purchase goes through after this story, with some seconds of grace."""
        async with self.story("still-selling", {"after": after}):
            for pause in (0.0, 1.0, 2.0, 4.0):
                await asyncio.sleep(pause)
                if (await self.buy()).paid:
                    return True
            return False

    async def mended(self, order: Order, customer: Customer, return_url: str) -> None:
        """The status check works again: the customer reloads. An order that stays unpaid has its long wait in ``settle``,
        together with all others of this world."""
        promised = self.config.integration.order.within or LONGEST_PATIENCE
        self.step("the status check works again; the customer reloads", StepName.MENDED, promised=promised)
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
        async with self.story("settle", {}):
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
        promised = self.config.integration.order.within or LONGEST_PATIENCE
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

    # -- what probes ask of the journal --------------------------------------------------------------------------------

    def calls(self, *names: str) -> list[Call]:
        return [
            entry
            for entry in self.journal.entries
            if isinstance(entry, Call) and (not names or entry.is_one_of(*names))
        ]

    def pages(self) -> list[Page]:
        return [entry for entry in self.journal.entries if isinstance(entry, Page)]

    def exited(self) -> bool:
        return any(isinstance(entry, Process) and entry.event == "exited" for entry in self.journal.entries)


def spared(entries: Iterable[Entry], since: int) -> list[Entry]:
    """What stays of a story that is left out. What meanwhile became of earlier payments, by a background job say, has
    happened all the same, and so has what was logged."""
    known = list(entries)
    earlier = {entry.payment for entry in known if isinstance(entry, Ledger) and entry.n < since} - {""}
    told = (entry for entry in known if entry.n >= since)
    return [entry for entry in told if isinstance(entry, Log) or _payment_of(entry) in earlier]


def _payment_of(entry: Entry) -> str:
    """The payment that a call, a notice or an entry of the ledger is about; empty for anything else."""
    if isinstance(entry, Ledger | Delivery):
        return entry.payment
    return (entry.told.answered or entry.event.payment or "") if isinstance(entry, Call) else ""


def _outcome(started: Started, payment: str) -> Literal["redirected", "refused", "broken", "no_answer", "elsewhere"]:
    page: Page | None = started.page
    if payment:
        return "redirected"
    if page is None or page.response is None:
        return "no_answer"
    if pages.broken(page.response):
        return "broken"
    if page.response.status >= 400:
        return "refused"
    return "elsewhere"
