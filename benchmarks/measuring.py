"""A server's process, and what wrk and the operating system say of it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from servers import HERE, Call, Server, Skipped, free_port

ROOTS = [str(HERE.parent / root) for root in ("contracts", "simulator", "reports", "suites")]
STARTS_WITHIN = 60.0
CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Running:
    """``ready``: seconds from the start of its process to the first calls that were answered."""

    server: Server
    process: psutil.Process
    url: str
    calls: dict[str, Call]
    ready: float

    def memory(self) -> float:
        """MiB of the process and its children."""
        return sum(each.memory_info().rss for each in self._all()) / 2**20

    def busy(self) -> float:
        """Seconds of processor time so far."""
        return sum(sum(each.cpu_times()[:2]) for each in self._all())

    def _all(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


@dataclass(frozen=True, slots=True)
class Figures:
    """``rate``: answers a second. ``p99``: seconds. ``work``: seconds of processor time for each answer. ``count``: answers.
    ``failed``: those that are not 2xx or 3xx."""

    rate: float
    p99: float
    work: float
    count: int
    failed: int


@contextlib.contextmanager
def running(server: Server) -> Generator[Running]:
    """The server on a free port, in a process group of its own that is ended with it.

    Raises:
        Skipped: it is not there, or does not start.
    """
    port = free_port()
    command = server.command(port)
    env = os.environ | {"PYTHONPATH": os.pathsep.join(ROOTS), "PYTHONUNBUFFERED": "1"}
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "output")
        with output.open("wb") as stream:
            began = time.monotonic()
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, env=env, start_new_session=True
            )
        try:
            url = f"http://127.0.0.1:{port}"
            calls = _until_ready(server, url, psutil.Process(process.pid), output)
            yield Running(server, psutil.Process(process.pid), url, calls, time.monotonic() - began)
        finally:
            _end(process)


def _until_ready(server: Server, url: str, process: psutil.Process, output: Path) -> dict[str, Call]:
    ends = time.monotonic() + STARTS_WITHIN
    with httpx.Client(base_url=url, timeout=5, trust_env=False) as client:
        while time.monotonic() < ends and process.status() != psutil.STATUS_ZOMBIE:
            with contextlib.suppress(httpx.TransportError):
                if calls := server.calls(client, output.read_text(errors="replace")):
                    return calls
            time.sleep(0.01)
    lines = output.read_text(errors="replace").strip().splitlines()
    raise Skipped(f"never ready: {lines[-1] if lines else 'it said nothing'}")


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)


def load(on: Running, calls: Iterable[Call], seconds: int) -> Figures:
    """The calls in turn, on 32 kept connections, as fast as they are answered."""
    lines = ["local calls, n = {}, 0", "function init(args)"]
    lines += [f"  calls[#calls + 1] = {call.lua()}" for call in calls]
    lines += ["end", "function request()", "  n = n % #calls + 1", "  return calls[n]", "end"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write("\n".join(lines))
        script.flush()
        before = on.busy()
        wrk = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", script.name, on.url]
        output = subprocess.run(wrk, capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
        return _figures(output, on.busy() - before)


def _figures(output: str, busy: float) -> Figures:
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", output)
    count = re.search(r"(\d+) requests in", output)
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    if rate is None or p99 is None or count is None:
        raise Skipped("wrk printed no figures")
    unit = {"us": 1e-6, "ms": 1e-3, "s": 1.0}[p99.group(2)]
    total = int(count.group(1))
    return Figures(
        float(rate.group(1)),
        float(p99.group(1)) * unit,
        busy / max(total, 1),
        total,
        int(failed.group(1)) if failed else 0,
    )
