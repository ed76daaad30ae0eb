"""Plays a story on a live integration, step by step, and looks at an order after each step that concerns it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from payproof.contracts.entries import Checkout, OrderSeen
from payproof.contracts.model import PayproofError
from payproof.suites.customer.customer import Customer
from payproof.suites.customer.hosted import HostedTab
from payproof.suites.driver.driver import Order
from payproof.suites.driver.recipe import RecipeDriver, new_order
from payproof.suites.explorer.disturbances import Disturbances
from payproof.suites.explorer.explorer_session import CustomerPool
from payproof.suites.explorer.facts import Sighting
from payproof.suites.explorer.story import Story, StoryStep, sentences
from payproof.suites.session.world import World

Handler = Callable[[StoryStep], Awaitable[None]]


class SecondOrder(PayproofError):
    """A driver gave another id to an order that had one: nobody can say any more which order a payment was for."""

    def __init__(self) -> None:
        super().__init__(
            "the driver made a second order: it set another order.id for an order that already had one",
            place="integration.driver",
            remedy="a checkout that is handed an order with an id submits that same order once more, whether again is "
            "true or not: again=False means that the customer comes by the pages that lead there, and never "
            "that another order is meant (docs/driver.md)",
        )


@dataclass(slots=True)
class OpenPage:
    """What a start led to: a hosted checkout, or nothing when the customer was turned away."""

    number: int
    wish: int
    order: Order
    customer: Customer
    checkout: Checkout
    began: float
    """Seconds that had been added to the gateway's clock before the start."""
    tab: HostedTab | None = None
    """Logged in and ready to pay or cancel; each step uses a copy, as a browser with several tabs does."""
    back: str = ""
    """The address that a payment sent the customer to."""
    charged: int = 0
    booked: int = 0
    """Number of the last journal entry before the charge."""

    def another_tab(self) -> HostedTab:
        """The hosted page as it stood when it was opened, in one more tab."""
        assert self.tab is not None
        return replace(self.tab, seen=[], _sent=set())


