"""What a client says first when it begins TLS: which versions it offers, and which host it means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

HANDSHAKE = 0x16
"""First byte of a connection that begins with a TLS handshake."""
LONGEST = 16 * 1024 + 5
"""Bytes that one TLS record can have."""

_VERSIONS = {0x0300: "SSLv3", 0x0301: "TLSv1", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}
_SERVER_NAME, _SUPPORTED_VERSIONS = 0, 43


@dataclass(frozen=True, slots=True)
class ClientHello:
    """``versions``: newest first. Both are empty where the bytes could not be read."""

    versions: tuple[str, ...] = ()
    server_name: str = ""


class _Bytes:
    """Reads numbers and lengths off a text of bytes; an IndexError says that it was too short."""

    def __init__(self, text: bytes) -> None:
        self._text, self._at = text, 0

    def take(self, count: int) -> bytes:
        taken = self._text[self._at : self._at + count]
        if len(taken) < count:
            raise IndexError
        self._at += count
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def sized(self, size: int) -> _Bytes:
        """The part whose length stands before it, in ``size`` bytes."""
        return _Bytes(self.take(self.number(size)))

    @property
    def rest(self) -> bytes:
        return self._text[self._at :]


def read(record: bytes) -> ClientHello:
    """What the first TLS record of a client says; nothing of it where it is cut or no ClientHello."""
    try:
        return _read(_Bytes(record))
    except IndexError:
        return ClientHello()


def _read(record: _Bytes) -> ClientHello:
    if record.number(1) != HANDSHAKE:
        return ClientHello()
    record.take(2)
    message = record.sized(2)
    if message.number(1) != 1:
        return ClientHello()
    hello = message.sized(3)
    newest = hello.number(2)
    hello.take(32)
    for size in (1, 2, 1):  # session id, cipher suites, compression methods
        hello.sized(size)
    extensions = dict(_extensions(hello.sized(2))) if hello.rest else {}
    return ClientHello(_versions(extensions, newest), _server_name(extensions))


def _extensions(block: _Bytes) -> Iterator[tuple[int, bytes]]:
    while block.rest:
        yield block.number(2), block.sized(2).rest


def _versions(extensions: dict[int, bytes], newest: int) -> tuple[str, ...]:
    """A client from before TLS 1.3 names the newest only; that it takes older ones is likely, and not said."""
    listed = extensions.get(_SUPPORTED_VERSIONS)
    numbers = [newest]
    if listed is not None:
        text = _Bytes(listed).sized(1).rest
        numbers = [int.from_bytes(text[at : at + 2], "big") for at in range(0, len(text) - 1, 2)]
    known = sorted((number for number in numbers if number in _VERSIONS), reverse=True)
    return tuple(_VERSIONS[number] for number in known)


def _server_name(extensions: dict[int, bytes]) -> str:
    if _SERVER_NAME not in extensions:
        return ""
    names = _Bytes(extensions[_SERVER_NAME]).sized(2)
    names.take(1)
    return names.sized(2).rest.decode("ascii", "replace")
