"""What all worlds of a run have in common, and what a purchase came to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from payproof.contracts.entries import Checkout, OrderSeen
from payproof.contracts.journal import Journal
from payproof.contracts.profile import Profile
from payproof.contracts.redaction.secrets import Redactor
from payproof.suites.config import Config
from payproof.suites.customer.customer import Customer
from payproof.suites.customer.errands import Visit
from payproof.suites.customer.hosted import Tab
from payproof.suites.driver.driver import Order
from payproof.suites.session.progress import Progress
from payproof.suites.session.shared_logs import SharedLogs
from payproof.suites.session.targets import TargetSource
from payproof.suites.session.trust import Trust

LONGEST_PATIENCE = 60.0
"""Seconds that an undeclared background job may take to verify a payment (checklist.md, verify.unreachable)."""

PAGE_PATIENCE = 60.0
"""Seconds that a customer waits for a page: twice what an integration may wait for one call of the gateway."""

_STARTS = 8
"""So many times as long as the first start may a later one take: as many instances start, and work, beside it as there are worlds."""


@dataclass(slots=True)
class Shared:
    """What all worlds of a run have in common. Once the control probe is over nobody writes here: worlds run side by side, and
    what one learned would reach the others sooner or later, as their scheduling has it."""

    config: Config
    profile: Profile
    seed: int
    folder: Path
    trust: Trust | None
    redactor: Redactor
    now: Callable[[], float]
    progress: Progress
    alert_url: Callable[[str], str]
    alerts: dict[str, Journal]
    source: TargetSource
    """Gives each world its target."""
    seconds: float | None = None
    """The time of all probes together (``Options.seconds``); none: as long as they need."""
    deadline: float | None = None
    """When that time is up, by ``now``; set once control has passed."""
    logs: SharedLogs = field(default_factory=SharedLogs)
    """The log files that all instances write."""
    latency: float = 0.0
    """Seconds between the customer's return and the paid order, as seen in the control run."""
    start_seconds: float = 0.0
    """How long the first instance took to start, while nothing else went on."""

    @property
    def start_patience(self) -> float:
        """Seconds that a start may take: as configured, and longer where the first one was slow, since many start side by side."""
        return max(self.config.integration.ready_timeout, _STARTS * self.start_seconds)

    @property
    def page_patience(self) -> float:
        """Seconds that a customer waits for one page: not longer than all probes together may take."""
        return PAGE_PATIENCE if self.seconds is None else min(PAGE_PATIENCE, self.seconds)

    @property
    def time_is_up(self) -> bool:
        return self.deadline is not None and self.now() >= self.deadline

    @property
    def time_left(self) -> float | None:
        """Seconds until the probes are ended; None: they have all the time that they need."""
        return None if self.deadline is None else max(self.deadline - self.now(), 0.0)

    @property
    def patience(self) -> float:
        """Seconds that a verification may take before an order that should be paid is called unpaid."""
        return max(self.config.integration.order.within + 1.0, 3 * self.latency, 2.0)


@dataclass(frozen=True, slots=True)
class Purchase:
    """A whole attempt to buy: what was ordered, how the checkout ended, the hosted tab, the way back, the last look."""

    order: Order
    customer: Customer
    checkout: Checkout
    tab: Tab | None = None
    visit: Visit | None = None
    seen: OrderSeen | None = None

    @property
    def paid(self) -> bool:
        return bool(self.seen and self.seen.paid)
