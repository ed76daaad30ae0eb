"""A walk through a shop as a new customer would take it, to the form that starts a payment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

from bs4 import Tag

from payproof.contracts.entries import Page, Response
from payproof.contracts.reading.addresses import joined
from payproof.contracts.reading.forms import form_fields
from payproof.contracts.reading.pages import is_html, quoted, soup
from payproof.suites.config import Config
from payproof.suites.config.placeholders import fill
from payproof.suites.customer.customer import Customer
from payproof.suites.customer.errands import Visit
from payproof.suites.discovery.shop_forms import (
    AWAY,
    PAYS,
    action_of,
    address_of,
    filled,
    forms,
    is_collecting,
    is_get,
    is_hidden,
    is_private,
    leads_on,
    line_of,
    path_of,
    says,
)
from payproof.suites.driver import standing
from payproof.suites.session.progress import Progress
from payproof.suites.session.session import opened
from payproof.suites.session.world import World

_LEADS = re.compile(r"product|item|shop|cart|basket|check\W?out|order|buy|panier|article|book", re.IGNORECASE)
_STEPS = 15
"""Pages that a walk opens at most."""
_SENT = 8
"""Forms that it sends at most, besides those that put something into the cart."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way to pay: the pages that are opened before, the form that is sent, and where its answer says where to pay."""

    before: tuple[str, ...]
    path: str
    fields: Mapping[str, str]
    redirect: str


@dataclass(frozen=True, slots=True)
class Walked:
    """``way``: None when none was found; ``refused``: then the last form that the shop did not take, in a sentence."""

    way: Way | None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class _Stand:
    """Where the customer stands, and what was opened to get there."""

    page: Page
    before: tuple[str, ...]


async def walked(config: Config, progress: Progress | None = None) -> Walked:
    """Start the integration and look for a form that leads to the gateway's hosted checkout.

    Raises:
        PayproofError: the integration does not start.
    """
    found: list[Walked] = []

    async def look(world: World) -> bool:
        walk = _Walk(world)
        found.append(Walked(await walk.way(), walk.refused))
        return found[-1].way is not None

    async with opened(config, progress=progress) as session:
        await session.begin("walk", look)
    return found[-1]


