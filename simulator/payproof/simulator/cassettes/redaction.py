"""Takes every secret out of a recording, and leaves a stable placeholder where it stood.

Two passes: all exchanges are read for secrets first, in their order, so that one numbering holds for the whole cassette and a secret is
covered also where it stood before it was known. The redactor finds what is long enough for a search (twelve characters, in
every spelling, and every longer part); what is shorter is found by where it stands.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from payproof.contracts.entries import Headers, Request, Response, header
from payproof.contracts.events import ACCESS_TOKEN, AnyEvent, Authenticated
from payproof.contracts.profile import Profile
from payproof.contracts.redaction import secret_fields
from payproof.contracts.redaction.secret_search import SHORTEST_PART
from payproof.contracts.redaction.secrets import Redactor, spellings
from payproof.simulator.cassettes import forms, placeholders
from payproof.simulator.cassettes.reading import event_of
from payproof.simulator.cassettes.stamp import Redacted
from payproof.simulator.relay.sandbox_exchange import SandboxExchange

_SHORTEST = 4
"""Characters below which a value is replaced only in the field that it was typed into."""
_RUN = re.compile(r"[A-Za-z0-9+/=_\-%.~]*")
_LENGTHS_SHOWN = frozenset({"client-id", "secret-key", "access-token", "session-cookie", "csrf-token"})
_ORDINARY = frozenset(
    {
        "admin",
        "card",
        "code",
        "customer",
        "demo",
        "email",
        "login",
        "merchant",
        "password",
        "payment",
        "sandbox",
        "secret",
    }
    | {"shop", "success", "test", "token", "user", "wallet"}
)
"""Words of any payment page: as a password they are replaced where values stand, and not in a sentence."""
_NOT_A_VALUE = frozenset({"", "deleted", "null", "undefined", "none", "true", "false"})


class Redaction:
    """Learns the secrets of exchanges, then covers them. ``known``: (kind, value) of what the run itself knows."""

    def __init__(self, profile: Profile, base_path: str, known: Iterable[tuple[str, str]] = ()) -> None:
        self._profile, self._base_path = profile, base_path
        self._names: dict[str, str] = {}
        self._counts: Counter[str] = Counter()
        self._ids: set[str] = set()
        self._forms: dict[str, forms.PageForm] = {}
        self._redactor = Redactor(limit=1_000_000)
        self._literal: re.Pattern[str] | None = None
        self._spelled: dict[str, str] = {}
        self._known = tuple(known)
        self._seen: set[str] = set()

    # Learning

    def learn(self, taped: Iterable[SandboxExchange]) -> None:
        """Read all exchanges for secrets; once, before anything is covered."""
        exchanges = tuple(taped)
        events = [event_of(self._profile, each.request, each.response, self._base_path) for each in exchanges]
        for each, event in zip(exchanges, events, strict=True):
            names = ("payment", "answered", "transaction", "reference")
            self._ids |= set(filter(None, (getattr(event, name, None) for name in names)))
            self._ids.add(self._profile.payment_of(each.request.url))
        for kind, value in self._known:
            self._hide(kind, value)
        for each, event in zip(exchanges, events, strict=True):
            self._learn_call(each, event)
            if each.kind == "page":
                self._learn_page(each)
        self._literal = self._literals()

    def _learn_call(self, taped: SandboxExchange, event: AnyEvent) -> None:
        for name, value in event.sent.items():
            self._hide(name, value)
        if isinstance(event, Authenticated):
            self._hide(ACCESS_TOKEN, event.issued or "")
        for kind, value in secret_fields.of_headers(taped.request.headers):
            self._hide(kind, value)
        for body in (taped.request.body, taped.response.body):
            for _, value in secret_fields.named(body, forms=taped.kind == "api"):
                self._hide("credential", value)
        for cookie in (*forms.cookies_sent(taped.request.headers), *forms.cookies_set(taped.response.headers)):
            self._hide("session-cookie", cookie)

    def _learn_page(self, taped: SandboxExchange) -> None:
        form = self._forms.get(forms.address(taped.request.url))
        kinds: dict[str, list[str]] = {}
        for kind, _, value in forms.typed(taped.request, form):
            kinds.setdefault(kind, []).append(value)
        for kind, values in kinds.items():
            for value in [*values, "".join(values)] if kind == "one-time-code" else values:
                self._hide(kind, value)
        for value in forms.hidden(taped.response):
            self._hide("csrf-token", value)
        for found in forms.forms(taped.request.url, taped.response):
            self._forms[found.action] = found

    def _hide(self, kind: str, value: str) -> None:
        if value.lower() in _NOT_A_VALUE or value in self._names or value in self._ids or len(value) < _SHORTEST:
            return
        self._counts[kind] += 1
        name = f"{kind}-{self._counts[kind]}"
        self._names[value] = name
        if kind == "login":
            # Whole or not at all: half an e-mail address is a domain, perhaps that of the shop's own addresses.
            return
        self._redactor.add(name, value, numbered=False)
        plain = unquote(value)
        if plain != value:
            # A cookie's value is written in its encoded form, and may be told in its plain one.
            self._redactor.add(name, plain, numbered=False)

    def _literals(self) -> re.Pattern[str] | None:
        """Spellings that the redactor cannot find: too short for it, or with characters at which its search stops."""
        for value, name in self._names.items():
            for text in _unusual(value, whole=name.startswith("login-")):
                self._spelled.setdefault(text.lower() if name.startswith("login") else text, name)
        texts = sorted(self._spelled, key=lambda text: (-len(text), text))
        parts = [
            f"(?i:{re.escape(text)})" if self._spelled[text].startswith("login") else re.escape(text) for text in texts
        ]
        return re.compile("|".join(parts)) if parts else None

    # Covering

    def request(self, taped: SandboxExchange) -> Request:
        asked, page = taped.request, taped.kind == "page"
        url, body = self.text(asked.url, page=page), self.text(self._posted(taped), page=page)
        headers = tuple((name, self._header(name, value)) for name, value in asked.headers)
        self._note(url, body, headers)
        return Request(method=asked.method, url=url, headers=headers, body=body)

    def response(self, taped: SandboxExchange) -> Response:
        answer = taped.response
        body = self.text(answer.body, page=taped.kind == "page")
        headers = tuple((name, self._header(name, value)) for name, value in answer.headers)
        self._note(body, "", headers)
        return Response(status=answer.status, headers=headers, body=body, size=len(body.encode()))

    def _header(self, name: str, value: str) -> str:
        if name.lower() in ("cookie", "set-cookie"):
            whole = [(old, placeholders.spelled(known)) for old, known in self._names.items()]
            value = forms.with_cookies(name, value, whole)
        if name.lower() in ("authorization", "proxy-authorization"):
            scheme, _, rest = value.partition(" ")
            if known := self._names.get(rest.strip()):
                return f"{scheme} {placeholders.spelled(known)}"
            if scheme.lower() == "basic" and (pair := self._basic(rest.strip())):
                return f"{scheme} {pair}"
        if secret_fields.HEADER.search(name) and (known := self._names.get(value.strip())):
            return placeholders.spelled(known)
        return self.text(value)

    def _basic(self, value: str) -> str:
        """Basic credentials with placeholders within, as a gateway reads them; empty where they are none that is known."""
        try:
            parts = base64.b64decode(value).decode().split(":")
        except ValueError:
            return ""
        if not all(part in self._names for part in parts):
            return ""
        return base64.b64encode(":".join(placeholders.spelled(self._names[part]) for part in parts).encode()).decode()

    def text(self, text: str, *, page: bool = False) -> str:
        """``text`` without its secrets. ``page``: what customers type is searched for in its words, too."""
        if self._literal is not None:
            text = self._literal.sub(self._literal_mark, text)
        text = placeholders.from_redactor(self._redactor.redact(text))
        for value, name in self._names.items():
            if len(value) < SHORTEST_PART:
                text = _short(text, value, placeholders.spelled(name), page=page, code=name.startswith("one-time-code"))
        return text

    def _literal_mark(self, match: re.Match[str]) -> str:
        return placeholders.spelled(self._spelled.get(match[0]) or self._spelled[match[0].lower()])

    def _note(self, url: str, body: str, headers: Headers) -> None:
        """Which placeholders stand in the cassette."""
        for text in (url, body, *(value for _, value in headers)):
            self._seen.update(f"{match[1]}-{match[2]}" for match in placeholders.PATTERN.finditer(text))

    def _posted(self, taped: SandboxExchange) -> str:
        """A form's body with every typed value replaced whole, however short it is."""
        request = taped.request
        if taped.kind != "page" or "=" not in request.body or "json" in header(request.headers, "content-type").lower():
            return request.body
        form = self._forms.get(forms.address(request.url))
        kinds = {(name, value): kind for kind, name, value in forms.typed(request, form)}
        code = "".join(value for (_, value), kind in kinds.items() if kind == "one-time-code")
        code = (
            "".join(value for name, value in forms.pairs(request) if kinds.get((name, value)) == "one-time-code")
            or code
        )
        parts: list[str] = []
        for part in request.body.split("&"):
            key, sign, old = part.partition("=")
            value = unquote_plus(old)
            kind = kinds.get((unquote_plus(key), value), "")
            name = self._names.get(value) or (self._names.get(code, "") if kind == "one-time-code" else "")
            if kind and not name:
                name = f"{kind}-{self._numbered(kind, code if kind == 'one-time-code' else value)}"
            parts.append(f"{key}{sign}{placeholders.spelled(name) if name else old}")
        return "&".join(parts)

    def _numbered(self, kind: str, value: str) -> int:
        """A number for a value that is too short to be searched for anywhere else."""
        self._counts[kind] += 1
        self._names[value] = f"{kind}-{self._counts[kind]}"
        return self._counts[kind]

    # Summary

    def secrets(self) -> Iterator[tuple[str, str]]:
        """(name, value) of all secrets that were learned, for whoever searches what was written."""
        return ((name, value) for value, name in self._names.items())

    def summary(self) -> Mapping[str, Redacted]:
        """Kind -> how many different secrets of it were replaced."""
        found: dict[str, Redacted] = {}
        for kind in placeholders.KINDS:
            used = [
                value for value, name in self._names.items() if name.rpartition("-")[0] == kind and name in self._seen
            ]
            if used:
                length = max(map(len, used)) if kind in _LENGTHS_SHOWN else 0
                found[kind] = Redacted(count=len(used), length=length)
        return found


