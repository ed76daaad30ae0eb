"""Every fault of the wire, seen by the HTTP clients of seven languages as they are: each reports what happened on its socket.

The clients are small programs in ``clients/``: one line is an address to POST to, and one line comes back. All of them run side by
side, each against a gateway of its own; a language that is not installed is skipped.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from payproof.contracts.entries import Call, Connection
from payproof.simulator.testing import GatewayThread
from payproof.suites.session.trust import Trust

CLIENTS = Path(__file__).parent / "clients"
PATIENCE = 3.0
"""Seconds after which a client gives up what does not end: the whole call, or (Ruby, Python) connecting and each read."""
LONG = 30.0
"""Its patience where something else ends the call, on a busy machine, too."""
_TICK = 0.05
"""Seconds by which the system's own record of a socket may be off: it counts in ticks of some milliseconds."""
BYTES = 458
"""Length of the answer's body."""
WHOLE = f"ok 200 {BYTES}"


@dataclass(frozen=True)
class Expected:
    """``sees``: pattern of what a client reports, by language; ``*`` for the others. ``met``: event of the connection's entry."""

    fault: str
    sees: Mapping[str, str]
    params: Mapping[str, Any] = field(default_factory=dict[str, Any])
    met: str = "served"
    waits: bool = False
    """The client's own patience ends it, and the journal says after how long."""
    patience: float = LONG
    tls: bool = False

    @property
    def name(self) -> str:
        return f"{self.fault} {dict(self.params) or ''}".strip()


_LATE = {
    "curl": r"28 .*timed out", "php": r"28 .*timed out", "node": "timed out", "go": r"deadline exceeded|i/o timeout", "java": "timed out",
    "ruby": "Net::(Read|Open)Timeout", "python": "timed out|TimeoutError",
}  # fmt: skip
_RESET = {"*": "(?i)connection reset|ECONNRESET"}
_CUT = {
    "curl": r"18 .*transfer closed", "php": "18 transfer closed", "node": "ECONNRESET aborted", "go": "unexpected EOF",
    "java": "in body.*IOException: closed", "python": "IncompleteRead",
}  # fmt: skip
_EMPTY = {
    "curl": "52 .*Empty reply", "php": "52 Empty reply", "node": "ECONNRESET socket hang up", "go": "EOF", "java": "EOF reached",
    "ruby": "EOFError", "python": "RemoteDisconnected",
}  # fmt: skip
_NO_SUCH_VERSION = r"(?i)protocol.version|protocol version not supported|legacy sigalg disallowed"

