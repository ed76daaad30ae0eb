"""How the harness talks to an integration: start a checkout, ask for an order's state.

``RecipeDriver`` does both from the configuration. An integration that no recipe describes brings a class of its own
(``driver = "drive.py:Shop"``) with the same two methods; it is handed the customer's own HTTP client, so that every page
it opens is seen by the checks like any other.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

from payproof.contracts import money
from payproof.contracts.entries import Page, header
from payproof.contracts.model import PayproofError
from payproof.contracts.pages import soup
from payproof.contracts.profile import Fields
from payproof.suites.config import Config, pointers
from payproof.suites.config.placeholders import fill, fill_json, names
from payproof.suites.customer.customer import Customer, Form, Visit
from payproof.suites.driver import declared
from payproof.suites.driver import pointers as reading


@dataclass(slots=True)
class Order:
    """What the customer wants to buy. ``id`` is ours until a driver learns the integration's own (then it sets it)."""

    id: str
    amount: Decimal
    currency: str
    known: bool = True
    """Whether the integration knows the order by this id."""
    label: str = ""
    """How the customer names it in a checkout: our id, also after the integration gave it one of its own."""

    def __post_init__(self) -> None:
        self.label = self.label or self.id

    def twin(self) -> Order:
        """The same order, as a second click names it: the integration may answer with another id, so one that it gave to the
        first click is not known to be this one's."""
        return Order(self.label, self.amount, self.currency, self.known and self.id == self.label)

    def values(self, decimals: int = 2) -> dict[str, str]:
        """The placeholders of an order that the integration knows by its id."""
        return {"order.id": self.id, "order.amount": f"{self.amount:.{decimals}f}", "order.currency": self.currency}

    def asked(self, decimals: int = 2) -> dict[str, str]:
        """The same for a checkout, which names it as the customer does."""
        return {**self.values(decimals), "order.id": self.label}


@dataclass(frozen=True, slots=True)
class Started:
    """How a checkout went: ``payment_url`` when the customer was sent to pay, else the page that they ended on."""

    payment_url: str = ""
    page: Page | None = None


@dataclass(frozen=True, slots=True)
class OrderState:
    """What the merchant believes. ``paid`` None: it could not be read, ``problem`` says why.

    ``effects``: how often the order was fulfilled, None when that is not told. ``flagged``: the text by which the order
    shows that it needs a person.
    """

    state: str = ""
    paid: bool | None = None
    effects: int | None = None
    flagged: str = ""
    problem: str = ""
    page: Page | None = None


class Driver(Protocol):
    """The two verbs. Both are called many times, also at the same time, for different orders and customers."""

    async def checkout(self, order: Order, customer: Customer, *, again: bool = False) -> Started:
        """Start to pay ``order`` as this customer. ``again``: the same customer goes back and submits once more, without
        the pages that lead there."""
        ...

    async def order(self, order: Order, customer: Customer) -> OrderState:
        """Ask for the order's state, as the customer or as the merchant."""
        ...


class RecipeDriver:
    """Checkout and order page as the configuration describes them. ``values``: placeholders of the instance."""

    def __init__(self, config: Config, values: Mapping[str, str]) -> None:
        self.config, self.values = config, values
        self._token_seen = False

    @property
    def _base(self) -> str:
        return self.values["public_url"]

    async def checkout(self, order: Order, customer: Customer, *, again: bool = False) -> Started:
        recipe = self.config.integration.checkout
        if not again and (ended := await self.prepare(order, customer)):
            return ended
        texts = [
            recipe.path,
            *recipe.headers.values(),
            *(recipe.form or {}).values(),
            json.dumps(recipe.json_body or {}),
        ]
        if ended := self._without_token(texts, customer, "integration.checkout"):
            return ended
        # An id that was told to an earlier checkout is not this one's: the shop may make another order for it.
        order.known = order.known and recipe.order_id is None
        values = self._asked(order, customer)
        place = "integration.checkout"
        url = urljoin(self._base, fill(recipe.path, values, f"{place}.path"))
        given = {name: fill(text, values, f"{place}.form") for name, text in (recipe.form or {}).items()}
        fields: Fields | None = tuple(given.items()) if recipe.form is not None else None
        visit = await customer.browse(
            recipe.method,
            url,
            purpose="checkout",
            order=order.id,
            headers={name: fill(text, values, f"{place}.headers") for name, text in recipe.headers.items()},
            json=fill_json(recipe.json_body, values, f"{place}.json") if recipe.json_body is not None else None,
            form=None if recipe.json_body is not None else with_hidden(customer.form.page, recipe.method, url, fields),
        )
        self.learn(order, visit)
        return Started(self._payment_url(visit, customer), visit.page)

    async def prepare(self, order: Order, customer: Customer) -> Started | None:
        """Open the pages that lead to the checkout, and remember the last of them and the token that the checkout must carry.

        Returns:
            Where the customer ended, when the pages do not lead there.
        """
        customer.form = Form()
        for line in self.config.integration.checkout.before:
            place = "integration.checkout.before"
            if ended := self._without_token([line], customer, place):
                return ended
            method, path, *body = fill(line, self._asked(order, customer), place).split(" ", 2)
            url = urljoin(self._base, path)
            fields = with_hidden(customer.form.page, method, url, _pairs(body[0]) if body else None)
            visit = await customer.browse(method, url, purpose="before", order=order.id, form=fields)
            customer.form = Form(visit.page, self._token(visit.page, customer))
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
        """Take the integration's own order id off the pages of a walk, where the configuration says."""
        pointer = self.config.integration.checkout.order_id
        if pointer is None:
            return
        for page in reversed(visit.pages):
            if found := reading.read(pointer, page, visit.addresses):
                order.id, order.known = found.strip(), True
                return

    def _payment_url(self, visit: Visit, customer: Customer) -> str:
        pointer = self.config.integration.checkout.redirect
        if pointer != "location":
            for page in visit.pages:
                found = reading.read(pointer, page)
                if found:
                    return urljoin(page.request.url, found)
        if visit.url and customer.place.where(visit.url) == "checkout":
            return visit.url
        return visit.url if pointer == "location" else ""

    async def order(self, order: Order, customer: Customer) -> OrderState:
        recipe = self.config.integration.order
        values = {**self.values, **order.values(self._decimals(order))}
        visit = await customer.browse(
            "GET",
            urljoin(self._base, fill(recipe.path, values, "integration.order.path")),
            purpose="order",
            order=order.id,
            headers={name: fill(text, values, "integration.order.headers") for name, text in recipe.headers.items()},
        )
        page = visit.page
        if page is None or page.response is None:
            return OrderState(problem=page.problem if page else "no answer", page=page)
        state = reading.read(recipe.status, page)
        if state is None:
            return OrderState(problem=_why_unreadable(page, recipe.status), page=page)
        state = state.strip()
        effects = money.parse(count) if recipe.effects and (count := reading.read(recipe.effects, page)) else None
        flagged = next(
            (
                text
                for pointer, marks in recipe.flagged.items()
                if (text := reading.read(pointer, page)) and any(mark.lower() in text.lower() for mark in marks)
            ),
            "",
        )
        paid = state.lower() in {word.lower() for word in recipe.paid}
        return OrderState(state, paid, int(effects) if effects is not None else None, flagged, page=page)


