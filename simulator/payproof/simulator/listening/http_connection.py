"""HTTP/1.1 on one connection: requests as they are parsed, answered one after the other by an ASGI application."""

from __future__ import annotations

import asyncio
import urllib.parse
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import httptools
from starlette.responses import Response
from starlette.types import ASGIApp, Scope

from payproof.simulator.listening.asked import Asked, RawHeaders
from payproof.simulator.sockets.flow import Flow

_MUCH = 64 * 1024
"""Bytes of a body that wait for the application, after which no more is read."""


class AtOnce(Protocol):
    """An ASGI application that answers some requests without waiting for anything."""

    def at_once(self, scope: Scope, body: bytes, send: Callable[[Response], None]) -> bool:
        """Answer a request that is here as a whole, through ``send``; False, and nothing has happened, where that takes more."""
        ...


@dataclass(slots=True)
class Served:
    """What the connections of one listener share. ``headers``: of every answer."""

    app: ASGIApp
    headers: RawHeaders = field(default_factory=list[tuple[bytes, bytes]])
    connections: set[HttpConnection] = field(default_factory=lambda: set[HttpConnection]())
    tasks: set[asyncio.Task[None]] = field(default_factory=lambda: set[asyncio.Task[None]]())
    stands_for: Mapping[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    """Host by which a client calls this server, taking it for another -> the server's own."""
    quick: AtOnce | None = None
    """The application, where it is one of those."""

    def __post_init__(self) -> None:
        if hasattr(self.app, "at_once"):
            self.quick = cast("AtOnce", self.app)


class HttpConnection(asyncio.Protocol):
    """``state``: what each request finds in its scope. ``asked``: the last request, None before the first. ``waiting``: requests that came
    before the one ahead of them was answered."""

    transport: asyncio.Transport
    flow: Flow

    def __init__(self, served: Served) -> None:
        self.served = served
        self.parser = httptools.HttpRequestParser(self)
        # What comes behind the last request of a connection is not served, and is no reason to refuse that request.
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.state: dict[str, Any] = {}
        self.asked: Asked | None = None
        self.waiting: deque[Asked] = deque()
        self.url, self.headers = b"", list[tuple[bytes, bytes]]()
        self._expects = False
        self._due: Asked | None = None
        """What is to be answered as soon as all is read that came with it."""
        self._answering: Asked | None = None
        self._common: dict[str, Any] = {}
        """What the scopes of all requests here have in common."""

    # What the transport tells

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport, self.flow = transport, Flow(transport)
        self.served.connections.add(self)
        self._common = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "root_path": "",
            "server": _address(transport, "sockname"),
            "client": _address(transport, "peername"),
            "scheme": "http" if transport.get_extra_info("sslcontext") is None else "https",
        }

    def connection_lost(self, exc: Exception | None) -> None:
        self.served.connections.discard(self)
        self.waiting.clear()
        for asked in (self._answering, self.asked):
            if asked is not None:
                asked.client_left()
        self.flow.resume_writing()
        if not self.transport.is_closing():
            self.transport.close()
        del self.parser  # they hold each other

    def eof_received(self) -> None:
        """A client that has said all may still read: the transport ends the connection."""

    def pause_writing(self) -> None:
        self.flow.pause_writing()

    def resume_writing(self) -> None:
        self.flow.resume_writing()

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.malformed()
        except httptools.HttpParserUpgrade as offer:
            self.offered(offer.args[0])
        if self._due is not None:
            due, self._due = self._due, None
            self._answer(due)

    # What is left to those who know more

    def malformed(self) -> None:
        """What came is not HTTP."""
        self.transport.close()

    def offered(self, at: int) -> None:
        """The client offers another protocol, or asks for a tunnel; the parser has stopped at this byte of what came last."""

    # What the parser finds

    def on_message_begin(self) -> None:
        self.url, self.headers, self._expects = b"", [], False

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self._expects = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if stands_for := self.served.stands_for:
            self.headers = [
                (name, stands_for.get(value.lower(), value) if name == b"host" else value)
                for name, value in self.headers
            ]
        before = self.asked
        asked = self.asked = Asked(
            self._scope(), self.transport, self.flow, self.served.headers, self.on_response_complete,
            last=not self.parser.should_keep_alive(), expects=self._expects,
        )  # fmt: skip
        if before is None or before.response_complete:
            self._due = asked
        else:
            self.flow.pause_reading()
            self.waiting.append(asked)

    def on_body(self, body: bytes) -> None:
        if self.asked is not None and not self.asked.response_complete and self.asked.body_came(body) > _MUCH:
            self.flow.pause_reading()

    def on_message_complete(self) -> None:
        if self.asked is not None and not self.asked.response_complete:
            self.asked.body_ended()

    def _scope(self) -> Scope:
        parsed = httptools.parse_url(self.url)
        path = parsed.path.decode("ascii")
        scope: Scope = self._common.copy()
        scope["http_version"] = self.parser.get_http_version()
        scope["method"] = self.parser.get_method().decode("ascii")
        scope["path"] = urllib.parse.unquote(path) if "%" in path else path
        scope["raw_path"] = parsed.path
        scope["query_string"] = parsed.query or b""
        scope["headers"] = self.headers
        scope["state"] = self.state.copy()
        return scope

    # Answering, in turn

    def _answer(self, asked: Asked) -> None:
        """In one go where that is possible, which is what most calls are made of; else in a task of its own."""
        quick = self.served.quick
        if quick is None or not asked.whole or asked.expects or self.flow.write_paused or self.transport.is_closing():
            self._begin(asked)
        else:
            self._answering = asked
            try:
                done = quick.at_once(asked.scope, bytes(asked.body), asked.answer)
            except Exception as error:
                asked.failed(error)
            else:
                if not done:
                    self._begin(asked)

    def _begin(self, asked: Asked) -> None:
        self._answering = asked
        task = asyncio.get_running_loop().create_task(asked.run(self.served.app))
        self.served.tasks.add(task)
        task.add_done_callback(self.served.tasks.discard)

    def on_response_complete(self) -> None:
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.waiting:
            self._begin(self.waiting.popleft())


def _address(transport: asyncio.Transport, end: str) -> tuple[str, int] | None:
    found: tuple[Any, ...] | None = transport.get_extra_info(end)
    return (str(found[0]), int(found[1])) if found else None