# Python says of a reset under TLS that it was an end: its ssl module does not tell them apart.
EXPECTED = (
    Expected("refuse", {"curl": "7 .*connect to", "php": "7 .*connect to", "java": "ConnectException", "*": "(?i)refused"}, met=""),
    Expected("backlog", _LATE, met="unaccepted", patience=PATIENCE, waits=True),
    Expected("silent", _LATE, met="silent", patience=PATIENCE, waits=True),
    Expected(
        "reset-on-accept",
        {**_RESET, "java": "reset|received no bytes|Broken pipe", "curl": "reset by peer|connect to", "php": "reset by peer|connect to"},
        met="reset",
    ),
    Expected(
        "close-on-accept",
        {"*": "(?i)reset|Empty reply|SSL_ERROR_SYSCALL|hang up|EOF|terminated the handshake|closed the channel|Broken pipe|RemoteDisconnected"},
        met="closed_silent",
    ),
    Expected("never-answer", _LATE, patience=PATIENCE, waits=True),
    Expected("dropped", _EMPTY),
    Expected("reset", {**_RESET, "python": "ConnectionReset|RemoteDisconnected"}),
    Expected("reset-in-headers", {**_RESET, "go": "reset by peer|unexpected EOF", "python": "ConnectionReset|ok 200 0"}),
    Expected("reset-in-body", {**_RESET, "java": "in body", "python": "ConnectionReset|IncompleteRead 229"}),
    Expected(
        "half-status-line", {**_EMPTY, "go": r'malformed HTTP response "HTTP/1\."', "java": r"receiving \[HTTP/1\.\]", "python": "BadStatus"}
    ),
    Expected(
        "garbage",
        {
            "curl": "HTTP/0.9", "php": "HTTP/0.9", "node": "HPE_INVALID", "go": "malformed HTTP", "java": "Invalid status line",
            "ruby": "wrong status line", "python": "BadStatusLine",
        },
    ),
    Expected("length-too-short", {"*": f"ok 200 {BYTES - 7}", "node": "HPE_INVALID"}, {"by": 7}),
    Expected("length-too-long", {**_CUT, "ruby": WHOLE}),
    Expected("chunk-cut", {**_CUT, "ruby": "EOFError"}),
    Expected(
        "chunk-broken",
        {
            "curl": "56 .*chunked", "php": "56 .*chunked", "node": "HPE_INVALID_CHUNK_SIZE", "go": "invalid byte in chunk length",
            "java": "in body", "ruby": "EOFError|wrong chunk size", "python": "IncompleteRead",
        },
    ),
    Expected("stall", _LATE, patience=PATIENCE, waits=True),
    # A limit for the whole call ends a drip, one for each read does not.
    Expected("drip", {**_LATE, "ruby": WHOLE, "python": WHOLE}, {"seconds": 0.012}, patience=PATIENCE),
    Expected("drip-headers", {"*": WHOLE}, {"seconds": 0.001}),
    Expected("endless", {"curl": "28 .*timed out", "*": "ok 200 1000000"}, {"kilobytes": 5_000}, patience=5),
    Expected("tls-silence", _LATE, met="silent", patience=PATIENCE, waits=True, tls=True),
    Expected("tls-silence", _LATE, {"keep": 0.5}, met="silent", patience=PATIENCE, waits=True, tls=True),
    Expected(
        "tls-garbage", {"*": "(?i)wrong.version.number|SSLv2|plaintext connection"}, met="handshake_failed", tls=True
    ),
    Expected("tls-alert", {"*": "(?i)alert.handshake.failure|handshake.failure"}, met="handshake_failed", tls=True),
    Expected(
        "unknown-authority",
        {"*": "local issuer certificate|unknown authority|certification path|UNABLE_TO_VERIFY"},
        met="handshake_failed",
        tls=True,
    ),
    Expected(
        "expired-certificate", {"*": "(?i)has.expired|CertificateExpired"}, met="handshake_failed", tls=True
    ),
    # curl and PHP look at the host name when the handshake is done.
    Expected("wrong-host", {"*": "(?i)subject|altnames|valid for some-other-host|mismatch"}, met="handshake_failed|unused", tls=True),
    Expected("old-tls", {"*": _NO_SUCH_VERSION}, met="handshake_failed", tls=True),
)  # fmt: skip
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "curl": ("bash", str(CLIENTS / "client.sh")),
    "node": ("node", str(CLIENTS / "client.mjs")),
    "php": ("php", str(CLIENTS / "client.php")),
    "go": ("./client-go",),
    "java": ("java", "-Djdk.httpclient.keepalive.timeout=0", "-cp", ".", "Client"),
    "ruby": ("ruby", str(CLIENTS / "client.rb")),
    "python": (sys.executable, str(CLIENTS / "client.py")),
}
COMPILED: Mapping[str, tuple[str, ...]] = {
    "go": ("go", "build", "-o", "client-go", str(CLIENTS / "client.go")),
    "java": ("javac", "-d", ".", str(CLIENTS / "Client.java")),
}
SCHEMES = ("http", "https")


@dataclass(frozen=True)
class Seen:
    """What a client reported of a fault, how long that took, and the entries that the journal got meanwhile."""

    scheme: str
    expected: Expected
    report: str
    took: float
    connections: tuple[Connection, ...]
    calls: tuple[Call, ...]


def missing(language: str) -> str:
    """The program that this language lacks here; empty where it has all."""
    tools = {"curl": ["bash", "curl"], "python": [], "java": ["java", "javac"]}.get(language, [language])
    return next((tool for tool in tools if shutil.which(tool) is None), "")


