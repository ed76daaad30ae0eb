"""A connection that a fault has hit before anything was read from it: what a misbehaviour can do with it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from payproof.contracts.entries import ConnectionEvent
from payproof.simulator.exchange import reset_on_close
from payproof.simulator.sockets.certificates import Certificates
from payproof.simulator.sockets.loop_watch import has_left
from payproof.simulator.sockets.socket_log import SocketLog

Serve: TypeAlias = Callable[[ssl.SSLContext], Awaitable[None]]
_READ = 64 * 1024


@dataclass(slots=True)
class ConnectionContext:
    """``serve`` goes on with the connection as if nothing were wrong, under these TLS settings. ``hello``: the ClientHello, which
    nobody has taken yet; empty for a fault of the connection."""

    sock: socket.socket
    hello: bytes
    log: SocketLog
    certificates: Certificates
    serve: Serve
    released: asyncio.Event
    """Set when the fault is cleared."""
    held: set[Callable[[], None]]
    """What is to be done while the fault is being cleared."""

    async def read(self) -> bytes:
        """What the client sends next; empty when it has gone."""
        try:
            data = await asyncio.get_running_loop().sock_recv(self.sock, _READ)
        except OSError:
            return b""
        if data:
            self.log.spoke_first()
        return data

    async def write(self, data: bytes) -> None:
        """Send it; nothing happens when the client has gone."""
        with contextlib.suppress(OSError):
            await asyncio.get_running_loop().sock_sendall(self.sock, data)

    async def hold(self) -> None:
        """Say nothing, and drop what the client says, until it hangs up or the fault is cleared."""
        self.held.add(self._let_go)
        listening = asyncio.ensure_future(self._until_gone())
        released = asyncio.ensure_future(self.released.wait())
        try:
            await asyncio.wait({listening, released}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.held.discard(self._let_go)
            for task in (listening, released):
                task.cancel()
            await asyncio.gather(listening, released, return_exceptions=True)

    def end(self, event: ConnectionEvent, detail: str = "", *, reset: bool = False) -> None:
        """Close it with FIN, or with RST, and say so. What was held is over already."""
        self.log.close(event, by="gateway", detail=detail)
        if reset:
            with contextlib.suppress(OSError):
                reset_on_close(self.sock)
        self.sock.close()

    async def _until_gone(self) -> None:
        while await self.read():
            pass
        self.log.close("silent", by="client")

    def _let_go(self) -> None:
        self.log.close("silent", by="client" if has_left(self.sock) else "gateway")
