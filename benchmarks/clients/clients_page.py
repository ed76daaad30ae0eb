"""docs/clients.md, made of what run.py has measured: ``page()``."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from clients import CLIENTS
from reading import Reading
from snippets import snippet

HERE = Path(__file__).parent
MEASURED = HERE / "measured.json"
NOTES: dict[str, str] = tomllib.loads((HERE / "notes.toml").read_text())
SOURCES = "../benchmarks/clients"
Column: TypeAlias = tuple[str, Callable[[Reading], str]]

LIMITS: tuple[tuple[str, str], ...] = (
    ("connect", "connect/POST"),
    ("TLS handshake", "tls/POST"),
    ("half a handshake", "tls-half/POST"),
    ("first byte", "first-byte/POST"),
    ("stalled body", "body/POST"),
    ("drip", "drip/POST"),
    ("drip of headers", "drip-headers/POST"),
)


def page() -> Iterator[str]:
    """The page's lines, of measured.json."""
    measured = json.loads(MEASURED.read_text())
    readings = [Reading(client, measured) for client in CLIENTS if client.name in measured["clients"]]
    yield "# What HTTP clients do by themselves\n"
    yield from opening(measured, readings)
    yield "\n## In short\n"
    yield from summary(readings)
    yield "\n## As they come\n"
    yield from as_they_come(readings)
    yield "\n## With a limit set\n"
    yield from with_limits(readings)
    yield "\n## Asked once, sent how often\n"
    yield from sent_again(readings)
    yield "\n## Redirects, and the rest of the wire\n"
    yield from on_the_wire(readings)
    yield "\n# Client by client"
    for reading in readings:
        yield from section(reading)
    yield from method(measured)


def opening(measured: dict[str, Any], readings: list[Reading]) -> Iterator[str]:
    window = f"{measured['window']:g}"
    yield (
        f"{len(readings)} HTTP clients, each asked to call a gateway that is up to something: it accepts no connection, never answers, stops in "
        "the middle, sends a byte a second, resets the connection. All figures are seconds at the gateway's socket, and not what the "
        f"client said. **none** means that the client was still waiting when it was stopped after {window} s.\n"
    )
    yield "The settings to copy are in the section of each client, and were measured in the same way.\n"
    yield (
        f"Measured on {measured['on']} by [benchmarks/clients]({SOURCES}/run.py) on {measured['machine']}; "
        "[how](#how-it-was-measured). Versions stand in each section. To measure your own:\n"
    )
    yield "```sh\npython benchmarks/clients/run.py --write\npython docs/generate.py\n```"
    for line in measured["skipped"]:
        yield f"\nNot measured: {line}."


def summary(readings: list[Reading]) -> Iterator[str]:
    """What the figures come to, counted."""
    for text, name in (
        ("a first byte", "first-byte/POST"),
        ("the rest of a body", "body/POST"),
        ("a body that drips", "drip/POST"),
    ):
        endless = [each.link for each in readings if each.endless(f"{name}/default")]
        bounded = [each.link for each in readings if not each.endless(f"{name}/default")]
        yield f"- **{len(endless)} of {len(readings)} wait for {text} without end** by default. {_but(bounded, 'It is bounded in')}"
    left = [each.link for each in readings if each.endless("drip/POST/set")]
    yield f"- **A time limit is often one for each read**: with one set, a drip still holds {_listed(left)}."
    for name, text in (
        ("kept-reset/POST", "resets a kept connection"),
        ("kept-empty/POST", "closes a kept connection without an answer"),
    ):
        twice = [each.link for each in readings if (each.sent(f"{name}/default") or 1) > 1]
        yield f"- **A POST is sent again** by itself when the gateway {text}, after it has read the request: {_listed(twice)}."
    moved = [each.link for each in readings if each.moved(307) == "POST"]
    yield f"- **A POST is sent to another address**, body and all, on 307 and 308: {_listed(moved)}."
    blind = [each.link for each in readings if each.trusting()]
    yield f"- **Certificates are verified** by {'all' if not blind else 'all but ' + _listed(blind)}: unknown authority, out of date, another host's."
    offering = [each.link for each in readings if "**" in each.offers()]
    old = [each.link for each in readings if each.old_tls() == "**taken**"]
    yield (
        f"- **TLS 1.0 and 1.1 are refused** by {'all' if not old else 'all but ' + _listed(old)}, though they are offered by "
        f"{_listed(offering)}, whose library then refuses their signatures: that is the machine's OpenSSL policy, and not theirs."
    )
    lenient = [each.link for each in readings if each.takes("short")]
    yield f"- **A body shorter than its Content-Length is taken for whole** by {_listed(lenient)}."


def _listed(names: list[str]) -> str:
    return "none of them" if not names else names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _but(names: list[str], text: str) -> str:
    return f"{text} {_listed(names)}." if names else ""