def _unusual(value: str, *, whole: bool) -> Iterator[str]:
    """Texts that stand for ``value`` and that the redactor does not search for. ``whole``: it searches for none of them."""
    if whole and len(value) >= SHORTEST_PART:
        yield from (text for _, text in spellings(value))
    elif len(value) < SHORTEST_PART:
        # Encoded, even a short value is long enough to be told from an ordinary word.
        yield from (text for encoding, text in spellings(value) if encoding and len(text) >= 8)
    elif _RUN.fullmatch(value) is None:
        yield value
    if len(value) >= 8 or _RUN.fullmatch(value) is None:
        for text in (
            html.escape(value),
            json.dumps(value)[1:-1],
            value.replace("/", "\\/"),
            quote_plus(value),
            quote(value),
        ):
            if text != value:
                yield text


def _short(text: str, value: str, mark: str, *, page: bool, code: bool) -> str:
    """A short secret where a value stands, and nowhere else: it may be an ordinary word (a password is often "password")."""
    if value not in text and quote_plus(value) not in text:
        return text
    if code and not page:
        return text
    either = f"(?:{'|'.join(re.escape(form) for form in dict.fromkeys((value, quote_plus(value), quote(value))))})"
    text = re.sub(
        rf'(?<=["\x27=]){either}(?=["\x27&;\s<]|$)(?!["\x27]\s*:)', lambda match: _kept(match, text, mark), text
    )
    if not page or "<" not in text or value.lower() in _ORDINARY:
        return text
    words = rf"(?<=[\s>:]){re.escape(value)}(?=[\s<.,;)]|$)(?![.,]\d)"
    return re.sub(rf">[^<>]*{re.escape(value)}[^<>]*", lambda match: re.sub(words, mark, match[0]), text)


_NAMING = re.compile(r"\b(name|type|id|for|class|autocomplete|method)=[\"']?$", re.IGNORECASE)


def _kept(match: re.Match[str], text: str, mark: str) -> str:
    """The mark, except where HTML names or describes a field."""
    return match[0] if _NAMING.search(text[max(match.start() - 20, 0) : match.start()]) else mark


def without(headers: Headers, names: Iterable[str]) -> Headers:
    """The headers that are not named."""
    dropped = {name.lower() for name in names}
    return tuple((name, value) for name, value in headers if name.lower() not in dropped)
