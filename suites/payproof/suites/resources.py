"""What payproof itself needs of the system: open files, ports, processes, memory, space on the disk.

Where one of these is used up, nothing that an integration does can be judged any more: the run is not scored, and says why.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from payproof.contracts.model import PayproofError

FILES_FOR_A_RUN = 512
"""Open files that a run needs at most, with some to spare."""
_LEAST_SPACE = 4 * 1024 * 1024
"""Bytes that must be free where instances keep their data."""


class Lacking(PayproofError):
    """payproof has not enough of something; nothing is said about the integration."""


@dataclass(slots=True)
class _Limit:
    """``before``: the soft limit of open files that payproof was started with, where it was raised; else 0."""

    before: int = 0


_LIMIT = _Limit()
_FILES = (
    "payproof has no more files that it may open",
    "raise the limit before the run: ulimit -n 4096 (LimitNOFILE= in a unit, --ulimit nofile= of a container)",
)
_KINDS = {
    errno.EMFILE: _FILES,
    errno.ENFILE: (
        "the system has no more open files",
        "end programs that hold many, or raise fs.file-max",
    ),
    errno.ENOMEM: (
        "the system has no more memory",
        "end other programs, or give this machine or container more memory",
    ),
    errno.EADDRNOTAVAIL: (
        "the system has no more ports for outgoing connections",
        "wait a minute, end programs that hold many connections, or widen net.ipv4.ip_local_port_range",
    ),
    errno.EAGAIN: (
        "the system starts no more processes or threads",
        "raise the limit before the run: ulimit -u (pids_limit or TasksMax= of a container)",
    ),
    errno.ENOSPC: ("there is no space left on the disk", "make room in the report folder and in TMPDIR, and run again"),
    errno.EDQUOT: ("the disk quota is used up", "make room in the report folder and in TMPDIR, and run again"),
    errno.ENOBUFS: ("the system has no more memory for connections", "end programs that hold many connections"),
}
_NO_THREAD = "can't start new thread"


def lacking(error: BaseException | None) -> Lacking | None:
    """What payproof lacked, when that is what an error, or an error behind it, comes of."""
    for found in _behind(error, set()):
        if isinstance(found, Lacking):
            return found
        number = _number(found)
        if number in _KINDS:
            message, remedy = _KINDS[number]
            return Lacking(f"{message} ({_words(found)}); nothing is said about the integration", remedy=remedy)
    return None


def _number(error: BaseException) -> int:
    if isinstance(error, MemoryError):
        return errno.ENOMEM
    if isinstance(error, RuntimeError) and _NO_THREAD in str(error):
        return errno.EAGAIN
    # EAGAIN is also what sockets say when they have nothing yet: only what starts processes is meant.
    if isinstance(error, OSError) and not (error.errno == errno.EAGAIN and not _starting(error)):
        return error.errno or 0
    return 0


def _starting(error: OSError) -> bool:
    """Whether the error comes from a start of a process: fork, or the module that forks."""
    trace = error.__traceback__
    while trace is not None:
        if "subprocess" in trace.tb_frame.f_code.co_filename or trace.tb_frame.f_code.co_name in ("fork", "supervised"):
            return True
        trace = trace.tb_next
    return False


def _words(error: BaseException) -> str:
    return (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__


def _behind(error: BaseException | None, seen: set[int]) -> Iterator[BaseException]:
    """The error, those in its group, and those that it was raised from."""
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    yield error
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
            yield from _behind(inner, seen)  # pyright: ignore[reportUnknownArgumentType]
    yield from _behind(error.__cause__, seen)
    yield from _behind(error.__context__, seen)


def raise_limits() -> None:
    """Let this process open as many files as it may; programs that it starts keep the limit that it was started with."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_FOR_A_RUN * 8 if hard == resource.RLIM_INFINITY else min(hard, FILES_FOR_A_RUN * 8)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):
            return
        _LIMIT.before = _LIMIT.before or soft


def files_for_others() -> int:
    """The limit of open files for a program that is started; 0: the one that it inherits."""
    return _LIMIT.before


def need_files(count: int = FILES_FOR_A_RUN) -> None:
    """Raises:
    Lacking: this process may not open so many files.
    """
    try:
        import resource
    except ImportError:  # not on Windows
        return
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        raise Lacking(
            f"a run needs up to {count} open files, and payproof may open {soft}; nothing is said about the integration",
            place="the limit of open files (ulimit -n)",
            remedy=_FILES[1],
        )


def breathe(host: str, port: int, folder: Path) -> None:
    """Whether there is still what a run lives on: a file, a port and a connection to ourselves, space in ``folder``.

    Raises:
        Lacking: there is not.
    """
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setblocking(False)
            if (number := probe.connect_ex((host, port))) in _KINDS and number != errno.EAGAIN:
                raise OSError(number, os.strerror(number))
        os.close(os.open(os.devnull, os.O_RDONLY))
        room = os.statvfs(folder)
        free = room.f_bavail * room.f_frsize
    except OSError as error:
        if found := lacking(error):
            raise found from None
        return
    if free < _LEAST_SPACE:
        message, remedy = _KINDS[errno.ENOSPC]
        raise Lacking(f"{message}; nothing is said about the integration", place=str(folder), remedy=remedy)
