"""The port of a listener: open, refusing, or with a backlog that is full."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Literal, TypeAlias

from payproof.contracts.model import PayproofError
from payproof.simulator.sockets.backlog import Attempts, Watcher, fill
from payproof.simulator.sockets.loop_watch import AcceptedSocket

State: TypeAlias = Literal["closed", "open", "refusing", "full"]
_BACKLOG = 1024
_AT_A_TIME = 64
_PAUSE = 0.1
"""Seconds until we try to accept once more when there are no file descriptors left."""


class ListeningPort:
    """``take`` is handed every accepted connection; ``watcher`` is told of attempts to connect that meet a full backlog."""

    def __init__(self, host: str, number: int, take: Callable[[socket.socket], None], watcher: Watcher) -> None:
        self.host, self.number = host, number
        self.state: State = "closed"
        self._take, self._watcher = take, watcher
        self._bound: socket.socket | None = None
        """There in every state but ``closed``, so that the port stays ours."""
        self._fillers: list[socket.socket] = []
        self._attempts: Attempts | None = None

    def open(self) -> None:
        """Accept connections, those that wait in a backlog first.

        Raises:
            PayproofError: the port is taken, or may not be used.
        """
        if self.state == "open":
            return
        sock = self._kept()
        self._leave()
        self._listen(sock, _BACKLOG)
        asyncio.get_running_loop().add_reader(sock.fileno(), self._accept)
        self.state = "open"

    def refuse(self) -> None:
        """Refuse connections. The port stays ours without a gap, in which an outgoing connection might get its number."""
        listens = self._bound if self.state in ("open", "full") else None
        self._leave()
        if listens is not None:
            self._bound = self._beside(listens)
            listens.close()
        self._kept()
        self.state = "refusing"

    def fill(self) -> None:
        """Let whoever connects wait: the backlog is full, so that the system drops what asks for a connection.

        Raises:
            PayproofError: this system takes connections beyond any backlog.
        """
        sock = self._kept()
        self._leave()
        self._listen(sock, 0)
        self.state = "full"
        self._fillers = fill(sock)
        self._attempts = Attempts(self.number, self._watcher)
        self._attempts.begin()

    def close(self) -> None:
        """Stop listening, and give the port back."""
        self._leave()
        if self._bound is not None:
            self._bound.close()
            self._bound = None

    def _leave(self) -> None:
        """Take what waits to be accepted, and undo what the present state has set up, but for the bound socket."""
        if self._attempts is not None:
            self._attempts.end()
            self._attempts = None
        if self.state == "open" and self._bound is not None:
            asyncio.get_running_loop().remove_reader(self._bound.fileno())
        if self.state in ("open", "full"):
            self._accept()
        for sock in self._fillers:
            sock.close()
        self._fillers.clear()
        self.state = "closed"

    def _accept(self) -> None:
        ours = {sock.getsockname() for sock in self._fillers}
        for sock, peer in self._waiting():
            if peer in ours:
                sock.close()
            else:
                sock.setblocking(False)
                self._take(sock)

    def _waiting(self) -> Iterator[tuple[socket.socket, object]]:
        for _ in range(_AT_A_TIME):
            if self._bound is None:
                return
            try:
                sock, peer = self._bound.accept()
                yield AcceptedSocket(sock), peer
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:  # out of file descriptors: the connection waits in the backlog, and we for a moment
                self._pause()
                return

    def _pause(self) -> None:
        if self.state == "open" and self._bound is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._bound.fileno())
            loop.call_later(_PAUSE, self._go_on, self._bound)

    def _go_on(self, sock: socket.socket) -> None:
        if self.state == "open" and sock is self._bound:
            asyncio.get_running_loop().add_reader(sock.fileno(), self._accept)

    def _listen(self, sock: socket.socket, backlog: int) -> None:
        try:
            sock.listen(backlog)
        except OSError as error:
            self.close()
            raise _explained(error, f"port {self.number}", self.number) from None

    def _kept(self) -> socket.socket:
        """The bound socket; a new one where there is none."""
        if self._bound is None:
            self._bound = self._bind()
            self.number = self._bound.getsockname()[1]
        return self._bound

    def _beside(self, sock: socket.socket) -> socket.socket | None:
        """Another socket bound to the same port, which does not listen; None where the system has no such thing."""
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            beside = self._bind(shared=True)
        except PayproofError:
            return None
        beside.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)
        return beside

    def _bind(self, *, shared: bool = False) -> socket.socket:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        # Made with IPPROTO_TCP, which accepted sockets inherit: without it no event loop sets TCP_NODELAY.
        sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.setblocking(False)
        try:
            sock.bind((self.host, self.number))
        except OSError as error:
            sock.close()
            raise _explained(error, f"{self.host}:{self.number}", self.number) from None
        return sock


def _explained(error: OSError, where: str, number: int) -> PayproofError:
    return PayproofError(
        f"cannot listen on {where}: {error.strerror or error}",
        place=f"port {number}",
        remedy="stop the program that uses this port, or choose another one",
    )
