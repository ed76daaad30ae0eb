"""Addresses in whatever spelling: one plain form to use, and every way in which a server might read one.

A guard that compares texts is passed by another spelling of the same address (``%61pi``, ``/sandbox/../``, a full-width dot).
So a guard asks ``readings``, and what is configured is used as ``plain`` writes it: what was checked is what is sent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from encodings.idna import nameprep
from functools import lru_cache
from urllib.parse import quote, unquote, urljoin, urlsplit

_DOTS = str.maketrans(dict.fromkeys("\u3002\uff0e\uff61", "."))
_UNSEEN = re.compile(r"[\x00-\x20\x7f\xad\u200b-\u200f\u2060\ufeff]")
_ADDRESS = re.compile(r"(?:https?:/*|(?<![a-z0-9+.-])[0-9+.-]*[a-z][a-z0-9+.-]*:/+)([^\s\"'<>]*)", re.IGNORECASE)
_NAMED = re.compile(r"[\w-]+(\.[\w-]+)+\.?(:\d*)?")
_ROUNDS = 12
"""Rounds of decoding: as many as any chain of servers would do, and more."""
_USUAL = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read an address. ``host``: lower case, IDNA, no trailing dot; empty for a path alone. ``segments``: the
    path's, decoded, without dots and empty ones."""

    host: str
    segments: tuple[str, ...]

    def has(self, *segments: str) -> bool:
        """Whether these segments follow one another in the path, in any letter case."""
        folded = [segment.casefold() for segment in self.segments]
        return any(tuple(folded[n : n + len(segments)]) == segments for n in range(len(folded)))

    def at(self, site: str) -> bool:
        """Whether this is at that host or below it."""
        return self.host == site or self.host.endswith(f".{site}")


def joined(base: str, address: str) -> str:
    """Where an address that stands on the page ``base`` leads; empty where it is none that anybody can read (``http://[``)."""
    try:
        return urljoin(base, address)
    except ValueError:
        return ""


def readings(text: str) -> Iterator[Reading]:
    """Every way to read the addresses in a text: percent-decoded any number of times, full-width letters and dots, backslashes,
    dot segments before or after empty ones, user info, path parameters. Every text is read as a path alone too; one without a scheme
    as a host with a path, where it begins like one."""
    for spelling in _spellings(text):
        found = [match[1] for match in _ADDRESS.finditer(spelling)]
        for rest in found:
            yield from _read(rest)
        if not found and _NAMED.fullmatch(re.split(r"[/?#]", bare := spelling.lstrip("/"), maxsplit=1)[0]):
            yield from _read(bare)
        yield from (Reading("", segments) for segments in _segments(spelling))


def _spellings(text: str) -> Iterator[str]:
    for _ in range(_ROUNDS):
        yield text.replace("\\", "/")
        folded = unicodedata.normalize("NFKC", text.translate(_DOTS)).translate(_DOTS)
        yield _UNSEEN.sub("", folded).replace("\\", "/")
        decoded = unquote(folded, errors="ignore")
        if decoded == text:
            return
        text = decoded


def _read(rest: str) -> Iterator[Reading]:
    """What follows the scheme's slashes."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    host = _host(authority)
    yield from (Reading(host, segments) for segments in _segments(rest[len(authority) :]))


def _host(authority: str) -> str:
    host = authority.rpartition("@")[2]
    host = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
    return _idna(host).rstrip(".")


def _idna(host: str) -> str:
    try:
        return ".".join(nameprep(label) for label in host.translate(_DOTS).split(".")).lower()
    except UnicodeError:
        return host.lower()


def _segments(path: str) -> Iterator[tuple[str, ...]]:
    """A path's segments; where empty segments and dots meet, servers differ."""
    parts = [part.partition(";")[0] for part in re.split(r"[?#]", path, maxsplit=1)[0].split("/")]
    merged = _resolved([part for part in parts if part])
    yield tuple(merged)
    kept = [part for part in _resolved(parts) if part]
    if kept != merged:
        yield tuple(kept)


def _resolved(parts: list[str]) -> list[str]:
    out: list[str] = []
    for part in parts:
        if part == "..":
            out[-1:] = []
        elif part != ".":
            out.append(part)
    return out


def plain(url: str) -> str:
    """An address in its one plain spelling: scheme and host in lower case, the usual port left out, the path decoded, without dots
    and empty segments.

    Raises:
        ValueError: it holds what a base address must not (user info, a query, a backslash), or is none; the text says what.
    """
    if found := re.search(r"[\x00-\x20\\\x7f]", url):
        raise ValueError(f"it holds the character {found[0]!r}")
    parts = urlsplit(url)
    if parts.scheme not in _USUAL or not parts.hostname:
        raise ValueError("it does not begin with http:// or https:// and a host")
    if "@" in parts.netloc:
        raise ValueError('it holds a user name ("@")')
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        raise ValueError('it holds a query ("?") or a fragment ("#")')
    host = _plain_host(parts.hostname)
    port = f":{parts.port}" if parts.port and parts.port != _USUAL[parts.scheme] else ""
    path = parts.path
    for _ in range(_ROUNDS):
        path = unquote(path)
    segments = _resolved([part for part in path.split("/") if part])
    if any(re.search(r"[%\\?#;\x00-\x20]", segment) for segment in segments):
        raise ValueError("its path holds an encoded separator")
    return f"{parts.scheme}://{host}{port}" + "".join(f"/{quote(segment, safe='@:!$&*+,=~')}" for segment in segments)


@lru_cache(maxsize=1024)
def _plain_host(host: str) -> str:
    if ":" in host:
        return f"[{host}]"
    host = _idna(unquote(host)).rstrip(".")
    try:
        host = host.encode("idna").decode()
    except UnicodeError:
        raise ValueError(f'"{host}" is not the name of a host') from None
    if not re.fullmatch(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", host):
        raise ValueError(f'"{host}" is not the name of a host')
    return host


@lru_cache(maxsize=1024)
def origin(url: str) -> str:
    """Scheme, host and port of an address as ``plain`` writes them; empty for what is no address of http."""
    try:
        parts = urlsplit(url.strip())
        if parts.scheme not in _USUAL or not parts.hostname:
            return ""
        port = f":{parts.port}" if parts.port and parts.port != _USUAL[parts.scheme] else ""
        return f"{parts.scheme}://{_plain_host(parts.hostname)}{port}"
    except ValueError:
        return ""
