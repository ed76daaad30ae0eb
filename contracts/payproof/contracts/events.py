"""What one exchange with a gateway said, in neutral words: one type for each role that a call can have.

A profile reads events off the wire. Each has an asked half (what the integration sent) and an answered half (what the
gateway replied; None where it said nothing of the kind); every field says which it belongs to. Amounts are decimal texts in
major units; ``spelled`` is what stood on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias, get_args

from payproof.contracts.late_types import ToldBy

Role: TypeAlias = Literal["authenticate", "open", "confirm", "settle", "refund", "verify-notice"]
"""What a call does for a payment: get an access token, open a payment, ask how it stands, take the money, give it back, have a
notice's signature checked."""
ROLES: tuple[Role, ...] = get_args(Role)
VERIFYING: tuple[Role, ...] = ("confirm", "settle")
"""Roles whose answers are the gateway's word on whether a payment was made."""
VERIFICATION = "verification"
"""All of ``VERIFYING`` in one word: where a call is chosen by its role, by its name, or by this."""


ACCESS_TOKEN = "access-token"
"""Name of the credential that a token call issues."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that the gateway finds wrong. ``name``, ``issue``: words for programs; ``text``: for people who program."""

    text: str = ""
    name: str = ""
    issue: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What every exchange says."""

    operation: str = ""
    """The gateway's own name for the call; empty for a path that it does not have."""
    sent: Mapping[str, str] = field(default_factory=dict[str, str])
    """Asked: name of a credential of the profile -> the value that was sent, access tokens included."""
    idempotency_key: str | None = None
    """Asked."""
    ok: bool = False
    """Answered: with success, in the gateway's own form."""
    problems: tuple[Problem, ...] = ()
    """Answered."""
    payment: str | None = None
    """The payment that this is about: the one that was asked for, or the one that an answer opened."""

    def is_one_of(self, *names: str) -> bool:
        """Whether the call has one of these roles or names; ``verification`` is every role in ``VERIFYING``."""
        role: str = getattr(self, "role", "")
        return bool(self.operation) and (
            self.operation in names or role in names or (VERIFICATION in names and role in VERIFYING)
        )

    @property
    def bearer(self) -> str:
        """The access token that was sent; empty when none was."""
        return self.sent.get(ACCESS_TOKEN, "")

    @property
    def texts(self) -> tuple[str, ...]:
        """The problems in the gateway's own words."""
        return tuple(problem.text or problem.issue or problem.name for problem in self.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(Event):
    """A call that the profile does not have, or that cannot be read."""

    role: Literal[""] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticated(Event):
    """A token call."""

    role: Literal["authenticate"] = "authenticate"
    issued: str | None = None
    """Answered: the access token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Event):
    """A call that opens a payment. All but ``payment_url`` was asked."""

    role: Literal["open"] = "open"
    amount: str | None = None
    spelled: str | None = None
    currency: str | None = None
    reference: str | None = None
    """The merchant's order id as sent."""
    return_url: str | None = None
    cancel_url: str | None = None
    varies: bool = False
    """The customer may lawfully be charged another amount than this: less a discount, with tax or postage."""
    payment_url: str | None = None
    """Answered: where the customer pays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _PaymentStatus(Event):
    """How a payment stands, as the gateway tells it; ``payment`` is the one that was asked for, all else was answered."""

    answered: str | None = None
    """The payment that the answer speaks of."""
    paid: bool | None = None
    outcome: str = ""
    """The gateway's own word for its state."""
    transaction: str | None = None
    amount: str | None = None
    spelled: str | None = None
    currency: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed(_PaymentStatus):
    """A status check."""

    role: Literal["confirm"] = "confirm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled(_PaymentStatus):
    """A capture: the integration takes the money."""

    role: Literal["settle"] = "settle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded(Event):
    """A call that gives money back."""

    role: Literal["refund"] = "refund"
    amount: str | None = None
    """Asked; None: all that is left."""
    spelled: str | None = None
    currency: str | None = None
    refund: str | None = None
    """Answered: the refund's id."""
    outcome: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeVerified(Event):
    """A call that has the gateway check a notice's signature."""

    role: Literal["verify-notice"] = "verify-notice"
    genuine: bool | None = None
    """Answered."""


AnyEvent: TypeAlias = Annotated[
    Unknown | Authenticated | Opened | Confirmed | Settled | Refunded | NoticeVerified, ToldBy("role")
]
PaymentStatus: TypeAlias = Confirmed | Settled


@dataclass(frozen=True, slots=True, kw_only=True)
class Notified:
    """What a notice says, as the profile reads it off a delivery's bytes."""

    event: str
    """The gateway's own name of what happened."""
    id: str = ""
    payment: str = ""
    """Empty where the notice does not call it by the id that opened it (but by its transaction's, say): who sends it knows."""
    paid: bool | None = None
    amount: str | None = None
    currency: str | None = None
    reference: str | None = None


def issued_by(event: AnyEvent) -> str:
    """The access token that an answer issued; empty where it issued none."""
    return (event.issued or "") if isinstance(event, Authenticated) else ""


def names_in(event: AnyEvent) -> set[str]:
    """What an event calls its payment and its order: ids, transaction, reference."""
    found = {event.payment}
    if isinstance(event, Opened):
        found.add(event.reference)
    elif isinstance(event, Confirmed | Settled):
        found |= {event.answered, event.transaction, event.reference}
    return {name for name in found if name}


def from_meaning(old: Mapping[str, Any]) -> dict[str, Any]:
    """The event that a run of format 1 kept as a ``meaning``: one bag of fields for every operation."""
    operation = str(old.get("operation") or "")
    role = {"token": "authenticate", "create": "open", "status": "confirm"}.get(operation, "")
    names = ("client_id", "client-id"), ("secret", "secret-key"), ("bearer", "access-token")
    found: dict[str, Any] = {
        "role": role,
        "operation": operation,
        "sent": {new: old[name] for name, new in names if old.get(name)},
        "problems": [{"text": text} for text in old.get("errors") or ()],
    }
    common = ("idempotency_key", "ok", "payment")
    own = {
        "authenticate": ("issued",),
        "open": ("amount", "currency", "reference", "return_url", "cancel_url", "payment_url"),
        "confirm": ("answered", "paid", "outcome", "transaction", "amount", "currency", "reference"),
    }.get(role, ())
    return found | {name: old[name] for name in (*common, *own) if name in old}
