"""Which values of an exchange with a gateway are secrets, by where they stand and what their field is called.

For tokens that nobody minted here: a server may issue them under another name, or in an answer that cannot be read as the
profile expects (a byte order mark, prose after the JSON, another content type). One rule for journals, cassettes, drift
and the contract suite. Cookies of a session are no credentials of the gateway; cassettes treat them by themselves.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from urllib.parse import unquote_plus

from payproof.contracts.entries import Call, Headers, Request, Response
from payproof.contracts.events import ACCESS_TOKEN, AnyEvent, Authenticated, issued_by, names_in
from payproof.contracts.redaction.secrets import Redactor

NAME = re.compile(
    r"(access|refresh|bearer|auth|session|csrf)[_-]?token$|(?<![a-z])id[_-]?token$|secret|passw|api[_-]?key|private[_-]?key"
    r"|^client[_-]?id$|^(app|public)[_-]?key$",
    re.IGNORECASE,
)
"""Names of fields whose values are secrets."""
HEADER = re.compile(r"(^|[-_])(api[-_]?key|token|secret|authorization|auth|jwt)$", re.IGNORECASE)
"""Names of headers whose values are secrets."""
_PAIRED = frozenset({"location", "content-location", "refresh", "link", "set-cookie"})
"""Headers that hold addresses or pairs: what is called like a secret in them is one."""
_TOKEN = re.compile(r"token$|^jwt$|^bearer$", re.IGNORECASE)
"""Names of an access token's field in the answer that issues one; elsewhere a "token" may be a payment."""
_ACCESS = re.compile(r"^(access|auth|bearer)?[_-]?token$|^jwt$|^bearer$", re.IGNORECASE)
SHORTEST = 6
"""Characters below which a value in such a field is a test's, and no secret."""
_SUSPICIOUS = re.compile(rb"secret|passw|key|client|%|\0|jwt|bearer")
"""A text that has none of these, and no "token" but for a field of just this name, names no secret: see ``NAME``."""
_MEMO_TEXT = 4_096
"""Bytes of a body that is remembered."""
_NO_VALUE = frozenset({"deleted", "bearer", "undefined"})
_KEYED = re.compile(
    r"""(?P<open>\\{0,3}["'])(?P<key>[\w.\-\[\]]{2,64})(?P=open)\s{0,8}[:=]>?\s{0,8}"""
    r"""(?P<quote>\\{0,3}["'])(?:[Bb]earer )?(?P<value>(?:[^"'\\\s]|\\[/u]){1,8192})(?P=quote)"""
)
"""JSON, also inside a JSON text, and what a language prints of a dictionary; read where it stands, so that nothing around it matters."""
_PAIR = re.compile(r"(?:^|[?&;\s])(?P<key>[\w.\-\[\]%]{2,64})=(?P<value>[^&;\s\"'<>]{1,8192})")
_TAG = re.compile(r"<(?P<key>[\w.\-]{2,64})>(?P<value>[^<>\s]{1,8192})</(?P=key)>")
_HINT = re.compile(r"token|secret|passw|key|client_?-?id|jwt|bearer", re.IGNORECASE)
_RANDOM = re.compile(r"(?<![\w+/=.\-])(?=[^\s\"'<>,;]{0,63}\d)(?=[^\s\"'<>,;]{0,63}[A-Za-z])[\w+/=.\-]{16,}")

_PLACE = re.compile(r"/|[^.]*/.*\.|.*\.\w{2,4}$")
"""A path or a file's name, as a page of a server in trouble holds them."""


