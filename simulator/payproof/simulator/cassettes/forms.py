"""What hosted pages hold and what customers send with them: forms, their secret fields, cookies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from bs4 import Tag

from payproof.contracts.comparing import fields
from payproof.contracts.entries import Headers, Request, Response, header
from payproof.contracts.reading import form_data
from payproof.contracts.reading.addresses import joined
from payproof.contracts.reading.pages import is_html, soup

_CSRF_NAME = re.compile(r"csrf|xsrf|_token$|authenticity|nonce|__requestverification", re.IGNORECASE)
_PASSWORD_NAME = re.compile(r"passw|pwd|passphrase|^pin$", re.IGNORECASE)
_LOGIN_NAME = re.compile(r"e-?mail|^user(name)?$|^login$|phone|msisdn", re.IGNORECASE)
_CODE_NAME = re.compile(r"otp|one.?time|(verification|sms|auth)_?code|^code(\[\d*\])?$", re.IGNORECASE)
_RANDOM = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9+/=_.:-]{16,}")
_CHOSEN = frozenset({"radio", "checkbox", "submit", "button", "reset", "image", "file"})


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class PageForm:
    """One form of a page. ``action``: absolute, without its query."""

    action: str
    fields: tuple[Field, ...]

    @property
    def asks_password(self) -> bool:
        return any(field.kind == "password" for field in self.fields)

    def field(self, name: str) -> Field | None:
        return next((field for field in self.fields if field.name == name), None)


def forms(url: str, response: Response) -> Iterator[PageForm]:
    """The forms of an HTML page at ``url``."""
    if not is_html(response):
        return
    for form in soup(response.body).find_all("form"):
        yield PageForm(address(joined(url, str(form.get("action") or ""))), tuple(_inputs(form)))


def address(url: str) -> str:
    """An absolute address without query and fragment."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _inputs(form: Tag) -> Iterator[Field]:
    for node in form.find_all(["input", "select", "textarea"]):
        kind = node.name if node.name != "input" else str(node.get("type") or "text").lower()
        yield Field(str(node.get("name") or ""), kind, str(node.get("value") or ""))


def hidden(response: Response) -> Iterator[str]:
    """Values that a page carries so that only this page can be sent on: hidden inputs and meta tags that guard it."""
    if not is_html(response):
        return
    tree = soup(response.body)
    for node in tree.find_all("input", attrs={"type": lambda kind: str(kind).lower() == "hidden"}):
        name, value = str(node.get("name") or ""), str(node.get("value") or "")
        if _CSRF_NAME.search(name) or _RANDOM.fullmatch(value):
            yield value
    for node in tree.find_all("meta", attrs={"name": lambda name: bool(name and _CSRF_NAME.search(str(name)))}):
        yield str(node.get("content") or "")


def pairs(request: Request) -> tuple[tuple[str, str], ...]:
    """The fields of a form that was sent, in their order; of a flat JSON object too."""
    kind = header(request.headers, "content-type").lower()
    if "json" in kind:
        found = fields.of_body(request.body, request.headers) or {}
        return tuple((key, value) for key, value in found.items() if isinstance(value, str))
    return tuple(form_data.pairs(request.body)) if "=" in request.body else ()


def typed(request: Request, form: PageForm | None) -> Iterator[tuple[str, str, str]]:
    """(kind, field, value) of everything that the customer typed: read off the form, or off the names where it is unknown."""
    for name, value in pairs(request):
        if value and (kind := _typed_kind(name, value, form)):
            yield kind, name, value


def _typed_kind(name: str, value: str, form: PageForm | None) -> str:
    field = form.field(name) if form else None
    if _PASSWORD_NAME.search(name) or (field is not None and field.kind == "password"):
        return "password"
    if field is None:
        return "login" if _LOGIN_NAME.search(name) else "one-time-code" if _CODE_NAME.search(name) else ""
    if field.kind == "hidden":
        return "csrf-token" if _CSRF_NAME.search(name) or _RANDOM.fullmatch(value) else ""
    if field.kind in _CHOSEN or field.kind == "select" or (field.value == value and field.kind != "email"):
        return ""
    assert form
    return "login" if form.asks_password or field.kind == "email" else "one-time-code"


def cookies_set(headers: Headers) -> Iterator[str]:
    """Values of Set-Cookie headers."""
    for name, value in headers:
        if name.lower() == "set-cookie":
            yield value.split(";", 1)[0].partition("=")[2].strip()


def cookies_sent(headers: Headers) -> Iterator[str]:
    """Values of Cookie headers."""
    for name, value in headers:
        if name.lower() == "cookie":
            yield from (part.partition("=")[2].strip() for part in value.split(";"))


def with_cookies(name: str, value: str, cover: Iterable[tuple[str, str]]) -> str:
    """A Cookie or Set-Cookie header with whole values replaced."""
    known = dict(cover)
    parts = value.split(";")
    last = 1 if name.lower() == "set-cookie" else len(parts)
    for n, part in enumerate(parts[:last]):
        key, sign, old = part.partition("=")
        parts[n] = f"{key}{sign}{known.get(old.strip(), old)}"
    return ";".join(parts)