def as_they_come(readings: list[Reading]) -> Iterator[str]:
    yield (
        "How long they wait for each stage of a POST, how often one call is sent when the connection is lost (fresh connection / kept "
        "connection), and what they make of a redirected POST, a bad certificate and a short body.\n"
    )
    columns: list[Column] = [
        *((title, _limit(f"{name}/default")) for title, name in LIMITS),
        ("GET sent", lambda each: each.worst("GET", "default")),
        ("POST sent", lambda each: each.worst("POST", "default")),
        ("POST redirected", Reading.redirects),
        ("bad certificate", lambda each: each.trusting() or "refused"),
        ("body cut short", Reading.short),
    ]
    yield from table(readings, columns)


def with_limits(readings: list[Reading]) -> Iterator[str]:
    yield "The same with the setting that the client's section recommends: a whole call of 30 s, 5 s to connect, as far as the client can.\n"
    columns: list[Column] = [
        *((title, _limit(f"{name}/set")) for title, name in LIMITS),
        ("GET sent", lambda each: each.worst("GET", "set")),
        ("POST sent", lambda each: each.worst("POST", "set")),
    ]
    yield from table(readings, columns)
    stuck = [
        each.link
        for each in readings
        if each.endless("drip-headers/POST/" + ("clock" if each.has("drip/POST/clock") else "set"))
    ]
    yield (
        "\nWhere the drip of a body is still **none**, the client's section has the few lines that end it. A drip of headers, before a line "
        f"of the program gets to see anything, is ended by no setting in {_listed(stuck)}: another client ends it, or the worker's own limit.\n"
    )


def sent_again(readings: list[Reading]) -> Iterator[str]:
    yield (
        "Requests that reached the gateway for one call, by default. *Fresh*: the first call on a connection. *Kept*: the second call of a "
        "client that keeps its connections. The gateway reads the request and then resets the connection, or closes it without a byte.\n"
    )
    columns: list[Column] = [
        ("refused: told after", lambda each: each.told_after("refused/POST/default")),
        ("reset on accept: connections for a GET / POST", lambda each: each.connections_of("reset-on-accept")),
    ]
    for title, name in (
        ("fresh, reset", "reset"),
        ("fresh, closed", "empty"),
        ("kept, reset", "kept-reset"),
        ("kept, closed", "kept-empty"),
    ):
        columns += [(f"{title}: {verb}", _sent(f"{name}/{verb}/default")) for verb in ("GET", "POST")]
    yield from table(readings, columns)


def on_the_wire(readings: list[Reading]) -> Iterator[str]:
    columns: list[Column] = [
        ("301, 302, 303 of a POST", lambda each: each.redirect_words(301, 302, 303)),
        ("307, 308 of a POST", lambda each: each.redirect_words(307, 308)),
        ("302 of a GET", Reading.follows_get),
        ("Authorization to another host", Reading.carries_token),
        ("429 with Retry-After: 2", Reading.limited),
        ("keeps connections", Reading.keeps),
        ("HTTP chosen over TLS", Reading.http_version),
        ("TLS", Reading.tls),
        ("TLS offered", Reading.offers),
        ("TLS 1.0 and 1.1 only", Reading.old_tls),
        ("asks for gzip", Reading.asks_gzip),
        ("unpacks gzip", Reading.unpacks),
    ]
    yield from table(readings, columns)


def table(readings: list[Reading], columns: list[Column]) -> Iterator[str]:
    yield f"| | {' | '.join(title for title, _ in columns)} |"
    yield f"|---{'|---' * len(columns)}|"
    for each in readings:
        yield f"| {each.link} | {' | '.join(value(each) for _, value in columns)} |"


def _limit(cell: str) -> Callable[[Reading], str]:
    return lambda each: each.limit(cell)


def _sent(cell: str) -> Callable[[Reading], str]:
    return lambda each: each.times(cell)


def section(reading: Reading) -> Iterator[str]:
    client = reading.client
    yield f'\n<a id="{reading.anchor}"></a>\n\n## {client.language}: {client.name}\n'
    yield f"{reading.version}. Program: [{client.source}]({SOURCES}/programs/{client.source}).\n"
    yield f"{snippet(client, 'recommended')}\n"
    yield f"Measured with it: {figures(reading, 'set')}.{unended(reading, 'set')}"
    if reading.has("drip/POST/clock"):
        yield f"\nWith a clock around the call:\n\n{snippet(client, 'clock')}\n"
        yield f"Measured with that: {figures(reading, 'clock')}.{unended(reading, 'clock')}"
    yield f"\n{NOTES[client.name].strip()}"


def unended(reading: Reading, mode: str) -> str:
    """A sentence about what goes on without end all the same."""
    endless = reading.endless_stages(mode, LIMITS)
    return f" **It does not end {_listed(endless)}.**" if endless else ""


def figures(reading: Reading, mode: str) -> str:
    return ", ".join(f"{title} {reading.limit(f'{name}/{mode}')}" for title, name in LIMITS)


def method(measured: dict[str, Any]) -> Iterator[str]:
    yield "\n# How it was measured\n"
    yield (HERE / "method.md").read_text().strip()