def named(text: str, extra: re.Pattern[str] | None = None, *, forms: bool = True) -> Iterator[tuple[str, str]]:
    """(name of the field, value) of each secret that stands in a body of any form. ``extra``: names that count, too.
    ``forms`` is false for whoever reads the forms of pages by themselves."""
    text = text.replace("\0", "")
    if not _HINT.search(text):
        return
    for pattern in _patterns(text, forms=forms):
        for match in pattern.finditer(text):
            key = unquote_plus(match["key"]).rpartition("[")[2].rstrip("]").rpartition(".")[2]
            if NAME.search(key) or (extra is not None and extra.search(key)):
                value = match["value"]
                value = unquote_plus(value) if pattern is _PAIR else value.replace("\\/", "/")
                yield key, value


def _patterns(text: str, *, forms: bool) -> Iterator[re.Pattern[str]]:
    """Those that can be in a text at all: none of them is quick to say no."""
    if '"' in text or "'" in text:
        yield _KEYED
    if forms and "=" in text:
        yield _PAIR
    if forms and "</" in text:
        yield _TAG


def of_authorization(value: str) -> Iterator[tuple[str, str]]:
    """(kind, value) of what an Authorization header carries."""
    scheme, _, rest = value.strip().partition(" ")
    rest = rest.strip()
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(rest, validate=True).decode().partition(":")
        except ValueError:
            user, password = "", rest
        yield "client-id", user
        yield "secret-key", password
    else:
        yield "authorization", rest or scheme


def of_headers(headers: Headers) -> Iterator[tuple[str, str]]:
    """(kind, value) of the secrets in headers."""
    for name, value in headers:
        if name.lower() in ("authorization", "proxy-authorization"):
            yield from of_authorization(value)
        elif HEADER.search(name):
            yield "authorization", value.strip()
        elif name.lower() in _PAIRED:
            yield from (("credential", found) for _, found in named(value))


def of_request(request: Request, event: AnyEvent) -> Iterator[tuple[str, str]]:
    """(kind, value) of every secret that a call carries. What the gateway did not issue is named apart: a hard-coded key must not
    pass for the one that the integration was given."""
    for kind, value in of_headers(request.headers):
        yield ("authorization" if kind == "authorization" else "credential"), value
    for body in (request.url.partition("?")[2], request.body):
        yield from (("credential", value) for _, value in named(body))
    yield from (
        ("authorization" if name == ACCESS_TOKEN else "credential", value) for name, value in event.sent.items()
    )


def of_answer(response: Response, event: AnyEvent) -> Iterator[tuple[str, str]]:
    """(kind, value) of every secret of an answer. Of one that should issue a token and cannot be read, every random word is one."""
    yield from of_headers(response.headers)
    issues = isinstance(event, Authenticated)
    found = tuple(named(response.body, _TOKEN if issues else None))
    yield from (("access-token" if _ACCESS.search(key) else "credential", value) for key, value in found)
    yield "access-token", issued_by(event)
    if issues and response.status < 300 and not issued_by(event) and not found:
        words = (match.group() for match in _RANDOM.finditer(response.body.replace("\0", "")))
        yield from (("unread-answer", word) for word in words if not _PLACE.match(word))


def learn(
    redactor: Redactor, found: Iterable[tuple[str, str]], event: AnyEvent, *, numbered: bool = True
) -> dict[str, str]:
    """Have the redactor hide secrets that were found. Returns value -> placeholder of those that are too short to be searched for."""
    ids = names_in(event)
    short: dict[str, str] = {}
    for kind, value in found:
        if len(value) < SHORTEST or value in ids or value.lower() in _NO_VALUE or "<" in value or "://" in value:
            continue
        placeholder = redactor.learn(kind, value, numbered=numbered)
        if redactor.placeholder(value) == value:
            short[value] = placeholder
    return short


def learn_call(redactor: Redactor, call: Call) -> dict[str, str]:
    """``learn`` from a call. An answer that a fault wrote holds nothing that is not known, and texts that checks look for."""
    found = list(of_request(call.request, call.event))
    if call.response is not None and not call.fault:
        found += of_answer(call.response, call.event)
    return learn(redactor, found, call.event)


