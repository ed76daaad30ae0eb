"""What a fault is, as a value: which misbehaviour, of which calls, before or after their effect.

The misbehaviours themselves are classes in ``payproof.simulator.faults``; probes and the control application arm them
by name. Some act before a request is read: on a connection, on a TLS handshake, on the port itself. They know nothing of calls,
and take the filters that their kind has (docs/faults.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from payproof.contracts.model import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSpec:
    """A fault to arm. The empty text of a filter means "any"."""

    name: str
    """Name in the simulator's registry of faults (``payproof list faults``)."""
    operation: str = ""
    """Only calls of this role, or of this name of the gateway's own; ``verification``: calls whose answer tells how a payment stands."""
    path: str = ""
    """Only calls whose path contains this."""
    payment: str = ""
    """Only calls about this payment."""
    reference: str = ""
    """Only calls whose reference (the order's id) contains this, or that ask about such an order's payment."""
    after_effect: bool = False
    """The gateway does its work first, and then misbehaves: the payment exists but the answer is lost."""
    times: int | None = None
    """How many calls (connections, handshakes) are hit; None: all, until the fault is cleared."""
    skip: int = 0
    """How many of those that match pass untouched first."""
    share: float = 1.0
    """Share of those that match that are hit, drawn with the simulator's seed."""
    params: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """What the fault itself wants to know: ``error``, ``seconds``, ``canary``, ``status`` ..."""
