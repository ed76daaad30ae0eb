"""One clean payment with a draft of a configuration: whether it went through, and the pages that show how it would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from payproof.contracts.entries import Call, Checkout, OrderSeen, Page
from payproof.suites.config import Config
from payproof.suites.session import control
from payproof.suites.session.diagnosis import diagnose
from payproof.suites.session.progress import Progress
from payproof.suites.session.session import opened
from payproof.suites.session.world import World


@dataclass(frozen=True, slots=True)
class Trial:
    """What one payment showed. ``is_checkout``: whether an address is the gateway's hosted checkout; ``walked``: what a walk
    through the shop found, where the checkout did not open a payment."""

    paid: bool
    diagnosis: tuple[str, ...]
    label: str
    """What the customer called the order."""
    checkout: Checkout | None
    pages: tuple[Page, ...]
    calls: tuple[Call, ...]
    before: OrderSeen | None
    """The order before it was paid for, where the draft could read it."""
    seen: OrderSeen | None
    is_checkout: Callable[[str], bool]

    @property
    def checkout_page(self) -> Page | None:
        return next((page for page in self.pages if self.checkout and page.n == self.checkout.page), None)

    @property
    def opened(self) -> Call | None:
        """The call that opened the payment."""
        return next((call for call in self.calls if call.opened.payment), None)

    def shop_pages(self, purpose: str) -> list[Page]:
        return [page for page in self.pages if page.purpose == purpose and page.where == "integration"]


async def tried(config: Config, progress: Progress | None = None) -> Trial:
    """Start the integration, pay once, stop it.

    Raises:
        PayproofError: it does not start.
    """
    payments: list[control.ControlPayment] = []

    async def pay(world: World) -> bool:
        payments.append(await control.pay(world, look_before=True))
        return payments[-1].paid

    async with opened(config, progress=progress) as session:
        world, paid = await session.begin("trial", pay)
        entries = world.journal.entries
        place = world.place
        return Trial(
            paid,
            () if paid else diagnose(world),
            payments[-1].purchase.order.label,
            next((entry for entry in entries if isinstance(entry, Checkout)), None),
            tuple(entry for entry in entries if isinstance(entry, Page)),
            tuple(world.calls()),
            payments[-1].before,
            payments[-1].seen,
            lambda url: place.where(url) == "checkout",
        )
