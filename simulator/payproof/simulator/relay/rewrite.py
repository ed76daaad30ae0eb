"""Between two origins: what passes the relay names ours on one side and the sandbox's on the other."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from payproof.contracts.profile import Profile

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "content-length",
    }
)
_ELSEWHERE = {"x-original-url", "x-rewrite-url"}
"""Some servers route by these instead of by the address, which would pass the guard against live addresses."""
_NOT_ON = HOP_BY_HOP | {"host", "accept-encoding", "expect"} | _ELSEWHERE
_TEXT = re.compile(r"^(text/|application/(.+\+)?(json|xml|javascript|xhtml))", re.IGNORECASE)
_DOMAIN = re.compile(r";\s*domain=[^;]*", re.IGNORECASE)
_SECURE = re.compile(r";\s*(secure|samesite=none)\s*(?=;|$)", re.IGNORECASE)
_UPGRADE = re.compile(r"\bupgrade-insecure-requests\b;?\s*", re.IGNORECASE)

Pairs = list[tuple[str, str]]
Sites: TypeAlias = tuple[tuple[str, str], ...]
"""(ours, theirs): the gateway's origins as the client reaches them, and at the sandbox; the API's first."""


def sites(profile: Profile, here: str, api: str, checkout: str = "") -> Sites:
    """The origins, where a client reached us at ``here``. ``checkout``: where the hosted checkout is, when the gateway has another
    host for it and that is not named as the profile would."""
    ours = profile.api_site(here) if profile.local_names else here
    found = ((ours, api), (profile.site(ours, "checkout"), checkout or profile.site(api, "checkout")))
    return found if profile.local_names else found[:1]


def to_ours(text: str, sites: Sites) -> str:
    """``text`` with our origins in the place of theirs."""
    for ours, theirs in sites:
        text = swap(text, theirs, ours)
    return text


def swap(text: str, old: str, new: str) -> str:
    """``text`` with one origin in the place of another, also where JSON escapes the slashes. A longer port or host
    that merely begins like ``old`` is another origin."""
    for before, after in ((old, new), (old.replace("/", "\\/"), new.replace("/", "\\/"))):
        text = re.sub(re.escape(before) + r"(?![\w.:-])", after.replace("\\", r"\\"), text)
    return text


def to_upstream(headers: Iterable[tuple[str, str]], sites: Sites) -> Pairs:
    """Request headers as the sandbox should see them: its own origins, no compression, nothing of this connection."""
    return [
        (name, _to_theirs(value, sites) if name.lower() in ("origin", "referer") else value)
        for name, value in headers
        if name.lower() not in _NOT_ON
    ]


def _to_theirs(text: str, sites: Sites) -> str:
    for ours, theirs in sites:
        text = swap(text, ours, theirs)
    return text


def to_client(headers: Iterable[tuple[str, str]], sites: Sites) -> Pairs:
    """Response headers as the client should see them: our origins, cookies for our hosts."""
    plain = sites[0][0].startswith("http:")
    kept: Pairs = []
    for name, value in headers:
        lower = name.lower()
        if lower in HOP_BY_HOP or lower in ("content-encoding", "strict-transport-security", "alt-svc"):
            continue
        if lower == "set-cookie":
            value = _DOMAIN.sub("", value)
            # A secure cookie does not travel over plain HTTP, and the session would be lost.
            value = _SECURE.sub("", value) if plain else value
        elif lower in ("location", "content-location", "refresh", "link", "content-security-policy"):
            value = to_ours(value, sites)
            value = _UPGRADE.sub("", value) if plain else value
        kept.append((name, value))
    return kept


def is_text(content_type: str) -> bool:
    return bool(_TEXT.match(content_type.strip()))


def with_credentials(text: str, pairs: Mapping[str, str]) -> str:
    """``text`` with the integration's credentials replaced by the sandbox's."""
    for ours, real in pairs.items():
        text = text.replace(ours, real)
    return text


def authorization(value: str, pairs: Mapping[str, str]) -> str:
    """An Authorization header with the same replaced, also within Basic."""
    scheme, _, rest = value.partition(" ")
    if scheme.lower() != "basic":
        return with_credentials(value, pairs)
    try:
        plain = base64.b64decode(rest.strip()).decode()
    except ValueError:
        return value
    return f"{scheme} {base64.b64encode(with_credentials(plain, pairs).encode()).decode()}"
