"""What shows while a run works: a live table on a terminal, a plain line now and then elsewhere, nothing if silent."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

PLAIN_EVERY = 10.0
"""Seconds after which a plain progress says again that it is working."""
SHOWN = 8
"""Worlds that the live table shows at once."""


class Progress(Protocol):
    """What the runner reports while it works."""

    def world_started(self, name: str) -> None: ...

    def probe_started(self, world: str, probe: str) -> None: ...

    def world_finished(self, name: str) -> None: ...

    def note(self, text: str) -> None: ...

    def ask(self, text: str) -> None:
        """Say something that somebody must read, and act on, before the run goes on."""
        ...

    def close(self) -> None: ...


class SilentProgress:
    """Says nothing but what somebody must read."""

    def world_started(self, name: str) -> None: ...

    def probe_started(self, world: str, probe: str) -> None: ...

    def world_finished(self, name: str) -> None: ...

    def note(self, text: str) -> None: ...

    def ask(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def close(self) -> None: ...


class Worlds:
    """Which worlds run, since when, and which probe each runs just now."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.began = clock()
        self.since: dict[str, float] = {}
        self.probes: dict[str, str] = {}
        self.finished = 0

    def start(self, name: str) -> None:
        self.since[name] = self.clock()

    def begin_probe(self, name: str, probe: str) -> None:
        self.since.setdefault(name, self.clock())
        self.probes[name] = probe

    def finish(self, name: str) -> float:
        """Seconds that it took."""
        self.finished += 1
        self.probes.pop(name, None)
        return self.clock() - self.since.pop(name, self.clock())

    def seconds(self) -> float:
        return self.clock() - self.began

    def running(self) -> list[tuple[str, str, float]]:
        """(world, probe, seconds), the oldest first."""
        now = self.clock()
        return [(name, self.probes.get(name, ""), now - since) for name, since in list(self.since.items())]


class Plain:
    """A line for each world that ends, and one every ten seconds in any case."""

    def __init__(self, write: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._worlds = Worlds(clock)
        self._last = clock()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._tick, name="payproof-progress", daemon=True)
        self._thread.start()

    def world_started(self, name: str) -> None:
        self._worlds.start(name)

    def probe_started(self, world: str, probe: str) -> None:
        self._worlds.begin_probe(world, probe)

    def world_finished(self, name: str) -> None:
        self._say(f"{name}: done after {self._worlds.finish(name):.1f} s")

    def note(self, text: str) -> None:
        self._say(text)

    def ask(self, text: str) -> None:
        self._say(text)

    def close(self) -> None:
        self._closed.set()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def beat(self) -> None:
        """Say that work goes on, if nothing was said for ten seconds."""
        if self._worlds.clock() - self._last >= PLAIN_EVERY:
            running = [f"{name} ({probe})" if probe else name for name, probe, _ in self._worlds.running()]
            self._say(f"still working: {', '.join(running)}" if running else "still working")

    def _tick(self) -> None:
        while not self._closed.wait(1.0):
            self.beat()

    def _say(self, text: str) -> None:
        with self._lock:
            self._last = self._worlds.clock()
            self._write(f"[{self._worlds.seconds():5.1f} s] {text}")


class LiveTable:
    """The running worlds with their probes, drawn anew four times a second and gone at the end."""

    def __init__(self, console: Console, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._worlds = Worlds(clock)
        self._spinner = Spinner("dots")
        self._live = Live(console=console, get_renderable=self.render, transient=True, refresh_per_second=4)
        self._live.start()

    def world_started(self, name: str) -> None:
        self._worlds.start(name)

    def probe_started(self, world: str, probe: str) -> None:
        self._worlds.begin_probe(world, probe)

    def world_finished(self, name: str) -> None:
        self._worlds.finish(name)

    def note(self, text: str) -> None:
        self._live.console.print(Text(text, style="dim"))

    def ask(self, text: str) -> None:
        # An address that the terminal breaks itself can still be clicked and copied.
        self._live.console.print(Text(text, style="bold"), soft_wrap=True)

    def close(self) -> None:
        self._live.stop()

    def render(self) -> RenderableType:
        """The table as it stands."""
        running = self._worlds.running()
        table = Table.grid(padding=(0, 2))
        for name, probe, seconds in running[:SHOWN]:
            table.add_row(Text(f"  {name}", style="cyan"), Text(probe), Text(f"{seconds:.0f} s", style="dim"))
        if len(running) > SHOWN:
            table.add_row(Text(f"  and {len(running) - SHOWN} more", style="dim"))
        head = f"{self._worlds.seconds():.0f} s, {len(running)} running, {self._worlds.finished} done"
        self._spinner.update(text=Text(head))
        return Group(self._spinner, table)


def progress(console: Console, *, quiet: bool = False) -> Progress:
    """The one that fits where the output goes."""
    if quiet:
        return SilentProgress()
    if console.is_terminal and not console.is_dumb_terminal:
        return LiveTable(console)
    return Plain(lambda line: console.print(line, markup=False, highlight=False, soft_wrap=True))
