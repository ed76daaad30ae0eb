"""Rows of the gateway's books: the newest that fit into so many bytes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    @property
    def size(self) -> int:
        """Bytes that it takes, about; it must not change."""
        ...


R = TypeVar("R", bound=Sized)
_SLICES = 100
"""The part of the rows that is forgotten at once: to find the oldest costs something each time."""


class Rows(Generic[R]):
    """Rows by their id, in the order in which they came. ``most``: bytes."""

    __slots__ = ("_bytes", "_forgot", "all", "forgotten", "most")

    def __init__(self, most: int, forgot: Callable[[int], None]) -> None:
        self.most, self._forgot = most, forgot
        self.all: dict[str, R] = {}
        self._bytes = 0
        self.forgotten = 0

    def put(self, key: str, row: R) -> None:
        if key in self.all:
            self.remove(key)
        self.all[key] = row
        self._bytes += row.size
        if self._bytes > self.most:
            self._make_room()

    def remove(self, key: str) -> None:
        self._bytes -= self.all.pop(key).size

    def clear(self) -> None:
        self.all.clear()
        self._bytes = 0

    def _make_room(self) -> None:
        """Forget the oldest; the newest stays, whatever its size."""
        before = len(self.all)
        while self._bytes > self.most and len(self.all) > 1:
            count = min(1 + len(self.all) // _SLICES, len(self.all) - 1)
            for key in tuple(islice(self.all, count)):
                self.remove(key)
        self.forgotten += before - len(self.all)
        if before > len(self.all):
            self._forgot(before - len(self.all))
