"""Journal entries: values, one kind for each sort of thing that happens in a world.

Times (``at``, ``began``, ``ended``) are seconds since the run began.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, TypeAlias, TypeVar

from pydantic import Field

from payproof.contracts.events import AnyEvent, Confirmed, Opened, Role, Settled, Told, Unknown, issued_by
from payproof.contracts.model import Json

BODY_LIMIT = 64 * 1024
"""Characters of a body that an entry keeps; ``size`` tells the whole."""

Headers: TypeAlias = tuple[tuple[str, str], ...]


def header(headers: Iterable[tuple[str, str]], name: str, default: str = "") -> str:
    """The first header of that name, in any letter case."""
    return next((value for key, value in headers if key.lower() == name.lower()), default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    url: str
    headers: Headers = ()
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    status: int
    headers: Headers = ()
    body: str = ""
    size: int = 0
    """Bytes of the whole body, also where ``body`` is cut."""


_NOTHING_OPENED, _NOTHING_TOLD = Opened(), Confirmed()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    kind: ClassVar[str]
    n: int = 0
    at: float = 0.0


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
    def told(self) -> Told:
        """What a call says of how a payment stands; nothing for any other call."""
        return self.event if isinstance(self.event, Confirmed | Settled) else _NOTHING_TOLD

    @property
    def issued(self) -> str:
        """The access token that the answer issued; empty where it issued none."""
        return issued_by(self.event)


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
class Log(Entry):
    """A line that the integration wrote. ``stream``: stdout, stderr or the file's name."""

    kind: Literal["log"] = "log"  # type: ignore[misc]
    stream: str
    text: str


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
class FaultSet(Entry):
    kind: Literal["fault"] = "fault"  # type: ignore[misc]
    event: Literal["armed", "cleared"]
    name: str
    operation: str = ""
    detail: Mapping[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True, kw_only=True)
class Process(Entry):
    """The integration's process: started, ready, exited (by itself), stopped (by us)."""

    kind: Literal["process"] = "process"  # type: ignore[misc]
    event: Literal["started", "ready", "exited", "stopped"]
    code: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeMark(Entry):
    """Where one telling of a probe begins and ends. ``params`` are the facts that checks need."""

    kind: Literal["story"] = "story"  # type: ignore[misc]
    event: Literal["begin", "end"]
    probe: str
    params: Mapping[str, Json] = field(default_factory=dict[str, Json])


BROKEN_OFF = "broken off"
"""Parameter of a story's end that came from outside, in the middle of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Entry):
    """One sentence of a story: what the customer or the gateway now does."""

    kind: Literal["step"] = "step"  # type: ignore[misc]
    text: str
    name: str = ""
    facts: Mapping[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert(Entry):
    """Something arrived on the declared alert channel."""

    kind: Literal["alert"] = "alert"  # type: ignore[misc]
    channel: str
    text: str


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
    def gave_up(self) -> float | None:
        """Seconds after which the client itself ended it; None where we did."""
        return self.seconds if self.ended_by == "client" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSeen(Entry):
    """What the scan of the declared source found; never the value itself. ``what`` empty: the scan came to its end."""

    kind: Literal["source"] = "source"  # type: ignore[misc]
    area: Literal["source", "frontend"]
    path: str = ""
    line: int = 0
    what: str = ""
    files: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayDifference(Entry):
    """Where a replay and its recording do not agree. It is said and never smoothed over: a replay is not the real thing.

    ``unexpected``: nothing like it was recorded, so it got no real answer. ``repeated``: asked more often than recorded, and
    answered again. ``missing``: recorded, and never asked. ``order``: asked later than what followed it in the recording.
    ``changed``: asked otherwise, ``name`` says what of it.
    """

    kind: Literal["difference"] = "difference"  # type: ignore[misc]
    what: Literal["unexpected", "repeated", "missing", "order", "changed"]
    story: str = ""
    operation: str = ""
    """As in ``Event``; ``page`` for a hosted page."""
    name: str = ""
    recorded: str = ""
    actual: str = ""


Forgery: TypeAlias = Literal["unsigned", "empty", "half", "other-secret", "other-body", "old"]
"""What is wrong with a forged notice: no signature at all, one without a value, half of the right one, made with a secret that is
not the merchant's, made for another body; or right, and of a time that is past."""
FORGERIES: Mapping[Forgery, str] = {
    "unsigned": "without a signature",
    "empty": "with a signature that has no value",
    "half": "with half of its signature",
    "other-secret": "signed with another secret",
    "other-body": "with the signature of another body",
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
    Field(discriminator="kind"),
]
E = TypeVar("E", bound=Entry)
