"""A customer at the hosted checkout, one form at a time, so that every page can be looked at."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urljoin

import httpx
from bs4 import Tag

from payproof.contracts.entries import Page
from payproof.contracts.journal import Journal
from payproof.contracts.pages import soup
from payproof.contracts.profile import Fields, Payer, Profile
from payproof.suites.customer.customer import Customer, Routing, next_address
from payproof.suites.customer.hosted import form_fields

_HOPS = 12
_NOWHERE = "https://shop.invalid"


class DriftCustomer:
    """One tab. ``page``: what it shows; ``left``: the shop's address that it was sent to, which is not opened."""

    def __init__(self, profile: Profile, site: str, shop: list[str], way: httpx.AsyncBaseTransport) -> None:
        self._profile = profile
        place = Routing(public_url=_NOWHERE, instance_url=_NOWHERE, gateway_url=site)
        for address in shop:
            place.give(address)
        self._customer = Customer(place, Journal(), profile.hosted, name="customer", outside=way)
        self.page: Page | None = None
        self.left = ""

    async def open(self, url: str) -> None:
        await self._go("GET", url)

    async def submit(self, payer: Payer, *, bare: bool, wrong: bool) -> bool:
        """Fill in the form that leads on; false when there is none."""
        who = replace(payer, password=f"{payer.password}-not", otp="000000") if wrong else payer
        for form in self._forms():
            filled = self._profile.hosted.fill(form_fields(form), who)
            if filled is None:
                continue
            unseen = {str(node.get("name")) for node in form.select("input[type=hidden]")}
            sent = tuple(pair for pair in filled if not (bare and pair[0] in unseen))
            await self._go(str(form.get("method", "get")).upper(), self._absolute(form.get("action")), sent)
            return True
        return False

    async def cancel(self) -> bool:
        """Use the page's way to cancel; false when there is none."""
        body = self.page.response.body if self.page and self.page.response else ""
        node = soup(body).select_one(self._profile.hosted.cancel)
        if node is None:
            return False
        form = node if node.name == "form" else node.find_parent("form") if node.get("type") == "submit" else None
        if isinstance(form, Tag):
            own = ((str(node["name"]), str(node.get("value", ""))),) if node.get("name") and form is not node else ()
            fields = (*form_fields(form), *own)
            await self._go(str(form.get("method", "get")).upper(), self._absolute(form.get("action")), fields)
        else:
            await self._go("GET", self._absolute(node.get("href")))
        return True

    def _forms(self) -> list[Tag]:
        body = self.page.response.body if self.page and self.page.response and not self.left else ""
        return list(soup(body).find_all("form"))

    def _absolute(self, address: object) -> str:
        return urljoin(self.page.request.url if self.page else "", str(address or ""))

    async def _go(self, method: str, url: str, fields: Fields | None = None) -> None:
        for _ in range(_HOPS):
            if self._customer.place.where(url) == "integration":
                self.left = url
                return
            if method == "GET" and fields:
                url, fields = f"{url}{'&' if '?' in url else '?'}{httpx.QueryParams(list(fields))}", None
            self.page = await self._customer.ask(method, url, form=fields if method != "GET" else None)
            following = next_address(self.page)
            if not following:
                return
            method, url, fields = "GET", following, None

    async def aclose(self) -> None:
        await self._customer.aclose()
