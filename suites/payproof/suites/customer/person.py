"""A person at the hosted checkout: told what to do, in plain words, and waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias
from urllib.parse import urlsplit

from payproof.contracts import money
from payproof.contracts.entries import Checkout, Step
from payproof.contracts.profile import Payer
from payproof.suites.customer.customer import Customer
from payproof.suites.customer.hosted import TabState, stuck

PATIENCE = 300.0
"""Seconds that a person gets for one payment."""

_Wish: TypeAlias = Literal["pay", "cancel"]


class Doorman(Protocol):
    """The relay, as far as it sees a person leave the hosted checkout for the shop."""

    def departure(self, payment: str) -> asyncio.Future[str]:
        """The address that the customer of this payment is sent back to, once that has happened."""
        ...

    def contradicts(self, payment: str, url: str, wish: _Wish) -> str:
        """What the person did instead, where they were asked to ``wish`` and this address tells otherwise."""
        ...


class Person:
    """Somebody with a browser of their own, who does one thing after the other. ``ask`` says something that they must read;
    ``patience``: seconds that they get for one thing."""

    def __init__(self, ask: Callable[[str], None], patience: float | None = None) -> None:
        self.ask, self.patience = ask, PATIENCE if patience is None else patience
        self.turn = asyncio.Lock()


@dataclass(slots=True)
class PersonTab:
    """A person's tab at the hosted checkout; its states are those of ``HostedTab``. ``reason``: why it is ``stuck``."""

    person: Person
    doorman: Doorman
    customer: Customer
    payer: Payer
    checkout: Checkout
    state: TabState = "new"
    url: str = ""
    reason: str = ""

    async def open(self, payment_url: str) -> PersonTab:
        """Nothing is seen of it: the person opens the page once they are told what for."""
        if reason := self.customer.place.foreign(payment_url):
            return self._stuck(reason)
        scheme, separator, rest = payment_url.partition("://")
        # Their browser does not know the run's own authority; the relay's port speaks plain HTTP too.
        plain = separator and self.customer.place.where(payment_url) == "checkout"
        self.url = f"http://{rest}" if plain else f"{scheme}{separator}{rest}"
        self.state = "confirm"
        return self

    async def confirm(self) -> PersonTab:
        """Ask the person to pay, and wait until they are sent back to the shop."""
        return await self._asked("pay")

    async def cancel(self) -> PersonTab:
        """Ask the person to cancel, and wait likewise."""
        return await self._asked("cancel")

    async def _asked(self, wish: _Wish) -> PersonTab:
        if self.state != "confirm":
            return self
        async with self.person.turn:
            self.person.ask(self._paragraph(wish))
            order, patience = self.checkout.order, self.person.patience
            self.customer.journal.add(Step(text=f"a person is asked to {wish} order {order} at the hosted checkout"))
            try:
                url = await asyncio.wait_for(self.doorman.departure(self.checkout.payment), patience)
            except TimeoutError:
                return self._stuck(f"nobody came back from it within {patience:g} s")
            if instead := self.doorman.contradicts(self.checkout.payment, url, wish):
                return self._stuck(f"the person was asked to {wish}, and {instead}")
            self.state, self.url = "left", url
            self.person.ask(f"Order {order}: thank you, payproof goes on.")
        return self

    def _paragraph(self, wish: _Wish) -> str:
        checkout = self.checkout
        what = f"{wish} order {checkout.order}, {money.show(checkout.amount, checkout.currency)}"
        how = "" if wish == "pay" else "\n  Log in, and then use the page's cancel link instead of paying."
        return (
            f"Please {what}, at:\n\n  {self.url}\n\n"
            f"  Log in as {self.payer.login} with the password that your gateway gives for this test payer, and only where the address still "
            f"begins with {urlsplit(self.url).scheme}://{urlsplit(self.url).netloc}/.{how}\n"
            f"  payproof waits {self.person.patience:g} s, and goes on by itself when the page has sent you back to the shop."
        )

    def _stuck(self, reason: str) -> PersonTab:
        self.state, self.url, self.reason = "stuck", "", reason
        self.person.ask(f"Order {self.checkout.order}: {reason}; payproof goes on without this payment.")
        self.customer.journal.add(stuck(reason))
        return self
