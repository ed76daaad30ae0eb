"""Entries about the notices that the gateway sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from payproof.contracts.entries.entry import Entry
from payproof.contracts.entries.exchange import Request, Response

Forgery: TypeAlias = Literal["unsigned", "empty", "half", "other-secret", "other-body", "other-key", "old"]
"""What is wrong with a forged notice: no signature at all, one without a value, half of the right one, made with a secret (or for a
webhook) that is not the merchant's, made for another body, made with a key that is not the gateway's; or right, and of a time that
is past."""


FORGERIES: Mapping[Forgery, str] = {
    "unsigned": "without a signature",
    "empty": "with a signature that has no value",
    "half": "with half of its signature",
    "other-secret": "signed as for another merchant",
    "other-body": "with the signature of another body",
    "other-key": "signed with somebody else's key, whose certificate is elsewhere",
    "old": "signed long ago",
}
"""A forgery in words, after "a notice"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(Entry):
    """One attempt to hand a notice over to the integration, written when it is over."""

    kind: Literal["delivery"] = "delivery"  # type: ignore[misc]
    began: float
    event: str
    """The gateway's own name of what happened; empty where the notice does not say it."""
    id: str
    payment: str
    paid: bool | None = None
    """What the notice says of the payment."""
    amount: str | None = None
    currency: str | None = None
    attempt: int
    """From 1; deliveries of the same notice after it was answered with success count on."""
    forged: Forgery | Literal[""] = ""
    shape: str = ""
    """What was done to the body before it was signed; empty: it is as the gateway writes it."""
    request: Request
    response: Response | None = None
    seconds: float
    problem: str = ""
    """Why there is no response: refused, closed without an answer, too slow."""

    @property
    def genuine(self) -> bool:
        """The gateway's own notice, with a signature that is good now. What was done to its body before is another matter."""
        return not self.forged

    @property
    def accepted(self) -> bool:
        """Answered 2xx: the gateway repeats anything else."""
        return self.response is not None and 200 <= self.response.status < 300

    @property
    def plain(self) -> bool:
        """Genuine, and written as the gateway writes it."""
        return self.genuine and not self.shape
