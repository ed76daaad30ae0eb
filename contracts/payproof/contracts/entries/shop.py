"""Entries about the shop: what the customer is shown and believes, what the integration writes, does and holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from payproof.contracts.entries.entry import Entry
from payproof.contracts.entries.exchange import Request, Response


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Entry):
    """What the customer asked for and was shown. ``purpose`` names the customer's intent (checkout, return, order ...)."""

    kind: Literal["page"] = "page"  # type: ignore[misc]
    began: float
    ended: float
    where: Literal["integration", "checkout", "elsewhere"]
    purpose: str = ""
    order: str = ""
    customer: str = ""
    request: Request
    response: Response | None = None
    problem: str = ""
    """Why there is no response: refused, closed without an answer, timed out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout(Entry):
    """How the customer's attempt to start paying an order ended."""

    kind: Literal["checkout"] = "checkout"  # type: ignore[misc]
    order: str
    amount: str
    currency: str
    outcome: Literal["redirected", "refused", "broken", "no_answer", "elsewhere"]
    """``refused``: a page for people without a payment. ``broken``: 5xx that nobody wrote for people. ``elsewhere``:
    the customer ended on a page of the shop (the order's page, say) without an error."""
    payment: str = ""
    payment_url: str = ""
    page: int = 0
    """Number of the page entry that the customer ended on."""
    purpose: str = ""
    order_known: bool = True
    """Whether ``order`` is an id that the integration knows (false: our own label only)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSeen(Entry):
    """What the merchant believes of an order, as the observer read it."""

    kind: Literal["order"] = "order"  # type: ignore[misc]
    order: str
    state: str = ""
    paid: bool | None = None
    """None: the page could not be read, ``problem`` says why."""
    effects: int | None = None
    flagged: str = ""
    status: int = 0
    problem: str = ""
    page: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Log(Entry):
    """A line that the integration wrote. ``stream``: stdout, stderr or the file's name."""

    kind: Literal["log"] = "log"  # type: ignore[misc]
    stream: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Process(Entry):
    """The integration's process: started, ready, exited (by itself), stopped (by us)."""

    kind: Literal["process"] = "process"  # type: ignore[misc]
    event: Literal["started", "ready", "exited", "stopped"]
    code: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert(Entry):
    """Something arrived on the declared alert channel."""

    kind: Literal["alert"] = "alert"  # type: ignore[misc]
    channel: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSeen(Entry):
    """What the scan of the declared source found; never the value itself. ``what`` empty: the scan came to its end."""

    kind: Literal["source"] = "source"  # type: ignore[misc]
    area: Literal["source", "frontend"]
    path: str = ""
    line: int = 0
    what: str = ""
    files: int = 0
