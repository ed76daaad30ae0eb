"""The customer's way to the shop: HTTP/1.1 over a connection for each request, that nobody is to blame for a reused one that broke.

A pool of connections would be built for each customer and never used; without it a page costs half the time.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from functools import cache

import h11
import httpx

_READ = 64 * 1024
_LONGEST_HEAD = 100 * 1024
"""Bytes of status line and headers that are read."""


class FreshConnections(httpx.AsyncBaseTransport):
    """Certificates are not looked at: a shop that listens with TLS has its own. How long is waited is the caller's affair."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises: httpx.ConnectError, ReadError, LocalProtocolError, RemoteProtocolError."""
        url = request.url
        context = _unverified() if url.scheme == "https" else None
        try:
            reader, writer = await asyncio.open_connection(url.host, url.port or (443 if context else 80), ssl=context)
        except OSError as error:
            raise httpx.ConnectError(str(error), request=request) from error
        connection = _Connection(reader, writer, request)
        try:
            await connection.send()
            head = await connection.head()
        except BaseException:
            writer.close()
            raise
        return httpx.Response(head.status_code, headers=head.headers.raw_items(), stream=connection, request=request)


class _Connection(httpx.AsyncByteStream):
    """One request on its way, and the body of its answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: httpx.Request) -> None:
        self._reader, self._writer, self._request = reader, writer, request
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)

    async def send(self) -> None:
        """What a shop has read before it closed does not matter: its answer does."""
        url, headers = self._request.url, self._request.headers.raw
        try:
            parts = [self._http.send(h11.Request(method=self._request.method, target=url.raw_path, headers=headers))]
            parts.extend([self._http.send(h11.Data(data=chunk)) async for chunk in self._stream()])
            parts.append(self._http.send(h11.EndOfMessage()))
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error), request=self._request) from error
        self._writer.write(b"".join(filter(None, parts)))

    def _stream(self) -> AsyncIterator[bytes]:
        assert isinstance(self._request.stream, httpx.AsyncByteStream)
        return aiter(self._request.stream)

    async def head(self) -> h11.Response:
        while not isinstance(event := await self._event(), h11.Response):
            pass  # 1xx
        return event

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while isinstance(event := await self._event(), h11.Data):
            yield bytes(event.data)

    async def _event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                data = await self._reader.read(_READ)
                if not data and self._http.their_state is h11.SEND_RESPONSE:
                    raise httpx.RemoteProtocolError("closed without an answer", request=self._request)
                self._http.receive_data(data)
        except h11.RemoteProtocolError as error:
            raise httpx.RemoteProtocolError(str(error), request=self._request) from error
        except OSError as error:
            raise httpx.ReadError(str(error), request=self._request) from error
        return event

    async def aclose(self) -> None:
        self._writer.close()


@cache
def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