def has_news(redactor: Redactor, headers: Iterable[tuple[bytes, bytes]], texts: Iterable[bytes]) -> bool:
    """Whether what passed may hold a secret that the redactor does not know: a quick look at the bytes of a call that went well,
    which errs on the side of yes. ``texts``: query and bodies."""
    for name, value in headers:
        if (kind := _kind_of_header(name)) and (kind == "secret" or _credentials_are_news(redactor, value)):
            return True
    return any(_text_has_news(redactor, text) for text in texts if text)


def _credentials_are_news(redactor: Redactor, value: bytes) -> bool:
    scheme, _, rest = value.partition(b" ")
    return scheme.lower() != b"bearer" or _is_news(redactor, rest.strip().decode("latin-1"))


def _is_news(redactor: Redactor, value: str) -> bool:
    return len(value) >= SHORTEST and not redactor.knows(value)


@lru_cache(1_000)
def _kind_of_header(name: bytes) -> str:
    """``credentials``: an Authorization header; ``secret``: another one whose value may be one; empty: none."""
    text = name.decode("latin-1").lower()
    if text == "authorization":
        return "credentials"
    return "secret" if text == "proxy-authorization" or HEADER.search(text) or text in _PAIRED else ""


def _text_has_news(redactor: Redactor, text: bytes) -> bool:
    low = text.lower()
    if text.isascii() and b"token" not in low.replace(b'"token"', b"") and not _SUSPICIOUS.search(low):
        return False
    values = _values(text) if len(text) <= _MEMO_TEXT else _values.__wrapped__(text)
    return any(_is_news(redactor, value) for value in values)


@lru_cache(256)
def _values(text: bytes) -> tuple[str, ...]:
    """The secrets that a body names. The same one comes again and again: a shop asks for its tokens with the same keys."""
    return tuple(value for _, value in named(text.decode("utf-8", "replace")))


def placed(call: Call, short: Mapping[str, str]) -> Call:
    """The call with the secrets that cannot be searched for replaced where they stand."""
    if not short:
        return call
    event, answer = call.event, call.response
    return replace(
        call,
        request=replace(
            call.request,
            url=_placed(call.request.url, short),
            headers=_in_headers(call.request.headers, short),
            body=_placed(call.request.body, short),
        ),
        response=answer and replace(answer, body=_placed(answer.body, short)),
        event=_event(event, short),
    )


def _event(event: AnyEvent, short: Mapping[str, str]) -> AnyEvent:
    if isinstance(event, Authenticated) and event.issued in short:
        event = replace(event, issued=short[event.issued or ""])
    return replace(event, sent={name: short.get(value, value) for name, value in event.sent.items()})


def _in_headers(headers: Headers, short: Mapping[str, str]) -> Headers:
    def header(name: str, value: str) -> str:
        secret = name.lower() in ("authorization", "proxy-authorization") or HEADER.search(name)
        if not secret:
            return value
        scheme, space, rest = value.partition(" ")
        if scheme.lower() == "basic" and any(found in short for _, found in of_authorization(value)):
            return f"{scheme} <credential>"
        return f"{scheme}{space}{short.get(rest.strip(), rest)}" if space else short.get(value.strip(), value)

    return tuple((name, header(name, value)) for name, value in headers)


def _placed(text: str, short: Mapping[str, str]) -> str:
    """``text`` with the values of secret fields replaced, and nothing else: such a value may be an ordinary word."""
    for pattern in (_KEYED, _PAIR, _TAG):
        text = pattern.sub(lambda match: _fresh(match, short), text)
    return text


def _fresh(match: re.Match[str], short: Mapping[str, str]) -> str:
    value = match["value"]
    known = short.get(value) or short.get(unquote_plus(value))
    key = unquote_plus(match["key"])
    if known is None or not (NAME.search(key.rstrip("]")) or _TOKEN.search(key)):
        return match[0]
    start, end = match.start("value") - match.start(), match.end("value") - match.start()
    return f"{match[0][:start]}{known}{match[0][end:]}"