class _Walk:
    def __init__(self, world: World) -> None:
        self.world, self.opened = world, set[str]()
        self.stands: list[_Stand] = []
        self.sent, self.refused = 0, ""
        self.elsewhere: list[tuple[_Stand, str]] = []
        """Links whose words say nothing of paying, and where they stand: the way to the till may be one of them."""
        self.unsure: list[tuple[_Stand, Tag]] = []
        """Forms of which the same is true."""
        order = world.new_order()
        self.values = order.values(world.profile.money.decimals(order.currency))

    async def way(self) -> Way | None:
        """The first way that leads to the gateway: links are followed, what can be bought is put into the cart, and a form that
        shows another one is a step on the way."""
        customer = self.world.customer()
        self.stands += [_Stand(page, ("GET /",)) for page in [await self._open(customer, "/")] if page]
        while True:
            way = None
            if self.stands:
                way = await self._looked_at(customer, self.stands.pop(0))
            elif self.elsewhere and len(self.opened) < _STEPS:
                self.stands += await self._tried(customer, *self.elsewhere.pop())
            elif self.unsure and self.sent < _SENT:
                way = await self._submitted(customer, *self.unsure.pop(0))
            else:
                return None
            if way:
                return way

    async def _looked_at(self, customer: Customer, stand: _Stand) -> Way | None:
        """Use what is on a page; the way, when one of its forms starts the payment."""
        for form in forms(stand.page):
            if is_collecting(form):
                continue
            if is_get(form):
                self.elsewhere += [(stand, address_of(stand.page, form))] if not is_private(form) else []
            elif says(form, PAYS) and self.sent < _SENT:
                if way := await self._submitted(customer, stand, form):
                    return way
            elif not is_private(form):
                self.unsure.append((stand, form))
        for form in filter(is_collecting, forms(stand.page)):
            if (after := await self._collected(customer, stand, form)) is not None:
                self.stands.insert(0, after)
        self.stands += await self._followed(customer, stand)
        return None

    async def _open(self, customer: Customer, path: str) -> Page | None:
        """A page of the shop that was not opened yet; None when there is none."""
        if path in self.opened or len(self.opened) >= _STEPS:
            return None
        self.opened.add(path)
        url = urljoin(self._base, fill(path, self.values, "form"))
        page = (await customer.browse("GET", url, purpose="walk")).page
        return page if page and _is_shown(page) else None

    @property
    def _base(self) -> str:
        return self.world.place.public_url

    async def _followed(self, customer: Customer, stand: _Stand) -> list[_Stand]:
        """The pages that this one links to and that may lead to paying."""
        found: list[_Stand] = []
        for link in soup(stand.page.response.body if stand.page.response else "").find_all("a", href=True):
            url = joined(stand.page.request.url, str(link["href"]))
            words = f"{path_of(url)} {link.get_text()}"
            if self.world.place.where(url) != "integration" or AWAY.search(words):
                continue
            if _LEADS.search(words):
                found += await self._tried(customer, stand, path_of(url))
            else:
                self.elsewhere.append((stand, path_of(url)))
        return found

    async def _tried(self, customer: Customer, stand: _Stand, path: str) -> list[_Stand]:
        """The page behind a link, if it is one and was not opened before."""
        page = await self._open(customer, path)
        return [] if page is None else [_Stand(page, (*stand.before, f"GET {path}"))]

    async def _collected(self, customer: Customer, stand: _Stand, form: Tag) -> _Stand | None:
        """The page after something was put into the cart; once for each form."""
        path = action_of(stand.page, form)
        if f"POST {path}" in self.opened:
            return None
        self.opened.add(f"POST {path}")
        visit = await self._sent(customer, stand, form, dict(form_fields(form)))
        shown = {name: value for name, value in form_fields(form) if not is_hidden(form, name)}
        return (
            _Stand(visit.page, (*stand.before, line_of(path, shown))) if visit.page and _is_shown(visit.page) else None
        )

    async def _submitted(self, customer: Customer, stand: _Stand, form: Tag) -> Way | None:
        """What became of a form that may start the payment: when it does, the way; when another form follows, a step on it."""
        self.sent += 1
        fields, path = filled(form), action_of(stand.page, form)
        called = len(self.world.calls())
        visit = await self._sent(customer, stand, form, {**dict(form_fields(form)), **self._valued(fields)})
        redirect = self._leads(visit)
        if redirect or len(self.world.calls()) > called:  # also when the gateway refused: the next try says why
            return Way(_shortened(stand.before), path, fields, redirect or "location")
        if visit.page and _is_shown(visit.page) and leads_on(stand.page, form, visit.page):
            self.stands.append(_Stand(visit.page, (*stand.before, line_of(path, fields))))
        return None

    def _valued(self, fields: Mapping[str, str]) -> dict[str, str]:
        return {name: fill(text, self.values, "form") for name, text in fields.items()}

    async def _sent(self, customer: Customer, stand: _Stand, form: Tag, fields: Mapping[str, str]) -> Visit:
        url = joined(stand.page.request.url, str(form.get("action") or "")) or stand.page.request.url
        visit = await customer.browse("POST", url, purpose="walk", form=tuple(fields.items()))
        if visit.page and visit.page.response and visit.page.response.status >= 400:
            self.refused = _refusal(visit.page, visit.page.response)
        return visit

    def _leads(self, visit: Visit) -> str:
        """The pointer to the address to pay at; empty when this leads nowhere."""
        if visit.url and self.world.place.where(visit.url) == "checkout":
            return "location"
        for page in visit.pages:
            if found := next(standing.pointers_to(page, lambda url: self.world.place.where(url) == "checkout"), ""):
                return found
        return ""


def _refusal(page: Page, response: Response) -> str:
    asked = f"{page.request.method} {path_of(page.request.url)}"
    hint = (
        " Does it know that its customers come over https (X-Forwarded-Proto)?" if response.status in (403, 419) else ""
    )
    return f"{asked} was answered {response.status}: {quoted(response) or 'an empty page'}.{hint}"


def _is_shown(page: Page) -> bool:
    """Whether a person sees a page of the shop."""
    return page.where == "integration" and bool(page.response and page.response.status < 400 and is_html(page.response))


def _shortened(before: tuple[str, ...]) -> tuple[str, ...]:
    """Without the pages that were only passed: what stays is what changes something, with the page it was sent from, and the last."""
    last = len(before) - 1
    sent = {number for number, line in enumerate(before) if line.startswith("POST")}
    return tuple(line for number, line in enumerate(before) if number == last or number in sent or number + 1 in sent)
