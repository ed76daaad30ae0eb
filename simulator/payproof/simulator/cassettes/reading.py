"""Reads a cassette: ours with its stamp, or any other of VCR's without one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from payproof.contracts import files
from payproof.contracts import profile as profiles
from payproof.contracts.comparing.fields import as_list, as_table
from payproof.contracts.entries import Headers, Request, Response
from payproof.contracts.events import AnyEvent, Unknown
from payproof.contracts.model import PayproofError
from payproof.contracts.profile import Profile
from payproof.simulator.cassettes.library import vcr
from payproof.simulator.cassettes.stamp import KEY, Stamp, parse
from payproof.simulator.relay.sandbox_exchange import SandboxExchange

_LARGEST = 256 << 20
"""Bytes of a cassette."""
_DEEPEST = 100
"""Lists and tables within each other; a recording has six."""
_RECORD = "record one with `payproof record`"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedExchange(SandboxExchange):
    """One recorded exchange, with the sandbox's addresses and with placeholders. ``n`` counts from 1."""

    n: int
    operation: str = ""
    event: AnyEvent = field(default_factory=Unknown)

    @property
    def named(self) -> str:
        """What reports call it."""
        return self.operation or ("page" if self.kind == "page" else "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A cassette in memory. ``stamp`` is None for a file that payproof did not write; ``profile`` then, too."""

    path: Path
    stamp: Stamp | None
    profile: Profile | None
    exchanges: tuple[RecordedExchange, ...]


def read(path: Path) -> Recording:
    """A cassette from a file.

    Raises:
        PayproofError: no file, not YAML, not VCR's, or cut.
    """
    place = str(path)
    data = _parsed(path)
    listed = as_list(data.get("interactions"))
    if listed is None:
        raise PayproofError("this is not a VCR cassette: it has no interactions", place=place, remedy=_RECORD)
    if "version" not in data:
        raise PayproofError(
            "this cassette is cut, or VCR did not write it: it has no version at its end",
            place=place,
            remedy=f"take the whole file, or {_RECORD}",
        )
    stamp = parse(data[KEY], place) if KEY in data else None
    if stamp is not None and stamp.exchanges != len(listed):
        raise PayproofError(
            f"this cassette is not whole: {len(listed)} of {stamp.exchanges} exchanges are in it",
            place=place,
            remedy=f"take the whole file, or {_RECORD}",
        )
    exchanges = tuple(_exchange(n, each, place) for n, each in enumerate(listed, start=1))
    if stamp is None:
        return Recording(path=path, stamp=None, profile=None, exchanges=exchanges)
    profile = profiles.load(stamp.gateway)
    return Recording(
        path=path,
        stamp=stamp,
        profile=profile,
        exchanges=tuple(_meant(each, profile, stamp.base_path) for each in exchanges),
    )


def _parsed(path: Path) -> Mapping[str, Any]:
    place = str(path)
    if not path.exists():
        raise PayproofError("there is no such cassette", place=place, remedy=f"check the path, or {_RECORD}")
    text = files.read(
        path, says="the cassette cannot be read", largest=_LARGEST, remedy=f"name another file, or {_RECORD}"
    )
    try:
        _refuse_too_deep(text)
        data: Any = vcr("serializers.yamlserializer").deserialize(text)
    except Exception as error:
        # Beside the errors of YAML, a date that is none raises others.
        if isinstance(error, PayproofError):
            raise
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        raise PayproofError(
            f"this file is not YAML, or it was cut{where}: {str(getattr(error, 'problem', None) or error)[:200]}",
            place=place,
            remedy=f"take the whole file, or {_RECORD}",
        ) from None
    if (table := as_table(data)) is None:
        raise PayproofError("this is not a VCR cassette", place=place, remedy=_RECORD)
    return table


def _exchange(n: int, raw: Any, place: str) -> RecordedExchange:
    try:
        asked, answer, note = raw["request"], raw["response"], as_table(raw.get(KEY)) or {}
        status = answer["status"]
        body = _text((as_table(answer.get("body")) or {}).get("string"))
        return RecordedExchange(
            n=n,
            kind="page" if note.get("kind") == "page" else "api",
            probe=_word(note.get("story", "")),
            operation=_word(note.get("operation", "")),
            at=float(note.get("at", 0.0)),
            request=Request(
                method=_word(asked["method"]).upper(),
                url=_address(asked["uri"]),
                headers=_headers(asked.get("headers")),
                body=_text(asked.get("body")),
            ),
            response=Response(
                status=int(status["code"]),
                headers=_headers(answer.get("headers")),
                body=body,
                size=len(body.encode()),
            ),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise PayproofError(
            f"interaction {n} is not as VCR writes it: {type(error).__name__}: {error}", place=place, remedy=_RECORD
        ) from None


def _text(body: Any) -> str:
    if body is None:
        return ""
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else _word(body)


def _word(value: Any) -> str:
    """A text or a number. A table that refers to itself, or to others a thousand times, would never end."""
    if not isinstance(value, str | int | float):
        raise TypeError(f"a text is wanted, not a {type(value).__name__}")
    return str(value)


def _address(value: Any) -> str:
    """Raises:
    ValueError: it is none.
    """
    url = _word(value)
    urlsplit(url)
    return url


def _headers(raw: Any) -> Headers:
    found: list[tuple[str, str]] = []
    for name, values in (as_table(raw) or {}).items():
        several = as_list(values)
        found += [(str(name), _text(value)) for value in ([values] if several is None else several)]
    return tuple(found)


def ours(profile: Profile, request: Request, base_path: str) -> Request:
    """The request with the profile's base path in the place of the sandbox's own, which may lie in a folder."""
    return _moved(profile, request, base_path, profile.base_path)


def theirs(profile: Profile, request: Request, base_path: str) -> Request:
    """The request with the sandbox's own base path in the place of the profile's."""
    return _moved(profile, request, profile.base_path, base_path)


def _moved(profile: Profile, request: Request, begins: str, becomes: str) -> Request:
    url = urlsplit(request.url)
    page = not profile.base_path and profile.is_page(url.netloc, url.path)
    if begins == becomes or page or not url.path.startswith(f"{begins}/"):
        return request
    return replace(request, url=url._replace(path=becomes + url.path.removeprefix(begins)).geturl())


def event_of(profile: Profile, request: Request, response: Response | None, base_path: str) -> AnyEvent:
    """What an exchange says; nothing where it cannot be read."""
    try:
        return profile.read(ours(profile, request, base_path), response)
    except (ValueError, RecursionError):
        return Unknown()


def operation_of(profile: Profile, request: Request, base_path: str) -> str:
    return event_of(profile, request, None, base_path).operation


def _meant(exchange: RecordedExchange, profile: Profile, base_path: str) -> RecordedExchange:
    event = event_of(profile, exchange.request, exchange.response, base_path)
    return replace(exchange, event=event, operation=event.operation if exchange.kind == "api" else "")


def _refuse_too_deep(text: str) -> None:
    """PyYAML before 6.0.4 ends the whole process on a nest of thousands."""
    depth = 0
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise ValueError("nested too deep")
