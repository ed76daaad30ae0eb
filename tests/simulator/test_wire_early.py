"""What happens before a request is read: on the port, on a connection, in the handshake; and what the journal says of it."""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import ssl
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trustme

from payproof.contracts.entries import Call, Connection
from payproof.contracts.faults import FaultSpec
from payproof.contracts.model import PayproofError
from payproof.contracts.profile import load
from payproof.simulator import GatewayServer, Simulator
from payproof.simulator.sockets import client_hello
from payproof.simulator.sockets.certificates import Certificates
from payproof.simulator.sockets.peers import is_ours
from payproof.simulator.testing import GatewayThread

ASK = b"POST /pay/sandbox/api/v1/authentication/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
PATIENCE = 0.8
"""Seconds after which our client gives up where nothing is to come."""
LONG = 20.0
"""Its patience where something comes, on a busy machine, too."""


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def certificates(authority: trustme.CA) -> Certificates:
    return Certificates(authority)


@pytest.fixture
def plain() -> Iterator[GatewayThread]:
    with GatewayThread() as gateway:
        yield gateway


@pytest.fixture
def secure(certificates: Certificates) -> Iterator[GatewayThread]:
    with GatewayThread(tls=certificates.good, certificates=certificates) as gateway:
        yield gateway


def port(gateway: GatewayThread) -> tuple[str, int]:
    return "127.0.0.1", int(gateway.url.rsplit(":", 1)[1])


def connected(gateway: GatewayThread, patience: float = LONG) -> socket.socket:
    return socket.create_connection(port(gateway), timeout=patience)


def asked(sock: socket.socket) -> bytes:
    """The answer to a call; empty where the connection ends without one."""
    sock.sendall(ASK)
    answer = b""
    while not answer.endswith(b"}") and (more := sock.recv(1000)):
        answer += more
    return answer


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType]
    return context


def careless() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def waited(entry: Connection, began: float) -> bool:
    """Whether the measured time is our client's: on a busy machine a part of it may be lost, and none is added."""
    return entry.gave_up is not None and PATIENCE / 4 < entry.gave_up < time.monotonic() - began


def met(gateway: GatewayThread, event: str) -> Connection:
    """The entry of the connection that met this."""

    def found() -> list[Connection]:
        return [entry for entry in gateway.journal() if isinstance(entry, Connection) and entry.event == event]

    until(lambda: bool(found()))
    return found()[-1]


def until(so: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 20
    while not so():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)


def test_a_refused_connection_is_refused_and_the_port_opens_again(plain: GatewayThread) -> None:
    number = plain.arm("refuse")
    with pytest.raises(ConnectionRefusedError):
        connected(plain)
    plain.clear(number)
    with connected(plain) as sock:
        assert asked(sock).startswith(b"HTTP/1.1 400")


def test_a_port_that_refuses_for_a_while_opens_by_itself(plain: GatewayThread) -> None:
    plain.arm("refuse", params={"seconds": 0.2})
    with pytest.raises(ConnectionRefusedError):
        connected(plain)
    until(lambda: not plain.simulator.faults.any)
    with connected(plain) as sock:
        assert asked(sock).startswith(b"HTTP/1.1 400")


def test_a_full_backlog_lets_connect_hang_and_measures_each_attempt(plain: GatewayThread) -> None:
    number, began = plain.arm("backlog"), time.monotonic()
    for _ in range(2):
        with pytest.raises(TimeoutError):
            connected(plain, PATIENCE)
    until(lambda: len([entry for entry in plain.journal() if isinstance(entry, Connection)]) == 2)
    attempts = [entry for entry in plain.journal() if isinstance(entry, Connection)]
    assert plain.fired(number) == 2
    for attempt in attempts:
        assert (attempt.event, attempt.fault, attempt.ended_by) == ("unaccepted", "backlog", "client")
        assert waited(attempt, began)


def test_who_waits_at_a_full_backlog_is_served_when_there_is_room(plain: GatewayThread) -> None:
    number = plain.arm("backlog")
    waiting = socket.socket()
    waiting.setblocking(False)
    waiting.connect_ex(port(plain))
    until(lambda: plain.fired(number))
    plain.clear(number)
    attempt = met(plain, "unaccepted")
    assert (attempt.fault, attempt.ended_by, attempt.gave_up) == ("backlog", "gateway", None)
    with waiting:
        assert select.select((), (waiting,), (), 10)[1], "its system asks again after a second"
        waiting.settimeout(5)
        assert asked(waiting).startswith(b"HTTP/1.1 400")