class Player:
    """One playing of one story.

    ``tag``: eight digits that every order id of this playing begins with. ``separate``: the shop cannot tell two orders
    of one browser apart, so that a customer starts again only by going back.
    """

    def __init__(
        self, world: World, cast: CustomerPool, story: Story, *, tag: str, separate: bool, referred: bool
    ) -> None:
        self.world, self.cast, self.story, self.tag, self.separate = world, cast, story, tag, separate
        self.trouble = Disturbances(world, tag if referred else "")
        self.step = 0
        self._began = 0
        """Number of the last journal entry before the step."""
        self.pages: list[OpenPage] = []
        self.sightings: list[tuple[Order, Sighting]] = []
        self._last: dict[int, tuple[str, OpenPage]] = {}
        self._people: dict[str, Customer] = {}
        self._named: dict[int, str] = {}
        """By the number of an order that a driver was handed: the id that the shop gave it."""

    async def play(self) -> None:
        """Every step in its turn.

        Raises:
            SecondOrder: a driver gave an order another id.
            PayproofError: a driver broke, or the integration does not start again.
        """
        handlers = self._handlers()
        for number, (act, sentence) in enumerate(zip(self.story.acts, sentences(self.story), strict=True), start=1):
            self.step = number
            self.world.step(sentence, f"step:{self.step}")
            self.step_begins()
            await handlers[act.do](act)
            self._note_charges()
            self.trouble.note()
            await self.world.revive()
        self.step = 0

    def _handlers(self) -> Mapping[str, Handler]:
        return {
            "start": self._start,
            "pay": self._pay,
            "refuse": self._without_money,
            "promise": self._without_money,
            "cancel": self._cancel,
            "hosted": self._hosted,
            "come-back": self._come_back,
            "reload": self._reload,
            "forge": self._forge,
            "replay": self._replay,
            **self.trouble.handlers(),
        }

    # -- starting to pay ------------------------------------------------------------------------------------------------

    async def _start(self, act: StoryStep) -> None:
        number = act.number("order")
        earlier = next((page for page in reversed(self.pages) if page.wish == number), None)
        order = self._order(number) if earlier is None else self._same(earlier)
        customer = self._buyer(number) if earlier is None else earlier.customer
        if earlier is not None and act.text("how") == "tab" and not self.separate:
            customer = self.cast.customer(customer.name, customer)
        again = earlier is not None and (self.separate or act.text("how") == "back")
        began, purpose = self.trouble.added, "again" if earlier else "checkout"
        checkout = await self.world.checkout(order, customer, purpose=purpose, again=again)
        if earlier is not None and order.id == order.label:
            order = earlier.order  # the answer did not tell the shop's own id: it is the order that we know
        self._keep_name(number, order, named=bool(checkout.payment))
        page = OpenPage(len(self.pages) + 1, number, order, customer, checkout, began)
        self.pages.append(page)
        await self.look(page)

    def _keep_name(self, number: int, order: Order, *, named: bool) -> None:
        """A recipe names an order anew with each submission, so that two orders of the shop are told apart; a driver is
        handed the same one, and its id stays. ``named``: the id holds, also when it is the one that we gave it."""
        if isinstance(self.world.driver, RecipeDriver):
            return
        if self._named.get(number, order.id) != order.id:
            raise SecondOrder
        if named or order.id != order.label:
            self._named[number] = order.id

    def _order(self, number: int) -> Order:
        wish = self.story.wish(number)
        order = new_order(self.world.config, f"{self.tag}{number}", wish.amount, wish.currency)
        facts = {"order": order.id, "amount": wish.amount, "currency": wish.currency}
        self.world.step(f"order {number} is number {order.id} for the shop", f"order:{number}", **facts)
        return order

    def _same(self, page: OpenPage) -> Order:
        return page.order if self.separate else self.world.same(page.order)

    def _buyer(self, number: int) -> Customer:
        name = self.story.wish(number).customer
        if name not in self._people:
            self._people[name] = self.cast.customer(f"customer {name}")
        return self._people[name]

    async def _tab(self, page: OpenPage) -> HostedTab:
        """The hosted page, logged in to pay or cancel; opened when it is first needed, and then one more tab of it."""
        if page.tab is None:
            page.tab = await self._open(page, "paid")
        return page.another_tab()

    async def _open(self, page: OpenPage, payer: str, browser: Customer | None = None) -> HostedTab:
        """The hosted page, in a browser of its own if none is given: another payer can log in to the same payment."""
        browser = browser or self.cast.customer(page.customer.name)
        return await HostedTab(browser, self.world.profile.payers[payer], page.order.id).open(page.checkout.payment_url)

    # -- at the hosted checkout -----------------------------------------------------------------------------------------

    def page(self, number: int) -> OpenPage | None:
        """The hosted checkout of that number, if its customer ever got there."""
        found = self.pages[number - 1] if 0 < number <= len(self.pages) else None
        return found if found is not None and found.checkout.payment else None

    async def _pay(self, act: StoryStep) -> None:
        page = self.page(act.number("page"))
        if page is None:
            return
        tab = await self._tab(page)
        before, entry = self._taken(page), self._entry()
        await tab.confirm()
        if more := self._taken(page) - before:
            page.charged, page.booked = page.charged + more, entry
        if tab.state == "left":
            page.back = tab.url
            await self._arrive(act, page, tab, "return")

    def step_begins(self) -> None:
        self._began = self._entry()

    def _note_charges(self) -> None:
        """Money that was taken since, without a customer's doing: where approving is not paying, the integration takes it."""
        for payment in dict.fromkeys(page.checkout.payment for page in self.pages if page.checkout.payment):
            those = [page for page in self.pages if page.checkout.payment == payment]
            more = self._taken(those[0]) - sum(page.charged for page in those)
            if more > 0:
                page = next((page for page in reversed(those) if page.back), those[-1])
                page.charged, page.booked = page.charged + more, self._began

    def _taken(self, page: OpenPage) -> int:
        payment = self.world.target.payment(page.checkout.payment)
        return payment.charged if payment else 0

    def _entry(self) -> int:
        return self.world.journal.entries[-1].n if self.world.journal.entries else 0

    async def _without_money(self, act: StoryStep) -> None:
        """By a payer whom the gateway refuses, or whose money comes later (a promise that is kept), or never."""
        page = self.page(act.number("page"))
        if page is None:
            return
        payer = "refused" if act.do == "refuse" else "pending" if act.flag("kept") else "unsettled"
        tab = await (await self._open(page, payer)).confirm()
        if tab.state != "left":
            return
        page.back = tab.url if act.do == "promise" else page.back
        await (self.look(page) if act.text("then") == "walk" else self.visit(page, tab.url, "return"))

    async def _cancel(self, act: StoryStep) -> None:
        page = self.page(act.number("page"))
        if page is None:
            return
        tab = await (await self._tab(page)).cancel()
        if tab.state == "left":
            await self._arrive(act, page, tab, "cancel")

    async def _arrive(self, act: StoryStep, page: OpenPage, tab: HostedTab, purpose: str) -> None:
        if act.text("then") == "return":
            await self.visit(page, tab.url, purpose)
        else:
            await self.look(page)

    async def _hosted(self, act: StoryStep) -> None:
        page = self.page(act.number("page"))
        if page is None:
            return
        tab = await self._open(page, "paid", page.tab.customer if page.tab else None)
        if tab.state == "problem" and tab.url and self.world.place.where(tab.url) == "integration":
            await self.visit(page, tab.url, "cancel")

    # -- back at the shop -----------------------------------------------------------------------------------------------

    async def visit(self, page: OpenPage, url: str, purpose: str) -> None:
        """Open an address that leads back to the shop, then look at the order."""
        self._last[page.wish] = (url, page)
        await self.world.come_back(url, page.customer, page.order, purpose=purpose)
        await self.look(page)

    async def _come_back(self, act: StoryStep) -> None:
        page = self.page(act.number("page"))
        if page is not None and page.back:
            await self.visit(page, page.back, "return")

    async def _reload(self, act: StoryStep) -> None:
        if last := self._last.get(act.number("order")):
            await self.visit(last[1], last[0], "reload")

    async def _forge(self, act: StoryStep) -> None:
        page = self.page(act.number("page"))
        if page is not None:
            await self.visit(page, self.world.target.forged_return(page.checkout.payment), "return")

    async def _replay(self, act: StoryStep) -> None:
        page, other = self.page(act.number("page")), self.page(act.number("other"))
        payment = self.world.target.payment(page.checkout.payment) if page else None
        if page is None or other is None or payment is None or not other.back:
            return
        query = self.world.profile.returned_query(other.back)
        url = f"{payment.return_url}{'&' if urlsplit(payment.return_url).query else '?'}{query}"
        await self.visit(page, url, "return")

    # -- looking --------------------------------------------------------------------------------------------------------

    async def look(self, page: OpenPage) -> None:
        """Note what the shop says of the order now."""
        seen = await self.world.look(page.order, page.customer)
        self._note_charges()
        self._keep_name(page.wish, page.order, named=False)
        self.sightings.append((page.order, _sighting(seen, self.step, charged=self.was_charged(page.order))))

    def was_charged(self, order: Order) -> bool:
        """Whether the gateway took money for a payment of this order, whoever paid it."""
        return any(self._taken(page) for page in self.pages if page.checkout.payment and page.order.id == order.id)


def _sighting(seen: OrderSeen, step: int, *, charged: bool) -> Sighting:
    return Sighting(
        step=step,
        state=seen.state,
        paid=seen.paid,
        effects=seen.effects,
        flagged=seen.flagged,
        problem=seen.problem,
        charged=charged,
    )
