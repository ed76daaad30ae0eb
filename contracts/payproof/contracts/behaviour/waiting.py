"""The customer's side of a call: which page of the shop was waited for while it was made."""

from __future__ import annotations

from bisect import bisect_right

from payproof.contracts.entries import Call, Page
from payproof.contracts.events import names_in
from payproof.contracts.run import RecordedWorld

_BACK = 40
"""Pages that are looked through for one that was still open: so many customers wait at the same time at most."""


_LOOKING = ("order", "script")
"""Purposes of pages that only tell how things stand."""


class PageWaits:
    """The shop's pages of one world, by the time when they were asked for."""

    def __init__(self, world: RecordedWorld) -> None:
        self._pages = sorted((page for page in world.of(Page) if page.where == "integration"), key=_began)
        self._begins = [page.began for page in self._pages]

    def page(self, call: Call) -> Page | None:
        """The page that this call was made for, as far as times and order ids tell; None: nobody waited."""
        around = self._open(call.began)
        # Who looks at an order, or loads a script, while another page is still open, is not who set off the call.
        around = [page for page in around if page.purpose not in _LOOKING] or around
        named = names_in(call.event)
        return next((page for page in reversed(around) if page.order in named), around[-1] if around else None)

    def at(self, moment: float) -> Page | None:
        """The page that was waited for when a connection began; nobody knows what that was for."""
        around = self._open(moment)
        return next((page for page in reversed(around) if page.purpose not in _LOOKING), around[-1] if around else None)

    def _open(self, moment: float) -> list[Page]:
        """The last pages that were asked for before, and had no answer yet."""
        place = bisect_right(self._begins, moment)
        return [page for page in self._pages[max(place - _BACK, 0) : place] if page.ended >= moment]


def _began(page: Page) -> float:
    return page.began