def test_the_connections_that_fill_a_backlog_leave_no_trace(plain: GatewayThread) -> None:
    plain.clear(plain.arm("backlog"))
    with connected(plain) as sock:
        assert asked(sock).startswith(b"HTTP/1.1 400")
    assert met(plain, "served").calls == 1
    assert len([entry for entry in plain.journal() if isinstance(entry, Connection)]) == 1


@pytest.mark.parametrize("sent", [b"", ASK, b"\x16\x03\x01"])
def test_an_accepted_connection_can_stay_silent_until_the_client_gives_up(plain: GatewayThread, sent: bytes) -> None:
    number, began = plain.arm("silent"), time.monotonic()
    with connected(plain, PATIENCE) as sock:
        sock.sendall(sent)
        with pytest.raises(TimeoutError):
            sock.recv(1)
    entry = met(plain, "silent")
    assert (entry.fault, entry.ended_by, entry.calls, plain.fired(number)) == ("silent", "client", 0, 1)
    assert waited(entry, began)
    assert (entry.first_byte is not None) == bool(sent)


def test_a_silent_connection_ends_when_the_fault_is_cleared(plain: GatewayThread) -> None:
    number = plain.arm("silent", times=1)
    with connected(plain) as silent, connected(plain) as other:
        assert asked(other).startswith(b"HTTP/1.1 400")
        plain.clear(number)
        events = [type(entry).__name__ for entry in plain.journal()]
        assert events[-2:] == ["Connection", "FaultSet"], "its end stands before the fault's"
        assert silent.recv(1) == b""
    assert (met(plain, "silent").ended_by, met(plain, "silent").gave_up) == ("gateway", None)


def test_a_client_that_resets_a_silent_connection_has_given_up(plain: GatewayThread) -> None:
    plain.arm("silent")
    reset(connected(plain))
    assert met(plain, "silent").ended_by == "client"


def test_a_connection_can_be_reset_or_closed_as_soon_as_it_is_there(plain: GatewayThread) -> None:
    plain.arm("reset-on-accept", times=1)
    plain.arm("close-on-accept", times=1)
    with pytest.raises(ConnectionResetError), connected(plain) as sock:
        sock.recv(1)  # connect itself may see it
    with connected(plain) as sock:
        assert sock.recv(1) == b""
    with connected(plain) as sock:
        assert asked(sock).startswith(b"HTTP/1.1 400")
    assert (met(plain, "reset").fault, met(plain, "closed_silent").fault) == ("reset-on-accept", "close-on-accept")


def test_a_connection_on_which_nobody_said_a_word_leaves_no_trace(plain: GatewayThread) -> None:
    connected(plain).close()
    with connected(plain) as sock:
        sock.sendall(b"GET / HT")
    entry = met(plain, "unused")
    assert (entry.ended_by, entry.first_byte is not None, entry.calls) == ("client", True, 0)
    assert len([entry for entry in plain.journal() if isinstance(entry, Connection)]) == 1


def test_connections_are_counted_and_drawn_like_calls(plain: GatewayThread) -> None:
    number = plain.arm("close-on-accept", skip=2, times=2)
    served: list[bool] = []
    for _ in range(6):
        with connected(plain) as sock:
            try:
                served.append(bool(asked(sock)))
            except OSError:
                served.append(False)
    assert served == [True, True, False, False, True, True]
    assert plain.fired(number) == 2
    plain.clear()
    half = plain.arm("reset-on-accept", share=0.5)
    for _ in range(40):
        with contextlib.suppress(ConnectionResetError):  # connect itself may see it
            connected(plain).close()
    until(lambda: 5 < plain.fired(half) < 35)


def test_a_kept_connection_sees_its_end_when_a_fault_of_the_connection_is_armed(plain: GatewayThread) -> None:
    with connected(plain) as sock:
        assert asked(sock)
        plain.arm("silent")
        assert sock.recv(1) == b""


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("unknown-authority", "unable to get local issuer certificate"),
        ("expired-certificate", "certificate has expired"),
        ("wrong-host", "Hostname mismatch"),
    ],
)
def test_a_bad_certificate_is_bad_in_one_way_and_serves_whoever_takes_it(
    secure: GatewayThread, authority: trustme.CA, fault: str, reason: str
) -> None:
    secure.arm(fault)
    with (
        connected(secure) as sock,
        pytest.raises(ssl.SSLCertVerificationError, match=reason),
    ):
        trusting(authority).wrap_socket(sock, server_hostname="localhost")
    refused = met(secure, "handshake_failed")
    assert (refused.fault, refused.ended_by, bool(refused.alert)) == (fault, "client", True)
    assert (refused.offered, refused.server_name) == (("TLSv1.3", "TLSv1.2"), "localhost")
    with careless().wrap_socket(connected(secure), server_hostname="localhost") as sock:
        assert asked(sock).startswith(b"HTTP/1.1 400")
    taken = met(secure, "served")
    assert (taken.fault, taken.tls, taken.calls, taken.ended_by) == (fault, "TLSv1.3", 1, "client")
    assert taken.handshake is not None
    assert [(call.secure, call.fault) for call in secure.journal() if isinstance(call, Call)] == [(True, fault)]


