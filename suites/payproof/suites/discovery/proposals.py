"""What to change in a draft of a configuration, as a payment that was tried with it shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from payproof.contracts import money
from payproof.contracts.entries import Page
from payproof.contracts.reading.addresses import joined
from payproof.contracts.reading.pages import is_html, soup
from payproof.suites.config import placeholders
from payproof.suites.config.writing import ORDER_PAGE
from payproof.suites.discovery.trial import Trial
from payproof.suites.driver import standing

_STATE_KEY = re.compile(r"state|status|paid", re.IGNORECASE)
_PAID = re.compile(
    r"\b(?:paid|payed|completed?|confirmed|received|success(?:ful)?|settled|fulfilled|bezahlt|pay[ée]e?|pagad[oa]|pag[oa])\b",
    re.IGNORECASE,
)
_UNPAID = re.compile(
    r"pending|open|new|created|await|unpaid|\bnot\b|nicht|\bnon\b|\bpas\b|draft|offen|attente", re.IGNORECASE
)
_LONGEST_STATE = 40
_SHORTEST_NAME = 5
"""A shorter text within an id may be a number of something else."""


@dataclass(frozen=True, slots=True)
class Correction:
    """``sentence``: one sentence about what was seen; ``checkout`` and ``order``: keys of the two tables to set (None: to leave out)."""

    sentence: str
    checkout: dict[str, Any]
    order: dict[str, Any]


def next_change(trial: Trial, checkout: dict[str, Any], order: dict[str, Any]) -> Correction | None:
    """The first thing to change; None when nothing more can be told from this payment. The order's own id and its price are
    two things that one payment tells."""
    for looks in (
        (_redirect,),
        (_body,),
        (_own_id, _price),
        (_order_link,),
        (_order_page,),
        (_beside_checkout,),
        (_paid_word,),
    ):
        found = [change for look in looks if (change := look(trial, checkout, order)) is not None]
        if found:
            return Correction(
                " ".join(change.sentence for change in found),
                {key: value for change in found for key, value in change.checkout.items()},
                {key: value for change in found for key, value in change.order.items()},
            )
    return None


def _redirect(trial: Trial, checkout: dict[str, Any], order: dict[str, Any]) -> Correction | None:
    """The payment's address stands elsewhere on the checkout's answer."""
    page = trial.checkout_page
    if page is None or not trial.checkout or trial.checkout.payment:
        return None
    found = next(standing.pointers_to(page, trial.is_checkout), "")
    if not found or found == checkout.get("redirect", "location"):
        return None
    return Correction(f"The checkout's answer says where to pay at {found}.", {"redirect": found}, {})


def _body(trial: Trial, checkout: dict[str, Any], order: dict[str, Any]) -> Correction | None:
    """The shop refused JSON: perhaps it takes a form. One that answers with JSON wants another one."""
    page = trial.checkout_page
    refused = (
        page is not None and page.response is not None and page.response.status in (400, 401, 403, 415, 419, 422, 500)
    )
    if not refused or trial.calls or "json" not in checkout or (page and next(standing.values(page), None)):
        return None
    fields = {name: value for name, value in checkout["json"].items() if isinstance(value, str)}
    return Correction("The shop refused JSON; a form is tried.", {"json": None, "form": fields}, {})


def _own_id(trial: Trial, checkout: dict[str, Any], order: dict[str, Any]) -> Correction | None:
    """The integration calls the order by an id of its own, and tells it somewhere."""
    call = trial.opened
    own = (call.opened.reference or "") if call else ""
    if not own or trial.label in own or "order_id" in checkout:
        return None
    if (said := _said_by_the_customer(own, checkout)) is not None:
        return said
    pages = [*trial.shop_pages("checkout"), *trial.shop_pages("return"), *trial.shop_pages("before")]
    for page in pages:
        for path, text in standing.values(page):
            if text and text in own:
                return _calls_it(f"json:{path}", own)
    spelled = _spellings(own)
    for page in trial.shop_pages("checkout"):
        for name, value in page.response.headers if page.response else ():
            if value.strip() in spelled:
                return _calls_it(f"header:{name}", value.strip())
    back = (call.opened.return_url if call else None) or ""
    made_by_shop = [back, *(page.request.url for page in pages if page.purpose != "return")]
    # The shop's own address comes before what the gateway adds to it.
    for address, id in [
        *((url, part) for url in made_by_shop for part in (*spelled, *_parts(own, url))),
        *((page.request.url, id) for page in pages for id in spelled),
    ]:
        if (found := _in_address(address, id)) is not None:
            return _calls_it(found, id)
    return None


def _spellings(own: str) -> tuple[str, ...]:
    """The id as it was sent, and with the dashes of a UUID that it may have lost."""
    parts = re.fullmatch(r"([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})", own)
    return (own, "-".join(parts.groups())) if parts else (own,)


def _calls_it(pointer: str, own: str) -> Correction:
    return Correction(
        f"The shop calls the order by its own id ({own}), which stands at {pointer}.", {"order_id": pointer}, {}
    )


def _said_by_the_customer(own: str, checkout: dict[str, Any]) -> Correction | None:
    """A field that the customer filled in is the order's id: each order needs another one."""
    form, before = dict(checkout.get("form") or {}), list(checkout.get("before") or ())
    fields = [
        name for name, text in form.items() if text == own or (len(text) >= _SHORTEST_NAME and _stands_in(text, own))
    ]
    lines = [re.sub(rf"=({re.escape(own)})(?=&|$)", "={order.id}", line) for line in before]
    if not fields and lines == before:
        return None
    named = {**form, **dict.fromkeys(fields, "{order.id}")}
    changed = {"form": named} if fields else {}
    return Correction(
        f"The shop calls the order by what the customer's form says ({own}); each order gets an id of its own there.",
        {**changed, **({"before": lines} if lines != before else {})},
        {},
    )


