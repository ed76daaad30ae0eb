"""What has happened and is not written down yet, in its order: secrets that were minted, entries that nobody has read.

Which secrets a text is searched for, and what their placeholders are called, depends on what came before it. So whatever is put off
is performed in the order in which it happened, and before anybody else asks the redactor for anything.
"""

from __future__ import annotations

import sys
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

    def settle(self, most: int = sys.maxsize) -> None:
        """Do what was put off, the oldest ``most`` of it. Nothing happens when that is what is being done."""
        with self._lock:
            if self._busy:
                return
            self._busy = True
            try:
                while self.queue and most > 0:
                    self.queue.popleft().settle()
                    most -= 1
            finally:
                self._busy = False

    def pass_over(self, owner: object, most: int) -> int:
        """Let go of the oldest that are ``owner``'s; returns how many. 0: that was not possible, and everything was settled."""
        done = 0
        with self._lock:
            self._busy = True
            try:
                while self.queue and done < most:
                    passed = self.queue[0].pass_over(owner)
                    if passed is False:
                        break
                    self.queue.popleft()
                    done += passed is True
            finally:
                self._busy = False
        if not done:
            self.settle()
        return done
