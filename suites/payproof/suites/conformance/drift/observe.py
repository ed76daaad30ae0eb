"""What there is to compare in an answer: a flat table of facts, with ids, addresses and times taken out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import parse_qsl, urlsplit

from payproof.contracts.comparing.catalogue import Catalogue
from payproof.contracts.comparing.fields import flat
from payproof.contracts.comparing.volatile import TIME, UNIMPORTANT, is_date, is_id
from payproof.contracts.entries import Headers, Request, Response
from payproof.contracts.model import Json
from payproof.contracts.profile import Payer, Profile
from payproof.contracts.reading.forms import form_fields
from payproof.contracts.reading.json_text import value_of
from payproof.contracts.reading.pages import soup
from payproof.contracts.redaction.secrets import Redactor
from payproof.simulator.cassettes import placeholders

REDACTED = "{redacted}"
"""Stands for what a recording does not hold: there is nothing to compare it with."""
LOGIN = "{login}"
"""Stands for the login of whoever pays: each side has payers of its own."""
_COUNTS = re.compile(r"remaining|reset|retry-after")
_LONG = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What was seen at one step. ``answer``: the name of the profile's error, ``ok``, or what a page wants.

    ``texts``: what the answer says in words.
    """

    case: str
    label: str
    operation: str
    answer: str
    facts: Mapping[str, Json]
    texts: tuple[str, ...] = ()
    request: Request | None = None
    response: Response | None = None

    @property
    def status(self) -> int:
        """The HTTP status; 0 where nothing was answered."""
        status = self.facts.get("status")
        return status if isinstance(status, int) else 0

    @property
    def is_named(self) -> bool:
        """Whether the answer has a name: nobody knows what says ``HTTP 400``."""
        return not self.answer.startswith("HTTP")

    @property
    def summary(self) -> str:
        """The answer on one line."""
        body = self.facts.get("body", "")
        if not body and self.status < 400:
            return self.answer
        kind = "" if body in ("JSON object", "empty", "") else f" ({body})"
        return f"{self.facts.get('status')} {'; '.join(self.texts) or self.answer}{kind}"


@dataclass(slots=True)
class KnownValues:
    """The ids that one case has seen, by the order of their appearance; ``letters``: every character of each kind of id."""

    catalogue: Catalogue
    site: str
    redactor: Redactor
    letters: dict[str, list[str]]
    names: dict[str, str] = field(default_factory=dict[str, str])
    sent: list[str] = field(default_factory=list[str])
    """Addresses of the shop that were sent; the customer may be sent back to them."""
    logins: tuple[str, ...] = ()
    checkout: str = ""
    """Origin of the hosted checkout, where it has one of its own."""

    def meet(self, kind: str, value: str) -> str:
        """``payment 1`` when it is new, ``payment 1 again`` after that."""
        if value in self.names:
            return f"{self.names[value]} again"
        number = 1 + sum(name.startswith(f"{kind} ") for name in self.names.values())
        self.names[value] = f"{kind} {number}"
        if not placeholders.PATTERN.search(value):
            self.letters.setdefault(kind, []).append(value)
        return self.names[value]

    def asked(self, url: str) -> None:
        """Ids of an address that was asked for: an answer may repeat one that nobody was given."""
        for part in urlsplit(url).path.split("/"):
            if is_id(part):
                self.names.setdefault(part, "what was asked for")

    def tidy(self, text: str) -> str:
        """``text`` without ids, the gateway's own address and times; what is left is compared to the letter."""
        found = text
        for name, origin in (("{checkout}", self.checkout), ("{site}", self.site)):
            if origin:
                found = found.replace(origin.replace("/", "\\/"), name).replace(origin, name)
        for login in self.logins:
            found = found.replace(login, LOGIN)
        for value, name in self.names.items():
            if len(value) >= 8:
                found = found.replace(value, f"{{{name}}}")
        found = placeholders.PATTERN.sub(REDACTED, TIME.sub("{time}", self.redactor.redact(found)))
        return found if len(found) <= _LONG else f"{found[:_LONG]}… ({len(found)} characters)"


