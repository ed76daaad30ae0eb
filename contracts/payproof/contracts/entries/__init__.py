"""Journal entries: values, one kind for each sort of thing that happens in a world."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from payproof.contracts.entries.entry import E, Entry
from payproof.contracts.entries.exchange import BODY_LIMIT, Headers, Request, Response, header
from payproof.contracts.entries.gateway import Call, Connection, ConnectionEvent, FaultSet, Ledger, LedgerEvent
from payproof.contracts.entries.notices import FORGERIES, Delivery, Forgery
from payproof.contracts.entries.probe_run import BROKEN_OFF, ProbeMark, ReplayDifference, Step
from payproof.contracts.entries.shop import Alert, Checkout, Log, OrderSeen, Page, Process, SourceSeen
from payproof.contracts.late_types import ToldBy

AnyEntry: TypeAlias = Annotated[
    Call
    | Delivery
    | Page
    | Ledger
    | Log
    | Checkout
    | OrderSeen
    | FaultSet
    | Process
    | ProbeMark
    | Step
    | Alert
    | Connection
    | SourceSeen
    | ReplayDifference,
    ToldBy("kind"),
]

__all__ = [
    "BODY_LIMIT",
    "BROKEN_OFF",
    "FORGERIES",
    "Alert",
    "AnyEntry",
    "Call",
    "Checkout",
    "Connection",
    "ConnectionEvent",
    "Delivery",
    "E",
    "Entry",
    "FaultSet",
    "Forgery",
    "Headers",
    "Ledger",
    "LedgerEvent",
    "Log",
    "OrderSeen",
    "Page",
    "ProbeMark",
    "Process",
    "ReplayDifference",
    "Request",
    "Response",
    "SourceSeen",
    "Step",
    "header",
]
