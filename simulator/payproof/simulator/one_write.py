"""The head of an answer leaves together with its body, where both are there: one system call instead of two."""

from __future__ import annotations

import asyncio
from typing import Any


class OneWrite:
    """A transport that holds one write back, once it is told that another one follows at once; in all else the one that it stands for."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._joining = False
        self._held = b""
        # Those that are called for each request are bound once.
        self.is_closing = transport.is_closing
        self.get_extra_info = transport.get_extra_info

    def join(self) -> None:
        """The next write is followed by another one at once."""
        self._joining = True

    def write(self, data: bytes) -> None:
        if self._held:
            data, self._held = self._held + data, b""
        elif self._joining:
            self._joining, self._held = False, data
            return
        self._transport.write(data)

    def close(self) -> None:
        if self._held:
            self.write(b"")
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
