"""Checkout and order page as the configuration describes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from urllib.parse import urljoin

from payproof.contracts import money
from payproof.contracts.entries import Page, header
from payproof.contracts.model import PayproofError
from payproof.contracts.profile import Fields
from payproof.contracts.reading.addresses import joined
from payproof.suites.config import Config, pointers
from payproof.suites.config.placeholders import fill, names
from payproof.suites.customer.customer import Customer
from payproof.suites.customer.errands import CheckoutForm, Visit
from payproof.suites.driver import declared
from payproof.suites.driver import pointers as reading
from payproof.suites.driver.driver import Order, OrderState, Started
from payproof.suites.driver.flags import flag
from payproof.suites.driver.sending import send, texts_of, with_hidden


def uses(config: Config, name: str) -> bool:
    """Whether the checkout's recipe uses a placeholder."""
    recipe = config.integration.checkout
    return any(name == found for text in (*texts_of(recipe), *recipe.before) for found in names(text))


def new_order(config: Config, number: str, amount: str, currency: str) -> Order:
    """An order that nobody has seen before. The integration knows it by this number, unless it makes its own."""
    ours = config.integration.checkout.order_id is None
    known = ours and (uses(config, "order.id") or bool(config.integration.driver))
    return Order(number, Decimal(amount), currency, known)