def _stands_in(part: str, own: str) -> bool:
    """Whether this is a whole part of an id: what shops write before or after an order's number where others see it is left out."""
    return bool(re.search(r"\d", part) and re.search(rf"(?<!\d){re.escape(part)}(?![0-9A-Za-z])", own))


def _parts(own: str, url: str) -> list[str]:
    """What stands in this address and is a part of the id, the longest first."""
    parts = urlsplit(url)
    texts = [*parts.path.split("/"), *(value for _, value in parse_qsl(parts.query))]
    return sorted((text for text in texts if _stands_in(text, own)), key=len, reverse=True)


def _in_address(url: str, own: str) -> str | None:
    """A pointer to an id in an address."""
    parts = urlsplit(url)
    before, found, _ = parts.path.partition(f"/{own}")
    if found:
        return f"url:{re.escape(before)}/([^/?#]+)"
    for pair in parts.query.split("&"):
        name, _, value = pair.partition("=")
        if value == own:
            return f"url:[?&]{re.escape(name)}=([^&#]+)"
    return None


def _price(trial: Trial, checkout: dict[str, Any], order: dict[str, Any]) -> Correction | None:
    """The shop sets the price, or its currency: nothing that was sent says it."""
    call = trial.opened
    amount = money.parse(call.opened.amount) if call else None
    sent = set(placeholders.names(json.dumps([checkout.get(key) for key in ("json", "form", "path", "before")])))
    if call is None or amount is None:
        return None
    currency = call.opened.currency if "order.currency" not in sent and "currency" not in checkout else None
    own = {"currency": currency} if currency else {}
    if "order.amount" not in sent and "amount" not in checkout:
        said = f"The shop sets the price: {call.opened.amount} {call.opened.currency or ''}."
        return Correction(said, {"amount": f"{amount:f}", **own}, {})
    return Correction(f"The shop sets the currency: {currency}.", own, {}) if own else None


def _order_link(trial: Trial, checkout: dict[str, Any], order: dict[str, Any]) -> Correction | None:
    """There is no page where the draft says, and the one that customers return to links to a page of the order."""
    seen = trial.seen
    looked = next((page for page in trial.pages if seen and page.n == seen.page), None)
    if seen is None or not seen.order or (looked and looked.response and looked.response.status < 400):
        return None
    for page in reversed(trial.shop_pages("return")):
        for link in soup(page.response.body if page.response and is_html(page.response) else "").find_all(
            "a", href=True
        ):
            parts = urlsplit(joined(page.request.url, str(link["href"])))
            here = parts.netloc == urlsplit(page.request.url).netloc and parts.path != urlsplit(page.request.url).path
            path = _with_id(parts, seen.order) if here else ""
            if path and path != order.get("path"):
                return Correction(f"The page that customers return to links to {path}.", {}, {"path": path})
    return None