def of_api(
    case: str, label: str, operation: str, request: Request, response: Response, profile: Profile, known: KnownValues
) -> Observation:
    """What an API call's answer holds."""
    known.asked(request.url)
    facts: dict[str, Json] = {"status": response.status, **dict(_headers(response.headers, known))}
    body = dict(_body(response, known))
    event = profile.read(request, response)
    title = body.get("body.title")
    texts = tuple(map(known.tidy, event.texts)) or (
        (title,) if isinstance(title, str) and response.status >= 400 else ()
    )
    facts |= body
    if not event.ok:
        texts = tuple(_unnamed(profile, response.status, text) for text in texts)
        facts = {name: _unnamed_in(profile, response.status, value) for name, value in facts.items()}
    return Observation(
        case=case, label=label, operation=operation, facts=facts, texts=texts, request=request, response=response,
        answer="ok" if event.ok else error_name(profile, operation, response.status, texts),
    )  # fmt: skip


def _unnamed(profile: Profile, status: int, text: str) -> str:
    """A text without what an error of the profile names in it: a part of a key, say, which differs for each merchant."""
    known = (error.known_as(text) for error in profile.errors.values() if error.status == status)
    return next((each for each in known if each != text), text)


def _unnamed_in(profile: Profile, status: int, value: Json) -> Json:
    """The same for a fact, which may be a list of texts."""
    if isinstance(value, list):
        return [_unnamed_in(profile, status, each) for each in value]
    return _unnamed(profile, status, value) if isinstance(value, str) else value


def error_name(profile: Profile, operation: str, status: int, texts: tuple[str, ...]) -> str:
    """Names of the profile's errors that these texts are, in their order (``client-id+secret-id``); ``HTTP n`` for any other."""
    left, found = list(texts), list[str]()
    errors = sorted(
        profile.errors.items(),
        key=lambda pair: (operation not in pair[1].operations, pair[1].status != status, -len(pair[1].texts)),
    )
    while left:
        name = next((name for name, error in errors if error.says(left[: len(error.texts)])), "")
        if not name:
            return f"HTTP {status}"
        found.append(name)
        del left[: len(profile.errors[name].texts)]
    whole = next((name for name, error in errors if error.says(texts)), "")
    return whole or "+".join(found) or f"HTTP {status}"


def _headers(headers: Headers, known: KnownValues) -> Iterator[tuple[str, Json]]:
    for name, value in headers:
        lower = name.lower()
        if lower in UNIMPORTANT:
            continue
        if f"headers.{lower}" in known.catalogue.ids:
            yield from _ids({f"headers.{lower}": value}, known)
            continue
        if lower == "content-type":
            yield f"headers.{lower}", re.sub(r"\s*;\s*", "; ", value.lower())
        elif lower == "allow":
            yield f"headers.{lower}", ", ".join(sorted({part.strip().upper() for part in value.split(",")}))
        elif _COUNTS.search(lower) and value.isdigit():
            yield f"headers.{lower}", "a number"
        elif value.isdigit():
            yield f"headers.{lower}", int(value)
        else:
            yield f"headers.{lower}", "a time" if is_date(value) else known.tidy(value)


def _body(response: Response, known: KnownValues) -> Iterator[tuple[str, Json]]:
    text = response.body
    if not text.strip():
        yield "body", "empty"
        return
    found = value_of(text)
    if isinstance(found, dict | list):
        yield "body", "JSON object" if isinstance(found, dict) else "JSON array"
        leaves = flat(found, "body", lists=False)
        yield from _ids(leaves, known)
        for path, value in leaves.items():
            if path not in known.catalogue.ids or value is None:
                yield path, _tidied(value, known)
        if "/" in text:
            yield "json.slashes", "escaped" if "\\/" in text else "plain"
        if re.search(r"\\u[0-9a-fA-F]{4}", text) or not text.isascii():
            yield "json.unicode", "escaped" if text.isascii() else "plain"
    elif "<" in text:
        tree = soup(text)
        yield "body", "HTML page"
        yield "body.title", known.tidy(tree.title.get_text(" ", strip=True)) if tree.title else ""
    else:
        yield "body", "text"
        yield "body.text", known.tidy(text.strip())


