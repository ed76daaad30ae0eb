"""A listener of one application on loopback: TLS and plain HTTP on the same port, and what can go wrong with a connection."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Collection
from email.utils import formatdate
from functools import partial
from ipaddress import ip_address
from typing import Literal, cast

from starlette.types import ASGIApp

from payproof.contracts.entries import Connection
from payproof.contracts.journal import Journal
from payproof.contracts.model import PayproofError
from payproof.simulator.faults.connection_context import ConnectionContext
from payproof.simulator.faults.injector import Armed, FaultInjector
from payproof.simulator.faults.registry import PortFault
from payproof.simulator.listening import bounded_protocol
from payproof.simulator.listening.http_connection import Served
from payproof.simulator.listening.protocols import Protocol
from payproof.simulator.sockets import client_hello, tunnel
from payproof.simulator.sockets.backlog import Attempt
from payproof.simulator.sockets.certificates import Certificates
from payproof.simulator.sockets.listening_port import ListeningPort
from payproof.simulator.sockets.loop_watch import LoopWatch
from payproof.simulator.sockets.peers import is_ours
from payproof.simulator.sockets.socket_log import SocketLog

_STOP_WITHIN = 2.0
_TURNS = 10
_LATE = 3.0
"""Seconds from one look at the connections to the next, which is due after one, that show that this process stood still."""


class GatewayServer:
    """Serves ``app``. With ``tls``, a connection that begins with a handshake is HTTPS and any other plain HTTP.

    ``faults``: those of the gateway that ``app`` is, for what they do before a request is read. ``certificates``: what faults of TLS
    show; made by an authority that nobody knows where they are not given. ``spare_ours``: connections that come from this very
    process meet no fault of theirs. ``stands_for``: names of the gateway's real hosts, for clients that cannot be told of another address:
    they reach it by a tunnel (CONNECT), or were led here.

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
        faults: FaultInjector | None = None,
        certificates: Certificates | None = None,
        spare_ours: bool = False,
        stands_for: Collection[str] = (),
        allow_remote: bool = False,
    ) -> None:
        if not allow_remote and not is_loopback(host):
            raise PayproofError(
                f"the simulator listens on loopback addresses only, not on {host}", place="host", remedy="use 127.0.0.1"
            )
        self.host = host
        self._tls, self._journal = tls, journal
        self._faults, self._certificates = faults, certificates or Certificates()
        self._spare_ours = spare_ours
        self._stands_for = frozenset(name.lower() for name in stands_for)
        self._served = Served(app)
        self._port = ListeningPort(host, port, self._adopt, self)
        self._looked = 0.0
        self._watch = LoopWatch()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._shut_by: Armed | None = None
        """The fault that the port has now, until what it did is undone."""
        self._reopens: asyncio.TimerHandle | None = None

    @property
    def scheme(self) -> Literal["https", "http"]:
        return "https" if self._tls else "http"

    @property
    def port(self) -> int:
        return self._port.number

    async def start(self) -> None:
        """Bind and accept.

        Raises:
            PayproofError: the port is taken, or may not be used.
        """
        self._loop = asyncio.get_running_loop()
        self._port.open()
        own = f"localhost:{self.port}".encode()
        self._served.stands_for = {f"{name}{port}".encode(): own for name in self._stands_for for port in ("", ":443")}
        if self._faults is not None:
            self._faults.wires.append(self)
        self._keep_date()
        self._watch.start()

    async def stop(self) -> None:
        """End every connection, held ones too, and stop listening. Does nothing on a server that is not running."""
        if self._faults is not None and self in self._faults.wires:
            self._faults.wires.remove(self)
        self._port.close()
        self._watch.stop()
        for timer in (self._timer, self._reopens):
            if timer is not None:
                timer.cancel()
        for task in self._tasks:
            task.cancel()
        for protocol in self._protocols():
            protocol.abandon()
        pending = {*self._tasks, *self._served.tasks}
        if pending:
            _, late = await asyncio.wait(pending, timeout=_STOP_WITHIN)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for _ in range(_TURNS):
            if not self._served.connections:
                break
            await asyncio.sleep(0)  # sockets close in the loop's next turns

    def retire_idle(self) -> None:
        """Let clients see the end of connections that they keep, so that their next call comes on a fresh one."""
        for protocol in self._protocols():
            protocol.retire()

    # Faults of the port and of connections

    def fault_armed(self, armed: Armed) -> None:
        if armed.kind == "port":
            self._shut(armed, cast("PortFault", armed.fault))
        self.retire_idle()

    def fault_cleared(self, armed: Armed) -> None:
        if armed.kind == "port":
            left = self._faults.shut() if self._faults is not None else None
            if left is None:
                self._port.open()
                self._shut_by = None
            else:
                self._shut(*left)
        for protocol in self._protocols():
            if protocol.log.fault == armed.spec.name:
                protocol.retire()

    def _shut(self, armed: Armed, fault: PortFault) -> None:
        try:
            fault.shut(self._port)
        except PayproofError:
            self._port.open()
            raise
        self._shut_by = armed
        if fault.seconds is not None and self._faults is not None:
            self._reopens = self._loop.call_later(fault.seconds, self._faults.clear, armed.id)

    def attempt_began(self, attempt: Attempt) -> None:
        if self._shut_by is not None:
            self._shut_by.fired += 1

    def attempt_ended(self, attempt: Attempt, *, gave_up: bool) -> None:
        if self._journal is None:
            return
        fault = self._shut_by.spec.name if self._shut_by is not None else ""
        ago = time.monotonic() - attempt.began
        self._journal.put(
            Connection(
                event="unaccepted", fault=fault, seconds=attempt.seconds,
                began=round(self._journal.now() - ago, 4), ended_by="client" if gave_up else "gateway",
            )
        )  # fmt: skip

    # Accepting

    def _adopt(self, sock: socket.socket) -> None:
        task = self._loop.create_task(self._arrive(sock, SocketLog(self._journal, sock, self._watch)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _arrive(self, sock: socket.socket, log: SocketLog) -> None:
        try:
            if not await self._met(sock, log, "connection", b""):
                await self._begin(sock, log)
        except asyncio.CancelledError:
            log.close(by="gateway")
            sock.close()
            raise

    async def _begin(self, sock: socket.socket, log: SocketLog) -> None:
        """Serve what begins with a TLS handshake as HTTPS, and anything else as plain HTTP."""
        looking = self._tls is not None or (self._faults is not None and self._faults.any_of("handshake"))
        if not looking:
            await self._serve(sock, log, None)
            return
        try:
            async with asyncio.timeout(bounded_protocol.FIRST_WITHIN):
                first = await _first_bytes(sock)
                if self._stands_for and tunnel.is_asked_for(first):
                    led = await tunnel.opened(sock, self._stands_for, self._journal)
                    first = await _first_bytes(sock) if led else b""
        except TimeoutError:
            log.close(by="gateway")
            sock.close()
            return
        if not first:
            log.close(by="client")
            sock.close()
            return
        log.spoke()
        if first[0] != client_hello.HANDSHAKE:
            await self._serve(sock, log, None)
            return
        log.hello = client_hello.read(first)
        if not await self._met(sock, log, "handshake", first):
            await self._serve(sock, log, self._tls)

    async def _met(
        self, sock: socket.socket, log: SocketLog, kind: Literal["connection", "handshake"], hello: bytes
    ) -> bool:
        """Whether a fault took the connection."""
        if self._faults is None or not self._faults.any_of(kind) or (self._spare_ours and is_ours(sock)):
            return False
        matched = self._faults.match_connection(kind)
        if matched is None:
            return False
        armed, fault = matched
        log.fault = armed.spec.name
        serve = partial(self._serve, sock, log)
        await fault.meet(ConnectionContext(sock, hello, log, self._certificates, serve, armed.released, armed.held))
        return True

    async def _serve(self, sock: socket.socket, log: SocketLog, tls: ssl.SSLContext | None) -> None:
        factory = partial(Protocol, self._served, sock, log, self._port)
        try:
            await self._loop.connect_accepted_socket(factory, sock, ssl=tls)
        except (TimeoutError, OSError) as error:  # ssl.SSLError is an OSError
            if tls is not None:
                log.failed(error)
            sock.close()

    def _protocols(self) -> tuple[Protocol, ...]:
        return tuple(cast("set[Protocol]", self._served.connections))

    def _keep_date(self) -> None:
        self._served.headers = [(b"date", formatdate(time.time(), usegmt=True).encode())]
        self._timer = self._loop.call_later(1.0, self._keep_date)
        self._look_at_connections()

    def _look_at_connections(self) -> None:
        before, self._looked = self._looked, time.monotonic()
        if self._looked - before > _LATE:
            return  # what clients sent meanwhile waits to be read: it was us who took so long
        for protocol in self._protocols():
            protocol.look_at(self._looked)


async def _first_bytes(sock: socket.socket) -> bytes:
    """Look at what the client says first without taking it; empty when it has gone."""
    while True:
        try:
            return sock.recv(client_hello.LONGEST, socket.MSG_PEEK)
        except BlockingIOError:
            await _readable(sock)
        except OSError:
            return b""


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(sock.fileno(), ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(sock.fileno())


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ip_address(host).is_loopback
    return False
