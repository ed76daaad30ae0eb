"""What is known when a story is at rest: the gateway's books on one side, what the shop says on the other."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What the shop said of an order at one moment. ``step``: the story's step that it followed, 0 at rest."""

    step: int
    state: str = ""
    paid: bool | None = None
    """None: it could not be read, ``problem`` says why."""
    effects: int | None = None
    flagged: str = ""
    problem: str = ""
    charged: bool = False
    """The gateway had by then taken money for a payment that was opened for this order, whoever paid it."""

    @property
    def when(self) -> str:
        return f"after step {self.step}" if self.step else "at rest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """Money that the gateway took from an order's customer. ``verifiable``: the gateway still knows the payment, so that
    the shop could find out."""

    payment: str
    page: int
    amount: Decimal
    currency: str
    reference: str
    times: int = 1
    verifiable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFacts:
    """One order of the shop. ``names``: how a payment may refer to it; ``expected``: amount with declared fees."""

    number: int
    names: tuple[str, ...]
    expected: Decimal
    currency: str
    tolerance: Decimal = Decimal(0)
    charges: tuple[Charge, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    alerts: tuple[str, ...] = ()
    """Alerts that arrived after the last charge."""

    @property
    def taken(self) -> int:
        """How often money was taken."""
        return sum(charge.times for charge in self.charges)

    @property
    def last(self) -> Sighting | None:
        return self.sightings[-1] if self.sightings else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What was learned of the shop in clean payments, and what its configuration declares.

    ``effects``: fulfilments of a paid order in the control payment, None where they are not counted.
    ``waiting``: states of an order that nobody has paid.
    """

    effects: int | None = None
    shows_flags: bool = False
    sends_alerts: bool = False
    waiting: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    habits: Habits
    orders: tuple[OrderFacts, ...]
