"""Entries about the gateway: calls, connections, its books, and what goes wrong there on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from payproof.contracts.entries.entry import Entry
from payproof.contracts.entries.exchange import Request, Response
from payproof.contracts.events import AnyEvent, Confirmed, Opened, PaymentStatus, Role, Settled, Unknown, issued_by
from payproof.contracts.model import Json

_NOTHING_OPENED, _NO_STATUS = Opened(), Confirmed()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Entry):
    """A request of the integration to the gateway, written when it is over."""

    kind: Literal["call"] = "call"  # type: ignore[misc]
    began: float
    ended: float
    ending: Literal["answered", "hung_up", "cut", "held"]
    """``hung_up``: the client closed first. ``cut``: we broke it off. ``held``: still open when the world ended."""
    secure: bool = True
    nth: int = 0
    """Which call on its connection: 1 is the first on a fresh one, 0 is not known."""
    request: Request
    response: Response | None = None
    event: AnyEvent = field(default_factory=Unknown)
    fault: str = ""

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    @property
    def role(self) -> Role | Literal[""]:
        """What the call does for a payment; empty for one that the gateway does not have."""
        return self.event.role

    def is_one_of(self, *names: str) -> bool:
        """Whether the call has one of these roles, or one of these names of the gateway's own; ``verification``: a role in ``VERIFYING``."""
        return self.event.is_one_of(*names)

    @property
    def opened(self) -> Opened:
        """What a call says that opens a payment; nothing for any other call."""
        return self.event if isinstance(self.event, Opened) else _NOTHING_OPENED

    @property
    def payment_status(self) -> PaymentStatus:
        """What a call says of how a payment stands; nothing for any other call."""
        return self.event if isinstance(self.event, Confirmed | Settled) else _NO_STATUS

    @property
    def issued(self) -> str:
        """The access token that the answer issued; empty where it issued none."""
        return issued_by(self.event)


LedgerEvent: TypeAlias = Literal[
    "token_issued", "opened", "updated", "approved", "charged", "pending", "declined", "refused", "cancelled", "expired", "refunded",
    "reversed",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger(Entry):
    """The gateway's own books. ``approved``: the customer agrees, and the money is not taken yet. ``declined``: the integration
    tried to take it, in vain. ``pending``: it is not decided yet. ``reversed``: an approval that nobody used in time."""

    kind: Literal["ledger"] = "ledger"  # type: ignore[misc]
    event: LedgerEvent
    payment: str = ""
    reference: str = ""
    amount: str = ""
    currency: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSet(Entry):
    kind: Literal["fault"] = "fault"  # type: ignore[misc]
    event: Literal["armed", "cleared"]
    name: str
    operation: str = ""
    detail: Mapping[str, Json] = field(default_factory=dict[str, Json])


_SHORTEST_LIMIT = 1.0
"""Seconds that somebody who connects may give it at least."""

ConnectionEvent: TypeAlias = Literal[
    "served", "unused", "silent", "unaccepted", "handshake_failed", "refused", "closed_silent", "reset", "retired",
    "malformed",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection(Entry):
    """A connection of the integration to the gateway, written when it is over. Times are seconds since it was accepted.

    ``served``: at least one call was read, and has an entry of its own. ``unused``: it ended before a whole call had come, perhaps
    after a handshake (some clients look at the certificate only then). ``silent``: a fault took it and let it wait.
    ``unaccepted``: an attempt to connect that met a full backlog, its times taken from the system's table of sockets.
    ``handshake_failed``: TLS came to no end. ``refused``: it was there already when the port began to refuse; those that
    come after that are seen by nobody. ``closed_silent``, ``reset``: a fault ended it without a byte. ``retired``: the request came
    on a kept connection that we had closed before. ``malformed``: what came was no HTTP, was too long, or took too long; ``detail``
    says which.
    """

    kind: Literal["connection"] = "connection"  # type: ignore[misc]
    event: ConnectionEvent
    detail: str = ""
    fault: str = ""
    """The fault of the connection, of the handshake or of the port that it met."""
    began: float | None = None
    """When it was accepted, or first tried, in seconds since the run began."""
    seconds: float | None = None
    """How long it lasted."""
    ended_by: Literal["client", "gateway", ""] = ""
    """``gateway`` where we closed it: because of a fault, because the fault was cleared, or because the world ended."""
    first_byte: float | None = None
    """Until the client's first byte."""
    handshake: float | None = None
    """Until the TLS handshake was done; None where it never was."""
    tls: str = ""
    """The version that was agreed on (``TLSv1.3``); empty in plain text."""
    offered: tuple[str, ...] = ()
    """The versions that the client offered, newest first, as far as its ClientHello could be read."""
    server_name: str = ""
    """The host that the client's ClientHello named."""
    alert: str = ""
    """The TLS alert by which the client refused us: ``unknown ca``, ``certificate expired`` ..."""
    calls: int = 0
    """Calls that were read on it."""

    @property
    def distrusted(self) -> bool:
        """Ended by the client in the TLS handshake, or right after it, where some look at the certificate: without a call."""
        shook = self.event == "unused" and self.handshake is not None
        return (shook or self.event == "handshake_failed") and self.ended_by != "gateway"

    @property
    def hesitant(self) -> bool:
        """Distrusted perhaps, perhaps only too slow: it said nothing of a certificate, and lasted as long as a short time limit."""
        return self.distrusted and not self.alert and (self.seconds or 0.0) >= _SHORTEST_LIMIT

    @property
    def gave_up(self) -> float | None:
        """Seconds after which the client itself ended it; None where we did."""
        return self.seconds if self.ended_by == "client" else None
