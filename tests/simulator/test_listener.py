from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import trustme
from starlette.types import Receive, Scope, Send

from payproof.contracts.entries import Call, Connection
from payproof.contracts.faults import FaultSpec
from payproof.contracts.model import PayproofError
from payproof.contracts.profile import load
from payproof.simulator import GatewayServer, Simulator

try:
    import uvloop
except ImportError:  # not on Windows
    uvloop = None  # type: ignore[assignment]

LOOPS = [None] if uvloop is None else [None, uvloop.new_event_loop]
PATH = "/pay/sandbox/api/v1/authentication/token"


@pytest.fixture(params=LOOPS, ids=["asyncio", "uvloop"][: len(LOOPS)])
def run(request: pytest.FixtureRequest) -> Callable[[Awaitable[None]], None]:
    def on_loop(scenario: Awaitable[None]) -> None:
        async def whole() -> None:
            await scenario

        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(whole())

    return on_loop


Run = Callable[[Awaitable[None]], None]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    return context


@pytest.fixture(scope="module")
def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType]
    return context


class Running:
    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.sim = Simulator(load("quatapay"))
        self.server = GatewayServer(self.sim.app, tls=tls, journal=self.sim.journal, faults=self.sim.faults)
        self._gate = 0

    async def __aenter__(self) -> Running:
        await self.server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.server.stop()

    def url(self, scheme: str = "http") -> str:
        return f"{scheme}://localhost:{self.server.port}{PATH}"

    def gate(self, mode: str) -> None:
        """What calls meet from now on."""
        self.sim.faults.clear(self._gate)
        self._gate = self.sim.faults.arm(FaultSpec(name=mode)) if mode != "open" else 0

    def calls(self) -> list[Call]:
        return [entry for entry in self.sim.journal.entries if isinstance(entry, Call)]

    def connections(self) -> list[tuple[str, str]]:
        """Connections on which something was not served."""
        entries = [entry for entry in self.sim.journal.entries if isinstance(entry, Connection)]
        return [(entry.event, entry.detail) for entry in entries if entry.event != "served"]


async def until(met: Callable[[], Any]) -> None:
    async with asyncio.timeout(5):
        while not met():  # noqa: ASYNC110 - the simulator offers no event for this
            await asyncio.sleep(0.005)


def test_tls_and_plain_share_one_port(run: Run, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    async def scenario() -> None:
        async with Running(server_tls) as up, httpx.AsyncClient(verify=client_tls) as http:
            for scheme in ("https", "http", "https"):
                assert (await http.post(up.url(scheme))).status_code == 400
            assert [call.secure for call in up.calls()] == [True, False, True]
            assert up.calls()[0].request.url == f"https://localhost:{up.server.port}{PATH}"
            assert up.server.scheme == "https"

    run(scenario())


def test_without_a_certificate_it_is_plain(run: Run) -> None:
    async def scenario() -> None:
        async with Running() as up, httpx.AsyncClient(verify=False) as http:
            assert up.server.scheme == "http"
            assert (await http.post(up.url())).headers["date"].endswith("GMT")

    run(scenario())


def test_a_client_that_does_not_trust_us_is_journaled(run: Run, server_tls: ssl.SSLContext) -> None:
    async def scenario() -> None:
        async with Running(server_tls) as up:
            with pytest.raises(ssl.SSLCertVerificationError):
                await asyncio.open_connection("localhost", up.server.port, ssl=ssl.create_default_context())
            await until(up.connections)
            assert up.connections()[0][0] == "handshake_failed"
            assert up.calls() == []

    run(scenario())


def test_a_silent_connection_holds_nobody_up(run: Run, server_tls: ssl.SSLContext) -> None:
    async def scenario() -> None:
        async with Running(server_tls) as up, httpx.AsyncClient(verify=False) as http:
            _, silent = await asyncio.open_connection("127.0.0.1", up.server.port)
            assert (await http.post(up.url())).status_code == 400
            silent.close()

    run(scenario())


def test_a_connection_that_is_kept_alive_serves_many_calls(run: Run) -> None:
    async def scenario() -> None:
        async with Running() as up:
            reader, writer = await asyncio.open_connection("127.0.0.1", up.server.port)
            for _ in range(3):
                writer.write(f"GET {PATH} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                assert (await reader.readuntil(b'"}')).startswith(b"HTTP/1.1 405")
            writer.write(f"GET {PATH} HTTP/1.1\r\nHost: a\r\n\r\n".encode() * 2)  # pipelined
            for _ in range(2):
                assert (await reader.readuntil(b'"}')).startswith(b"HTTP/1.1 405")
            writer.close()

    run(scenario())


def test_a_large_body_is_read_and_cut_in_the_journal(run: Run) -> None:
    async def scenario() -> None:
        async with Running() as up, httpx.AsyncClient(verify=False) as http:
            assert (await http.post(up.url(), content=b"x" * 1_000_000)).status_code == 400
            assert len(up.calls()[0].request.body) == 64 * 1024
            assert (await http.post(up.url(), content=b"x" * 9_000_000)).status_code == 413

    run(scenario())


def test_expect_100_continue_is_answered(run: Run) -> None:
    async def scenario() -> None:
        async with Running() as up:
            reader, writer = await asyncio.open_connection("127.0.0.1", up.server.port)
            writer.write(
                f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n".encode()
            )
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"{}")
            assert (await reader.readuntil(b'"}')).startswith(b"HTTP/1.1 400")
            writer.close()

    run(scenario())


