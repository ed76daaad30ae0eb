"""Answers that break off or do not fit their frame, seen by a client that reads bytes: what came, and how it ended."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from payproof.contracts.entries import Call, Connection
from payproof.simulator.sockets.certificates import Certificates
from payproof.simulator.testing import GatewayThread

PATIENCE = 0.8
"""Seconds after which our client gives up where nothing more is to come."""
LONG = 20.0
"""Its patience where something comes, on a busy machine, too."""
CHECK = b"GET /pay/sandbox/api/v1/payment/status/"


@dataclass(frozen=True)
class Seen:
    """``ending``: FIN, RST or silence, until our patience was at its end."""

    came: bytes
    ending: str
    seconds: float

    @property
    def head(self) -> bytes:
        return self.came.partition(b"\r\n\r\n")[0]

    @property
    def body(self) -> bytes:
        return self.came.partition(b"\r\n\r\n")[2]


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    return Certificates()


@pytest.fixture(params=["http", "https"])
def gateway(request: pytest.FixtureRequest, certificates: Certificates) -> Iterator[GatewayThread]:
    tls = certificates.good if request.param == "https" else None
    with GatewayThread(tls=tls, certificates=certificates) as running:
        yield running


def look(gateway: GatewayThread, *, most: int = 1_000_000, patience: float = LONG) -> Seen:
    """Ask for an access token, and read what comes."""
    body = f'{{"client_id":"{gateway.client_id}","secret_id":"{gateway.secret_key}"}}'
    asked = (
        "POST /pay/sandbox/api/v1/authentication/token HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )
    with connected(gateway, patience) as sock:
        sock.send(asked.encode())
        return read(sock, most)


class Plain:
    """A connection that is read byte by byte, with its end as the system tells it."""

    def __init__(self, gateway: GatewayThread, patience: float) -> None:
        address = "127.0.0.1", int(gateway.url.rsplit(":", 1)[1])
        self.sock = socket.create_connection(address, timeout=LONG)
        self.begin()
        self.sock.settimeout(patience)

    def begin(self) -> None: ...

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def receive(self) -> bytes:
        return self.sock.recv(65536)

    def __enter__(self) -> Plain:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()


class Secured(Plain):
    """The same over TLS, which is ours: Python's own sockets make the end of a file of every end."""

    def begin(self) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.came, self.going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.came, self.going, server_hostname="localhost")
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.flush()
                self.came.write(self.sock.recv(65536))
        self.flush()

    def flush(self) -> None:
        self.sock.sendall(self.going.read())

    def send(self, data: bytes) -> None:
        self.tls.write(data)
        self.flush()

    def receive(self) -> bytes:
        while True:
            try:
                return self.tls.read(65536)
            except ssl.SSLWantReadError:
                data = self.sock.recv(65536)
                if not data:
                    return b""
                self.came.write(data)


def connected(gateway: GatewayThread, patience: float) -> Plain:
    return (Secured if gateway.url.startswith("https") else Plain)(gateway, patience)


def read(sock: Plain, most: int) -> Seen:
    began, came = time.monotonic(), b""
    ending = "enough"
    while len(came) < most:
        try:
            more = sock.receive()
        except ConnectionResetError:
            ending = "RST"
            break
        except TimeoutError:
            ending = "silence"
            break
        if not more:
            ending = "FIN"
            break
        came += more
    return Seen(came, ending, time.monotonic() - began)


def call(gateway: GatewayThread) -> Call:
    """The call's entry, which is written when it is over."""

    def found() -> list[Call]:
        return [entry for entry in gateway.journal() if isinstance(entry, Call)]

    until(lambda: bool(found()))
    return found()[-1]


def until(so: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 20
    while not so():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)


