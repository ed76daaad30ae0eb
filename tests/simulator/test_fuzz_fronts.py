"""Whatever a stranger sends to the relay, to the player of a recording, or before a TLS handshake is done: nothing that they fail on."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from payproof.contracts.entries import Call
from payproof.contracts.journal import Journal
from payproof.contracts.profile import load
from payproof.simulator import GatewayServer, Simulator
from payproof.simulator.cassettes import Cassette
from payproof.simulator.relay.rate_budget import RateBudget
from payproof.simulator.relay.relay import Relay
from payproof.simulator.relay.upstream import SandboxAddress, Upstream

from .cassette_stage import Studio, bought
from .strange import BODIES, FUZZ, TARGETS, mangled

HANGS_AFTER = 30.0
End = Callable[[], Awaitable[None]]


@dataclass
class Front:
    """One of the fronts, on a loop of its own that runs while a question is asked."""

    loop: asyncio.Runner
    server: GatewayServer
    journal: Journal

    def send(self, data: bytes, *, to_the_end: bool) -> bytes:
        """What is answered until the connection ends. ``to_the_end``: say that no more will come."""

        async def sent() -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
            found = b""
            with contextlib.suppress(ConnectionError):
                writer.write(data)
                if to_the_end:
                    writer.write_eof()
                async with asyncio.timeout(HANGS_AFTER):
                    found = await reader.read()
            writer.transport.abort()
            return found

        return self.loop.run(sent())


@pytest.fixture(scope="module", params=["relay", "player"])
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder, journal = tmp_path_factory.mktemp("front"), Journal()
    app, ends = _player(folder, journal) if request.param == "player" else (None, [])
    with asyncio.Runner() as loop:
        if app is None:
            app, ends = loop.run(_relay(journal))
        server = GatewayServer(app, journal=journal)
        loop.run(server.start())
        yield Front(loop, server, journal)
        for end in (server.stop, *ends):
            loop.run(_awaited(end))


async def _awaited(end: End) -> None:
    await end()


async def _relay(journal: Journal) -> tuple[Any, list[End]]:
    """In front of a sandbox that answers everything with a success without data."""

    async def answers(scope: Scope, receive: Receive, send: Send) -> None:
        body = b'{"message":{"code":200,"success":["OK"]},"data":{},"type":"success"}'
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    theirs = GatewayServer(answers)
    await theirs.start()
    sandbox = SandboxAddress(base_url=f"http://127.0.0.1:{theirs.port}/api", client_id="r" * 40, secret_key="k" * 40)
    upstream = Upstream(sandbox, RateBudget(10**6, 10**6))
    relay = Relay(upstream, load("quatapay"), journal=journal, seed=1)
    return relay.app, [relay.aclose, upstream.aclose, theirs.stop]


def _player(folder: Path, journal: Journal) -> tuple[Any, list[End]]:
    cassette = Cassette(Studio(folder).record(bought()), journal=journal)
    return cassette.app, [cassette.aclose]


@given(data=st.one_of(mangled(), st.binary(max_size=200)))
@FUZZ
def test_any_bytes_to_a_front(front: Front, caplog: pytest.LogCaptureFixture, data: bytes) -> None:
    front.send(data, to_the_end=True)
    assert caplog.messages == []
    front.journal.clear()


HOSTS = st.sampled_from(
    ["a", "[::1", "[::1]:80", "a b", "", "a:99999", "a:b", "@", "a/b", "\u00e9", "a?b#c", "[v1.x]", "a" * 300]
)


@given(method=st.sampled_from(["GET", "POST", "PUT", "HEAD"]), host=HOSTS, target=TARGETS, sent=BODIES)
@FUZZ
def test_any_request_to_a_front(
    front: Front, caplog: pytest.LogCaptureFixture, method: str, host: str, target: str, sent: tuple[str, bytes]
) -> None:
    kind, body = sent
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close", f"Content-Type: {kind}"]
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode()
    answer = front.send(head + body, to_the_end=False)
    assert caplog.messages == []
    status = int(answer[9:12])
    assert status in (200, 501) or 400 <= status < 500
    assert all(entry.ending == "answered" for entry in front.journal.entries if isinstance(entry, Call))
    front.journal.clear()


# TLS


@pytest.fixture(scope="module")
def secure() -> Iterator[Front]:
    tls, journal = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), Journal()
    trustme.CA().issue_cert("localhost").configure_cert(tls)  # pyright: ignore[reportUnknownMemberType]
    with asyncio.Runner() as loop:
        server = GatewayServer(Simulator(load("quatapay")).app, tls=tls, journal=journal)
        loop.run(server.start())
        yield Front(loop, server, journal)
        loop.run(server.stop())


def _client_hello() -> bytes:
    """What a client of this Python says first."""
    sent = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), sent, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read()


HELLO = _client_hello()


@st.composite
def hellos(draw: st.DrawFn) -> bytes:
    """A ClientHello with some places replaced, cut, or with something behind it."""
    data = bytearray(HELLO)
    for place, put in draw(
        st.lists(st.tuples(st.integers(1, len(HELLO) - 1), st.binary(min_size=1, max_size=4)), max_size=6)
    ):
        data[place : place + len(put)] = put
    return bytes(data[: draw(st.integers(1, len(data)))]) + draw(st.binary(max_size=50))


@given(data=hellos())
@FUZZ
def test_any_hello(secure: Front, caplog: pytest.LogCaptureFixture, data: bytes) -> None:
    assert b"HTTP/1.1" not in secure.send(data, to_the_end=True)
    assert caplog.messages == []
    secure.journal.clear()
