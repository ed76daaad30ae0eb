"""Between hypothesis, which draws and shrinks in a thread, and the event loop, where stories are played."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Stopped(BaseException):
    """The search is over while a thread was still at work."""


async def in_thread(work: Callable[[], T]) -> T:
    """Run in a thread that nobody waits for when the program is interrupted."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(error: BaseException | None, value: Any) -> None:
        if not done.done():
            done.set_exception(error) if error is not None else done.set_result(value)

    def run() -> None:
        error: BaseException | None = None
        value: Any = None
        try:
            value = work()
        except Stopped:
            return
        except BaseException as problem:
            error = problem
        loop.call_soon_threadsafe(settle, error, value)

    threading.Thread(target=run, name="payproof-stories", daemon=True).start()
    return await done


def from_thread(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work`` on the loop, for a thread.

    Raises:
        Stopped: the loop is ending.
    """
    try:
        return asyncio.run_coroutine_threadsafe(work, loop).result()
    except (concurrent.futures.CancelledError, RuntimeError):
        work.close()
        raise Stopped from None
