"""What a customer knows and a journal must not: the payer's secrets, and the sessions that they open."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, unquote, urlencode

from payproof.contracts.profile import Payer
from payproof.contracts.secrets import Veil

_HIDDEN = re.compile(r"""<input\b[^>]*\btype=["']?hidden\b[^>]*>""", re.IGNORECASE)
_VALUE = re.compile(r"""\bvalue=["']([^"']{16,})["']""", re.IGNORECASE)
_NOT_A_FORM = re.compile(r"[\s{]")


def of_payer(payer: Payer) -> dict[str, str]:
    """Each secret of a payer, and what is journaled in its place."""
    return {payer.password: "<payer-password>", payer.login: "<payer-login>"}


def hide_session(veil: Veil, cookies: Iterable[str], text: str) -> None:
    """Whoever has a session's cookie or its form token can go on where the payer is: neither is journaled.

    ``cookies``: their values as they travel. ``text``: a page, whose hidden fields hold such tokens.
    """
    for cookie in cookies:
        veil.add("session", unquote(cookie))
    for tag in _HIDDEN.findall(text):
        if value := _VALUE.search(tag):
            veil.add("form-token", value[1])


def without(hide: Mapping[str, str] | None, body: str) -> str:
    """A form's body with the payer's secrets as placeholders."""
    if not hide:
        return body
    if not _NOT_A_FORM.search(body):
        pairs = [(name, hide.get(value, value)) for name, value in parse_qsl(body, keep_blank_values=True)]
        return urlencode(pairs, safe="<>@")
    # A body of another kind (JSON, parts) holds them as they are.
    for secret in sorted(filter(None, hide), key=len, reverse=True):
        body = body.replace(secret, hide[secret])
    return body


def in_address(hide: Mapping[str, str] | None, url: str) -> str:
    """An address with the same left out of its query, where a form that is sent by GET puts them."""
    before, _, query = url.partition("?")
    told = any(value in (hide or {}) for _, value in parse_qsl(query))
    return f"{before}?{without(hide, query)}" if told else url
