"""What the core asks of a gateway's dialect, and what it offers one. The core itself knows no gateway.

A dialect is a module ``payproof.simulator.gateways.NAME`` with a function ``dialect(deps) -> Dialect``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from payproof.contracts.events import Role
from payproof.contracts.journal import Journal
from payproof.contracts.model import Json, PayproofError
from payproof.contracts.profile import Profile, module
from payproof.simulator.books.records import Payment
from payproof.simulator.books.store import Store
from payproof.simulator.clock import Clock
from payproof.simulator.ids import Ids
from payproof.simulator.notices.outbox import Outbox


@dataclass(frozen=True, slots=True)
class GatewayDeps:
    """What a dialect works with. ``knobs``: the profile's, overridden by the user's."""

    profile: Profile
    knobs: Mapping[str, Json]
    store: Store
    clock: Clock
    ids: Ids
    journal: Journal
    outbox: Outbox | None = None
    """None where the real gateway sends its notices itself."""

    async def notified(self, payment: Payment, seconds: float) -> None:
        """Wait until this payment's notices that are under way were answered, so many seconds at most: some hosted pages do
        before they send the customer back."""
        if self.outbox is not None:
            await self.outbox.idle(payment.payment, within=seconds)

    def origin(self, request: Request, name: Literal["api", "checkout"]) -> str:
        """Scheme and host of an origin, as the caller of this request reaches it; its base path is not part of it."""
        here = f"{request.scope['scheme']}://{request.headers.get('host', '')}"
        return self.profile.site(self.profile.api_site(here), name)


class Dialect(Protocol):
    """One gateway on the wire. ``canary`` is a text that every answer made on purpose carries, so that a leak shows."""

    @property
    def app(self) -> ASGIApp:
        """Serves the API and the hosted pages."""
        ...

    @property
    def paid_status(self) -> str:
        """The gateway's word for a payment that was paid."""
        ...

    def keys(self) -> Mapping[str, str]:
        """Fresh credentials in the gateway's own shape, by the names that the profile declares."""
        ...

    def payment_id(self) -> str:
        """A fresh payment id."""
        ...

    def transaction_id(self) -> str:
        """A fresh transaction id."""
        ...

    def is_page(self, path: str) -> bool:
        """Whether a path belongs to the hosted checkout, which customers open, and not to the API."""
        ...

    def error(self, name: str, canary: str = "") -> Response:
        """One of the profile's errors, to the letter."""
        ...

    def unauthorized(self, canary: str = "") -> Response:
        """The answer that tells a client to get a new access token."""
        ...

    def limited(self, seconds: int, canary: str = "") -> Response:
        """The answer to too many calls: 429 with Retry-After."""
        ...

    def envelope(self, status: int, text: str) -> Response:
        """Any status and text in the gateway's own error shape."""
        ...

    def outside(self, status: int, text: str) -> Response:
        """Any status and text in the shape of the framework behind the gateway."""
        ...

    def status_answer(self, payment: Payment, role: Role) -> Response:
        """The answer that tells how this payment stands, to a call of a role in ``VERIFYING``. Behind a relay it is a payment that this
        dialect did not open, and ``extra`` is empty."""
        ...

    def notices(self, payment: Payment, event: str) -> tuple[tuple[str, bytes], ...]:
        """(id, body) of each notice that the gateway sends when the ledger writes ``event``, in their order; none where it tells
        nobody. ``extra`` is empty for a payment that nobody opened."""
        ...

    def example(self, base_url: str, client_id: str, secret_key: str) -> tuple[str, ...]:
        """Commands to copy that try the API by hand, for ``payproof serve``."""
        ...

    async def aclose(self) -> None:
        """End what the gateway does by itself: notices that are still to be sent, say."""
        ...


def load(deps: GatewayDeps) -> Dialect:
    """The dialect of the profile.

    Raises:
        PayproofError: this gateway has a profile and no dialect.
    """
    name = deps.profile.dialect or f"payproof.simulator.gateways.{deps.profile.name.replace('-', '_')}"
    if (found := module(name)) is None:
        raise PayproofError(
            f'the simulator cannot play "{deps.profile.name}"', place='key "gateway"', remedy="choose another gateway"
        )
    made: Dialect = found.dialect(deps)
    return made