def issued(gateway: GatewayThread) -> int:
    """Tokens that the gateway issued, whether anybody heard of it or not."""
    return sum(getattr(entry, "event", "") == "token_issued" for entry in gateway.journal())


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize(
    ("name", "params", "came", "ending"),
    [
        ("dropped", {}, b"", "FIN"),
        ("reset", {}, b"", "RST"),
        ("half-status-line", {}, b"HTTP/1.", "FIN"),
        ("half-status-line", {"then": "reset"}, b"HTTP/1.", "RST"),
        ("half-status-line", {"then": "hold"}, b"HTTP/1.", "silence"),
        ("never-answer", {}, b"", "silence"),
    ],
)
def test_an_answer_that_never_is_one(
    gateway: GatewayThread, name: str, params: Any, came: bytes, ending: str, *, after_effect: bool
) -> None:
    gateway.arm(name, operation="token", params=params, after_effect=after_effect)
    began = time.monotonic()
    seen = look(gateway, patience=PATIENCE if ending == "silence" else LONG)
    assert (seen.came, seen.ending) == (came, ending)
    entry = call(gateway)
    assert (entry.fault, entry.response) == (name, None)
    assert entry.ending == ("hung_up" if ending == "silence" else "cut")
    if ending == "silence":
        assert PATIENCE / 4 < entry.seconds < time.monotonic() - began
    assert issued(gateway) == after_effect


def test_garbage_is_no_http(gateway: GatewayThread) -> None:
    gateway.arm("garbage")
    seen = look(gateway)
    assert (len(seen.came), seen.came[0] & 0x80, seen.ending) == (256, 0x80, "FIN")
    assert (call(gateway).ending, issued(gateway)) == ("cut", 0)


def test_a_reset_in_the_headers_leaves_a_status_and_half_a_head(gateway: GatewayThread) -> None:
    gateway.arm("reset-in-headers")
    seen = look(gateway)
    assert seen.came.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\n\r\n" not in seen.came
    assert seen.ending == "RST"
    assert (call(gateway).response, issued(gateway)) == (None, 1)


