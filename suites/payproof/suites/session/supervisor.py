"""Stands between payproof and one instance of the integration, so that nothing of it is left running, whatever happens.

A program of its own (``python -I -S supervisor.py CONTROL STATUS FILES GRACE NAME MARK COMMAND...``), with nothing but the
standard library, because it must start at once. It reads the integration's environment from the pipe ``CONTROL``, starts the
command in a session of its own, and says on the pipe ``STATUS`` what became of it. When ``CONTROL`` ends, because payproof
closed it or because payproof itself is gone (SIGKILL, too), it ends the command and all that the command ever started: first
politely (TERM, and ``GRACE`` seconds), then not. Children that left the session are found because orphans become children of
this process (Linux), and by the variable ``NAME`` = ``MARK`` in their environment (where there is a /proc). On other systems
the command's process group is ended.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
_POLITE = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
INSIST = 2.0
"""Seconds that processes are looked for and killed in."""


def main(arguments: list[str]) -> None:
    control, status, files, grace = int(arguments[0]), int(arguments[1]), int(arguments[2]), float(arguments[3])
    name, mark, *command = arguments[4:]
    for descriptor in (control, status):
        os.set_inheritable(descriptor, False)
    woken, wake = os.pipe()
    for descriptor in (woken, wake):
        os.set_blocking(descriptor, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _nothing)
    environment = _environment(control)
    environment[os.fsencode(name)] = os.fsencode(mark)
    child = _start(command, environment, files, status)
    _be_subreaper()
    _let_go_of_the_output()
    keeper = _Keeper(child, status)
    keeper.watch(control, woken)
    keeper.end(grace, os.fsencode(name) + b"=" + os.fsencode(mark))


class _Ended(Exception):
    """Somebody asks this process to end."""


def _nothing(number: int, frame: object) -> None:
    pass


def _end(number: int, frame: object) -> None:
    raise _Ended


def _environment(control: int) -> dict[bytes, bytes]:
    """What stands on the pipe: a length in eight digits, then NAME=VALUE, each ended by a zero byte."""
    wanted = int(_read(control, 8))
    pairs = _read(control, wanted).split(b"\0")[:-1]
    return dict(pair.split(b"=", 1) for pair in pairs)


def _read(source: int, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = os.read(source, size - len(found))
        if not part:
            sys.exit(1)  # payproof is gone already
        found += part
    return found


def _start(command: list[str], environment: dict[bytes, bytes], files: int, status: int) -> int:
    """Start the command; says ``started PID``, or ``failed ERRNO`` and ends."""
    failing, failed = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            for number in (signal.SIGPIPE, getattr(signal, "SIGXFSZ", signal.SIGPIPE)):
                signal.signal(number, signal.SIG_DFL)  # Python ignores them
            _limit(files)
            os.execvpe(command[0], command, environment)
        except OSError as error:
            os.write(failed, str(error.errno).encode())
        finally:
            os._exit(127)
    os.close(failed)
    problem = os.read(failing, 16)
    os.close(failing)
    if problem:
        os.waitpid(child, 0)
        _say(status, f"failed {problem.decode()}")
        sys.exit(0)
    _say(status, f"started {child}")
    return child


def _limit(files: int) -> None:
    """The limit of open files that payproof itself was started with; 0: it is the same."""
    if files:
        import resource

        resource.setrlimit(resource.RLIMIT_NOFILE, (files, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def _be_subreaper() -> None:
    if sys.platform == "linux":
        try:
            import ctypes

            ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
        except (ImportError, OSError, AttributeError):
            pass  # then the mark in the environment is what finds orphans


def _let_go_of_the_output() -> None:
    """Only the integration holds its output open: it ends when the integration does."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)


def _say(status: int, line: str) -> None:
    try:  # noqa: SIM105 - contextlib is an import that every start would pay for
        os.write(status, line.encode() + b"\n")
    except OSError:
        pass  # payproof is gone


class _Keeper:
    def __init__(self, child: int, status: int) -> None:
        self.child, self.status = child, status
        self.exited = False

    def watch(self, control: int, woken: int) -> None:
        """Until payproof closes the pipe or is gone, or somebody asks this process to end."""
        try:
            for number in _POLITE:
                signal.signal(number, _end)
            while True:
                self.reap()
                ready, _, _ = select.select([control, woken], [], [])
                if woken in ready:
                    os.read(woken, 4096)
                if control in ready and not os.read(control, 4096):
                    return
        except (_Ended, OSError):
            return

    def reap(self) -> None:
        """Take leave of what has ended: the command, and orphans that became ours."""
        while True:
            try:
                pid, state = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.child:
                self.exited = True
                _say(self.status, f"exited {os.waitstatus_to_exitcode(state)}")

    def end(self, grace: float, mark: bytes) -> None:
        for number in _POLITE:
            signal.signal(number, signal.SIG_IGN)
        self.signal_group(signal.SIGTERM)
        deadline = time.monotonic() + grace
        self.reap()
        while not self.exited and time.monotonic() < deadline:
            time.sleep(0.005)
            self.reap()
        self.signal_group(signal.SIGKILL)
        deadline = time.monotonic() + INSIST
        while time.monotonic() < deadline:
            left = _left(mark)
            for pid in left:
                _kill(pid)
            self.reap()
            if not left and (self.exited or not os.path.isdir("/proc")):
                break
            time.sleep(0.002)
        self.reap()

    def signal_group(self, number: int) -> None:
        if not self.exited:
            try:  # noqa: SIM105 - contextlib is an import that every start would pay for
                os.killpg(self.child, number)
            except OSError:
                pass


def _kill(pid: int) -> None:
    try:  # noqa: SIM105 - contextlib is an import that every start would pay for
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass


def _left(mark: bytes) -> list[int]:
    """Processes that descend from this one, or bear the mark; those that have ended and are not reaped yet count no more."""
    parents: dict[int, int] = {}
    marked: list[int] = []
    me = os.getpid()
    try:
        names = os.listdir("/proc")
    except OSError:
        return []
    for pid in (int(name) for name in names if name.isdigit()):
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                state, parent = file.read().rpartition(b")")[2].split()[:2]
            if state == b"Z" or pid == me:
                continue
            parents[pid] = int(parent)
            with open(f"/proc/{pid}/environ", "rb") as file:
                if mark in file.read().split(b"\0"):
                    marked.append(pid)
        except (OSError, ValueError):
            continue  # gone, or somebody else's
    return [pid for pid in parents if pid in marked or _descends(pid, me, parents)]


def _descends(pid: int, ancestor: int, parents: dict[int, int]) -> bool:
    for _ in range(len(parents)):
        pid = parents.get(pid, 0)
        if pid == ancestor:
            return True
        if pid == 0:
            return False
    return False


if __name__ == "__main__":
    main(sys.argv[1:])
