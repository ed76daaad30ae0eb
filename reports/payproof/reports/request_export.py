"""The requests that the integration used, ready to be sent by hand: secrets become variables, answers feed requests.

Which values are secret is read from the journal's own placeholders (``<secret-key-1>``); where an answer holds what a
later request needs is found by looking for it there. No field of any gateway is known here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias
from urllib.parse import quote, urlsplit

from payproof.contracts import profile
from payproof.contracts.entries import Call
from payproof.contracts.model import Json, PayproofError
from payproof.contracts.reading.json_text import value_of
from payproof.contracts.results.export import exportable
from payproof.contracts.run import Run
from payproof.reports.facts import clean

Path: TypeAlias = tuple[str | int, ...]

BASE_URL, PAYMENT = "base_url", "payment"
_NAMES = {"access-token": "access_token", "client-id": "client_id", "secret-key": "secret_key"}
_PLACEHOLDER = re.compile(rf"<({'|'.join(_NAMES)})(?:-\d+)?(?::[a-z0-9:]+)?>")
_CARRIED = (
    "host",
    "content-length",
    "connection",
    "accept-encoding",
    "user-agent",
    "transfer-encoding",
    "cookie",
    "expect",
)
_NO_ADDRESS = re.compile(r"[{}\s\x00-\x1f\x7f]")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
"""What HTTP allows as a method or a header's name."""
_SHORTEST = 6
"""A payment's name shorter than this could stand in an address by chance."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A hole in a text."""

    name: str


Text: TypeAlias = tuple[str | Variable, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """One request to hand over. ``found``: variable -> where this request's answer holds it."""

    operation: str
    method: str
    url: Text
    headers: tuple[tuple[str, Text], ...]
    basic: bool
    """Client id and secret key travel as HTTP Basic credentials; ``headers`` leaves them out."""
    body: Text
    found: Mapping[str, Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """All of them, in the order in which they can be sent. ``base_url`` is the one the run used."""

    base_url: str
    asks: tuple[ExportRequest, ...]

    @property
    def variables(self) -> tuple[str, ...]:
        """What a person has to fill in: every variable that no answer gives."""
        given = {name for ask in self.asks for name in ask.found}
        used = {name for ask in self.asks for name in _variables(ask)}
        return tuple(sorted(used - given - {BASE_URL}))


def handover(run: Run) -> Handover:
    """The export of a run; without requests when the integration never called the gateway."""
    calls, base_path = exportable(run), _base_path(run)
    base = next((_base(call.request.url, base_path) for call in calls.values()), "")
    return Handover(base_url=base, asks=_needed(tuple(_asks(calls, base_path))))


def sendable(ask: ExportRequest) -> bool:
    """Whether the request's own line can be written: a file from elsewhere may name a method that is none."""
    return bool(_TOKEN.fullmatch(ask.method))


def headers_of(ask: ExportRequest) -> Iterator[tuple[str, Text]]:
    """The headers whose names are names; any other would be read as something else by whoever sends it."""
    return ((name, value) for name, value in ask.headers if _TOKEN.fullmatch(name))


def templated(text: Text) -> bool:
    """Whether a text of the integration's own would be filled in by a tool that knows ``{{name}}``."""
    return any("{{" in part for part in text if isinstance(part, str))


def show(text: Text, opening: str = "{{", closing: str = "}}") -> str:
    """The text with its variables between the given marks."""
    return "".join(f"{opening}{part.name}{closing}" if isinstance(part, Variable) else part for part in text)


def path_text(path: Path) -> str:
    """``data.items[0].id``: as JavaScript and JSONPath write it, for keys that need no quotes."""
    return "".join(
        f"[{json.dumps(key)}]" if isinstance(key, int) or not key.isidentifier() else f".{key}" for key in path
    )


def _asks(calls: Mapping[str, Call], base_path: str) -> Iterator[ExportRequest]:
    made = False
    for operation, call in calls.items():
        answer: Json = value_of(call.response.body) if call.response else None
        payment = call.event.payment or ""
        found: dict[str, Path] = {}
        if (token := call.issued) and (path := _find(answer, token)):
            found[_NAMES["access-token"]] = path
        if (
            not made
            and len(payment) >= _SHORTEST
            and payment not in call.request.url
            and (path := _find(answer, payment))
        ):
            found[PAYMENT] = path
        yield _ask(operation, call, payment if made else "", base_path, found)
        made = made or PAYMENT in found


def _needed(asks: tuple[ExportRequest, ...]) -> tuple[ExportRequest, ...]:
    """The requests, keeping of their answers only what a later request uses."""
    used = [_variables(ask) for ask in asks]
    return tuple(
        replace(
            ask,
            found={name: path for name, path in ask.found.items() if any(name in later for later in used[place + 1 :])},
        )
        for place, ask in enumerate(asks)
    )


def _ask(operation: str, call: Call, payment: str, base_path: str, found: Mapping[str, Path]) -> ExportRequest:
    request = call.request
    base = _base(request.url, base_path)
    basic = any(
        name.lower() == "authorization" and value.lower().startswith("basic ") for name, value in request.headers
    )
    headers = [
        (name, _holes(value, ""))
        for name, value in request.headers
        if name.lower() not in _CARRIED and not (basic and name.lower() == "authorization")
    ]
    return ExportRequest(
        operation=operation,
        method=request.method,
        url=(Variable(BASE_URL), *_holes(_address(request.url.removeprefix(base)), payment)),
        headers=tuple(headers),
        basic=basic,
        body=_holes(request.body, payment),
        found=found,
    )


def _holes(text: str, payment: str) -> Text:
    """``text`` with variables where a placeholder, or the payment made before, stands."""
    pattern = re.compile(f"{_PLACEHOLDER.pattern}|{re.escape(payment)}") if payment else _PLACEHOLDER
    parts: list[str | Variable] = []
    done = 0
    for match in pattern.finditer(shown := clean(text)):
        kind = match.group(1)
        parts += [shown[done : match.start()], Variable(_NAMES[kind] if kind else PAYMENT)]
        done = match.end()
    return tuple(part for part in (*parts, shown[done:]) if part != "")


def _address(rest: str) -> str:
    """Path and query without what a tool would fill in or take for the next line."""
    return _NO_ADDRESS.sub(lambda match: quote(match[0]), rest)


def _base_path(run: Run) -> str:
    try:
        return profile.load(run.gateway).base_path
    except PayproofError:
        return ""


def _base(url: str, base_path: str) -> str:
    parts = urlsplit(url)
    within = base_path if base_path and parts.path.startswith(base_path) else ""
    return f"{parts.scheme}://{parts.netloc}{within}"


def _find(value: Json, wanted: str, path: Path = ()) -> Path:
    """Where ``wanted`` stands as a whole value; empty when nowhere."""
    if value == wanted:
        return path
    items: Sequence[tuple[str | int, Json]] = ()
    if isinstance(value, dict):
        items = tuple(value.items())
    elif isinstance(value, list):
        items = tuple(enumerate(value))
    return next((found for key, item in items if (found := _find(item, wanted, (*path, key)))), ())


def _variables(ask: ExportRequest) -> set[str]:
    """The variables that a request uses."""
    texts = (ask.url, ask.body, *(value for _, value in ask.headers))
    used = {part.name for text in texts for part in text if isinstance(part, Variable)}
    return used | {"client_id", "secret_key"} if ask.basic else used
