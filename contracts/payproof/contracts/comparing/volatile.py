"""What differs each time something is asked, and says nothing: headers of the way, times, ids in an address."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

TRANSPORT = frozenset({"date", "content-length", "age", "connection", "keep-alive", "transfer-encoding"})
"""Headers of one answer on its way."""
UNIMPORTANT = TRANSPORT | frozenset(
    {
        # of the connection and its server
        "server", "via", "alt-svc", "x-powered-by", "content-encoding", "x-served-by", "x-runtime", "report-to", "nel",
        "cf-ray", "cf-cache-status",
        # of caches and browsers
        "cache-control", "pragma", "expires", "etag", "last-modified", "vary", "set-cookie", "strict-transport-security",
        "x-frame-options", "x-content-type-options", "x-xss-protection", "referrer-policy", "permissions-policy",
        "content-security-policy", "access-control-allow-origin", "access-control-allow-credentials",
    }
)  # fmt: skip
"""Headers that no integration lives by. Every other header matters."""
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_ID = re.compile(r"(?=.*\d)[A-Za-z0-9_-]{8,}|\d+|__[\w.-]+__")


def shape(url: str) -> str:
    """A path with its ids left out."""
    path = urlsplit(url).path
    return "/".join("{id}" if _ID.fullmatch(part) else part for part in path.split("/"))


def is_id(part: str) -> bool:
    """Whether a part of a path is an id, and a long one."""
    return len(part) >= 8 and _ID.fullmatch(part) is not None


def is_date(value: str) -> bool:
    """Whether a header's value is a moment."""
    try:
        parsedate_to_datetime(value)
    except ValueError:
        return False
    return True