def test_a_good_certificate_is_back_when_the_fault_is_cleared(secure: GatewayThread, authority: trustme.CA) -> None:
    number = secure.arm("unknown-authority")
    with careless().wrap_socket(connected(secure), server_hostname="localhost") as kept:
        assert asked(kept)
        secure.clear(number)
        assert kept.recv(1) == b"", "a connection under the bad certificate does not outlive it"
    with trusting(authority).wrap_socket(connected(secure), server_hostname="localhost") as sock:
        assert asked(sock).startswith(b"HTTP/1.1 400")
    assert met(secure, "served").fault == ""


def test_plain_text_beside_a_bad_certificate_is_served_and_told(secure: GatewayThread) -> None:
    secure.arm("unknown-authority")
    with connected(secure) as sock:
        assert asked(sock).startswith(b"HTTP/1.1 400")
    entry = met(secure, "served")
    assert (entry.fault, entry.tls) == ("", "")


def test_old_tls_is_all_that_is_offered(secure: GatewayThread, authority: trustme.CA) -> None:
    secure.arm("old-tls")
    with connected(secure) as sock, pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        trusting(authority).wrap_socket(sock, server_hostname="localhost")
    failed = met(secure, "handshake_failed")
    assert (failed.offered, failed.ended_by) == (("TLSv1.3", "TLSv1.2"), "gateway")
    assert failed.detail == "no version of TLS in common"
    lenient = trusting(authority)
    lenient.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="deprecated"):
        lenient.minimum_version = ssl.TLSVersion.TLSv1
    with lenient.wrap_socket(connected(secure), server_hostname="localhost") as sock:
        assert asked(sock).startswith(b"HTTP/1.1 400")
    assert met(secure, "served").tls == "TLSv1.1"


def shaking(gateway: GatewayThread, patience: float = LONG) -> socket.socket:
    """A connection on which the client has begun TLS, by hand."""
    sock = connected(gateway, patience)
    going = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        careless().wrap_bio(ssl.MemoryBIO(), going, server_hostname="localhost").do_handshake()
    sock.sendall(going.read())
    return sock


@pytest.mark.parametrize("keep", [0, 0.5])
def test_a_handshake_can_stay_without_an_answer_or_with_half_of_one(secure: GatewayThread, keep: float) -> None:
    secure.arm("tls-silence", params={"keep": keep})
    began = time.monotonic()
    with shaking(secure, PATIENCE) as sock:
        if keep:
            assert sock.recv(65536)[0] == client_hello.HANDSHAKE
        with pytest.raises(TimeoutError):
            sock.recv(1)
    entry = met(secure, "silent")
    assert (entry.fault, entry.ended_by, entry.handshake, entry.tls) == ("tls-silence", "client", None, "")
    assert (entry.offered, entry.server_name) == (("TLSv1.3", "TLSv1.2"), "localhost")
    assert waited(entry, began)


def test_a_handshake_can_be_answered_with_garbage(secure: GatewayThread) -> None:
    secure.arm("tls-garbage")
    with shaking(secure) as sock:
        garbage = b"".join(iter(lambda: sock.recv(65536), b""))
    assert (len(garbage), garbage[0] in range(20, 25)) == (256, False)
    entry = met(secure, "handshake_failed")
    assert (entry.ended_by, entry.detail, entry.alert) == ("gateway", "answered with garbage", "")


@pytest.mark.parametrize(("alert", "number"), [("handshake_failure", 40), ("unrecognized_name", 112)])
def test_a_handshake_can_be_refused_by_an_alert(secure: GatewayThread, alert: str, number: int) -> None:
    secure.arm("tls-alert", params={"alert": alert})
    with shaking(secure) as sock:
        assert b"".join(iter(lambda: sock.recv(65536), b"")) == bytes((21, 3, 3, 0, 2, 2, number))
    assert met(secure, "handshake_failed").detail == f"answered with the alert {alert}"


def test_an_alert_that_does_not_exist_is_refused(secure: GatewayThread) -> None:
    with pytest.raises(PayproofError, match="does not take this"):
        secure.arm("tls-alert", params={"alert": "boredom"})


