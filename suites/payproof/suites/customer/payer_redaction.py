"""What a customer knows and a journal must not: the payer's secrets in every spelling of a page, and the sessions that they open."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from html.entities import codepoint2name
from urllib.parse import parse_qsl, unquote, urlencode

import httpx

from payproof.contracts.entries import BODY_LIMIT, Headers, Request, Response
from payproof.contracts.profile import Payer
from payproof.contracts.redaction.secrets import Redactor

_HIDDEN = re.compile(r"""<input\b[^>]*\btype=["']?hidden\b[^>]*>""", re.IGNORECASE)
_VALUE = re.compile(r"""\bvalue=["']([^"']{16,})["']""", re.IGNORECASE)
_NOT_A_FORM = re.compile(r"[\s{]")
_FINDS, _AROUND = 5, 60
_SHORT = 6
"""A secret shorter than this is a syllable of other words: alone it is hidden, within a word it is not."""
_MARGIN = 1_000
"""Characters beyond an entry's end that are looked at, so that no secret is cut in two."""


def of_payer(payer: Payer) -> dict[str, str]:
    """Each secret of a payer, and what is journaled in its place."""
    return {payer.password: "<payer-password>", payer.login: "<payer-login>"}


def hide_session(redactor: Redactor, cookies: Iterable[str], text: str) -> None:
    """Whoever has a session's cookie or its form token can go on where the payer is: neither is journaled.

    ``cookies``: their values as they travel. ``text``: a page, whose hidden fields hold such tokens.
    """
    for cookie in cookies:
        redactor.add("session", unquote(cookie))
    for tag in _HIDDEN.findall(text):
        if value := _VALUE.search(tag):
            redactor.add("form-token", value[1])


def without(hide: Mapping[str, str] | None, text: str) -> str:
    """A text with the payer's secrets as placeholders, however they are spelled: plain, percent-encoded, as entities of HTML, with
    the escapes of JSON."""
    if not hide or not text:
        return text
    if "=" in text and not _NOT_A_FORM.search(text) and "<" not in text:
        pairs = parse_qsl(text, keep_blank_values=True)
        if any(value in hide for _, value in pairs):
            text = urlencode([(name, hide.get(value, value)) for name, value in pairs], safe="<>@")
    for secret in sorted(filter(None, hide), key=len, reverse=True):
        text = _spelled(secret).sub(lambda _, placeholder=hide[secret]: placeholder, text)  # type: ignore[misc]
    return text


def holds_any(hide: Mapping[str, str], text: str) -> bool:
    """Whether a text holds one of them."""
    return any(_spelled(secret).search(text) for secret in filter(None, hide))


@lru_cache(maxsize=64)
def _spelled(secret: str) -> re.Pattern[str]:
    whole = "".join(map(_letter, secret))
    return re.compile(whole if len(secret) >= _SHORT else rf"(?<![A-Za-z0-9]){whole}(?![A-Za-z0-9])")


def _letter(letter: str) -> str:
    """A pattern for one character as addresses, forms, HTML and JSON may write it."""
    percent = "".join(f"%(?:25)*(?i:{byte:02x})" for byte in letter.encode("utf-8", "surrogatepass"))
    code = ord(letter)
    ways = [re.escape(letter), percent, f"&#0*{code};?", f"&#[xX]0*(?i:{code:x});?", rf"\\u(?i:{code:04x})"]
    ways += [f"&{codepoint2name[code]};"] if code in codepoint2name else []
    ways += {" ": [r"\+"], '"': [r"\\\""], "\\": [r"\\\\"], "/": [r"\\/"], "'": ["&apos;"]}.get(letter, [])
    return f"(?:{'|'.join(sorted(ways, key=len, reverse=True))})"


def in_address(hide: Mapping[str, str] | None, url: str) -> str:
    """An address with the same left out, where a form that is sent by GET puts them."""
    before, question, query = url.partition("?")
    return f"{without(hide, before)}{question}{without(hide, query)}"


def in_headers(hide: Mapping[str, str] | None, headers: Headers) -> Headers:
    """Headers (a Referer, a Location, a cookie) likewise."""
    return tuple((name, in_address(hide, value)) for name, value in headers)


def in_answer(hide: Mapping[str, str] | None, answer: Response) -> Response:
    """A page that shows what was typed, likewise; its body as long as an entry keeps it."""
    return Response(
        status=answer.status,
        headers=in_headers(hide, answer.headers),
        body=kept(hide, answer.body),
        size=answer.size,
    )


def with_finds(redactor: Redactor, body: str) -> str:
    """A body of which an entry keeps the beginning only; secrets that stand further on are moved there, with the words around them, so
    that a leak is found in all of it."""
    if len(body) <= BODY_LIMIT:
        return body
    finds = redactor.finds(body)
    finds = [(start, end) for start, end in finds if end > BODY_LIMIT][:_FINDS]
    if not finds:
        return body
    excerpts = [" ".join(body[max(start - _AROUND, 0) : end + _AROUND].split()) for start, end in finds]
    room = max(BODY_LIMIT - sum(map(len, excerpts)) - 20 * len(excerpts), 0)
    return body[:room] + "".join(f"\n[further on] {each}" for each in excerpts)


def kept(hide: Mapping[str, str] | None, body: str) -> str:
    """The beginning of a body, as long as an entry keeps it, likewise."""
    return without(hide, body[: BODY_LIMIT + _MARGIN])[:BODY_LIMIT]


def journaled(request: httpx.Request, hide: Mapping[str, str] | None) -> Request:
    """The request as the journal keeps it."""
    return Request(
        method=request.method,
        url=in_address(hide, str(request.url)),
        headers=in_headers(hide, tuple(request.headers.items())),
        body=kept(hide, request.content.decode("utf-8", "replace")),
    )