def _ids(leaves: Mapping[str, Json], known: KnownValues) -> Iterator[tuple[str, Json]]:
    for path, kind in known.catalogue.ids.items():
        value = leaves.get(path)
        if isinstance(value, str):
            yield path, known.meet(kind, value)
            yield f"{path} length", len(value)
        elif path in leaves and value is not None:
            yield path, f"a {kind}"


def _tidied(value: Json, known: KnownValues) -> Json:
    if isinstance(value, str):
        return known.tidy(value)
    return [_tidied(item, known) for item in value] if isinstance(value, list) else value


# Hosted pages


def of_page(case: str, label: str, response: Response, profile: Profile, known: KnownValues) -> Observation:
    """What a page of the hosted checkout wants from the customer, and what it says that they must know."""
    tree = soup(response.body)
    facts: dict[str, Json] = {"status": response.status, **dict(_headers(response.headers, known))}
    facts["page.says"] = list[Json](text for text in known.catalogue.texts if text in tree.get_text(" ", strip=True))
    asked = form_of(response.body, profile)
    if asked:
        facts["page.asks"] = list[Json](sorted(asked))
        facts |= {f"page.choices.{name}": list[Json](sorted(found)) for name, found in asked.items() if found}
    title = tree.title.get_text(" ", strip=True) if tree.title else ""
    says = cast("list[str]", facts["page.says"])
    if response.status >= 400:
        facts["page.title"] = title
        answer = error_name(profile, "", response.status, (title,))
    else:
        answer = f"asks for {', '.join(sorted(asked))}" if asked else f"says {says[-1]}" if says else "another page"
    return Observation(
        case=case, label=label, operation="checkout", answer=answer, facts=facts,
        texts=(title,) if response.status >= 400 else tuple(says), response=response,
    )  # fmt: skip


def form_of(body: str, profile: Profile) -> dict[str, set[str]]:
    """Fields, with the choices that they offer, of the form that leads on: those that a customer sees."""
    nobody = Payer("login", "password", "paid")
    for form in soup(body).find_all("form"):
        if profile.hosted.fill(form_fields(form), nobody) is None:
            continue
        found: dict[str, set[str]] = {}
        for node in form.find_all(["input", "select", "textarea"]):
            kind, name = str(node.get("type") or "text").lower(), str(node.get("name") or "")
            if name and kind not in ("hidden", "submit", "button"):
                offered = {str(node.get("value", ""))} if kind in ("radio", "checkbox") else set[str]()
                found.setdefault(name, set()).update(offered)
        return found
    return {}


def of_way_back(case: str, label: str, url: str, profile: Profile, known: KnownValues) -> Observation:
    """Where the customer was sent, against the addresses that the shop gave."""
    base = max((sent for sent in known.sent if url.startswith(sent)), key=len, default="")
    rest = url[len(base) :]
    facts: dict[str, Json] = {"redirect.to": known.tidy(base or url), "redirect.join": rest[:1]}
    pairs = dict(parse_qsl(rest[1:], keep_blank_values=True))
    leaves: dict[str, Json] = {f"redirect.query.{name}": value for name, value in pairs.items()}
    facts |= dict(_ids(leaves, known))
    for path, value in leaves.items():
        if path not in known.catalogue.ids:
            facts[path] = _tidied(value, known)
    if any("[" in name for name in pairs):
        facts["redirect.brackets"] = "plain" if "[" in rest else "encoded"
    outcome = profile.read_return(url)[0]
    answer = f"leaves, {outcome}" if outcome else "leaves"
    return Observation(case=case, label=label, operation="checkout", answer=answer, facts=facts)
