"""What a browser says of itself and of where it comes from, since frameworks refuse a form that comes from nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from payproof.contracts.reading import addresses
from payproof.simulator.bounded_read import ACCEPTED

AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 payproof-customer"
_UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
_NEVER, _SAME, _ORIGIN = ("no-referrer",), ("same-origin",), ("origin", "strict-origin")
_POLICIES = {
    *_NEVER, *_SAME, *_ORIGIN,
    "origin-when-cross-origin", "strict-origin-when-cross-origin", "no-referrer-when-downgrade", "unsafe-url",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """The page that a tab shows: where its links and forms come from. ``policy``: its Referrer-Policy."""

    url: str = ""
    policy: str = ""


def shown(url: str, policy: str) -> Shown:
    """``policy``: the header's value, a list whose last known word counts."""
    words = [word.strip().lower() for word in policy.split(",")]
    return Shown(url, next((word for word in reversed(words) if word in _POLICIES), ""))


def headers(method: str, url: str, source: Shown, *, fetched: bool = False, script: bool = False) -> dict[str, str]:
    """Headers of a request that the page ``source`` makes; of an address that somebody typed, when there is none. A form comes from a
    page of its own site, where nothing else is known. ``fetched``: by a script, as JSON is."""
    if not source.url and method in _UNSAFE:
        source = Shown(f"{_origin(url)}/")
    mode, dest = ("cors", "empty") if fetched else ("no-cors", "script") if script else ("navigate", "document")
    fields = {
        "User-Agent": AGENT,
        "Accept": "*/*" if script else "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8",
        "Accept-Language": "en-US,en;q=0.9",
        "Accept-Encoding": ACCEPTED,
        "Connection": "keep-alive",
        "Sec-Fetch-Site": _site(source.url, url),
        "Sec-Fetch-Mode": mode,
        "Sec-Fetch-Dest": dest,
    }
    if mode == "navigate":
        fields["Sec-Fetch-User"] = "?1"
    if method in _UNSAFE:
        fields["Origin"] = _origin(source.url) or "null"
    if referer := _referer(source, url):
        fields["Referer"] = referer
    return fields


def merged(ours: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Both; what is given counts, in any letter case."""
    names = {name.lower() for name in given}
    return {**{name: value for name, value in ours.items() if name.lower() not in names}, **given}


def _referer(source: Shown, url: str) -> str:
    here, there = _origin(source.url), _origin(url)
    if not here or source.policy in _NEVER or (here.startswith("https:") and there.startswith("http:")):
        return ""
    if here != there:
        # No policy makes us tell another host more: the address of a hosted page may hold what a payer typed.
        return "" if source.policy in _SAME else f"{here}/"
    if source.policy in _ORIGIN:
        return f"{here}/"
    parts = urlsplit(source.url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path or "/", parts.query, ""))


def _site(source: str, url: str) -> str:
    here, there = _origin(source), _origin(url)
    if not source:
        return "none"
    if here == there:
        return "same-origin"
    one, other = urlsplit(here), urlsplit(there)
    return "same-site" if (one.scheme, one.hostname) == (other.scheme, other.hostname) else "cross-site"


def _origin(url: str) -> str:
    return addresses.origin(url)
