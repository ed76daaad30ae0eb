"""A gateway that was kept from running, as on a machine with too much to do: what clients did meanwhile has its own time."""

from __future__ import annotations

import contextlib
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator

import pytest
import trustme

from payproof.contracts.entries import Call, Connection, Entry
from payproof.simulator.sockets.certificates import Certificates
from payproof.simulator.sockets.loop_watch import heard
from payproof.simulator.testing import GatewayThread

ASK = b"POST /pay/sandbox/api/v1/authentication/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
WAITS, STANDS = 0.4, 2.0
"""Seconds that the client waits, and that the gateway's loop stands still meanwhile."""
LONG = 20.0

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when something came")


@pytest.fixture
def plain() -> Iterator[GatewayThread]:
    with GatewayThread() as gateway:
        yield gateway


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    return Certificates(trustme.CA())


@pytest.fixture
def secure(certificates: Certificates) -> Iterator[GatewayThread]:
    with GatewayThread(tls=certificates.good, certificates=certificates) as gateway:
        yield gateway


def connected(gateway: GatewayThread) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(gateway.url.rsplit(":", 1)[1])), LONG)


def stands_still(gateway: GatewayThread) -> threading.Thread:
    """The gateway's loop does nothing for a while, beginning now."""
    begins = threading.Event()

    def stand() -> None:
        begins.set()
        time.sleep(STANDS)

    standing = threading.Thread(target=gateway._do, args=(stand,))  # pyright: ignore[reportPrivateUsage]
    standing.start()
    assert begins.wait(LONG)
    return standing


def until_fired(gateway: GatewayThread, number: int) -> None:
    ends = time.monotonic() + LONG
    while gateway.fired(number) == 0:
        assert time.monotonic() < ends
        time.sleep(0.01)


def ended(gateway: GatewayThread, kind: type[Entry], fault: str) -> Entry:
    ends = time.monotonic() + LONG
    while time.monotonic() < ends:
        found = [each for each in gateway.journal() if isinstance(each, kind) and getattr(each, "fault", "") == fault]
        if found:
            return found[-1]
        time.sleep(0.02)
    raise AssertionError("nothing was noted")


def held(gateway: GatewayThread, fault: str) -> tuple[socket.socket, int, float]:
    """A call that waits for its answer, the fault's number, and when it began."""
    number = gateway.arm(fault)
    sock = connected(gateway)
    began = time.monotonic()
    sock.sendall(ASK)
    until_fired(gateway, number)
    return sock, number, began


@pytest.mark.parametrize("fault", ["never-answer", "stall", "drip"])
def test_a_call_that_is_given_up_while_nobody_looks_ends_when_its_client_ended_it(
    plain: GatewayThread, fault: str
) -> None:
    sock, _, began = held(plain, fault)
    standing = stands_still(plain)
    time.sleep(WAITS)
    sock.close()
    lasted = time.monotonic() - began
    standing.join()
    call = ended(plain, Call, fault)
    assert isinstance(call, Call)
    assert call.ending == "hung_up"
    assert lasted - 1.0 < call.seconds < lasted + 0.3


def read_on(sock: socket.socket) -> None:
    """Until nothing comes for a while. What is left unread when a socket closes resets the connection, of which the system tells no time."""
    with contextlib.suppress(TimeoutError):
        while sock.recv(1024):
            pass


@pytest.mark.parametrize("fault", ["never-answer", "stall", "drip"])
def test_under_tls_too_a_call_that_is_given_up_while_nobody_looks_ends_when_its_client_ended_it(
    secure: GatewayThread, fault: str
) -> None:
    number = secure.arm(fault)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    sock = context.wrap_socket(connected(secure), server_hostname="localhost")
    began = time.monotonic()
    sock.sendall(ASK)
    until_fired(secure, number)
    sock.settimeout(WAITS)
    standing = stands_still(secure)
    read_on(sock)
    sock.close()
    lasted = time.monotonic() - began
    standing.join()
    call = ended(secure, Call, fault)
    assert isinstance(call, Call)
    assert call.ending == "hung_up"
    assert call.seconds == pytest.approx(lasted, abs=0.3)
    seen = next(each for each in reversed(secure.journal()) if isinstance(each, Connection))
    assert seen.ended_by == "client"
    assert lasted - 0.3 < (seen.seconds or 0) < lasted + 0.5


@pytest.mark.parametrize("fault", ["never-answer", "stall"])
def test_who_left_before_the_fault_was_cleared_was_not_broken_off(plain: GatewayThread, fault: str) -> None:
    sock, number, began = held(plain, fault)
    standing = stands_still(plain)
    time.sleep(WAITS)
    sock.close()
    lasted = time.monotonic() - began
    plain.clear(number)
    standing.join()
    call = ended(plain, Call, fault)
    assert isinstance(call, Call)
    assert call.ending == "hung_up"
    assert call.seconds < lasted + 0.3


@pytest.mark.parametrize("fault", ["never-answer", "stall"])
def test_what_we_end_ourselves_ends_when_we_end_it(plain: GatewayThread, fault: str) -> None:
    sock, number, began = held(plain, fault)
    standing = stands_still(plain)
    plain.clear(number)
    lasted = time.monotonic() - began
    call = ended(plain, Call, fault)
    standing.join()
    sock.close()
    assert isinstance(call, Call)
    assert call.ending == "cut"
    assert call.seconds > lasted - 0.3


def test_a_call_that_comes_while_nobody_looks_began_when_it_came(plain: GatewayThread) -> None:
    plain.arm("never-answer")
    sock = connected(plain)
    standing = stands_still(plain)
    began = time.monotonic()
    sock.sendall(ASK)
    standing.join()
    time.sleep(WAITS)
    sock.close()
    lasted = time.monotonic() - began
    call = ended(plain, Call, "never-answer")
    assert isinstance(call, Call)
    assert call.seconds == pytest.approx(lasted, abs=0.3)


def test_a_handshake_that_is_given_up_while_nobody_looks_ends_when_its_client_ended_it(secure: GatewayThread) -> None:
    number = secure.arm("tls-silence")
    sock = connected(secure)
    sock.settimeout(WAITS)
    began = time.monotonic()
    shaking = threading.Thread(target=lambda: _shake(sock))
    shaking.start()
    until_fired(secure, number)
    standing = stands_still(secure)
    shaking.join()
    lasted = time.monotonic() - began
    secure.clear(number)
    standing.join()
    seen = ended(secure, Connection, "tls-silence")
    assert isinstance(seen, Connection)
    assert (seen.event, seen.ended_by) == ("silent", "client")
    assert (seen.seconds or 0) < lasted + 0.3


def _shake(sock: socket.socket) -> None:
    context = ssl.create_default_context()
    try:
        context.wrap_socket(sock, server_hostname="localhost")
    except OSError:
        sock.close()


def test_data_never_came_before_it_was_sent() -> None:
    """The system counts in ticks of some milliseconds; a call that began before its customer's page would be nobody's."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()) as client,
    ):
        server, _ = listening.accept()
        with server:
            for number in range(60):
                sent = time.monotonic()
                client.sendall(b"x")
                server.recv(1)
                time.sleep(number % 10 / 1000)
                found = heard(server)
                assert found is not None
                assert time.monotonic() - found.data >= sent
                time.sleep(0.003)
