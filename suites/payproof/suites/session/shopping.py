"""What customers do in a world: order, start to pay, pay, come back, look at their order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Literal

import httpx

from payproof.contracts.checks.handling import MOST_ATTEMPTS
from payproof.contracts.entries import Checkout, OrderSeen, Page
from payproof.contracts.judging.steps import StepName
from payproof.contracts.reading import pages
from payproof.simulator.local_names import LocalNames
from payproof.suites.customer.customer import Customer
from payproof.suites.customer.errands import Visit
from payproof.suites.customer.hosted import Tab
from payproof.suites.driver.driver import Order, Started
from payproof.suites.driver.recipe import RecipeDriver, new_order
from payproof.suites.driver.sending import send
from payproof.suites.session.context import LONGEST_PATIENCE, Purchase, Shared
from payproof.suites.session.performance import Performance

_LONGEST_BURST = 2.0
"""Seconds for which a background job's attempts are waited for."""


class Shopping(Performance):
    """Performances with customers in them."""

    def __init__(self, name: str, shared: Shared) -> None:
        super().__init__(name, shared)
        # One way to the gateway for all customers: its TLS handshakes are ours, and prove nothing.
        self._outside = LocalNames(httpx.AsyncHTTPTransport(verify=shared.trust.client if shared.trust else False))
        self._people = 0
        self.recovery_failed = False
        """Once no payment went through after a fault of this world, later recoveries are not waited for."""
        self.sold = True
        """Whether the last purchase with nothing going wrong went through."""
        self.waits_for = ""
        """What the customer is waiting for, in words for a run whose time is up."""

    async def stop(self) -> None:
        """End everything of this world."""
        await self._outside.aclose()
        await super().stop()

    def new_order(self, amount: str = "5000.00", currency: str = "", *, role: str = "main") -> Order:
        """An order that nobody has seen before. A price that the recipe cannot set is the configured one."""
        recipe = self.config.integration.checkout
        number = str(self.rng.randrange(100_000_000, 1_000_000_000))
        currency = recipe.currency or currency or self.config.currencies[0]
        order = new_order(self.config, number, recipe.amount or amount, currency)
        self.step(
            f"a customer wants to pay order {order.id}: {self.profile.money.show(order.amount, order.currency)}",
            f"order:{role}",
            order=order.id,
            amount=f"{order.amount:f}",
            currency=order.currency,
        )
        return order

    def customer(self, patience: float = 0.0) -> Customer:
        """Somebody new, with an empty browser. ``patience``: seconds that they wait for a page, where that must be longer than usual."""
        self._people += 1
        return Customer(
            self.place,
            self.journal,
            self.profile.hosted,
            name=f"customer {self._people}",
            outside=self._outside,
            patience=max(self.shared.page_patience, patience),
        )

    async def checkout(
        self, order: Order, customer: Customer, *, purpose: str = "checkout", again: bool = False
    ) -> Checkout:
        """Start to pay; journals how it ended."""
        before = order.id
        self.waits_for = f"the shop's answer to the checkout of order {order.id}"
        started = await self.driver.checkout(order, customer, again=again)
        payment = self.target.payment_at(started.payment_url) if started.payment_url else ""
        if not order.known and isinstance(self.driver, RecipeDriver) and (opened := self.target.payment(payment)):
            # The addresses of the way back stand in the call that opened the payment, also for a customer who never takes it.
            back = self.profile.filled(opened.return_url, payment)
            self.driver.learn(order, Visit((), addresses=(back, opened.cancel_url)))
        self._renamed(order, before)
        self._orders.append((order, customer))
        return self.journal.add(
            Checkout(
                order=order.id,
                amount=f"{order.amount:f}",
                currency=order.currency,
                outcome=_outcome(started, payment, pages_expected=not self.place.silent),
                payment=payment,
                payment_url=started.payment_url,
                page=started.page.n if started.page else 0,
                purpose=purpose,
                order_known=order.known,
            )
        )

    async def checkout_until(self, met: Callable[[], object], order: Order, customer: Customer) -> Checkout:
        """Start to pay; once more where that came to nothing, and not to what was to be ``met``, nor does a job in the background meet it:
        the integration had not seen the end of a connection that it kept, and lost its call to it."""
        found = await self.checkout(order, customer)
        if not found.payment and not await self.until(lambda: bool(met()), self.shared.patience):
            found = await self.checkout(self.same(order), customer, again=True)
        return found

    def same(self, order: Order) -> Order:
        """The order for a second submission: a recipe names it as the customer does, a driver as it learned to."""
        return order.twin() if isinstance(self.driver, RecipeDriver) else order

    async def hosted(self, checkout: Checkout, customer: Customer, payer: str = "paid") -> Tab:
        """Open the hosted checkout and log in."""
        source = self.shared.source
        tab = source.tab(self.target, customer, source.payers[payer], checkout)
        return await tab.open(checkout.payment_url)

    async def pay_and_stay(self, order: Order, customer: Customer) -> Tab | None:
        """Check out and pay, without opening the way back yet; None when it did not come to that. The gateway's notices are kept
        back, so that the shop knows of nothing, until ``release_notices``, ``mended`` or ``recover``."""
        checkout = await self.checkout(order, customer)
        if not checkout.payment:
            return None
        if self.target.outbox is not None and self.target.outbox.mode == "send":
            self.target.outbox.hold()
        tab = await (await self.hosted(checkout, customer)).confirm()
        return tab if tab.state == "left" else None

    async def come_back(
        self, url: str, customer: Customer, order: Order, *, purpose: str = "return", names_order: bool = True
    ) -> Visit:
        """Open an address that leads back to the shop; its pages may tell the integration's own order id (``names_order``: they speak of
        this order, and of no other)."""
        self.waits_for = f"the shop's page after the return to order {order.id}"
        visit = await customer.browse("GET", url, purpose=purpose, order=order.id)
        if names_order and not order.known and isinstance(self.driver, RecipeDriver):
            before = order.id
            self.driver.learn(order, visit)
            self._renamed(order, before)
        return visit

    def _renamed(self, order: Order, before: str) -> None:
        if order.id != before:
            text = f"the integration calls order {order.label} by the id {order.id}"
            self.step(text, StepName.RENAMED, order=order.id, ours=order.label)

    async def give_back(self, order: Order, merchant: Customer, amount: Decimal) -> Visit:
        """The merchant gives so much of an order back."""
        self.waits_for = f"the shop's answer to a refund of order {order.id}"
        recipe, decimals = self.config.integration.refund, self.profile.money.decimals(order.currency)
        assert recipe is not None, "a probe of refunds runs where they are declared"
        known = {**self.values, **order.values(decimals), "refund.amount": f"{amount:.{decimals}f}"}
        return await send(merchant, recipe, known, "refund", order.id)

    @property
    def promised(self) -> float:
        """Seconds that a background job may take to verify a payment."""
        return self.config.integration.order.within or LONGEST_PATIENCE

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
        await self.until_hit(fault)
        if self.config.integration.order.within:
            await self.burst(fault)
        return await self.look(order, customer)

    async def until_hit(self, fault: int) -> None:
        """Until a verification, perhaps a background job's, has met the fault, or nobody's will."""
        pace = self.config.integration.order.within or 3 * self.shared.latency
        await self.until(lambda: self.target.faults.fired(fault) > 0, pace)

    def payment_of(self, order: Order) -> str:
        """The payment that this order's last checkout led to; empty when it led to none."""
        started = (each for each in reversed(self.journal.entries) if isinstance(each, Checkout))
        return next((each.payment for each in started if each.order == order.id and each.payment), "")

    async def burst(self, fault: int, *, pause: float = 0.2) -> None:
        """Wait while something in the background meets the fault again and again, until there is no doubt about it: on a busy machine it
        needs longer for the same attempts. ``pause``: seconds without another one after which nobody goes on."""
        deadline = self.journal.now() + _LONGEST_BURST
        met = -1
        while met < self.target.faults.fired(fault) <= 2 * MOST_ATTEMPTS and self.journal.now() < deadline:
            met = self.target.faults.fired(fault)
            await asyncio.sleep(pause)

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
        bought = await self.pay(order, customer, await self.checkout(order, customer, purpose=purpose), payer)
        self.sold = bought.paid or payer != "paid"
        return bought


def _outcome(
    started: Started, payment: str, *, pages_expected: bool
) -> Literal["redirected", "refused", "broken", "no_answer", "elsewhere"]:
    page: Page | None = started.page
    if payment:
        return "redirected"
    if page is None and not pages_expected:
        return "refused"  # its driver was told so in another way
    if page is None or page.response is None:
        return "no_answer"
    if pages.broken(page.response):
        return "broken"
    if page.response.status >= 400:
        return "refused"
    return "elsewhere"
