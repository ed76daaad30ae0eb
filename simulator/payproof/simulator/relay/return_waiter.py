"""Customers on their way back from the hosted checkout to the shop, and those who wait for them."""

from __future__ import annotations

import asyncio
from typing import Literal

from payproof.contracts.profile import Profile
from payproof.simulator.books.store import Store


class ReturnWaiter:
    def __init__(self, profile: Profile, store: Store) -> None:
        self._profile, self._store = profile, store
        self._waiting: dict[str, asyncio.Future[str]] = {}

    def departure(self, payment: str) -> asyncio.Future[str]:
        """The address that the customer of this payment is sent back to, once that has happened."""
        waiting = self._waiting.get(payment)
        if waiting is None or waiting.done():
            waiting = self._waiting[payment] = asyncio.get_running_loop().create_future()
        return waiting

    def note(self, url: str) -> None:
        """A customer leaves for this address of the shop."""
        if payment := self._waited_for(url):
            self._waiting[payment].set_result(url)

    def contradicts(self, payment: str, url: str, wish: Literal["pay", "cancel"]) -> str:
        """What the customer did instead, where they were asked to ``wish`` and this address tells otherwise."""
        outcome, row = self._profile.read_return(url)[0], self._store.get(payment)
        if wish == "cancel":
            return "the payment was made" if outcome == "paid" else ""
        if outcome == "refused":
            return "the gateway refused the payment"
        cancelled = row is not None and _leads(url, row.cancel_url) and not _leads(url, row.return_url)
        return "it was cancelled" if cancelled and not outcome else ""

    def end(self) -> None:
        """Nobody waits any more."""
        for waiting in self._waiting.values():
            waiting.cancel()

    def _waited_for(self, url: str) -> str:
        waiting = [payment for payment, future in self._waiting.items() if not future.done()]
        named = self._profile.read_return(url)[1]
        return named if named in waiting else next((payment for payment in waiting if self._belongs(payment, url)), "")

    def _belongs(self, payment: str, url: str) -> bool:
        row = self._store.get(payment)
        return row is not None and (_leads(url, row.return_url) or _leads(url, row.cancel_url))


def _leads(url: str, back: str | None) -> bool:
    """Is this the address that the shop gave, perhaps with something added to its query?"""
    if not back or not url.startswith(back):
        return False
    return url[len(back) : len(back) + 1] in ("", "?", "&", "#")
