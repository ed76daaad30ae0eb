"""What one connection may send, for how long, and what it may leave unread. Bytes are written as they are: no client library
would send them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import psutil
import pytest
import trustme

from payproof.contracts.entries import Call, Connection
from payproof.contracts.faults import FaultSpec
from payproof.contracts.profile import load
from payproof.simulator import GatewayServer, Simulator
from payproof.simulator.journal_middleware import LARGEST_CALL
from payproof.simulator.listening import bounded_protocol

try:
    import uvloop
except ImportError:  # not on Windows
    uvloop = None  # type: ignore[assignment]

LOOPS = [None] if uvloop is None else [None, uvloop.new_event_loop]
PATH = "/pay/sandbox/api/v1/authentication/token"
ASK = f"GET {PATH} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
POST = f"POST {PATH} HTTP/1.1\r\nHost: a\r\n".encode()
MANY = 8 * 1024 * 1024


@pytest.fixture(params=LOOPS, ids=["asyncio", "uvloop"][: len(LOOPS)])
def run(request: pytest.FixtureRequest) -> Callable[[Awaitable[None]], None]:
    def on_loop(scenario: Awaitable[None]) -> None:
        async def whole() -> None:
            async with asyncio.timeout(30):
                await scenario

        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(whole())

    return on_loop


Run = Callable[[Awaitable[None]], None]


class Running:
    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.sim = Simulator(load("quatapay"))
        self.server = GatewayServer(self.sim.app, tls=tls, journal=self.sim.journal)

    async def __aenter__(self) -> Running:
        await self.server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.sim.aclose()
        await self.server.stop()

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def answer_to(self, *pieces: bytes) -> bytes:
        """What is answered to these bytes until the connection is closed, as far as it can still be read."""
        async with self.connection() as (reader, writer):
            with contextlib.suppress(OSError):
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
            found = bytearray()
            with contextlib.suppress(OSError):
                while part := await reader.read(65_536):
                    found += part
            return bytes(found)

    def refusals(self) -> list[str]:
        return [e.detail for e in self.sim.journal.entries if isinstance(e, Connection) and e.event == "malformed"]

    def calls(self) -> list[Call]:
        return [entry for entry in self.sim.journal.entries if isinstance(entry, Call)]

    async def is_well(self) -> bool:
        async with self.connection() as (reader, writer):
            writer.write(ASK)
            return (await reader.readuntil(b'"}')).startswith(b"HTTP/1.1 405")


async def until(met: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not met():  # noqa: ASYNC110 - the simulator offers no event for this
            await asyncio.sleep(0.01)


ENDLESS = {
    "a line": [b"GET / HTTP/1.1\r\nX: ", b"a" * MANY],
    "a name": [b"GET / HTTP/1.1\r\n", b"a" * MANY],
    "an address": [b"GET /", b"a" * MANY],
    "many headers": [b"GET / HTTP/1.1\r\n", b"a: b\r\n" * (MANY // 6)],
    "few bytes at a time": [b"GET / HTTP/1.1\r\nX: ", *[b"a" * 1_000] * 1_000],
    "trailers": [POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n" * (MANY // 6)],
    "one trailer": [POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\na: ", b"a" * MANY],
    "many headers that end": [b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 600 + b"\r\n"],
}


@pytest.mark.parametrize("what", ENDLESS)
def test_a_head_without_end_is_refused_and_told(run: Run, what: str) -> None:
    async def scenario() -> None:
        async with Running() as up:
            answer = await up.answer_to(*ENDLESS[what])
            assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")  # a reset may overtake it
            await until(up.refusals)
            assert "headers" in up.refusals()[0]
            assert await up.is_well()

    run(scenario())


@pytest.mark.parametrize(
    "head", [b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 100, b"Content-Length: 200000000\r\n\r\n"]
)
def test_a_request_without_end_is_refused_and_told(run: Run, head: bytes) -> None:
    async def scenario() -> None:
        async with Running() as up:
            answer = await up.answer_to(POST + head, *[b"x" * MANY] * 3)
            assert answer == b"" or answer.startswith(b"HTTP/1.1 413 ")
            await until(up.calls)
            assert (up.calls()[0].ending, up.calls()[0].response) == ("cut", None)
            assert ["longer than" in why for why in up.refusals()] == [True]
            assert await up.is_well()

    run(scenario())


def test_a_call_that_is_too_large_is_answered_and_kept_short(run: Run) -> None:
    async def scenario() -> None:
        async with Running() as up:
            body = b"a=" + b"%41" * (LARGEST_CALL // 3)
            answer = await up.answer_to(
                POST + b"Connection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                b"Content-Length: %d\r\n\r\n" % len(body), body
            )  # fmt: skip
            assert answer.startswith(b"HTTP/1.1 413 ")
            call = up.calls()[0]
            assert (call.ending, len(call.request.body)) == ("answered", 64 * 1024)

    run(scenario())


def test_a_large_head_that_ends_is_read(run: Run) -> None:
    async def scenario() -> None:
        async with Running() as up:
            cookies = b"Cookie: " + b"a=b; " * 12_000 + b"\r\n"
            answer = await up.answer_to(POST + b"Connection: close\r\n" + cookies + b"Content-Length: 0\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 400 ")
            assert b"Invalid client ID" in answer
            assert up.refusals() == []

    run(scenario())


def test_the_end_of_a_long_body_does_not_count_for_the_next_head(run: Run) -> None:
    async def scenario() -> None:
        async with Running() as up:
            body = b"x" * 300_000
            first = POST + b"Content-Length: %d\r\n\r\n" % len(body)
            second = POST + b"Connection: close\r\nX: " + b"y" * 20_000 + b"\r\nContent-Length: 0\r\n\r\n"
            answer = await up.answer_to(first, body + second[:15_000], second[15_000:])
            assert (answer.count(b"HTTP/1.1 400"), answer.count(b"Invalid client ID")) == (2, 2)
            assert up.refusals() == []

    run(scenario())


def test_requests_may_be_sent_without_waiting_and_not_without_number(run: Run) -> None:
    async def scenario() -> None:
        async with Running() as up:
            answer = await up.answer_to(ASK * 50 + ASK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            assert answer.count(b"HTTP/1.1 405") == 51
            await up.answer_to(ASK * 100_000)
            await until(up.refusals)
            assert "wait on this connection" in up.refusals()[0]
            assert await up.is_well()

    run(scenario())


@pytest.mark.parametrize("fault", ["never-answer", "drip", "stall", "delay"])
def test_a_client_that_leaves_with_requests_in_a_row_is_noticed_at_the_first(
    run: Run, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    async def scenario() -> None:
        async with Running() as up:
            number = up.sim.faults.arm(FaultSpec(name=fault, params={"seconds": 20} if fault == "delay" else {}))
            async with up.connection() as (_, writer):
                writer.write(ASK * 2)
                await until(lambda: up.sim.faults.fired(number))
                writer.write(ASK)
            await until(up.calls)
            assert [call.ending for call in up.calls()] == ["hung_up"]

    run(scenario())
    assert caplog.records == []


NOT_HTTP = {
    "garbage": bytes(range(256)),
    "a preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    "TLS where there is none": b"\x16\x03\x01\x00\x05hello",
    "an address in another alphabet": "GET /é HTTP/1.1\r\n\r\n".encode(),
    "an unknown method": b"BREW /pot HTTP/1.1\r\n\r\n",
    "a proxy's method": b"CONNECT a.example:443 HTTP/1.1\r\n\r\n",
    "two lengths": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a length that is none": POST + b"Content-Length: -1\r\n\r\n",
}


@pytest.mark.parametrize("what", NOT_HTTP)
def test_what_is_not_http_is_refused_told_and_nothing_else(
    run: Run, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, what: str
) -> None:
    async def scenario() -> None:
        async with Running() as up:
            assert (await up.answer_to(NOT_HTTP[what])).startswith(b"HTTP/1.1 400 ")
            assert up.refusals() == ["what came is not HTTP"]

    run(scenario())
    assert capfd.readouterr().err == ""
    assert caplog.records == []


ODD = {
    "a request to be another protocol": ASK.replace(
        b"\r\n\r\n", b"\r\nConnection: close, Upgrade\r\nUpgrade: h2c\r\n\r\n"
    ),
    "a socket for the web": ASK.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n"),
    "an address with its host": ASK.replace(b" /pay", b" http://a/pay").replace(
        b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"
    ),
}


@pytest.mark.parametrize("what", ODD)
def test_odd_requests_are_answered_as_plain_ones(run: Run, capfd: pytest.CaptureFixture[str], what: str) -> None:
    """Java's client asks on every first request whether HTTP/2 is spoken here."""

    async def scenario() -> None:
        async with Running() as up:
            assert (await up.answer_to(ODD[what])).startswith(b"HTTP/1.1 405 ")
            assert up.refusals() == []

    run(scenario())
    assert capfd.readouterr().err == ""