class RecipeDriver:
    """Checkout and order page as the configuration describes them. ``values``: placeholders of the instance. ``proven``: the
    description has led to a paid order in this run, so that what a page does not show is the shop's doing."""

    def __init__(self, config: Config, values: Mapping[str, str], *, proven: bool = False) -> None:
        self.config, self.values = config, values
        self._token_seen = proven

    @property
    def _base(self) -> str:
        return self.values["public_url"]

    async def checkout(self, order: Order, customer: Customer, *, again: bool = False) -> Started:
        recipe = self.config.integration.checkout
        if not again and (ended := await self.prepare(order, customer)):
            return ended
        if ended := self._without_token(texts_of(recipe), customer, "integration.checkout"):
            return ended
        # An id that was told to an earlier checkout is not this one's: the shop may make another order for it.
        order.known = order.known and recipe.order_id is None
        values = self._asked(order, customer)
        visit = await send(customer, recipe, values, "checkout", order.id, page=customer.form.page)
        for walk in (visit, *reversed(customer.form.walks)):
            if not order.known:
                self.learn(order, walk)
        return Started(self._payment_url(visit, customer), visit.page)

    async def prepare(self, order: Order, customer: Customer) -> Started | None:
        """Open the pages that lead to the checkout, and remember the last of them and the token that the checkout must carry.

        Returns:
            Where the customer ended, when the pages do not lead there.
        """
        customer.form = CheckoutForm()
        for line in self.config.integration.checkout.before:
            place = "integration.checkout.before"
            if ended := self._without_token([line], customer, place):
                return ended
            method, path, *body = fill(line, self._asked(order, customer), place).split(" ", 2)
            url = urljoin(self._base, path)
            fields = with_hidden(customer.form.page, method, url, _pairs(body[0]) if body else None)
            visit = await customer.browse(method, url, purpose="before", order=order.id, form=fields)
            walks = (*customer.form.walks, visit)
            customer.form = CheckoutForm(visit.page, self._token(visit.page, customer), walks)
        return None

    def _asked(self, order: Order, customer: Customer) -> dict[str, str]:
        token = {"csrf": customer.form.csrf} if customer.form.csrf else {}
        return {**self.values, **order.asked(self._decimals(order)), **token}

    def _decimals(self, order: Order) -> int:
        return self.config.profile.money.decimals(order.currency)

    def _token(self, page: Page | None, customer: Customer) -> str:
        """The token on this page, else the one from before it: not every page shows it, and a cookie is set once."""
        pointer = self.config.integration.checkout.csrf
        if not pointer:
            return ""
        kind, name = pointers.split(pointer)
        kept = customer.form.csrf
        if kind == "cookie":
            kept = next((cookie.value or "" for cookie in customer.cookies.jar if cookie.name == name), kept)
        found = reading.read(pointer, page) or kept
        self._token_seen = self._token_seen or bool(found)
        return found

    def _without_token(self, texts: Iterable[str], customer: Customer, place: str) -> Started | None:
        """Where the customer ended, when ``{csrf}`` is asked for and no page showed it.

        Raises:
            PayproofError: none ever did, though the pages were there: then the configuration is wrong.
        """
        if customer.form.csrf or not any(name == "csrf" for text in texts for name in names(text)):
            return None
        page, recipe = customer.form.page, self.config.integration.checkout
        if page is None and not recipe.before:
            raise PayproofError(
                "{csrf} has no value: no page is opened before it",
                place=place,
                remedy='name one: before = ["GET /cart"]',
            )
        if page is None and place.endswith("before"):
            raise PayproofError(
                "{csrf} has no value before the first page", place=place, remedy="open the page that shows it first"
            )
        ill = page is None or page.response is None or page.response.status >= 400
        if ill or self._token_seen:
            return Started(page=page)
        assert page
        raise PayproofError(
            f'{{csrf}} has no value: "{recipe.csrf}" matches nothing on {page.request.method} {page.request.url}'
            + (f" ({page.problem})" if page.problem else ""),
            place="integration.checkout.csrf",
            remedy="correct the pointer, or add the page that shows the token to `before`",
        )

    def learn(self, order: Order, visit: Visit) -> None:
        """Take the integration's own order id off the pages and addresses of a walk, where the configuration says."""
        pointer = self.config.integration.checkout.order_id
        if pointer is None:
            return
        for page in visit.pages[::-1] or (None,):
            if found := reading.read(pointer, page, visit.addresses):
                order.id, order.known = found.strip(), True
                return

    def _payment_url(self, visit: Visit, customer: Customer) -> str:
        pointer = self.config.integration.checkout.redirect
        if pointer != "location":
            for page in visit.pages:
                found = reading.read(pointer, page)
                if found:
                    places = [joined(page.request.url, each) for each in reading.addresses_in(found)]
                    return next((each for each in places if customer.place.where(each) == "checkout"), places[0])
        if visit.url and customer.place.where(visit.url) == "checkout":
            return visit.url
        return visit.url if pointer == "location" else ""

    async def order(self, order: Order, customer: Customer) -> OrderState:
        recipe = self.config.integration.order
        values = {**self.values, **order.values(self._decimals(order))}
        visit = await send(customer, recipe, values, "order", order.id, usual=_accepting(recipe.status))
        page = visit.page
        if page is None or page.response is None:
            return OrderState(problem=page.problem if page else "no answer", page=page)
        state = reading.read(recipe.status, page)
        if state is None:
            return OrderState(problem=_why_unreadable(page, recipe.status), page=page)
        state = state.strip()
        text = reading.read(recipe.effects, page) if recipe.effects else None
        effects = money.parse(text) if text else None
        paid = state.lower() in {word.lower() for word in recipe.paid}
        done = int(effects) if effects is not None else None
        return OrderState(state, paid, done, flag(page, recipe.flagged), page=page)


def _accepting(pointer: str) -> dict[str, str]:
    """What is asked for where the order's state is read: a shop may show one order as a page and as JSON."""
    kinds = {"html": "text/html,application/xhtml+xml,*/*;q=0.8", "json": "application/json,text/html;q=0.9,*/*;q=0.8"}
    kind, _ = pointers.split(pointer)
    return {"Accept": kinds[kind]} if kind in kinds else {}


def _pairs(text: str) -> Fields:
    """``a=1&b=2`` as form fields."""
    return tuple((name, value) for name, _, value in (pair.partition("=") for pair in text.split("&")))


def _why_unreadable(page: Page, pointer: str) -> str:
    assert page.response
    if page.response.status >= 400:
        return f"the order's page answered HTTP {page.response.status}"
    if pointer.startswith("json:"):
        try:
            json.loads(page.response.body)
        except RecursionError:
            return "the order's page is JSON that is nested too deep to be read"
        except ValueError:
            kind = header(page.response.headers, "content-type") or "no content type"
            return f"the order's page is not JSON ({page.problem or kind})"
    cut = f" ({page.problem})" if page.problem else ""
    return f'"{pointer}" matches nothing on the order\'s page{cut}, {declared.shown(page, pointer)}'
