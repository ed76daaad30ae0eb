"""The two verbs by which an integration is used, and what goes in and out of them.

``RecipeDriver`` (``recipe``) does both from the configuration. An integration that no recipe describes brings a class of its own
(``driver = "drive.py:Shop"``, see ``loading``) with the same two methods; it is handed the customer's own HTTP client, so that every
page it opens is seen by the checks like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from payproof.contracts.entries import Page
from payproof.suites.customer.customer import Customer


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

    ``effects``: how often the order was fulfilled, None when that is not shown. ``flagged``: the text by which the order
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