# Time


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEAD_WITHIN", "BODY_WITHIN", "FIRST_WITHIN", "READ_WITHIN"):
        monkeypatch.setattr(bounded_protocol, name, 0.5)


def test_a_connection_on_which_nobody_asks_again_is_ended(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_protocol, "KEPT", 0.1)

    async def scenario() -> None:
        async with Running() as up, up.connection() as (reader, writer):
            writer.write(b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n")
            answer = await asyncio.wait_for(reader.read(), 10)
            assert (answer.count(b"HTTP/1.1 404 "), b"connection: close" in answer.lower()) == (1, False)
            assert up.refusals() == []

    run(scenario())


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(
    ("begun", "answer"),
    [(b"", b""), (b"GET / HTTP/1.1\r\nHo", b"HTTP/1.1 408 "), (POST + b"Content-Length: 10\r\n\r\nabc", b"HTTP/1.1 408 ")],
)  # fmt: skip
def test_half_a_request_is_not_waited_for_without_end(run: Run, begun: bytes, answer: bytes) -> None:
    async def scenario() -> None:
        async with Running() as up:
            assert (await up.answer_to(begun))[: len(answer)] == answer
            assert [call.ending for call in up.calls()] == (["cut"] if b"abc" in begun else [])

    run(scenario())


@pytest.mark.usefixtures("soon")
def test_a_dripping_head_is_ended(run: Run) -> None:
    async def scenario() -> None:
        async with Running() as up, up.connection() as (reader, writer):
            writer.write(b"GET / HTTP/1.1\r\nX: ")
            ended = asyncio.ensure_future(reader.read())
            while not ended.done():
                writer.write(b"a")
                await asyncio.wait((ended,), timeout=0.05)
            assert b"408" in ended.result() if ended.exception() is None else True
            await until(up.refusals)

    run(scenario())


@pytest.mark.usefixtures("soon")
def test_the_body_of_an_answered_request_is_not_waited_for_either(run: Run) -> None:
    async def scenario() -> None:
        async def answers_at_once(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": b"no"})

        server = GatewayServer(answers_at_once)
        await server.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nabc")
        answer = await reader.read()
        assert (answer.count(b"HTTP/1.1"), answer[-2:]) == (1, b"no")
        writer.close()
        await server.stop()

    run(scenario())


@pytest.mark.usefixtures("soon")
def test_time_does_not_run_against_a_client_that_waits_for_us(run: Run) -> None:
    """A fault that lets an answer wait, a second request behind it, a kept connection: each for longer than any bound."""

    async def scenario() -> None:
        async with Running() as up, up.connection() as (reader, writer):
            up.sim.faults.arm(FaultSpec(name="delay", times=1, params={"seconds": 2.5}))
            writer.write(ASK + ASK[:20])
            await reader.readuntil(b'"}')
            writer.write(ASK[20:])
            await reader.readuntil(b'"}')
            async with up.connection() as (_, other):
                other.write(b"x")
                await until(up.refusals)  # time has passed
            writer.write(ASK)
            assert await reader.readuntil(b'"}')

    run(scenario())


@pytest.mark.usefixtures("soon")
def test_an_answer_that_nobody_reads_is_not_kept_without_end(run: Run) -> None:
    async def scenario() -> None:
        async with Running() as up, up.connection() as (_, writer):
            sock: socket.socket = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            up.sim.faults.arm(FaultSpec(name="oversized", params={"kilobytes": 32_768}))
            writer.write(ASK)
            await until(up.refusals)
            assert up.refusals() == ["the answer was not read in time"]
            await until(up.calls)

    run(scenario())


@pytest.mark.usefixtures("soon")
def test_a_connection_that_never_begins_its_handshake_is_closed(run: Run) -> None:
    async def scenario() -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("localhost").configure_cert(tls)  # pyright: ignore[reportUnknownMemberType]
        async with Running(tls) as up:
            assert await up.answer_to(b"") == b""

    run(scenario())


def test_a_server_that_has_stopped_holds_no_connection() -> None:
    async def scenario() -> None:
        before = psutil.Process().num_fds()
        up = Running()
        await up.server.start()
        pairs = [await asyncio.open_connection("127.0.0.1", up.server.port) for _ in range(3)]
        await up.is_well()  # those before it are accepted by now
        await up.server.stop()
        theirs = len(pairs)
        assert psutil.Process().num_fds() == before + theirs
        for _, writer in pairs:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    asyncio.run(scenario())


def test_what_fails_in_us_is_told_in_one_line(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async def fails(scope: Any, receive: Any, send: Any) -> None:
            raise KeyError("the book")

        server = GatewayServer(fails)
        await server.start()
        async with httpx.AsyncClient(verify=False) as http:
            assert (await http.get(f"http://127.0.0.1:{server.port}/")).status_code == 500
        await server.stop()

    run(scenario())
    assert [record.exc_info for record in caplog.records] == [None]
    assert caplog.messages[0].startswith("payproof failed on a request: KeyError: 'the book' (")
    assert "test_bounds.py" in caplog.messages[0]
