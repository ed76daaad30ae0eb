"""Who may use the inspector: whoever came in by the address that ``payproof serve`` printed, from a page of the inspector itself.

The address holds a code that is good once; it is exchanged for a cookie that scripts cannot read, that leaves with nothing but requests of
the inspector's own pages (``SameSite=Strict``), and only below its path: cookies know no ports, and the shop next door is none of its
readers. Whatever changes something must come from the same origin, and name a host that is this machine's own.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections import deque
from ipaddress import ip_address
from typing import Literal, TypeAlias

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

PATH = "/inspector"
_MOST_SESSIONS = 20
"""Browsers that can be in at the same time; the oldest has to come in again."""
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::\d{1,5})?")
"""A name or an address, and perhaps a port."""
Refused: TypeAlias = Literal["host", "origin", "session", ""]
"""Why a request is not served; empty: it is."""

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""What every answer carries."""


class Access:
    """The doors. ``code``: what the printed address holds; used up by the first who comes."""

    def __init__(self) -> None:
        self._code = secrets.token_urlsafe(24)
        self._sessions: deque[str] = deque(maxlen=_MOST_SESSIONS)

    def entrance(self) -> str:
        """Path and query of the address that lets one browser in."""
        return f"{PATH[1:]}/login?code={self._code}"

    def enter(self, code: str, headers: Headers) -> str | None:
        """The cookie for a browser that has the code; None where it was wrong, or used before."""
        good = bool(self._code) and hmac.compare_digest(code.encode("utf-8", "replace"), self._code.encode())
        if not good:
            return None
        self._code = ""
        session = secrets.token_urlsafe(24)
        self._sessions.append(session)
        return f"{_name(headers)}={session}; Path={PATH}; HttpOnly; SameSite=Strict"

    def refused(self, scope: Scope) -> Refused:
        """Why this request is not served. A login is asked for its host alone: what it brings is looked at by ``enter``."""
        headers = Headers(scope=scope)
        if not _is_own(headers.get("host", ""), scope):
            return "host"
        if scope["method"] not in ("GET", "HEAD") and headers.get("origin") != f"{scope['scheme']}://{headers['host']}":
            return "origin"
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and not _is_visit(headers):
            return "origin"
        return "" if self._knows(headers) else "session"

    def _knows(self, headers: Headers) -> bool:
        given = cookie_parser(headers.get("cookie", "")).get(_name(headers), "").encode("utf-8", "replace")
        return any(hmac.compare_digest(given, each.encode()) for each in self._sessions)


def _is_visit(headers: Headers) -> bool:
    """Somebody follows a link, or types the address."""
    return headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"


def _name(headers: Headers) -> str:
    """Two simulators on one machine share a host, and cookies know no ports."""
    return f"payproof_inspector_{headers.get('host', '').rpartition(':')[2].rstrip(']')}"


def _is_own(host: str, scope: Scope) -> bool:
    """Whether a host is this machine's own name. A name that was made to point here (DNS rebinding) is not."""
    match = _HOST.fullmatch(host)
    name = match[1] if match else ""
    if name == "localhost":
        return True
    if _is_loopback(str((scope.get("server") or ("",))[0])):
        return _is_loopback(name.strip("[]"))
    return bool(name)  # it was started for others, with --allow-remote: they have names for it that nobody here knows


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
