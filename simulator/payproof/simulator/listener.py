"""A listener of one application on loopback: TLS and plain HTTP on the same port, and a gate for network errors."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from email.utils import formatdate
from functools import partial
from ipaddress import ip_address
from typing import Any, Literal, cast

from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.server import ServerState

from payproof.contracts.entries import Connection
from payproof.contracts.journal import Journal
from payproof.contracts.model import PayproofError
from payproof.simulator import bounded_protocol
from payproof.simulator.protocols import Gate, GateMode, Protocol

_TLS_HANDSHAKE = b"\x16"
_STOP_WITHIN = 2.0
_PAUSE = 0.1
"""Seconds until we try to accept once more when there are no file descriptors left."""
_LATE = 3.0
"""Seconds from one look at the connections to the next, which is due after one, that show that this process stood still."""


class GatewayServer:
    """Serves ``app``. With ``tls``, a connection that begins with a handshake is HTTPS and any other plain HTTP.

    Raises:
        PayproofError: ``host`` is not a loopback address and ``allow_remote`` was not given.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        journal: Journal | None = None,
        allow_remote: bool = False,
    ) -> None:
        if not allow_remote and not is_loopback(host):
            raise PayproofError(
                f"the simulator listens on loopback addresses only, not on {host}", place="host", remedy="use 127.0.0.1"
            )
        self.host, self.port = host, port
        self._tls, self._journal = tls, journal
        # http and ws are ours: uvicorn's own server, its signals and its logging are never started.
        # Nor does anybody stand in front of us, whose X-Forwarded headers would be believed.
        self._config = Config(
            app,
            lifespan="off",
            log_config=None,
            ws="none",
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=75,
        )
        self._state = ServerState()
        self._gate = Gate(self._report)
        self._listening: socket.socket | None = None
        self._reserved: socket.socket | None = None
        self._peeking: dict[socket.socket, float] = {}
        self._looked = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def scheme(self) -> Literal["https", "http"]:
        return "https" if self._tls else "http"

    async def start(self) -> None:
        """Bind and accept.

        Raises:
            PayproofError: the port is taken, or may not be used.
        """
        self._loop = asyncio.get_running_loop()
        self._config.load()
        sock = self._bind(self.port)
        self.port = sock.getsockname()[1]
        self._listen(sock)
        self._keep_date()

    def gate(self, mode: GateMode) -> None:
        """What connections and requests meet from now on; nothing happens when that is what they met before.

        ``open``: served. ``refuse``: refused. ``close``, ``reset``: the request is read whole, and then the connection
        ends without a byte, in order or with RST. When the gate is no longer open, idle connections see their end, so that
        the next call is a fresh one.
        """
        before = self._gate.mode
        if mode == before:
            return
        if self._listening is not None and mode == "refuse":
            self._unlisten()
            # Bound and not listening: connections are refused, and the port stays ours.
            self._reserved = self._bind(self.port)
        elif self._reserved is not None and mode != "refuse":
            sock, self._reserved = self._reserved, None
            self._listen(sock)
        self._gate.mode = mode
        if before == "open":
            for connection in tuple(self._state.connections):
                cast(Protocol, connection).retire()

    async def stop(self) -> None:
        """End every connection, held ones too, and stop listening. Does nothing on a server that is not running."""
        self._unlisten()
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None
        if self._timer is not None:
            self._timer.cancel()
        for sock in tuple(self._peeking):
            self._unpeek(sock).close()
        for task in self._tasks:
            task.cancel()
        for connection in tuple(self._state.connections):
            cast(Protocol, connection).abandon()
        pending = {*self._tasks, *self._state.tasks}
        if pending:
            _, late = await asyncio.wait(pending, timeout=_STOP_WITHIN)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    # Accepting

    def _bind(self, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        # Made with IPPROTO_TCP, which accepted sockets inherit: without it no event loop sets TCP_NODELAY.
        sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        try:
            sock.bind((self.host, port))
        except OSError as error:
            sock.close()
            raise PayproofError(
                f"cannot listen on {self.host}:{port}: {error.strerror or error}",
                place=f"port {port}",
                remedy="stop the program that uses this port, or choose another one",
            ) from None
        return sock

    def _listen(self, sock: socket.socket) -> None:
        try:
            sock.listen(1024)
        except OSError as error:
            sock.close()
            raise PayproofError(
                f"cannot listen on port {self.port}: {error.strerror}",
                place=f"port {self.port}",
                remedy="choose another port",
            ) from None
        self._listening = sock
        self._loop.add_reader(sock.fileno(), self._accept, sock)

    def _unlisten(self) -> None:
        if self._listening is not None:
            self._loop.remove_reader(self._listening.fileno())
            self._listening.close()
            self._listening = None

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(64):
            try:
                sock, _ = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:  # out of file descriptors: the connection waits in the backlog, and we for a moment
                self._loop.remove_reader(listening.fileno())
                self._loop.call_later(_PAUSE, self._accept_again, listening)
                return
            sock.setblocking(False)
            if self._tls is None:
                self._adopt(sock, None)
            else:
                self._peek(sock)

    def _accept_again(self, listening: socket.socket) -> None:
        if listening is self._listening:
            self._loop.add_reader(listening.fileno(), self._accept, listening)

    def _peek(self, sock: socket.socket) -> None:
        """Look at the first byte without taking it; come back when there is one."""
        try:
            first = sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            if sock not in self._peeking:
                self._peeking[sock] = time.monotonic()
                self._loop.add_reader(sock.fileno(), self._peek, sock)
            return
        except OSError:
            first = b""
        self._unpeek(sock)
        if first:
            self._adopt(sock, self._tls if first == _TLS_HANDSHAKE else None)
        else:
            sock.close()

    def _unpeek(self, sock: socket.socket) -> socket.socket:
        if self._peeking.pop(sock, None) is not None:
            self._loop.remove_reader(sock.fileno())
        return sock

    def _adopt(self, sock: socket.socket, tls: ssl.SSLContext | None) -> None:
        task = self._loop.create_task(self._connect(sock, tls))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, sock: socket.socket, tls: ssl.SSLContext | None) -> None:
        factory = partial(Protocol, self._config, self._state, sock, self._gate)
        try:
            await self._loop.connect_accepted_socket(factory, sock, ssl=tls)
        except (TimeoutError, OSError) as error:  # ssl.SSLError is an OSError
            if tls is not None:
                self._report("handshake_failed", str(error) or type(error).__name__)
            sock.close()
        except asyncio.CancelledError:
            sock.close()
            raise

    def _report(self, event: Any, detail: str) -> None:
        if self._journal is not None:
            self._journal.add(Connection(event=event, detail=detail))

    def _keep_date(self) -> None:
        self._state.default_headers = [(b"date", formatdate(time.time(), usegmt=True).encode())]
        self._timer = self._loop.call_later(1.0, self._keep_date)
        self._look_at_connections()

    def _look_at_connections(self) -> None:
        before, self._looked = self._looked, time.monotonic()
        if self._looked - before > _LATE:
            return  # what clients sent meanwhile waits to be read: it was us who took so long
        for connection in tuple(self._state.connections):
            cast(Protocol, connection).look_at(self._looked)
        for sock, since in tuple(self._peeking.items()):
            if self._looked - since > bounded_protocol.FIRST_WITHIN:
                self._unpeek(sock).close()


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ip_address(host).is_loopback
    return False