class Asker:
    """A client at the other end of a pipe."""

    def __init__(self, language: str, folder: Path, environment: Mapping[str, str], gateway: GatewayThread) -> None:
        self.language = language
        sent = json.dumps({"client_id": gateway.client_id, "secret_id": gateway.secret_key})
        self._url = gateway.base_url.replace("127.0.0.1", "localhost") + "/authentication/token"
        self._process = subprocess.Popen(
            [*COMMANDS[language], sent], cwd=folder, env={**os.environ, **environment}, text=True, errors="replace",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def ask(self, patience: float) -> str:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{self._url} {patience}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        self._process.communicate(timeout=30)


def watch(language: str, scheme: str, folder: Path, trust: Trust) -> list[Seen]:
    tls = trust.server if scheme == "https" else None
    with GatewayThread(tls=tls, certificates=trust.certificates) as gateway:
        client = Asker(language, folder, trust.environment(), gateway)
        try:
            until(lambda: client.ask(LONG) == WHOLE, 60)  # a runtime's first call takes its time
            return [see(client, gateway, each, scheme) for each in EXPECTED if scheme == "https" or not each.tls]
        finally:
            client.close()


def see(client: Asker, gateway: GatewayThread, expected: Expected, scheme: str) -> Seen:
    """Once more where it was not as expected: while this machine stands still a client loses its patience with anything, and of one that
    resets its connection then nobody can say when it left (the journal has the earliest time that it can have been)."""
    found = see_once(client, gateway, expected, scheme)
    sound = reported(found, client.language) and journaled(found)
    return found if sound else see_once(client, gateway, expected, scheme)


def see_once(client: Asker, gateway: GatewayThread, expected: Expected, scheme: str) -> Seen:
    before = len(gateway.journal())
    number = gateway.arm(expected.fault, params=expected.params)
    began = time.monotonic()
    report = client.ask(expected.patience)

    def met() -> tuple[Connection, ...]:
        entries = [entry for entry in gateway.journal()[before:] if isinstance(entry, Connection)]
        return tuple(entry for entry in entries if entry.event in expected.met.split("|"))

    if expected.met:
        until(met, 10)
    took = time.monotonic() - began
    gateway.clear(number)
    calls = [entry for entry in gateway.journal()[before:] if isinstance(entry, Call)]
    return Seen(scheme, expected, report, took, met(), tuple(call for call in calls if call.fault == expected.fault))


def until(so: Callable[[], Any], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not so() and time.monotonic() < deadline:
        time.sleep(0.1)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[Seen]]:
    """What each language saw."""
    folder = tmp_path_factory.mktemp("clients")
    trust = Trust(tmp_path_factory.mktemp("trust"))
    here = [language for language in COMMANDS if not missing(language)]
    for language in here:
        if language in COMPILED:
            subprocess.run(COMPILED[language], cwd=folder, check=True, capture_output=True)
    with ThreadPoolExecutor(2 * len(here)) as pool:
        watching = {
            language: [pool.submit(watch, language, scheme, folder, trust) for scheme in SCHEMES] for language in here
        }
        return {language: [each for one in both for each in one.result()] for language, both in watching.items()}


@pytest.mark.parametrize("language", COMMANDS)
def test_each_client_reports_what_happened_on_its_socket(seen: Mapping[str, list[Seen]], language: str) -> None:
    if tool := missing(language):
        pytest.skip(f"{tool} is not installed")
    wrong = [(each.scheme, each.expected.name, each.report) for each in seen[language] if not reported(each, language)]
    assert wrong == []


@pytest.mark.parametrize("language", COMMANDS)
def test_the_journal_says_what_each_client_met_and_how_long_it_waited(
    seen: Mapping[str, list[Seen]], language: str
) -> None:
    if tool := missing(language):
        pytest.skip(f"{tool} is not installed")
    wrong = [
        (each.scheme, each.expected.name, each.connections or each.calls)
        for each in seen[language]
        if not journaled(each)
    ]
    assert wrong == []


def reported(each: Seen, language: str) -> bool:
    wanted = each.expected.sees.get(language, each.expected.sees.get("*", "")) or "nothing"
    return re.search(wanted, each.report) is not None


def journaled(each: Seen) -> bool:
    expected = each.expected
    if not expected.met:
        return not each.connections
    if expected.met == "served" and not each.calls:
        return False
    if not expected.waits:
        return bool(each.connections)
    waited = [entry.gave_up for entry in each.connections]
    return bool(waited) and all(one is not None and PATIENCE / 2 < one < each.took + _TICK for one in waited)
