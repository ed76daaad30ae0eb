"""How bytes flow on one connection: whether more is read, and whether the client takes what is written."""

from __future__ import annotations

import asyncio


class Flow:
    __slots__ = ("_room", "_transport", "read_paused", "write_paused")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._room = asyncio.Event()
        self.read_paused = self.write_paused = False

    def pause_reading(self) -> None:
        if not self.read_paused:
            self.read_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self.read_paused:
            self.read_paused = False
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        self.write_paused = True
        self._room.clear()

    def resume_writing(self) -> None:
        self.write_paused = False
        self._room.set()

    async def room(self) -> None:
        """Returns when more may be written; to be asked while writing is paused."""
        await self._room.wait()


def unsent(transport: asyncio.Transport) -> int:
    """Bytes that wait to be written; none where the connection is gone, of which asyncio's TLS, closed twice, cannot say it."""
    try:
        return transport.get_write_buffer_size()
    except AttributeError:
        return 0
