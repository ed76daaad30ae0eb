"""One place where an event loop is run: uvloop when there is one, and a Ctrl-C that lets everything be stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import stat
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from payproof.suites.collector import calm_collector

T = TypeVar("T")


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run ``work`` to its end. Ctrl-C, SIGTERM, SIGQUIT and the end of the terminal (SIGHUP) cancel it once; it then has the
    time it needs to stop all.

    Raises:
        KeyboardInterrupt: it was cancelled by a signal.
    """
    with calm_collector(), asyncio.Runner(loop_factory=_factory()) as runner:
        return runner.run(_guarded(work))


async def _guarded(work: Coroutine[Any, Any, T]) -> T:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    stopped = False

    def stop() -> None:
        # A second Ctrl-C must not cut the cleaning up short: processes would be left running.
        nonlocal stopped
        if not stopped:
            stopped = True
            task.cancel()
            _let_go_of_a_closed_terminal()
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.write("\nstopping ...\n")
                sys.stderr.flush()

    signals = _signals() if _may_handle() else ()
    for number in signals:
        loop.add_signal_handler(number, stop)
    try:
        return await task
    except asyncio.CancelledError:
        if stopped:
            raise KeyboardInterrupt from None
        raise
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def _signals() -> tuple[signal.Signals, ...]:
    """The signals that end a run. Whoever started payproof under nohup wants it to outlive its terminal."""
    asked = (signal.SIGHUP, signal.SIGQUIT)
    return (
        signal.SIGINT,
        signal.SIGTERM,
        *(number for number in asked if signal.getsignal(number) is not signal.SIG_IGN),
    )


def _let_go_of_a_closed_terminal() -> None:
    """What is still said must not fail because nobody can read it any more."""
    for descriptor in (0, 1, 2):
        with contextlib.suppress(OSError):
            kind = os.fstat(descriptor)
            nowhere = os.stat(os.devnull)
            if stat.S_ISCHR(kind.st_mode) and kind.st_rdev != nowhere.st_rdev and not os.isatty(descriptor):
                os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)


def _may_handle() -> bool:
    return sys.platform != "win32" and threading.current_thread() is threading.main_thread()


def _factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