def with_hidden(page: Page | None, method: str, url: str, given: Fields | None) -> Fields | None:
    """The fields of a form that is sent to ``url``, with the hidden ones that this page's form has; what is given counts."""
    if method != "POST" or page is None or page.response is None:
        return given
    target = urlsplit(url)
    for form in soup(page.response.body).find_all("form"):
        action = urlsplit(urljoin(page.request.url, str(form.get("action") or "")))
        sent_as = str(form.get("method") or "get").lower()
        if sent_as != "post" or (action.path or "/", action.netloc) != (target.path or "/", target.netloc):
            continue
        names = {name for name, _ in given or ()}
        hidden = tuple(
            (str(node["name"]), str(node.get("value", "")))
            for node in form.select("input[type=hidden i][name]:not([disabled])")
            if node["name"] not in names
        )
        return (*hidden, *(given or ())) if hidden or given is not None else None
    return given


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


def load_driver(config: Config, values: Mapping[str, str]) -> Driver:
    """The configured driver.

    Raises:
        PayproofError: the file or the class is not there, or has not the two methods.
    """
    text = config.integration.driver
    if not text:
        return RecipeDriver(config, values)
    file, _, name = text.rpartition(":")
    path = Path(config.folder, file)
    place = f"integration.driver = {text}"
    spec = importlib.util.spec_from_file_location(f"payproof_driver_{path.stem}", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise PayproofError(
            f"no such file: {path}", place=place, remedy="the path is relative to the configuration file"
        )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
        made: Any = getattr(module, name)(dict(values))
    except Exception as error:
        raise PayproofError(f"the driver does not load: {type(error).__name__}: {error}", place=place) from None
    if not (callable(getattr(made, "checkout", None)) and callable(getattr(made, "order", None))):
        raise PayproofError(
            f"{name} has not both methods, checkout and order", place=place, remedy="see docs/driver.md"
        )
    return _Guarded(made, place)


class _Guarded:
    """A user's driver: what goes wrong in it is said to be its own."""

    def __init__(self, driver: Driver, place: str) -> None:
        self._driver, self._place = driver, place

    async def checkout(self, order: Order, customer: Customer, *, again: bool = False) -> Started:
        try:
            return await self._driver.checkout(order, customer, again=again)
        except Exception as error:
            raise self._blamed("checkout", error) from error

    async def order(self, order: Order, customer: Customer) -> OrderState:
        try:
            return await self._driver.order(order, customer)
        except Exception as error:
            raise self._blamed("order", error) from error

    def _blamed(self, verb: str, error: Exception) -> PayproofError:
        line = error.__traceback__.tb_next.tb_lineno if error.__traceback__ and error.__traceback__.tb_next else 0
        return PayproofError(
            f"the driver's {verb} broke: {type(error).__name__}: {error}",
            place=f"{self._place}, line {line}",
            remedy="mend the driver; an answer of the shop that it did not expect should become Started or OrderState",
        )


def uses(config: Config, name: str) -> bool:
    """Whether the checkout's recipe uses a placeholder."""
    recipe = config.integration.checkout
    texts = [
        recipe.path,
        *recipe.before,
        *recipe.headers.values(),
        *(recipe.form or {}).values(),
        json.dumps(recipe.json_body or {}),
    ]
    return any(name == found for text in texts for found in names(text))
