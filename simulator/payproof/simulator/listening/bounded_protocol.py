"""HTTP within bounds: what one connection may send, for how long, and what it may leave unread.

A bound is far from what any client does that means well. Time runs only while we wait for the client: never while an answer is
on its way, however late a fault lets it be.
"""

from __future__ import annotations

import time
from typing import NoReturn

from payproof.simulator.listening.asked import STATUS_LINES
from payproof.simulator.listening.http_connection import Served
from payproof.simulator.listening.upgrade_offer import WithoutUpgrade
from payproof.simulator.sockets.flow import unsent

LONGEST_HEAD = 64 * 1024
"""Bytes of a request's line and headers that are always read. More than three times as many never are."""
MOST_HEADERS = 500
"""Headers of a request, trailers included."""
LONGEST_REQUEST = 16 * 1024 * 1024
"""Bytes of a whole request, chunk sizes and all. An application that takes less has said so long before."""
MOST_WAITING = 100
"""Requests on one connection that wait for the answer to an earlier one."""
HEAD_WITHIN, BODY_WITHIN = 15.0, 30.0
"""Seconds for a head, from its first byte, and for a body."""
BYTES_A_SECOND = 1_000
"""A body that comes at least so fast has more time."""
FIRST_WITHIN = KEPT = 75.0
"""Seconds that a connection stays open on which nobody has asked yet, and that one is kept after an answer."""
READ_WITHIN = 120.0
"""Seconds within which a client must have taken something of an answer that waits for it."""
CLOSED_WITHIN = 5.0
"""Seconds that a refused client has to close its side."""

IDLE_WITHIN = 600.0
"""Seconds since the last request after which a connection is closed for good whose client has not seen, or not minded, our end of it."""

_REFUSALS = {
    400: "what came is not HTTP",
    408: "the request did not arrive in time",
    413: f"the request is longer than {LONGEST_REQUEST:,} bytes",
    429: f"more than {MOST_WAITING} requests wait on this connection",
    431: f"the request has more than {MOST_HEADERS} headers, or they are longer than {LONGEST_HEAD:,} bytes",
}


class BoundedProtocol(WithoutUpgrade):
    """``within``: a request is on its way here."""

    def __init__(self, served: Served) -> None:
        super().__init__(served)
        self.within = False
        self._in_head = self._fresh = False
        self._trailing: int | None = None
        """Bytes behind a chunk's size that are no body, which is what trailers are; None outside of them."""
        self.given_up = False
        """We have ended the connection, or are about to."""
        self._since = self._moved = self._answered = time.monotonic()
        self._came = self._unread = 0

    def refused(self, why: str) -> None:
        """Called before a connection is ended because of what came, or did not come, on it."""

    def idle_too_long(self) -> None:
        """Nobody has asked again after the last answer. Called every second from then on."""

    @property
    def idle(self) -> bool:
        """No request is on its way here, and no answer on its way back."""
        return not self.within and (self.asked is None or self.asked.response_complete)

    # What comes

    def data_received(self, data: bytes) -> None:
        if len(data) <= LONGEST_HEAD:
            self._take(data)
            return
        pieces = memoryview(data)
        for start in range(0, len(data), LONGEST_HEAD):
            if not self.transport.is_closing():
                self._take(bytes(pieces[start : start + LONGEST_HEAD]))

    def _take(self, data: bytes) -> None:
        self._fresh = False
        super().data_received(data)
        if self.within and not self._fresh:
            self._came += len(data)
            if self._trailing is not None:
                self._trailing += len(data)
            head = self._came if self._in_head else self._trailing or 0
            if head > LONGEST_HEAD or len(self.headers) > MOST_HEADERS:
                self.refuse(431)
            elif self._came > LONGEST_REQUEST:
                self.refuse(413)

    def on_message_begin(self) -> None:
        if len(self.waiting) >= MOST_WAITING:
            self._give_up(429)
        self.within = self._in_head = self._fresh = True
        self._since, self._came, self._trailing = time.monotonic(), 0, None
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        if len(self.headers) > MOST_HEADERS:
            self._give_up(431)
        self._in_head = False
        super().on_headers_complete()

    def on_chunk_header(self) -> None:
        self._trailing = -LONGEST_HEAD  # the piece that it came in may hold much before it

    def on_body(self, body: bytes) -> None:
        self._trailing = None
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.within = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._answered = time.monotonic()
        super().on_response_complete()

    # What is refused

    def _give_up(self, status: int) -> NoReturn:
        """As ``refuse``, and no byte more is parsed."""
        self.refuse(status)
        raise ValueError(_REFUSALS[status])

    def malformed(self) -> None:
        self.refuse(400)

    def refuse(self, status: int) -> None:
        """End the connection, and say why where the client waits for nothing else."""
        if self.transport.is_closing():
            return
        self.given_up, self._since = True, time.monotonic()
        self.refused(_REFUSALS[status])
        if self._can_answer():
            self.transport.write(self._refusal(status))
        self.transport.close()

    def _can_answer(self) -> bool:
        """Whether the next bytes that we send are the answer to what is refused."""
        if self.waiting or self.asked is None:
            return not self.waiting
        in_body = self.within and not self._in_head
        return not self.asked.response_started if in_body else self.asked.response_complete

    def _refusal(self, status: int) -> bytes:
        text = f"{_REFUSALS[status]}\n".encode()
        head = b"".join(name + b": " + value + b"\r\n" for name, value in self.served.headers)
        head += b"content-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
        return STATUS_LINES[status] + head + b"content-length: %d\r\n\r\n" % len(text) + text

    # What takes too long

    def look_at(self, now: float) -> None:
        """End the connection if its client takes too long; called every second. ``now``: time.monotonic()."""
        if self.given_up:
            if now - self._since > CLOSED_WITHIN:
                self.transport.abort()
        elif self._unread_too_long(now):
            self.given_up = True
            self.refused("the answer was not read in time")
            self.transport.abort()
        elif not self.transport.is_closing():
            self._look_at_request(now)

    def _look_at_request(self, now: float) -> None:
        waited = now - self._since
        if self.idle:
            if waited > (FIRST_WITHIN if self.asked is None else IDLE_WITHIN):
                self.given_up, self._since = True, now
                self.transport.close()
            elif self.asked is not None and now - self._answered > KEPT:
                self.idle_too_long()
        elif self._waits_for_us():
            self._since = now
            self.flow.resume_reading()  # for a moment: whoever does not read does not see either that the client has gone
        elif waited > (HEAD_WITHIN if self._in_head else BODY_WITHIN + self._came / BYTES_A_SECOND):
            self.refuse(408)

    def _waits_for_us(self) -> bool:
        """An answer is owed to the client, or it has sent more than we have taken."""
        asked = self.asked
        owed = asked is not None and not asked.response_complete and (self._in_head or not self.within)
        return owed or bool(self.waiting) or self.flow.read_paused

    def _unread_too_long(self, now: float) -> bool:
        unread = unsent(self.transport)
        if not unread or unread != self._unread:
            self._unread, self._moved = unread, now
        return now - self._moved > READ_WITHIN
