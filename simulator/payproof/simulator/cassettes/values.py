"""Between a recording's values and this world's: fresh credentials for placeholders, our origin, what the integration chose."""

from __future__ import annotations

import html
import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import quote, quote_plus

from payproof.contracts.entries import Headers, Request
from payproof.contracts.events import AnyEvent, Opened
from payproof.contracts.journal import Journal
from payproof.contracts.redaction.secret_search import SHORTEST_PART
from payproof.contracts.redaction.secrets import mint
from payproof.simulator.books.records import Merchant
from payproof.simulator.cassettes import placeholders
from payproof.simulator.cassettes.stamp import Redacted
from payproof.simulator.relay import rewrite

_LENGTH = 40
_EXPIRES = re.compile(r"(;\s*expires=)([^;]+)", re.IGNORECASE)
_ADDRESSING = frozenset({"location", "content-location", "refresh", "link", "content-security-policy"})


class Values:
    """Placeholder <-> fresh value, one pair for as long as the world lives."""

    def __init__(self, merchant: Merchant, redacted: Mapping[str, Redacted], journal: Journal) -> None:
        self._rng = random.SystemRandom()
        self._redacted, self._journal = redacted, journal
        self._fresh = {f"{name}-1": value for name, value in merchant.credentials.items()}
        self._names = {value: name for name, value in self._fresh.items()}

    def to_client(self, text: str) -> str:
        """``text`` with a fresh value for each placeholder. What customers typed is not given back."""
        return placeholders.substituted(text, self._value)

    def _value(self, kind: str, name: str) -> str | None:
        if kind in placeholders.TYPED:
            return None
        if name not in self._fresh:
            redacted = self._redacted.get(kind)
            self._fresh[name] = mint(self._rng, max(redacted.length if redacted else 0, _LENGTH))
            self._names[self._fresh[name]] = name
            self._journal.redactor.add(kind, self._fresh[name])
        return self._fresh[name]

    def renew(self, text: str) -> None:
        """Another fresh value for a placeholder, from now on; the former ones are still known. A gateway that is asked for a
        token once more never gives the same one, and an integration must not be accused of having used one twice."""
        for match in placeholders.PATTERN.finditer(text):
            self._fresh.pop(f"{match[1]}-{match[2]}", None)

    def to_recorded(self, text: str) -> str:
        """``text`` with placeholders for the fresh values."""
        for value, name in self._names.items():
            if len(value) >= SHORTEST_PART:  # a short one, chosen by a user, may be any word
                text = text.replace(value, placeholders.spelled(name))
        return text

    def recorded(self, request: Request, sites: rewrite.Sites) -> Request:
        """A request in the recording's own words."""
        url = self.to_recorded(request.url)
        here = origin_of(url)
        return replace(
            request,
            url=dict(sites).get(here, here) + url[len(here) :],
            headers=tuple((name, self.to_recorded(value)) for name, value in request.headers),
            body=self.to_recorded(request.body),
        )

    def meant(self, event: AnyEvent) -> AnyEvent:
        """A request's event with placeholders for the credentials."""
        return replace(event, sent={name: self._whole(value) for name, value in event.sent.items()})

    def _whole(self, value: str) -> str:
        return placeholders.spelled(self._names[value]) if value in self._names else value


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the integration chose for one payment, then and now."""

    recorded: Opened
    actual: Opened
    filled: Callable[[str, str], str]
    """(return_url, payment) -> the address that the gateway sends a customer to."""

    def put(self, text: str) -> str:
        """``text`` with the integration's own addresses and order reference in the place of the recorded ones."""
        pairs = (
            (self.recorded.return_url, self.actual.return_url),
            (self.recorded.cancel_url, self.actual.cancel_url),
        )
        chosen = [(old, new) for old, new in pairs if old and new and old != new]
        payment = self.recorded.payment or ""
        addresses = [*chosen, *((self.filled(old, payment), self.filled(new, payment)) for old, new in chosen)]
        for encode in (str, _json, html.escape, _quoted):
            text = _readdressed(text, {encode(old): encode(new) for old, new in addresses}, encode("&"))
        old, new = self.recorded.reference, self.actual.reference
        return _renamed(text, old, new) if old and new and old != new else text


def _json(text: str) -> str:
    return text.replace("/", "\\/")


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _readdressed(text: str, pairs: Mapping[str, str], amp: str) -> str:
    """One address for another, and what was joined to it joined as the new one needs it."""
    if not pairs:
        return text
    longest = sorted(pairs, key=lambda old: -len(old))
    pattern = rf"({'|'.join(map(re.escape, longest))})({re.escape(amp)}|\?)?"

    def joined(match: re.Match[str]) -> str:
        old, new, joint = match[1], pairs[match[1]], match[2] or ""
        if joint and ("?" in old) != ("?" in new):
            joint = amp if "?" in new else "?"
        return new + joint

    return re.sub(pattern, joined, text)


def _renamed(text: str, old: str, new: str) -> str:
    """An order reference where it stands as a whole value: a JSON text, a query's value, a word of a page."""
    text = text.replace(json.dumps(old), json.dumps(new))
    for encode in (str, quote_plus):
        text = _put(rf"(?<==){re.escape(encode(old))}(?=[&\"'\s<]|$)", encode(new), text)
    return _put(rf"(?<=[>\s#]){re.escape(old)}(?=[<\s.,]|$)", new, text) if len(old) >= 4 else text


def _put(pattern: str, new: str, text: str) -> str:
    return re.sub(pattern, lambda _: new, text)


def headers_for_client(headers: Headers, sites: rewrite.Sites, age: timedelta) -> list[tuple[str, str]]:
    """Headers as the relay would have sent them now: our origin, cookies that are as young as they were."""
    kept: list[tuple[str, str]] = []
    for name, value in rewrite.to_client(headers, sites):
        lower = name.lower()
        if lower == "date":
            continue
        if lower == "set-cookie":
            value = _EXPIRES.sub(lambda match: match[1] + _later(match[2], age), value)
        elif lower in _ADDRESSING:
            value = rewrite.to_ours(value, sites)
        kept.append((name, value))
    return kept


def _later(date: str, age: timedelta) -> str:
    try:
        moment = parsedate_to_datetime(date.replace("-", " "))
    except (ValueError, TypeError):
        return date
    return format_datetime(moment + age, usegmt=moment.tzinfo is not None and not moment.utcoffset())


def origin_of(url: str) -> str:
    """Scheme and host of an absolute address."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0].partition('?')[0]}"
