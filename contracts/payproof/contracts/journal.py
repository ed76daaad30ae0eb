"""The journal: the ordered record of everything that happened in a world, one entry a line.

Entries are values. Times (``at``, ``began``, ``ended``) are seconds since the run began. Every text in them has passed
the veil, so a journal holds placeholders and never a secret. A run on disk is JSON lines: a header, then one line an
entry with its world's name, then an end line with the digest of all lines before it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import operator
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, TypeVar, cast

from pydantic import Field, TypeAdapter, ValidationError

from payproof.contracts.model import Json, PayproofError, Pointer
from payproof.contracts.secrets import Veil

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What an exchange with the gateway says, in neutral words. A profile reads it off the wire.

    Asked: what the integration sent. Answered: what the gateway replied; None where it said nothing of the kind.
    Amounts are decimal texts in major units.
    """

    operation: str = ""
    """``token``, ``create``, ``status``, ``capture``, ``refund``; empty for a path that the profile does not have."""
    client_id: str = ""
    secret: str = ""
    bearer: str = ""
    amount: str | None = None
    currency: str | None = None
    return_url: str | None = None
    cancel_url: str | None = None
    reference: str | None = None
    """The merchant's order id as sent (the custom field)."""
    idempotency_key: str | None = None
    payment: str | None = None
    """The payment that the request asks about, or that an answer to ``create`` opened."""
    answered: str | None = None
    """The payment that an answer to a status check speaks of."""
    ok: bool = False
    """The gateway answered with success, in the profile's own form."""
    errors: tuple[str, ...] = ()
    issued: str | None = None
    """The access token of an answer."""
    payment_url: str | None = None
    paid: bool | None = None
    outcome: str = ""
    transaction: str | None = None


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
    request: Request
    response: Response | None = None
    meaning: Meaning = field(default_factory=Meaning)
    fault: str = ""

    @property
    def seconds(self) -> float:
        return self.ended - self.began


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
class Ledger(Entry):
    """The gateway's own books: token_issued, opened, charged, refused, cancelled, expired."""

    kind: Literal["ledger"] = "ledger"  # type: ignore[misc]
    event: Literal["token_issued", "opened", "updated", "charged", "refused", "cancelled", "expired"]
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
class Story(Entry):
    """Where one telling of a probe begins and ends. ``params`` are the facts that checks need."""

    kind: Literal["story"] = "story"  # type: ignore[misc]
    event: Literal["begin", "end"]
    probe: str
    params: Mapping[str, Json] = field(default_factory=dict[str, Json])


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection(Entry):
    """A connection to the gateway that never became a request: a failed TLS handshake, say."""

    kind: Literal["connection"] = "connection"  # type: ignore[misc]
    event: Literal["handshake_failed", "refused", "closed_silent", "reset"]
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSeen(Entry):
    """What the scan of the declared source found; never the value itself. ``what`` empty: the scan came to its end."""

    kind: Literal["source"] = "source"  # type: ignore[misc]
    area: Literal["source", "frontend"]
    path: str = ""
    line: int = 0
    what: str = ""
    files: int = 0


AnyEntry: TypeAlias = Annotated[
    Call
    | Page
    | Ledger
    | Log
    | Checkout
    | OrderSeen
    | FaultSet
    | Process
    | Story
    | Step
    | Alert
    | Connection
    | SourceSeen,
    Field(discriminator="kind"),
]
_ENTRY: TypeAdapter[AnyEntry] = TypeAdapter(AnyEntry)
E = TypeVar("E", bound=Entry)


class Journal:
    """Collects a world's entries: numbers them, stamps them, draws the veil over them.

    ``listener`` is told of each entry, after it is recorded (for waiting without sleeping, and for progress).
    """

    def __init__(self, veil: Veil | None = None, *, clock: Callable[[], float] | None = None) -> None:
        self.veil = veil or Veil()
        started = time.monotonic()
        self._clock = clock or (lambda: time.monotonic() - started)
        self.entries: list[Entry] = []
        self.listeners: list[Callable[[Entry], None]] = []
        self._next = 1

    def now(self) -> float:
        """Seconds since the run began."""
        return self._clock()

    def add(self, entry: E) -> E:
        fields = _covered_fields(entry, self.veil)
        fields |= {"n": self._next, "at": round(self.now(), 4)}
        covered = type(entry)(**fields)
        self._next += 1
        self.entries.append(covered)
        for listener in tuple(self.listeners):
            listener(covered)
        return covered

    def clear(self) -> None:
        """Forget the entries; their numbers are not given again."""
        self.entries.clear()


def _covered(value: Any, veil: Veil) -> Any:
    """``value`` with the veil drawn over every text in it; the same object where there was nothing to hide."""
    kind = value.__class__
    if kind is str:
        return veil.cover(value)
    if kind in _NO_TEXT:
        return value
    if isinstance(value, _SEQUENCES):
        covered = [_covered(item, veil) for item in value]  # pyright: ignore
        return value if all(map(operator.is_, covered, value)) else kind(covered)  # pyright: ignore
    if _names_of(kind):
        fields = _covered_fields(value, veil)
        return value if all(getattr(value, name) is new for name, new in fields.items()) else kind(**fields)
    if isinstance(value, Mapping):
        return {_covered(key, veil): _covered(item, veil) for key, item in value.items()}  # pyright: ignore
    return veil.cover(str(value)) if isinstance(value, str) else value


_NO_TEXT = frozenset({type(None), bool, int, float})
_SEQUENCES = (tuple, list)


def _covered_fields(value: Any, veil: Veil) -> dict[str, Any]:
    """A dataclass's fields by name, covered."""
    return {name: _covered(getattr(value, name), veil) for name in _names_of(value.__class__)}