def _with_id(parts: SplitResult, id: str) -> str:
    """Path and query with the order's id as its placeholder; empty when it stands in neither as a whole."""
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    whole = re.compile(rf"(?<![\w.-]){re.escape(id)}(?![\w.-])")
    return whole.sub("{order.id}", path) if whole.search(path) else ""


def _order_page(trial: Trial, checkout: dict[str, Any], order: dict[str, Any]) -> Correction | None:
    """The order's state could not be read where the draft says."""
    seen = trial.seen
    if seen is None or seen.paid is not None:
        return None
    pages = [page for page in trial.pages if page.n == seen.page and page.response and page.response.status < 400]
    for page in [*pages, *reversed(trial.shop_pages("return"))]:
        path = _template(page, seen.order, trial.opened.opened.return_url if trial.opened else None)
        for pointer, word in _states(page):
            if path and (path, pointer) != (order.get("path"), order.get("status")):
                sentence = f'The order\'s state stands on {path} at {pointer}: "{word}".'
                if page.purpose == "return":
                    sentence += (
                        " Customers return to that page; one that only shows the order is better, if there is one."
                    )
                paid = {"paid": [word]} if _PAID.search(word) and not _UNPAID.search(word) else {}
                return Correction(sentence, {}, {"path": path, "status": pointer, **paid})
    return None


def _beside_checkout(trial: Trial, checkout: dict[str, Any], order: dict[str, Any]) -> Correction | None:
    """There is no page where the draft says: an API that makes an order at an address shows it below that address, and a shop that
    lives below an address has its orders there, too."""
    looked = next((page for page in trial.pages if trial.seen and page.n == trial.seen.page), None)
    answered = looked.response.status if looked and looked.response else 0
    made_at, here = str(checkout.get("path", "")).partition("?")[0].rstrip("/"), order.get("path")
    parts = made_at.split("/")
    above = [f"{'/'.join(parts[:end])}{ORDER_PAGE}" for end in range(len(parts) - 1, 1, -1)]
    places = [ORDER_PAGE, *([f"{made_at}/{{order.id}}"] if "json" in checkout else []), *above]
    if trial.opened is None or answered not in (404, 405) or "{" in made_at or here not in places[:-1]:
        return None
    path = places[places.index(here) + 1]
    return Correction(f"There is no page at {here}; {path} is looked at.", {}, {"path": path})


def _template(page: Page, id: str, return_url: str | None) -> str:
    """The address of a page, with the order's id as its placeholder; empty when it does not hold it. What the gateway added to the
    ``return_url`` is left out."""
    parts, back = urlsplit(page.request.url), urlsplit(return_url or "")
    query = back.query if page.purpose == "return" and parts.path == back.path else parts.query
    return _with_id(parts._replace(query=query), id) if id else ""


def _states(page: Page) -> Iterator[tuple[str, str]]:
    """Pointers to what may be a paid order's state, with the word that stands there; the likeliest first."""
    texts = [(path, text) for path, text in standing.values(page) if 0 < len(text) <= _LONGEST_STATE]
    named = [(path, text) for path, text in texts if _STATE_KEY.search(path.rpartition("/")[2])]
    for path, text in sorted(named, key=lambda each: not _PAID.search(each[1])):
        yield f"json:{path}", text
    if page.response is None or not is_html(page.response):
        return
    tree = soup(page.response.body)
    for node in tree.find_all(True):
        text = node.get_text(" ", strip=True)
        if node.find(True) is None and 0 < len(text) <= _LONGEST_STATE and _PAID.search(text):
            selector = standing.selector(node)
            if re.search(r"[#.[]", selector):
                yield f"html:{selector}", text


def _paid_word(trial: Trial, checkout: dict[str, Any], order: dict[str, Any]) -> Correction | None:
    """The state was read, and its word for paid is another one."""
    seen = trial.seen
    if seen is None or seen.paid is not False or not seen.state or seen.state in order.get("paid", ()):
        return None
    changed = trial.before is not None and trial.before.state not in ("", seen.state)
    if not (changed or _PAID.search(seen.state)) or _UNPAID.search(seen.state):
        return None
    return Correction(f'A paid order is called "{seen.state}".', {}, {"paid": [seen.state]})
