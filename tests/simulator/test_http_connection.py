"""HTTP/1.1 as the listener speaks it, whatever the application behind it does."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Generator

import pytest
import trustme
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from payproof.simulator import GatewayServer
from payproof.simulator.sockets.flow import unsent


def app_of(start: dict[str, object] | None, *bodies: bytes, error: Exception | None = None) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if start is not None:
            await send({"type": "http.response.start", **start})
        for n, body in enumerate(bodies, 1):
            await send({"type": "http.response.body", "body": body, "more_body": n < len(bodies)})
        if error is not None:
            raise error

    return app


class Quick:
    """Answers at once what is not called ``/slow``, and fails at ``/broken``."""

    def __init__(self) -> None:
        self.at_once_asked: list[tuple[str, bytes]] = []

    def at_once(self, scope: Scope, body: bytes, send: Callable[[Response], None]) -> bool:
        if scope["path"] == "/slow":
            return False
        if scope["path"] == "/broken":
            raise ValueError("broken")
        self.at_once_asked.append((scope["path"], body))
        send(PlainTextResponse(b"quick"))
        return True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await echo(scope, receive, send)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    message = await receive()
    body = b"%s %s?%s %s" % (scope["method"].encode(), scope["path"].encode(), scope["query_string"], message["body"])
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def loop() -> Generator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def asked(loop: asyncio.AbstractEventLoop, app: ASGIApp, sent: bytes) -> bytes:
    """All that comes back until the server ends the connection."""
    server = GatewayServer(app)
    asyncio.run_coroutine_threadsafe(server.start(), loop).result()
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
            client.sendall(sent)
            return b"".join(iter(lambda: client.recv(65536), b""))
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result()


LAST = b"Host: a\r\nConnection: close\r\n\r\n"
OK: dict[str, object] = {"status": 200, "headers": []}


def test_requests_that_come_at_once_are_answered_in_turn(loop: asyncio.AbstractEventLoop) -> None:
    first = b"POST /a%20b?c=d HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxyz"
    came = asked(loop, echo, first + b"GET /2 HTTP/1.1\r\n" + LAST)
    assert came.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert came.index(b"POST /a b?c=d xyz") < came.index(b"GET /2? ")


def test_the_last_answer_of_a_connection_says_so_and_none_before(loop: asyncio.AbstractEventLoop) -> None:
    came = asked(loop, echo, b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\n" + LAST)
    assert [b"connection: close" in part for part in came.split(b"HTTP/1.1 ")[1:]] == [False, True]


def test_a_body_of_unknown_length_comes_in_chunks(loop: asyncio.AbstractEventLoop) -> None:
    came = asked(loop, app_of(OK, b"one", b"", b"two"), b"GET / HTTP/1.1\r\n" + LAST)
    assert b"transfer-encoding: chunked\r\n" in came
    assert came.endswith(b"\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")


def test_an_answer_to_head_has_no_body(loop: asyncio.AbstractEventLoop) -> None:
    start: dict[str, object] = {"status": 200, "headers": [(b"content-length", b"3")]}
    came = asked(loop, app_of(start, b"one"), b"HEAD / HTTP/1.1\r\n" + LAST)
    assert b"content-length: 3\r\n" in came
    assert came.endswith(b"\r\n\r\n")


def test_a_client_that_asks_first_is_told_to_send_its_body(loop: asyncio.AbstractEventLoop) -> None:
    head = b"POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n" + LAST
    assert asked(loop, app_of(OK, b""), head + b"ab").startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    "app",
    [
        app_of(None),
        app_of(None, error=ValueError("broken")),
        app_of({"status": 200, "headers": [(b"x", b"a\r\nSet-Cookie: b=c")]}),
        app_of({"status": 200, "headers": [(b"x y", b"a")]}),
    ],
    ids=["answers nothing", "fails", "a header of two lines", "a name that is none"],
)
def test_what_an_application_cannot_say_is_answered_500(loop: asyncio.AbstractEventLoop, app: ASGIApp) -> None:
    came = asked(loop, app, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert came.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert b"Set-Cookie" not in came


@pytest.mark.parametrize("bodies", [(b"longer",), (b"s",), (b"s", b"horter")], ids=["longer", "shorter", "then longer"])
def test_an_answer_is_broken_off_that_is_not_as_long_as_it_says(
    loop: asyncio.AbstractEventLoop, bodies: tuple[bytes, ...]
) -> None:
    came = asked(
        loop,
        app_of({"status": 200, "headers": [(b"content-length", b"3")]}, *bodies),
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    )
    assert len(came.partition(b"\r\n\r\n")[2]) < 3


def test_what_can_be_answered_without_waiting_is_answered_in_its_turn(loop: asyncio.AbstractEventLoop) -> None:
    quick = Quick()
    first = b"POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxyz"
    came = asked(loop, quick, first + b"GET /2 HTTP/1.1\r\n" + LAST)
    assert came.index(b"POST /slow? xyz") < came.index(b"GET /2? ")
    came = asked(loop, quick, b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxyzGET /2 HTTP/1.1\r\n" + LAST)
    assert quick.at_once_asked == [("/1", b"xyz")]
    assert came.index(b"quick") < came.index(b"GET /2? ")


def test_an_answer_without_waiting_is_the_last_one_where_the_client_said_so(loop: asyncio.AbstractEventLoop) -> None:
    came = asked(loop, Quick(), b"GET /1 HTTP/1.1\r\n" + LAST)
    assert b"connection: close\r\n" in came
    assert came.endswith(b"\r\n\r\nquick")


def test_a_body_that_is_still_on_its_way_is_waited_for(loop: asyncio.AbstractEventLoop) -> None:
    quick = Quick()
    server = GatewayServer(quick)
    asyncio.run_coroutine_threadsafe(server.start(), loop).result()
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
            client.sendall(b"POST /1 HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n" + LAST)
            assert client.recv(100).startswith(b"HTTP/1.1 100 ")
            client.sendall(b"ab")
            assert b"POST /1? ab" in b"".join(iter(lambda: client.recv(65536), b""))
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
    assert quick.at_once_asked == []


def test_an_application_that_fails_at_once_is_answered_500_in_a_line(
    loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    came = asked(loop, Quick(), b"GET /broken HTTP/1.1\r\nHost: a\r\n\r\n")
    assert came.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert b"connection: close\r\n" in came
    assert [record.getMessage().split(" (")[0] for record in caplog.records] == [
        "payproof failed on a request: ValueError: broken"
    ]


def test_a_request_that_is_no_http_is_refused(loop: asyncio.AbstractEventLoop) -> None:
    assert asked(loop, echo, b"hello\r\n\r\n").startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_a_connection_over_tls_that_was_closed_twice_has_nothing_left_to_send() -> None:
    """asyncio's own transport forgets then what it belongs to."""

    async def scenario() -> int:
        loop = asyncio.get_running_loop()
        left, right = socket.socketpair()
        server, client = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
        authority = trustme.CA()
        authority.issue_cert("localhost").configure_cert(server)  # pyright: ignore[reportUnknownMemberType]
        authority.configure_trust(client)  # pyright: ignore[reportUnknownMemberType]
        made = loop.create_task(
            loop.create_connection(asyncio.Protocol, sock=right, ssl=client, server_hostname="localhost")
        )
        transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, left, ssl=server)
        other, _ = await made
        for each in (transport, other):
            each.abort()
        await asyncio.sleep(0)
        for _ in range(2):
            transport.close()
        return unsent(transport)

    assert asyncio.run(scenario()) == 0
