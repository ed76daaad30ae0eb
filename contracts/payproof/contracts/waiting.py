"""What has happened and is not written down yet, in its order: secrets that were minted, entries that nobody has read.

Which secrets a text is searched for, and what their placeholders are called, depends on what came before it. So whatever is put off
is performed in the order in which it happened, and before anybody else asks the redactor for anything.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Protocol


class Deferred(Protocol):
    """Something that was put off."""

    def settle(self) -> None:
        """Do it now: whatever came before has been done."""
        ...

    def pass_over(self, owner: object) -> bool | None:
        """Nobody will ever ask for it: do only what later texts depend on. True: one of ``owner``'s is gone; None: it is no entry at
        all, the next one is meant; False: it belongs to somebody else and must be settled."""
        ...


class Waiting:
    """A queue that any thread may settle."""

    __slots__ = ("_busy", "_lock", "queue")

    def __init__(self) -> None:
        self.queue: deque[Deferred] = deque()
        self._lock = threading.RLock()
        self._busy = False

    def put(self, what: Deferred) -> None:
        self.queue.append(what)

    def settle(self) -> None:
        """Do everything that was put off. Nothing happens when that is what is being done."""
        with self._lock:
            if self._busy:
                return
            self._busy = True
            try:
                while self.queue:
                    self.queue.popleft().settle()
            finally:
                self._busy = False

    def pass_over(self, owner: object) -> bool:
        """Let go of the oldest that is ``owner``'s. False: that was not possible, and everything was settled instead."""
        with self._lock:
            self._busy = True
            try:
                while self.queue:
                    done = self.queue[0].pass_over(owner)
                    if done is False:
                        break
                    self.queue.popleft()
                    if done:
                        return True
            finally:
                self._busy = False
        self.settle()
        return False
