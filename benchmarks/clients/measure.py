"""One cell: a client's program against a stand, until it has told what became of its calls or the window is over."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from clients import environment
from situations import Cell
from stands import STARTING, standing

STARTS_WITHIN = 60.0
"""Seconds in which a program is at the stand at the latest, on a busy machine, too."""
LINGERS = 3.0
"""Seconds that a program is left alone after its last line: who closes the connection then is the client, and not its end."""

_LOOKS = 0.1
"""Seconds between two looks at whether it is there."""


@dataclass(frozen=True, slots=True)
class Measured:
    """``told``: the program's lines. ``running``: it had not told all when the window was over."""

    told: list[dict[str, Any]]
    running: bool
    requests: list[dict[str, Any]]
    connections: list[dict[str, Any]]


def measure(command: list[str], cell: Cell, window: float) -> Measured:
    situation = cell.situation
    with standing(situation, cell.method) as stand:
        words = [stand.url, cell.method, cell.mode, str(situation.calls), stand.token, stand.body]
        with running([*command, *words], environment() | stand.environment) as process:
            told = lines(process, situation.calls, window, stand.met)
            if situation.waits and len(told) == situation.calls:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(LINGERS)
    return Measured(told, len(told) < situation.calls, stand.seen.requests, stand.seen.connections)


@contextmanager
def running(command: list[str], env: dict[str, str]) -> Generator[subprocess.Popen[bytes]]:
    """The program, in a group of its own that is ended with it."""
    with STARTING:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=env,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def lines(
    process: subprocess.Popen[bytes], wanted: int, window: float, met: Callable[[], bool]
) -> list[dict[str, Any]]:
    """The lines of JSON that the program has printed until it has told of all calls, has ended, or the window is over, which opens when
    the stand has ``met`` it."""
    assert process.stdout is not None
    read, opened, ends = b"", False, time.monotonic() + STARTS_WITHIN
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while read.count(b"\n") < wanted and (left := ends - time.monotonic()) > 0:
            if not opened and met():
                opened, ends = True, time.monotonic() + window
            elif selector.select(left if opened else min(left, _LOOKS)):
                part = os.read(process.stdout.fileno(), 65536)
                if not part:
                    break
                read += part
    return [json.loads(line) for line in read.splitlines() if line.startswith(b"{")]
