"""Who the clients talk to: payproof's simulator with a fault, and two small servers for what no fault of a gateway is."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import httpx
from situations import Situation

from payproof.contracts.entries import Call, Connection
from payproof.simulator.testing import GatewayThread
from payproof.suites.session.trust import Trust

STARTING = threading.Lock()
"""Held while a program is started, which has our sockets until it has begun, and while a port is shut and taken again."""
PLAIN = json.dumps({"data": "x" * 5_000}).encode()
PAYMENT = {
    "amount": "5000.00",
    "currency": "XAF",
    "return_url": "https://shop.example/return",
    "cancel_url": "https://shop.example/cancel",
    "custom": "order-1",
}


@dataclass(slots=True)
class Seen:
    """What was seen at the socket. ``requests`` and ``connections`` in the order of their beginning, as plain values."""

    requests: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    connections: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


@dataclass(slots=True)
class Stand:
    """``url``: what the client is to ask for, with ``token`` and ``body`` (of a POST). ``seen`` is filled when the stand has ended."""

    url: str
    token: str
    body: str
    seen: Seen = field(default_factory=Seen)
    met: Callable[[], bool] = lambda: True
    """Whether the client has got as far as to what it is to meet."""
    environment: dict[str, str] = field(default_factory=dict[str, str])
    """Where the client's runtime finds the authority that it trusts."""


@contextmanager
def standing(situation: Situation, method: str) -> Generator[Stand]:
    """Somebody to call, for as long as the context lasts."""
    with tempfile.TemporaryDirectory() as folder:
        trust = Trust(Path(folder)) if situation.secure else None
        stands = {"simulator": simulator, "web": web, "alpn": alpn}
        with stands[situation.stand](situation, method, trust) as stand:
            stand.environment = trust.environment() if trust else {}
            yield stand


# The simulator


@contextmanager
def simulator(situation: Situation, method: str, trust: Trust | None) -> Generator[Stand]:
    """A gateway with a payment to ask for, and the situation's fault armed."""
    gateway = GatewayThread(tls=trust.server, certificates=trust.certificates) if trust else GatewayThread()
    with gateway:
        token, payment = _opened(gateway)
        before = len(gateway.journal())
        number = 0
        if situation.fault:
            with STARTING:
                number = gateway.arm(situation.fault, params=dict(situation.params), skip=situation.skip)
        path = f"/payment/status/{payment}" if method == "GET" else "/payment/create"
        body = "" if method == "GET" else json.dumps(PAYMENT)
        stand = Stand(gateway.base_url + path, token, body)
        if situation.waits:
            stand.met = lambda: gateway.fired(number) > 0
        yield stand
    for entry in gateway.simulator.journal.entries[before:]:
        if isinstance(entry, Call):
            stand.seen.requests.append(_of_call(entry))
        elif isinstance(entry, Connection) and entry.event != "served":
            stand.seen.connections.append(_of_connection(entry))


def _opened(gateway: GatewayThread) -> tuple[str, str]:
    """(access token, payment) of a payment that was opened."""
    keys = {"client_id": gateway.client_id, "secret_id": gateway.secret_key}
    with httpx.Client(base_url=gateway.base_url, verify=False, trust_env=False) as http:
        token = http.post("/authentication/token", json=keys).json()["data"]["access_token"]
        made = http.post("/payment/create", json=PAYMENT, headers={"Authorization": f"Bearer {token}"}).json()
    return token, made["data"]["token"]


def _of_call(call: Call) -> dict[str, Any]:
    return {
        "at": round(call.began, 2),
        "seconds": round(call.seconds, 2),
        "ending": call.ending,
        "method": call.request.method,
        "body": len(call.request.body),
        "fault": call.fault,
    }


def _of_connection(entry: Connection) -> dict[str, Any]:
    kept = ("event", "seconds", "ended_by", "tls", "offered", "alert", "calls")
    return {name: value for name, value in asdict(entry).items() if name in kept and value not in ("", None, ())}


# Redirects and gzip


@contextmanager
def web(situation: Situation, method: str, trust: Trust | None) -> Generator[Stand]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Web)
    server.daemon_threads = True
    body = "" if method == "GET" else json.dumps(PAYMENT)
    stand = Stand(f"http://127.0.0.1:{server.server_port}{situation.path}", "a-token", body)
    server.seen, server.began = stand.seen, time.monotonic()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield stand
    finally:
        server.shutdown()
        server.server_close()


class _Web(BaseHTTPRequestHandler):
    """``/redirect/CODE``: to ``/landed``. ``/away``: there too, under another host's name. ``/gzip``: packed, asked or not."""

    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_GET(self) -> None:
        size = int(self.headers.get("Content-Length", 0))
        self.rfile.read(size)
        self._note(size)
        port = self.server.server_port  # type: ignore[attr-defined]
        if self.path.startswith("/redirect/"):
            self._answer(int(self.path.rpartition("/")[2]), b"", ("Location", "/landed"))
        elif self.path == "/away":
            self._answer(302, b"", ("Location", f"http://localhost:{port}/landed"))
        elif self.path == "/gzip":
            self._answer(200, gzip.compress(PLAIN), ("Content-Encoding", "gzip"))
        else:
            self._answer(200, PLAIN)

    do_POST = do_GET

    def _note(self, size: int) -> None:
        server = cast(Any, self.server)
        noted = {
            "at": round(time.monotonic() - server.began, 2),
            "method": self.command,
            "path": self.path,
            "body": size,
            "version": self.request_version,
            "authorized": "Authorization" in self.headers,
            "accepts": self.headers.get("Accept-Encoding", ""),
            "upgrade": self.headers.get("Upgrade", ""),
            "port": self.client_address[1],
        }
        server.seen.requests.append(noted)

    def _answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (
            *headers,
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


# The version of HTTP


@contextmanager
def alpn(situation: Situation, method: str, trust: Trust | None) -> Generator[Stand]:
    """Accepts one TLS connection, notes what was agreed on, and closes it."""
    assert trust is not None
    trust.server.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        stand = Stand(f"https://localhost:{listening.getsockname()[1]}/", "a-token", "")
        thread = threading.Thread(target=_agree, args=(listening, trust.server, stand.seen), daemon=True)
        thread.start()
        yield stand
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        thread.join(2)


def _agree(listening: socket.socket, context: ssl.SSLContext, seen: Seen) -> None:
    with suppress(OSError):
        while True:
            sock, _ = listening.accept()
            sock.settimeout(5)
            with suppress(OSError), context.wrap_socket(sock, server_side=True) as tls:
                first = tls.recv(1_000).split(b"\r\n", 1)[0]
                version = first.rpartition(b" ")[2].decode("latin-1")
                seen.connections.append(
                    {"tls": tls.version(), "alpn": tls.selected_alpn_protocol(), "version": version}
                )
