"""A journal entry as a scene that a person can read: who does what, and what is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping

from payproof.contracts import money
from payproof.contracts.entries import (
    FORGERIES,
    Alert,
    Call,
    Checkout,
    Connection,
    ConnectionEvent,
    Delivery,
    Entry,
    FaultSet,
    Headers,
    Ledger,
    Log,
    OrderSeen,
    Page,
    ProbeMark,
    Process,
    ReplayDifference,
    Request,
    Response,
    SourceSeen,
    Step,
)
from payproof.contracts.model import Json
from payproof.reports.facts import clean
from payproof.reports.order_of_cause import began
from payproof.reports.scenes import Message, Scene
from payproof.reports.values import cut, pretty


def scene(entry: Entry, *, world: str, pointed: bool, limit: int) -> Scene:
    """``limit``: characters of a body or text that are shown."""
    actor, title, note = _described(entry)
    text, messages = "", tuple[Message, ...]()
    if isinstance(entry, Call | Delivery | Page):
        messages = _exchange(entry.request, entry.response, limit)
    if isinstance(entry, Log | Alert):
        text = cut(clean(entry.text), limit)
    return Scene(
        pointer=f"{world}#{entry.n}",
        n=entry.n,
        at=began(entry),
        actor=actor,
        title=clean(title),
        note=clean(note),
        text=text,
        messages=messages,
        pointed=pointed,
    )


def _described(entry: Entry) -> tuple[str, str, str]:
    """(actor, what happened, a remark)."""
    match entry:
        case Call():
            return "call", *_call(entry)
        case Page():
            return "customer", *_page(entry)
        case Delivery():
            return "call", *_delivery(entry)
        case Ledger():
            return "gateway", *_ledger(entry)
        case Checkout():
            return "customer", *_checkout(entry)
        case OrderSeen():
            return "order", *_order(entry)
        case ProbeMark() | Step():
            return "probe", *_probe(entry)
        case _:
            return _around(entry)


def _around(entry: Entry) -> tuple[str, str, str]:
    match entry:
        case Log():
            return "log", entry.stream, ""
        case FaultSet():
            where = f" on {entry.operation}" if entry.operation else ""
            return "fault", f"fault {entry.event}: {entry.name}{where}", _details(entry.detail)
        case Process():
            code = f" with exit code {entry.code}" if entry.code is not None else ""
            return "process", f"the integration {entry.event}{code}", entry.detail
        case Alert():
            return "alert", f"an alert arrives on {entry.channel}", ""
        case Connection():
            return "call", f"a connection: {_CONNECTIONS[entry.event]}", _connection(entry)
        case SourceSeen():
            found = f"{entry.path}:{entry.line}: {entry.what}" if entry.what else f"{entry.files} files read"
            return "process", f"source scan ({entry.area}): {found}", ""
        case ReplayDifference():
            return "gateway", f"not as recorded: {differing(entry)}", entry.story
        case _:
            return "process", type(entry).__name__, ""


_CONNECTIONS: Mapping[ConnectionEvent, str] = {
    "served": "it served calls",
    "unused": "no call came on it",
    "silent": "the gateway accepted it and said nothing",
    "unaccepted": "nobody accepted it",
    "handshake_failed": "the TLS handshake failed",
    "refused": "its call was refused",
    "closed_silent": "it was closed without a byte",
    "reset": "it was reset without a byte",
    "retired": "its call came after we had closed it",
}


def _connection(entry: Connection) -> str:
    by = {"client": "closed by the client", "gateway": "closed by the gateway", "": ""}[entry.ended_by]
    lasted = "" if entry.seconds is None else f"after {entry.seconds:.1f} s"
    parts = (
        entry.fault,
        entry.tls,
        f"alert {entry.alert}" if entry.alert else "",
        f"{by} {lasted}".strip(),
        entry.detail,
    )
    return ", ".join(part for part in parts if part)


_DIFFERING = {
    "unexpected": "a call that the recording does not hold",
    "repeated": "asked more often than recorded, and answered again",
    "missing": "recorded, and not asked",
    "order": "asked in another order",
    "changed": "asked otherwise",
}


def differing(entry: ReplayDifference) -> str:
    """One line: which call of a replay is not as recorded, and in what."""
    what = _DIFFERING[entry.what]
    named = f"{entry.operation}: {what}" if entry.operation else what
    values = [
        f"{label} {cut(clean(value), 120)}"
        for label, value in (("recorded", entry.recorded), ("now", entry.actual))
        if value
    ]
    which = f"{named} ({entry.name})" if entry.name else named
    return f"{which}: {', '.join(values)}" if values else which


_ENDINGS = {
    "hung_up": "the integration hung up after {:.1f} s",
    "cut": "broken off by the gateway after {:.1f} s",
    "held": "still open after {:.1f} s",
}


def _call(call: Call) -> tuple[str, str]:
    operation = call.event.operation or "a path that the gateway does not have"
    status = f" → {call.response.status}" if call.response else ""
    ending = _ENDINGS.get(call.ending, "answered after {:.2f} s").format(call.seconds)
    notes = [ending, f"fault: {call.fault}" if call.fault else "", "" if call.secure else "without TLS"]
    return f"integration asks the gateway: {operation}{status}", " · ".join(note for note in notes if note)


def _delivery(entry: Delivery) -> tuple[str, str]:
    status = f" → {entry.response.status}" if entry.response else ""
    notes = (
        f"payment {entry.payment}" if entry.payment else "",
        f"notice {entry.id}, attempt {entry.attempt}" if entry.id else f"attempt {entry.attempt}",
        f"forged: {FORGERIES[entry.forged]}" if entry.forged else "",
        f"its body: {entry.shape}" if entry.shape else "",
        entry.problem or f"answered after {entry.seconds:.2f} s",
    )
    who = "somebody sends the shop a forged notice" if entry.forged else "gateway sends the shop a notice"
    return f"{who}: {entry.event or 'unreadable'}{status}", " · ".join(note for note in notes if note)


def _page(page: Page) -> tuple[str, str]:
    status = f" → {page.response.status}" if page.response else ""
    place = {"integration": "the shop", "checkout": "the hosted checkout", "elsewhere": "another site"}[page.where]
    who = page.customer or "the customer"
    notes = (page.purpose, f"order {page.order}" if page.order else "", page.problem)
    return f"{who} asks {place}{status}", " · ".join(note for note in notes if note)


def _ledger(entry: Ledger) -> tuple[str, str]:
    amount = f" {money.show(entry.amount, entry.currency)}" if entry.amount else ""
    notes = (
        f"payment {entry.payment}" if entry.payment else "",
        f"order {entry.reference}" if entry.reference else "",
        entry.detail,
    )
    return f"{entry.event.replace('_', ' ')}{amount}", " · ".join(note for note in notes if note)


_CHECKOUTS = {
    "redirected": "ends at the gateway's page",
    "refused": "is refused with a page for people",
    "broken": "ends on an error page",
    "no_answer": "gets no answer",
    "elsewhere": "ends on a page of the shop",
}


def _checkout(entry: Checkout) -> tuple[str, str]:
    amount = f" over {money.show(entry.amount, entry.currency)}" if entry.amount else ""
    return (
        f"the checkout of order {entry.order}{amount} {_CHECKOUTS[entry.outcome]}",
        f"payment {entry.payment}" if entry.payment else "",
    )


def _order(entry: OrderSeen) -> tuple[str, str]:
    paid = {True: "paid", False: "not paid", None: "unreadable"}[entry.paid]
    effects = "" if entry.effects is None else f"{entry.effects} fulfilment{'' if entry.effects == 1 else 's'}"
    notes = (f"state “{entry.state}”" if entry.state else "", effects, entry.flagged, entry.problem)
    return f"the shop says of order {entry.order}: {paid}", " · ".join(note for note in notes if note)


def _probe(entry: ProbeMark | Step) -> tuple[str, str]:
    if isinstance(entry, Step):
        return entry.text, _details(entry.facts)
    return f"{entry.probe} {'begins' if entry.event == 'begin' else 'ends'}", _details(entry.params)


def _details(facts: Mapping[str, Json]) -> str:
    return ", ".join(
        f"{key} = {value if isinstance(value, str) else json.dumps(value)}" for key, value in facts.items()
    )


def _exchange(request: Request, response: Response | None, limit: int) -> tuple[Message, ...]:
    asked = _message("request", f"{request.method} {request.url}", request.headers, request.body, limit)
    if response is None:
        return (asked,)
    return asked, _message("response", f"HTTP {response.status}", response.headers, response.body, limit)


def _message(label: str, line: str, headers: Headers, body: str, limit: int) -> Message:
    shown = clean(pretty(body))
    return Message(label, clean(line), _headers(headers), cut(shown, limit), cut=len(shown) > limit)


def _headers(headers: Headers) -> Headers:
    return tuple((clean(name), cut(clean(value), 500)) for name, value in headers)
