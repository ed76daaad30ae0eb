"""Which processes are an integration's, and who listens on a port."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterable
from pathlib import Path

import psutil

_RELAYS = frozenset(
    {
        "docker",
        "docker-compose",
        "podman",
        "nerdctl",
        "kubectl",
        "systemctl",
        "systemd-run",
        "ssh",
        "vagrant",
        "multipass",
        "lxc",
    }
)
"""Programs that let another one serve: who listens is none of their children."""


def family(tops: Iterable[int], variable: str, mark: str, *, besides: int = 0) -> list[psutil.Process]:
    """The processes ``tops``, all that descend from them, and all whose environment holds ``variable`` = ``mark``.

    ``besides``: a process of ours that is not one of them.
    """
    found: dict[int, psutil.Process] = {}
    for pid in tops:
        with contextlib.suppress(psutil.Error):
            top = psutil.Process(pid)
            for process in (top, *top.children(recursive=True)):
                found.setdefault(process.pid, process)
    for pid in psutil.pids():
        if pid not in found and _bears(pid, variable, mark):
            with contextlib.suppress(psutil.Error):
                found[pid] = psutil.Process(pid)
    found.pop(besides, None)
    return [process for process in found.values() if _runs(process)]


def _bears(pid: int, variable: str, mark: str) -> bool:
    try:
        return f"{variable}={mark}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except FileNotFoundError:
        if Path("/proc/self/environ").exists():
            return False
    except OSError:
        return False
    try:
        return psutil.Process(pid).environ().get(variable) == mark
    except (psutil.Error, OSError, NotImplementedError):
        return False


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def worked(processes: Iterable[psutil.Process]) -> float:
    """Seconds that they have kept a processor busy."""
    seconds = 0.0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            seconds += times.user + times.system
    return seconds


def waited(processes: Iterable[psutil.Process]) -> float:
    """Seconds for which the worst of their threads was ready to run and had no processor; 0 where the system does not tell."""
    longest = 0
    for process in processes:
        for thread in Path(f"/proc/{process.pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError, ValueError, IndexError):
                longest = max(longest, int(thread.read_text().split()[1]))
    return longest / 1e9


def listening(processes: Iterable[psutil.Process]) -> tuple[set[int], bool]:
    """The TCP ports that these processes listen on, and whether all of them could be asked."""
    ports: set[int] = set()
    known = True
    for process in processes:
        try:
            ports |= {conn.laddr.port for conn in process.net_connections("tcp") if conn.status == psutil.CONN_LISTEN}
        except psutil.NoSuchProcess:
            continue
        except (psutil.Error, OSError):
            known = False
    return ports, known


def holder(port: int) -> psutil.Process | None:
    """The process that listens on a port; None where nobody does, or where the system does not tell us."""
    try:
        pids = {
            conn.pid
            for conn in psutil.net_connections("tcp")
            if conn.status == psutil.CONN_LISTEN and conn.laddr and conn.laddr.port == port
        }
    except (psutil.Error, OSError):
        return None
    for pid in sorted(pid for pid in pids if pid):
        with contextlib.suppress(psutil.Error):
            return psutil.Process(pid)
    return None


def named(process: psutil.Process | None) -> str:
    """How a person finds a process again."""
    if process is None:
        return "another program, which the system does not name to us"
    try:
        return f"process {process.pid}, {shlex.join(process.cmdline())[:120] or process.name()}"
    except psutil.Error:
        return f"process {process.pid}"


def lets_others_serve(command: Iterable[str], processes: Iterable[psutil.Process]) -> bool:
    """Whether the integration runs in a container, a service or on another machine, where its processes are out of sight."""
    names = {Path(word).name for word in command}
    for process in processes:
        with contextlib.suppress(psutil.Error):
            names.add(process.name())
    return bool(names & _RELAYS)
