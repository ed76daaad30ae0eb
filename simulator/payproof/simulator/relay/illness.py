"""What in a sandbox's answer is the sandbox's own trouble, and so must not be held against an integration."""

from __future__ import annotations

from payproof.contracts.entries import Headers, Response, header
from payproof.contracts.events import AnyEvent, Authenticated, Confirmed, Opened, Settled
from payproof.contracts.reading.json_text import table_of

_QUOTED = 160
_MISCONFIGURED = frozenset({404, 405, 413})
"""Statuses that a framework gives in its own words when the address or the request is wrong: no illness, but a question of
configuration or drift."""


def _holds(event: AnyEvent) -> bool:
    """Whether an answer that says "success" holds what nobody could go on without."""
    match event:
        case Authenticated():
            return bool(event.issued)
        case Opened():
            return bool(event.payment and event.payment_url)
        case Confirmed() | Settled():
            return event.paid is not None and bool(event.answered)
        case _:
            return True


def of_call(event: AnyEvent, answer: Response) -> str:
    """The trouble in an answer of the API; empty when there is none, also where it refuses the request."""
    call = f"a {event.operation} call" if event.operation else "a call"
    if answer.status >= 500:
        return f"the sandbox answered {answer.status} to {call}{_words(answer)}"
    if not event.operation or answer.status in _MISCONFIGURED or answer.status == 429:
        return ""
    if table_of(answer.body) is None:
        return f"the sandbox's answer {answer.status} to {call} cannot be read{_words(answer)}"
    refused = not event.ok and (bool(event.problems) or answer.status >= 400)
    if refused or (event.ok and _holds(event)):
        return ""
    return f"the sandbox's answer {answer.status} to {call} does not hold what it must{_words(answer)}"


def of_page(asked: Headers, answer: Response) -> str:
    """The trouble in what a customer was shown at the hosted checkout; empty when there is none."""
    if header(asked, "sec-fetch-dest", "document") not in ("document", "iframe", "empty"):
        return ""  # a picture or a script; whether the page works without it, the page shows
    if answer.status >= 500 or answer.status == 429:
        return f"the sandbox's hosted checkout answered {answer.status}{_words(answer)}"
    wants_page = "text/html" in header(asked, "accept")
    if wants_page and 200 <= answer.status < 300 and "<" not in answer.body:
        return f"a page of the sandbox's hosted checkout cannot be read{_words(answer)}"
    return ""


def _words(answer: Response) -> str:
    """The first words of an answer, as a quotation."""
    words = " ".join(answer.body.split())
    if not words:
        return ", with nothing in it"
    return f': "{words[:_QUOTED]}{"…" if len(words) > _QUOTED else ""}"'
