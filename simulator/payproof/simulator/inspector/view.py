"""What the page shows of an entry, a payment, a fault: plain values for the templates."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

from payproof.contracts.entries import Call, Connection, Delivery, Entry, FaultSet, Headers, Ledger, Step
from payproof.contracts.journal import Journal
from payproof.contracts.profile import Profile
from payproof.simulator.books.records import PaymentView
from payproof.simulator.call_words import answered, asked, plain
from payproof.simulator.faults.registry import FILTERS, kind_of, registered
from payproof.simulator.inspector.curl import curl

Tone: TypeAlias = Literal["good", "bad", "note", "money"]
_MONEY = frozenset(
    {"charged", "refused", "declined", "cancelled", "expired", "refunded", "reversed", "pending", "approved"}
)
_DONE = {"charged": "was paid", "pending": "is not decided yet"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedLine:
    """One line of the list. ``status``, ``took``: of an exchange; ``detail``: there is more to be unfolded."""

    n: int
    at: str
    what: str
    summary: str
    answer: str = ""
    status: str = ""
    took: str = ""
    fault: str = ""
    tone: Tone
    detail: bool = False


def lines(entries: Iterable[Entry], journal: Journal, profile: Profile) -> list[ListedLine]:
    """The newest first; what says nothing new is left out."""
    began = time.time() - journal.now()
    found = (_line(entry, datetime.fromtimestamp(began + entry.at).strftime("%H:%M:%S"), profile) for entry in entries)
    return [line for line in found if line is not None][::-1]


def _line(entry: Entry, at: str, profile: Profile) -> ListedLine | None:
    match entry:
        case Call():
            return _call(entry, at, profile)
        case Delivery():
            answer = f"HTTP {entry.response.status}" if entry.response else plain(entry.problem)
            summary = f"{entry.event or entry.id}, attempt {entry.attempt}" + (
                f", forged ({entry.forged})" if entry.forged else ""
            )
            return ListedLine(
                n=entry.n, at=at, what="notice", summary=plain(summary), answer=answer, took=f"{entry.seconds * 1000:.0f} ms",
                status=str(entry.response.status) if entry.response else "–", tone="good" if entry.accepted else "bad", detail=True,
            )  # fmt: skip
        case Ledger() if entry.event in _MONEY:
            summary = f"{entry.reference or entry.payment[:10]} {_DONE.get(entry.event, f'was {entry.event}')}, {entry.amount} {entry.currency}"
            return ListedLine(n=entry.n, at=at, what="ledger", summary=plain(summary), tone="money")
        case FaultSet():
            what = f"{entry.name}{f' on {entry.operation}' if entry.operation else ''} {entry.event}"
            return ListedLine(n=entry.n, at=at, what="fault", summary=plain(what), tone="note")
        case Step():
            return ListedLine(n=entry.n, at=at, what="control", summary=plain(entry.text), tone="note")
        case Connection() if entry.event not in ("served", "unused"):
            summary = " ".join(filter(None, (entry.event.replace("_", " "), entry.detail, entry.alert)))
            took = f"{entry.seconds * 1000:.0f} ms" if entry.seconds is not None else ""
            return ListedLine(
                n=entry.n, at=at, what="connection", summary=plain(summary), took=took, fault=entry.fault, tone="bad"
            )
        case _:
            return None


def _call(call: Call, at: str, profile: Profile) -> ListedLine:
    path = urlsplit(call.request.url).path.removeprefix(profile.base_path) or "/"
    good = call.event.ok and call.response is not None
    return ListedLine(
        n=call.n, at=at, what=plain(call.event.operation or f"{call.request.method} {path}"), summary=plain(asked(call)),
        answer=plain(answered(call)), status=str(call.response.status) if call.response else "–",
        took=f"{call.seconds * 1000:.0f} ms", fault=call.fault, tone="good" if good else "bad", detail=True,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """One half of an exchange, as it passed."""

    first: str
    headers: Headers
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    n: int
    asked: Half
    answered: Half | None
    ending: str
    curl: str


def detail(entry: Call | Delivery) -> Detail:
    """An exchange with both halves, JSON indented."""
    request, response = entry.request, entry.response
    first = f"HTTP {response.status}, {response.size:,} bytes" if response else ""
    return Detail(
        n=entry.n,
        asked=Half(first=f"{request.method} {request.url}", headers=request.headers, body=_indented(request.body)),
        answered=Half(first=first, headers=response.headers, body=_indented(response.body)) if response else None,
        ending=answered(entry) if isinstance(entry, Call) else entry.problem,
        curl=curl(request),
    )


def _indented(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False) if body[:1] in "{[" and body else body
    except (ValueError, RecursionError):
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class Paying:
    """A payment as the page shows it. ``handle`` names it without telling its id, which is a secret on some gateways."""

    handle: str
    reference: str
    payment: str
    amount: str
    status: str
    charged: int
    url: str
    """Where the customer pays; empty where that is not known, or would tell a secret."""


def handle_of(payment: str) -> str:
    return hashlib.sha256(payment.encode("utf-8", "replace")).hexdigest()[:16]


def paying(view: PaymentView, journal: Journal, url: str) -> Paying:
    shown = journal.redactor.redact(view.payment)
    return Paying(
        handle=handle_of(view.payment), reference=plain(view.reference) or "no order id", payment=plain(shown),
        amount=plain(f"{view.amount} {view.currency}"), status=plain(view.status).lower(), charged=view.charged,
        url=url if url.startswith(("http://", "https://")) and "<" not in url else "",
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A field of a form. ``choices``: the values that there are, where they can be told."""

    name: str
    default: str
    numeric: bool
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """A fault that can be armed. ``limited``: to certain calls."""

    name: str
    does: str
    kind: str
    limited: bool
    parameters: tuple[Parameter, ...]


def switches(profile: Profile) -> tuple[Switch, ...]:
    """Every fault of the registry."""
    return tuple(
        Switch(
            name=name,
            does=" ".join((cls.__doc__ or "").split()),
            kind=kind_of(name),
            limited="operation" in FILTERS[kind_of(name)],
            parameters=tuple(_parameters(cls, profile)),
        )
        for name, cls in registered().items()
    )


def _parameters(cls: type[Any], profile: Profile) -> Iterator[Parameter]:
    hints = get_type_hints(cls)
    for field in dataclasses.fields(cls):
        if field.name == "canary":
            continue
        choices = get_args(hints[field.name]) if get_origin(hints[field.name]) is Literal else ()
        if field.name == "error":
            choices = tuple(profile.errors)
        default = "" if field.default in (None, dataclasses.MISSING) else str(field.default)
        numeric = any(kind in (int, float) for kind in (hints[field.name], *get_args(hints[field.name])))
        yield Parameter(name=field.name, default=default, numeric=numeric, choices=tuple(map(str, choices)))
