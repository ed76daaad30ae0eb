"""The customer's connections to the shop: one for each request, whatever the shop says."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import httpx
import pytest
import trustme

from payproof.suites.customer.fresh_connections import FreshConnections

Talk: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def asked(
    talk: Talk, *, method: str = "GET", content: bytes = b"", tls: ssl.SSLContext | None = None
) -> tuple[int, bytes, int]:
    """(status, body, connections) of two requests to a server that talks like this; both have the same answer."""

    async def go() -> tuple[int, bytes, int]:
        connections = 0

        async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            try:
                await talk(reader, writer)
            finally:
                writer.close()

        server = await asyncio.start_server(served, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        async with server, httpx.AsyncClient(transport=FreshConnections(), trust_env=False) as client:
            url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/page?a=1"
            async with asyncio.timeout(20):
                answers = [await client.request(method, url, content=content) for _ in range(2)]
        assert answers[0].content == answers[1].content
        return answers[0].status_code, answers[0].content, connections

    return asyncio.run(go())


def saying(answer: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    return talk


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nhello",  # its end is the connection's
        b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",  # as servers of a few lines write it
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    ],
)
def test_an_answer_is_read_however_it_is_framed_over_a_connection_for_each_request(answer: bytes) -> None:
    assert asked(saying(answer)) == (200, b"hello", 2)


def test_a_body_arrives_whole() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(6)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        assert head.startswith(b"POST /page?a=1 HTTP/1.1\r\n")

    assert asked(echo, method="POST", content=b"order=") == (200, b"order=", 2)


def test_a_head_has_no_body_whatever_it_says() -> None:
    assert asked(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), method="HEAD") == (200, b"", 2)


def test_a_shop_that_listens_with_tls_of_its_own_is_asked_over_tls() -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(server)  # pyright: ignore[reportUnknownMemberType]
    assert asked(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), tls=server) == (200, b"ok", 2)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", httpx.RemoteProtocolError),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, httpx.RemoteProtocolError),
    ],
)
def test_what_is_no_whole_answer_is_an_error(answer: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        asked(saying(answer))


def test_a_closed_port_is_an_error_of_connecting() -> None:
    async def go() -> None:
        server = await asyncio.start_server(saying(b""), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        async with httpx.AsyncClient(transport=FreshConnections(), trust_env=False) as client:
            await client.get(f"http://127.0.0.1:{port}/")

    with pytest.raises(httpx.ConnectError):
        asyncio.run(go())