def test_a_reset_in_the_body_leaves_half_of_it(gateway: GatewayThread) -> None:
    gateway.arm("reset-in-body")
    seen = look(gateway)
    declared = int(seen.head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    assert (len(seen.body), seen.ending) == (declared // 2, "RST")
    entry = call(gateway)
    assert entry.response
    assert (entry.response.status, entry.response.size, entry.ending) == (200, declared // 2, "cut")


@pytest.mark.parametrize(("name", "more"), [("length-too-short", 7), ("length-too-long", -7)])
def test_a_content_length_can_be_wrong_both_ways(gateway: GatewayThread, name: str, more: int) -> None:
    gateway.arm(name, params={"by": 7})
    seen = look(gateway)
    declared = int(seen.head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    assert (len(seen.body) - declared, seen.ending) == (more, "FIN")
    assert seen.body.endswith(b"}")
    entry = call(gateway)
    assert entry.response
    assert entry.response.size == min(declared, len(seen.body)), "what a client can take for the body"


def test_a_body_that_is_too_short_can_stay_open(gateway: GatewayThread) -> None:
    gateway.arm("length-too-long", params={"then": "hold"})
    seen = look(gateway, patience=PATIENCE)
    assert (seen.body[-1:], seen.ending) == (b"}", "silence")
    assert call(gateway).ending == "hung_up"


def test_a_chunk_can_be_cut_or_broken(gateway: GatewayThread) -> None:
    gateway.arm("chunk-cut", times=1)
    gateway.arm("chunk-broken", skip=0)
    cut = look(gateway)
    size, _, part = cut.body.partition(b"\r\n")
    assert b"transfer-encoding: chunked" in cut.head
    assert (len(part), cut.ending) == (int(size, 16) // 2, "FIN")
    broken = look(gateway)
    size, _, rest = broken.body.partition(b"\r\n")
    assert rest[int(size, 16) :].startswith(b"\r\nwhat\r\n")
    assert broken.ending == "FIN"


def test_the_headers_can_be_all_that_comes_or_half_of_the_body_too(gateway: GatewayThread) -> None:
    gateway.arm("stall", times=1)
    seen = look(gateway, patience=PATIENCE)
    assert (seen.body, seen.ending) == (b"", "silence")
    gateway.arm("stall", params={"keep": 0.5})
    seen = look(gateway, patience=PATIENCE)
    declared = int(seen.head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    assert (len(seen.body), seen.ending) == (declared // 2, "silence")


def test_headers_drip_and_the_body_follows(gateway: GatewayThread) -> None:
    gateway.arm("drip-headers", params={"seconds": 0.002})
    seen = look(gateway)
    assert seen.ending == "FIN"
    assert seen.seconds > 0.002 * len(seen.head)
    assert (seen.body[:1], seen.body[-1:]) == (b"{", b"}")
    entry = call(gateway)
    assert entry.response
    assert (entry.ending, entry.response.size) == ("answered", len(seen.body))


@pytest.mark.parametrize("name", ["drip", "drip-headers"])
def test_a_drip_goes_on_until_the_client_has_had_enough(gateway: GatewayThread, name: str) -> None:
    gateway.arm(name, params={"seconds": 0.05})
    began = time.monotonic()
    seen = look(gateway, most=3 if name == "drip-headers" else 120)
    assert seen.ending == "enough", "no read of it took longer than a moment"
    entry = call(gateway)
    assert entry.ending == "hung_up"
    assert seen.seconds / 4 < entry.seconds < time.monotonic() - began


def test_an_endless_body_has_no_end_and_costs_no_memory(gateway: GatewayThread) -> None:
    gateway.arm("endless", params={"kilobytes": 20_000})
    seen = look(gateway, most=5_000_000)
    assert (seen.ending, len(seen.came) >= 5_000_000) == ("enough", True)
    entry = call(gateway)
    assert entry.response
    assert (entry.ending, len(entry.response.body), entry.response.size > 4_000_000) == ("hung_up", 65536, True)


def test_a_client_that_does_not_read_an_endless_body_fills_no_buffer(gateway: GatewayThread) -> None:
    gateway.arm("endless", params={"kilobytes": 60_000})
    with connected(gateway, LONG) as sock:
        sock.send(CHECK + b"x HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.5)  # long enough to fill every buffer at this pace
        gateway.clear()
        entry = call(gateway)
    assert entry.response
    assert entry.response.size < 20_000_000


@pytest.mark.parametrize("operation", ["token", "create", "status"])
@pytest.mark.parametrize("name", ["reset", "never-answer", "stall", "endless"])
def test_each_operation_can_meet_it_and_others_do_not(gateway: GatewayThread, operation: str, name: str) -> None:
    number = gateway.arm(name, operation=operation)
    look(gateway, most=100_000, patience=PATIENCE)
    assert gateway.fired(number) == (operation == "token")


def test_faults_of_a_call_leave_the_connection_entry_to_say_who_ended_it(gateway: GatewayThread) -> None:
    gateway.arm("reset", times=1)
    gateway.arm("never-answer", times=1)
    look(gateway, patience=PATIENCE)
    look(gateway, patience=PATIENCE)

    def ends() -> list[str]:
        return [entry.ended_by for entry in gateway.journal() if isinstance(entry, Connection)]

    until(lambda: len(ends()) == 2)
    assert ends() == ["gateway", "client"]


@pytest.mark.parametrize("name", ["dropped", "never-answer"])
def test_a_call_that_we_ended_was_over_then_however_late_its_client_closes(gateway: GatewayThread, name: str) -> None:
    number = gateway.arm(name)
    body = f'{{"client_id":"{gateway.client_id}","secret_id":"{gateway.secret_key}"}}'.encode()
    head = b"POST /pay/sandbox/api/v1/authentication/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
    with connected(gateway, LONG) as sock:
        sock.send(head % len(body) + body)
        until(lambda: gateway.fired(number))
        gateway.clear(number)
        read(sock, 1_000_000)
        time.sleep(1.5)
    lost = call(gateway)
    assert lost.ending == "cut"
    assert lost.seconds < 1.0
