"""The people of a story and the pages that they have open. Customers are used again, each time with an empty browser."""

from __future__ import annotations

from dataclasses import dataclass, replace

from payproof.contracts.entries import Checkout
from payproof.suites.customer.customer import Customer
from payproof.suites.customer.hosted import HostedTab
from payproof.suites.driver.driver import Order
from payproof.suites.session.world import World


class CustomerPool:
    """The customers of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._free: list[Customer] = []
        self._busy: list[Customer] = []

    def dismiss(self) -> None:
        """The story is over: everybody may be somebody else from now on."""
        self._free += self._busy
        self._busy.clear()

    def customer(self, name: str, like: Customer | None = None) -> Customer:
        """Somebody called ``name``; with the cookies of ``like`` it is the same person in another tab."""
        someone = self._free.pop() if self._free else self._world.customer()
        self._busy.append(someone)
        someone.name = name
        someone.cookies.clear()
        for cookie in like.cookies.jar if like is not None else ():
            someone.cookies.jar.set_cookie(cookie)
        return someone


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