def test_forwarded_headers_are_not_believed(run: Run) -> None:
    async def scenario() -> None:
        async with Running() as up, httpx.AsyncClient(verify=False) as http:
            await http.post(up.url(), headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"})
            assert up.calls()[0].secure is False

    run(scenario())


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("mode", ["dropped", "reset"])
def test_a_request_is_read_whole_before_its_connection_ends_without_a_byte(
    run: Run, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext, mode: str, scheme: str
) -> None:
    async def scenario() -> None:
        async with Running(server_tls) as up, httpx.AsyncClient(verify=client_tls) as http:
            assert (await http.post(up.url(scheme))).status_code == 400
            up.gate(mode)
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                await http.post(up.url(scheme), content=b"b" * 50_000)
            await until(lambda: len(up.calls()) == 2)
            call = up.calls()[1]
            assert (call.ending, call.fault, call.response, len(call.request.body)) == ("cut", mode, None, 50_000)
            up.gate("open")
            assert (await http.post(up.url(scheme))).status_code == 400
        assert up.connections() == []

    run(scenario())


def test_a_reset_is_a_reset(run: Run) -> None:
    async def scenario() -> None:
        async with Running() as up:
            up.gate("reset")
            reader, writer = await asyncio.open_connection("127.0.0.1", up.server.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()
            with contextlib.suppress(ConnectionResetError):
                await writer.wait_closed()

    run(scenario())


def test_a_refusing_gate_refuses_and_keeps_its_port(run: Run) -> None:
    async def scenario() -> None:
        async with Running() as up, httpx.AsyncClient(verify=False) as http:
            port = up.server.port
            assert (await http.post(up.url())).status_code == 400
            up.gate("refuse")
            up.gate("refuse")
            with pytest.raises(httpx.ConnectError):
                await http.post(up.url())
            up.gate("open")
            assert (await http.post(up.url())).status_code == 400
            assert up.server.port == port

    run(scenario())


ASK = f"GET {PATH} HTTP/1.1\r\nHost: a\r\n\r\n".encode()


async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(ASK)
    return await reader.readuntil(b'"}')


async def accepted(up: Running) -> None:
    """Connections are accepted in turn: when a later one was answered, those before it are there."""
    reader, writer = await asyncio.open_connection("127.0.0.1", up.server.port)
    await asked(reader, writer)
    await closed(writer)


async def closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


def test_a_gate_that_stays_as_it_is_leaves_connections_alone(run: Run) -> None:
    async def scenario() -> None:
        async with Running() as up:
            reader, writer = await asyncio.open_connection("127.0.0.1", up.server.port)
            for _ in range(3):
                assert (await asked(reader, writer)).startswith(b"HTTP/1.1 405")
                up.gate("open")
            await closed(writer)
            assert up.connections() == []

    run(scenario())


def test_a_connection_that_was_never_asked_on_outlives_a_shut_gate(run: Run) -> None:
    async def scenario() -> None:
        async with Running() as up:
            reader, writer = await asyncio.open_connection("127.0.0.1", up.server.port)
            await accepted(up)
            for mode in ("refuse", "reset", "dropped", "silent", "open"):
                up.gate(mode)
            assert (await asked(reader, writer)).startswith(b"HTTP/1.1 405")
            await closed(writer)

    run(scenario())


def test_a_first_request_on_an_older_connection_is_refused_too(run: Run) -> None:
    async def scenario() -> None:
        async with Running() as up:
            reader, writer = await asyncio.open_connection("127.0.0.1", up.server.port)
            await accepted(up)
            up.gate("refuse")
            writer.write(ASK)
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
            assert up.connections() == [("refused", f"GET {PATH}")]
            await closed(writer)

    run(scenario())


def test_a_kept_connection_sees_its_end_and_what_is_asked_on_it_all_the_same_is_told(run: Run) -> None:
    async def scenario() -> None:
        async with Running() as up:
            reader, writer = await asyncio.open_connection("127.0.0.1", up.server.port)
            await asked(reader, writer)
            up.gate("refuse")
            up.gate("open")
            assert await reader.read() == b""
            writer.write(ASK)
            await until(up.connections)
            assert up.connections() == [("retired", f"GET {PATH}")]
            await closed(writer)

    run(scenario())


def test_an_answer_under_way_arrives_and_says_that_it_is_the_last(run: Run) -> None:
    async def scenario() -> None:
        async with Running() as up:
            number = up.sim.faults.arm(FaultSpec(name="delay", params={"seconds": 0.2}))
            reader, writer = await asyncio.open_connection("127.0.0.1", up.server.port)
            writer.write(ASK)
            await until(lambda: up.sim.faults.fired(number))
            up.gate("refuse")
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.1 405")
            assert b"connection: close" in answer
            await closed(writer)

    run(scenario())


def test_stopping_ends_what_is_held(run: Run, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    async def scenario() -> None:
        up = Running(server_tls)
        await up.server.start()
        number = up.sim.faults.arm(FaultSpec(name="never-answer"))
        async with httpx.AsyncClient(verify=client_tls, timeout=20) as http:
            asking = [asyncio.create_task(http.post(up.url(scheme))) for scheme in ("http", "https")]
            await until(lambda: up.sim.faults.fired(number) == 2)
            began = time.monotonic()
            await up.server.stop()
            assert time.monotonic() - began < 1
            answers = await asyncio.gather(*asking, return_exceptions=True)
            assert all(isinstance(answer, httpx.TransportError) for answer in answers)
        assert [call.ending for call in up.calls()] == ["held", "held"]
        await up.server.stop()

    run(scenario())


def test_a_client_that_resets_has_hung_up(run: Run) -> None:
    async def scenario() -> None:
        async with Running() as up:
            number = up.sim.faults.arm(FaultSpec(name="delay", params={"seconds": 30}))
            _, writer = await asyncio.open_connection("127.0.0.1", up.server.port)
            writer.write(f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".encode())
            await until(lambda: up.sim.faults.fired(number))
            sock: socket.socket = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            await until(up.calls)
            assert up.calls()[0].ending == "hung_up"
            assert up.calls()[0].seconds < 5

    run(scenario())


def test_a_client_that_leaves_in_mid_request_has_hung_up(run: Run) -> None:
    async def scenario() -> None:
        async with Running() as up:
            _, writer = await asyncio.open_connection("127.0.0.1", up.server.port)
            writer.write(f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc".encode())
            await writer.drain()
            writer.close()
            await until(up.calls)
            call = up.calls()[0]
            assert (call.ending, call.response, call.request.body) == ("hung_up", None, "abc")

    run(scenario())


def test_a_taken_port_is_explained(run: Run) -> None:
    async def scenario() -> None:
        async with Running() as up:
            with pytest.raises(PayproofError, match="cannot listen on") as caught:
                await GatewayServer(up.sim.app, port=up.server.port).start()
            assert (caught.value.place, bool(caught.value.remedy)) == (f"port {up.server.port}", True)

    run(scenario())


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "shop.example"])
def test_only_loopback_is_served(host: str) -> None:
    with pytest.raises(PayproofError, match="loopback"):
        GatewayServer(Simulator(load("quatapay")).app, host=host)
    GatewayServer(Simulator(load("quatapay")).app, host=host, allow_remote=True)


def test_the_transport_is_in_each_request_s_state(run: Run) -> None:
    async def scenario() -> None:
        seen: list[Any] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(scope["state"]["transport"])
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})

        server = GatewayServer(app)
        await server.start()
        async with httpx.AsyncClient(verify=False) as http:
            assert (await http.get(f"http://127.0.0.1:{server.port}/")).status_code == 204
        assert seen[0].get_extra_info("peername")[0] == "127.0.0.1"
        await server.stop()

    run(scenario())


def test_accepted_sockets_send_at_once(run: Run) -> None:
    """Without TCP_NODELAY each call on a kept-alive connection costs 45 ms."""

    async def scenario() -> None:
        async with Running() as up, httpx.AsyncClient(verify=False) as http:
            await http.post(up.url())
            began = time.monotonic()
            for _ in range(20):
                await http.post(up.url())
            assert time.monotonic() - began < 20 * 0.04

    run(scenario())
