"""A customer at the hosted checkout, one form at a time, so that every page can be looked at."""

from __future__ import annotations

from dataclasses import replace

import httpx
from bs4 import BeautifulSoup

from payproof.contracts.entries import Page
from payproof.contracts.journal import Journal
from payproof.contracts.profile import Payer, Profile
from payproof.contracts.reading.forms import Submission, cancelling, leading_on
from payproof.contracts.reading.onward import next_address
from payproof.contracts.reading.pages import soup
from payproof.suites.conformance.drift.observe import KnownValues
from payproof.suites.customer.customer import Customer
from payproof.suites.customer.routing import Routing

_HOPS = 12
_NOWHERE = "https://shop.invalid"


class DriftCustomer:
    """One tab. ``page``: what it shows; ``left``: the shop's address that it was sent to, which is not opened."""

    def __init__(self, profile: Profile, known: KnownValues, way: httpx.AsyncBaseTransport) -> None:
        self._hosted = profile.hosted
        place = Routing(public_url=_NOWHERE, instance_url=_NOWHERE, gateway_url=known.site, checkout_url=known.checkout)
        for address in known.sent:
            place.give(address)
        self._customer = Customer(place, Journal(), profile.hosted, name="customer", outside=way)
        self.page: Page | None = None
        self.left = ""

    async def open(self, url: str) -> None:
        await self._go(Submission("GET", url))

    async def submit(self, payer: Payer, *, bare: bool, wrong: bool) -> bool:
        """Fill in the form that leads on; false when there is none."""
        who = replace(payer, password=f"{payer.password}-not", otp="000000") if wrong else payer
        way = None if self.left else leading_on(*self._shown(), self._hosted, who, bare=bare)
        return await self._go(way)

    async def cancel(self) -> bool:
        """Use the page's way to cancel; false when there is none."""
        return await self._go(cancelling(*self._shown(), self._hosted))

    def _shown(self) -> tuple[BeautifulSoup, str]:
        body = self.page.response.body if self.page and self.page.response else ""
        return soup(body), self.page.request.url if self.page else ""

    async def _go(self, way: Submission | None) -> bool:
        if way is None:
            return False
        method, url, fields = way.method, way.url, way.fields
        for _ in range(_HOPS):
            if self._customer.place.where(url) == "integration":
                self.left = url
                break
            self.page = await self._customer.ask(method, url, form=fields)
            following = next_address(self.page)
            if not following:
                break
            method, url, fields = "GET", following, None
        return True