@cache
def _names_of(kind: type) -> tuple[str, ...]:
    """Names of a dataclass's fields; empty for any other type."""
    return tuple(field.name for field in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What checks may know of the configuration: promises and abilities, never a secret."""

    workers: int = 1
    within: float = 0.0
    """Seconds that a background verification may take; 0 when not declared."""
    counts_effects: bool = False
    shows_flags: bool = False
    names_orders: bool = True
    """The checkout request or its answer tells the order's id."""
    tells_orders_apart: bool = True
    """Two checkouts of one order can be told from two orders (an id in the request, or a session before it)."""
    addresses_orders: bool = True
    """The customer can ask for the checkout of one certain order again."""
    sets_amount: bool = True
    """The checkout request tells the order's amount, or the configuration does."""
    sets_currency: bool = True
    fee: str = ""
    alert_channel: str = ""
    scans_source: bool = False
    scans_frontend: bool = False
    own_credentials: bool = True
    """Each world has credentials of its own (false: the integration was started by somebody else)."""
    restarts: bool = True
    secure: bool = True
    """The gateway's base URL is https."""
    secure_note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One target, one running instance, one journal."""

    name: str
    entries: tuple[Entry, ...]

    def of(self, kind: type[E]) -> Iterator[E]:
        return (entry for entry in self.entries if isinstance(entry, kind))

    def point(self, *entries: Entry | None) -> tuple[Pointer, ...]:
        """Evidence: pointers to these entries."""
        return tuple(Pointer(self.name, entry.n) for entry in entries if entry is not None)


@dataclass(frozen=True, kw_only=True)
class Run:
    """All that checks see: which gateway, which promises, every world's journal."""

    gateway: str
    settings: Settings = field(default_factory=Settings)
    worlds: tuple[World, ...] = ()
    selected: tuple[str, ...] = ()
    """Requirements that were asked for; empty: all of the profile."""
    left_out: tuple[str, ...] = ()
    """Probes that this run did not perform (``--quick``, ``--only``, no power over the gateway)."""
    skipped: tuple[str, ...] = ()
    """Requirements that nobody could judge because the run was shortened: all of their probes were left out on purpose."""
    scored: bool = True
    diagnosis: tuple[str, ...] = ()
    facts: Mapping[str, Json] = field(default_factory=dict[str, Json])

    @cached_property
    def by_name(self) -> Mapping[str, World]:
        return {world.name: world for world in self.worlds}

    def entry(self, pointer: Pointer) -> Entry | None:
        world = self.by_name.get(pointer.world)
        return next((entry for entry in world.entries if entry.n == pointer.entry), None) if world else None


def digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def dump(run: Run) -> str:
    """The run as JSON lines. ``load`` gives the same run back."""
    head: dict[str, Any] = {
        "payproof": "run",
        "format": 1,
        "gateway": run.gateway,
        "settings": dataclasses.asdict(run.settings),
        "worlds": [world.name for world in run.worlds],
        "selected": run.selected,
        "left_out": run.left_out,
        "skipped": run.skipped,
        "scored": run.scored,
        "diagnosis": run.diagnosis,
        "facts": dict(run.facts),
    }
    lines = [json.dumps(head, ensure_ascii=True)]
    # The journal's texts may hold what no UTF-8 file can: json escapes lone surrogates when asked for ASCII.
    lines += [
        json.dumps({"world": world.name, **_ENTRY.dump_python(cast("AnyEntry", entry))}, ensure_ascii=True)
        for world in run.worlds
        for entry in world.entries
    ]
    body = "\n".join(lines)
    return f"{body}\n{json.dumps({'end': len(lines) - 1, 'digest': digest(body)})}\n"


def load(text: str, *, place: str = "the run file") -> Run:
    """Read what ``dump`` wrote.

    Raises:
        PayproofError: not a run, cut short, or changed since it was written (the digest does not agree).
    """
    lines = text.splitlines()
    try:
        head, end = json.loads(lines[0]), json.loads(lines[-1])
        if head.get("payproof") != "run" or "digest" not in end:
            raise ValueError("no header or no end line")
    except (IndexError, ValueError, AttributeError) as error:
        raise PayproofError(
            f"not a whole payproof run: {error}",
            place=place,
            remedy="give the run.jsonl that `payproof run` wrote into its report folder",
        ) from None
    if end["digest"] != digest("\n".join(lines[:-1])):
        raise PayproofError(
            "the journal was changed or cut after it was written: its digest does not agree",
            place=place,
            remedy="judge the original file, or run again",
        )
    entries: dict[str, list[Entry]] = {name: [] for name in head["worlds"]}
    for number, line in enumerate(lines[1:-1], start=2):
        try:
            raw = json.loads(line)
            entries[raw.pop("world")].append(_ENTRY.validate_python(raw))
        except (ValidationError, ValueError, KeyError) as error:
            raise PayproofError(f"line {number} is not a journal entry: {error}", place=place) from None
    return Run(
        gateway=head["gateway"],
        settings=Settings(**head["settings"]),
        worlds=tuple(World(name=name, entries=tuple(found)) for name, found in entries.items()),
        selected=tuple(head["selected"]),
        left_out=tuple(head["left_out"]),
        skipped=tuple(head["skipped"]),
        scored=head["scored"],
        diagnosis=tuple(head["diagnosis"]),
        facts=head["facts"],
    )


def read(path: Path) -> Run:
    """``load`` from a file."""
    try:
        return load(path.read_text(encoding="utf-8"), place=str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise PayproofError(
            f"cannot read the run: {error}", place=str(path), remedy="check the path, or run `payproof run` first"
        ) from None
