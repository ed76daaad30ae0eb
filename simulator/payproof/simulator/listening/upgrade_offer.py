"""A client that offers HTTP/2 within HTTP/1.1 (``Upgrade: h2c``, as Java's HttpClient does in plain text) is answered in HTTP/1.1."""

from __future__ import annotations

import httptools

from payproof.simulator.listening.http_connection import HttpConnection


class WithoutUpgrade(HttpConnection):
    """The parser takes a request with such an offer for whole after its headers, and what follows for another protocol. Here it
    is read once more without the offer, so that it has its body."""

    _received = b""
    _offered = False

    def data_received(self, data: bytes) -> None:
        self._received = data
        super().data_received(data)

    def on_headers_complete(self) -> None:
        self._offered = self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"
        if not self._offered:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self._offered:
            super().on_message_complete()

    def offered(self, at: int) -> None:
        """The parser has stopped at the end of the head."""
        if self._offered:
            self._offered = False
            head, rest = self._head(), self._received[at:]
            self.parser = httptools.HttpRequestParser(self)
            WithoutUpgrade.data_received(self, head + rest)

    def _head(self) -> bytes:
        """The request's head once more; an offer that the header Connection does not name is none."""
        version = self.parser.get_http_version().encode()
        kept = [name + b": " + (_lasting(value) if name == b"connection" else value) for name, value in self.headers]
        return b"\r\n".join([b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version), *kept, b"", b""])


def _lasting(connection: bytes) -> bytes:
    """What a header Connection says of how long the connection lasts, and nothing else of it."""
    words = [word.strip() for word in connection.lower().split(b",")]
    return b", ".join(word for word in words if word in (b"close", b"keep-alive"))
