"""What is noted of one connection, and becomes its entry in the journal when it is over."""

from __future__ import annotations

import re
import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import Literal

from payproof.contracts.entries import Connection, ConnectionEvent
from payproof.contracts.journal import Journal
from payproof.simulator.sockets.client_hello import ClientHello
from payproof.simulator.sockets.loop_watch import LoopWatch, heard

_ALERT = re.compile(r"^[A-Z0-9]+_ALERT_(\w+)$")
"""How OpenSSL calls an alert that the other side sent."""


@dataclass(slots=True)
class SocketLog:
    """``journal``: None where nobody wants to know. ``accepted``: time.monotonic()."""

    journal: Journal | None
    sock: socket.socket
    watch: LoopWatch
    accepted: float = field(default_factory=time.monotonic)
    first_byte: float | None = None
    handshake: float | None = None
    tls: str = ""
    hello: ClientHello = field(default_factory=ClientHello)
    fault: str = ""
    calls: int = 0
    pages: int = 0
    done: bool = False

    def spoke(self) -> None:
        """The client sent its first byte, if it has not done so before."""
        if self.first_byte is None:
            self.first_byte = self._passed()

    def spoke_first(self) -> None:
        """The same; who was seen late began when it spoke, and not when it was accepted."""
        self.spoke()
        if (found := heard(self.sock)) is not None:
            self.accepted = min(self.accepted, time.monotonic() - found.data)

    def left_at(self) -> float:
        """time.monotonic() of the client's leaving, which is seen now."""
        return self.watch.left_at(self.sock)

    def asked(self, *, page: bool) -> int:
        """A request was read: a hosted page's, or a call. Returns how many calls there are now."""
        if page:
            self.pages += 1
        else:
            self.calls += 1
        return self.calls

    def shook_hands(self, version: str) -> None:
        self.handshake, self.tls = self._passed(), version

    def close(
        self,
        event: ConnectionEvent | None = None,
        *,
        by: Literal["client", "gateway"],
        detail: str = "",
        alert: str = "",
    ) -> None:
        """Write the entry, once. A connection that served hosted pages only was a customer's, and one on which nobody said a word
        tells nothing unless a fault was there: they have none."""
        if self.done:
            return
        self.done = True
        if self.journal is None or (event is None and not self.calls and self._tells_nothing):
            return
        ended = self.left_at() if by == "client" else time.monotonic()
        seconds, ago = round(ended - self.accepted, 4), time.monotonic() - self.accepted
        self.journal.put(
            Connection(
                event=event or ("served" if self.calls else "unused"), detail=detail, fault=self.fault,
                began=round(self.journal.now() - ago, 4), seconds=seconds, ended_by=by, first_byte=self.first_byte,
                handshake=self.handshake, tls=self.tls, offered=self.hello.versions, server_name=self.hello.server_name,
                alert=alert, calls=self.calls,
            )
        )  # fmt: skip

    @property
    def _tells_nothing(self) -> bool:
        return bool(self.pages) or (self.first_byte is None and not self.fault)

    def failed(self, error: Exception) -> None:
        """The TLS handshake came to no end: refused by an alert of the client's, broken off, or too slow."""
        reason = error.reason or "" if isinstance(error, ssl.SSLError) else ""
        alert = _ALERT.match(reason)
        self.close(
            "handshake_failed",
            by="gateway" if isinstance(error, TimeoutError) or (reason and not alert) else "client",
            detail=str(error) or type(error).__name__,
            alert=alert[1].replace("_", " ").lower() if alert else "",
        )

    def _passed(self) -> float:
        return round(time.monotonic() - self.accepted, 4)
