"""Steps that checks look for: a probe journals one where something begins, and the checks that judge it find it by this name.

Both sides take the name from here, so that a slip in one of them is an error of types and never a silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

from payproof.contracts.entries import Entry, Step


class StepName(StrEnum):
    AGAIN = "again"
    """The customer starts once more to pay an order."""
    CANCELLED = "cancelled"
    """The customer cancelled."""
    CROWD = "crowd"
    """Many customers check out at once, on an expired token."""
    CUT = "cut"
    """Output of the integration was too long to keep: ``bytes``, of which ``stream``."""
    DECIDED = "decided"
    """A payment that was pending is decided: its money came, or never will (``came``)."""
    DISTRUST = "distrust"
    """From here the gateway cannot show who it is."""
    DRILL = "drill"
    """From here an alert is awaited."""
    DRILL_OVER = "over"
    ELSEWHERE = "elsewhere"
    """The integration, led to the gateway by the names of its hosts, wants to reach another one."""
    EXPIRED = "expired"
    """The payment expired at the gateway."""
    FORGED = "forged"
    """A success address is opened without a payment: ``url``."""
    GIVEN_BACK = "given-back"
    """All of the order is given back at the gateway."""
    GATE = "gate"
    """What connections to the gateway meet from now on: ``mode``."""
    LAST_WAIT = "last-wait"
    """The world looks at its unpaid orders for the last time, with no fault armed any more: ``promised`` seconds."""
    LATE = "late"
    """The customer pays after having cancelled or left."""
    LEFT_ALONE = "left-alone"
    """The probe was not run; the text says why."""
    MENDED = "mended"
    """The status check works again; a background job has ``promised`` seconds."""
    NEXT_NOTICE = "next-notice"
    """Another customer pays, and the gateway tells of that."""
    NOTICED = "noticed"
    """The gateway, or somebody in its name, tells the integration of a payment."""
    PAID = "paid"
    """The customer paid; what comes now goes wrong."""
    PENDING = "pending"
    """The customer has done their part; whether the money comes is not decided."""
    PROCESSES = "processes"
    """How many processes are ``serving``."""
    RECOVER = "recover"
    """The gateway works again; another customer pays."""
    REFUNDED = "refunded"
    """The merchant gives back ``amount`` of the order."""
    REFUSED = "refused"
    """The gateway refused the payment."""
    RENAMED = "renamed"
    """The integration calls our order ``ours`` by the id ``order``."""
    REPLAYED = "replayed"
    """A paid order's return is opened for the unpaid one."""
    RETURNED = "returned"
    """The customer comes back after all."""
    RETURNS = "returns"
    """The return URL is opened several times."""
    REVOKED = "revoked"
    """The secret key was revoked."""
    ROTATED = "rotated"
    """The secret key was replaced by ``secret``."""
    STUCK = "stuck-at-checkout"
    """The customer cannot go on at the hosted checkout."""
    STALE = "stale"
    """The cancel page, still open in another tab, is loaded again when the order has been paid."""
    TAMPERED = "tampered"
    """Status checks will answer another value (``answered``) of a ``field``."""
    TOKEN_ENDED = "token-ended"
    """The access token is not good any more."""
    TRIED = "tried"
    """The customer gave up, or the trouble ended."""
    NO_SUCH_NOTICE = "untold"
    """This gateway has no such notice."""
    WELL_AGAIN = "well-again"
    """The gateway's API works again."""


def renamed(entries: Iterable[Entry]) -> Iterator[tuple[str, str]]:
    """Orders that the integration calls by an id of its own making: ours, and its own."""
    for entry in entries:
        if isinstance(entry, Step) and entry.name == StepName.RENAMED:
            ours, own = entry.facts.get("ours"), entry.facts.get("order")
            if isinstance(ours, str) and isinstance(own, str):
                yield ours, own


def number(step: Step, fact: str) -> float:
    """A step's fact as a number; 0 where it has none."""
    value = step.facts.get(fact)
    return float(value) if isinstance(value, int | float) else 0.0