def test_a_client_that_breaks_off_its_handshake_is_told_from_one_that_is_refused(secure: GatewayThread) -> None:
    shaking(secure).close()
    entry = met(secure, "handshake_failed")
    assert (entry.fault, entry.ended_by, entry.alert) == ("", "client", "")


@pytest.mark.parametrize("cut", [0, 1, 5, 6, 9, 50, 100])
def test_what_is_no_client_hello_says_nothing(cut: int) -> None:
    going = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        careless().wrap_bio(ssl.MemoryBIO(), going, server_hostname="shop.example").do_handshake()
    hello = going.read()
    assert client_hello.read(hello) == client_hello.ClientHello(("TLSv1.3", "TLSv1.2"), "shop.example")
    assert client_hello.read(hello[:cut]) == client_hello.ClientHello()
    assert client_hello.read(b"\x15" + hello[1:]) == client_hello.ClientHello()
    assert client_hello.read(hello[:5] + b"\x02" + hello[6:]) == client_hello.ClientHello()


def test_a_client_that_looks_at_the_certificate_late_has_shaken_hands_and_asks_nothing(secure: GatewayThread) -> None:
    secure.arm("wrong-host")
    careless().wrap_socket(connected(secure), server_hostname="localhost").close()
    entry = met(secure, "unused")
    assert (entry.fault, entry.tls, entry.ended_by, entry.calls) == ("wrong-host", "TLSv1.3", "client", 0)


def test_a_listener_can_spare_who_comes_from_its_own_process(certificates: Certificates) -> None:
    async def scenario() -> None:
        sim = Simulator(load("quatapay"))
        server = GatewayServer(sim.app, journal=sim.journal, faults=sim.faults, spare_ours=True)
        await server.start()
        sim.faults.arm(FaultSpec(name="reset-on-accept"))
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(ASK)
        assert (await reader.readline()).startswith(b"HTTP/1.1 400")
        writer.close()
        script = f"import socket; socket.create_connection(('127.0.0.1', {server.port})).recv(1)"
        other = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stderr=asyncio.subprocess.PIPE)
        assert b"ConnectionResetError" in (await other.communicate())[1]
        await server.stop()

    asyncio.run(scenario())


_SHARES_A_PORT = """
import socket, sys
sock = socket.socket()
sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
sock.bind(("127.0.0.1", int(sys.argv[1])))
sock.connect(("127.0.0.1", int(sys.argv[2])))
sys.stdin.read()
"""


def test_another_process_may_connect_from_a_port_that_we_connect_from_too() -> None:
    """The system gives a port to several connections, as long as they lead to different addresses."""
    with (
        socket.create_server(("127.0.0.1", 0)) as gateway,
        socket.create_server(("127.0.0.1", 0)) as shop,
        socket.socket() as customer,
    ):
        customer.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        customer.bind(("127.0.0.1", 0))
        customer.connect(shop.getsockname())
        ports = [str(each.getsockname()[1]) for each in (customer, gateway)]
        with subprocess.Popen([sys.executable, "-c", _SHARES_A_PORT, *ports], stdin=subprocess.PIPE) as other:
            theirs, _ = gateway.accept()
            ours, _ = shop.accept()
            with theirs, ours:
                assert theirs.getpeername() == ours.getpeername()
                assert (is_ours(theirs), is_ours(ours)) == (False, True)
            other.communicate()


def test_a_fault_of_the_connection_takes_no_filter_of_calls(plain: GatewayThread) -> None:
    with pytest.raises(PayproofError, match='cannot be limited by "operation"') as caught:
        plain.arm("silent", operation="create")
    assert (caught.value.place, caught.value.remedy) == ("operation", "it takes: times, skip, share")
    with pytest.raises(PayproofError, match='cannot be limited by "times"'):
        plain.arm("refuse", times=1)


def test_a_fault_of_the_connection_needs_somebody_who_listens() -> None:
    with pytest.raises(PayproofError, match="nobody listens") as caught:
        Simulator(load("quatapay")).faults.arm(FaultSpec(name="refuse"))
    assert "payproof serve" in (caught.value.remedy or "")


def test_a_stopped_gateway_has_said_how_every_connection_ended(certificates: Certificates) -> None:
    with GatewayThread() as gateway:
        gateway.arm("silent", skip=1)
        kept, silent = connected(gateway), connected(gateway)
        assert asked(kept)
        until(lambda: gateway.fired(1))
    with kept, silent:
        entries = [entry for entry in gateway.simulator.journal.entries if isinstance(entry, Connection)]
        assert sorted((entry.event, entry.ended_by) for entry in entries) == [
            ("served", "gateway"), ("silent", "gateway"),
        ]  # fmt: skip
