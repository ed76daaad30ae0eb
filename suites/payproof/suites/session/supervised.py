"""One command, run under a supervisor (supervisor.py): what it writes, how it ended, and an end of all that it started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from payproof.suites.resources import files_for_others

MARK = "PAYPROOF_INSTANCE"
"""The environment variable by which processes of an instance are known, wherever they went."""
_PROGRAM = Path(__file__).with_name("supervisor.py")
_GRACE = 3.0
"""Seconds between TERM and KILL."""
_LAST = 10.0
"""Seconds after which a supervisor that does not end is killed itself."""


class Supervised:
    """A running command. ``pid`` and ``returncode`` are the command's own; a negative code is the signal that ended it."""

    def __init__(
        self,
        supervisor: asyncio.subprocess.Process,
        control: int,
        status: asyncio.StreamReader,
        pipe: asyncio.ReadTransport,
    ) -> None:
        self._supervisor, self._control, self._status, self._pipe = supervisor, control, status, pipe
        self._exited: asyncio.Task[None] | None = None
        self.pid = 0
        self.returncode: int | None = None

    @property
    def supervisor(self) -> int:
        """The supervisor's process id."""
        return self._supervisor.pid

    @property
    def watched(self) -> bool:
        """Whether the supervisor is there."""
        return self._supervisor.returncode is None

    @property
    def stdout(self) -> asyncio.StreamReader:
        assert self._supervisor.stdout
        return self._supervisor.stdout

    @property
    def stderr(self) -> asyncio.StreamReader:
        assert self._supervisor.stderr
        return self._supervisor.stderr

    async def begun(self) -> None:
        """Returns when the command runs.

        Raises:
            OSError: it cannot be started.
        """
        word, _, number = (await self._status.readline()).decode().strip().partition(" ")
        if word != "started":
            await self.end()
            if word == "failed":
                raise OSError(int(number), os.strerror(int(number)))
            raise OSError(0, "the process that watches over it ended at once")
        self.pid = int(number)
        self._exited = asyncio.create_task(self._until_exit())

    async def _until_exit(self) -> None:
        line = (await self._status.readline()).decode().strip()
        if line.startswith("exited "):
            self.returncode = int(line.partition(" ")[2])
        else:  # without a last word: the supervisor was killed, and the command is no longer watched over
            self.returncode = -signal.SIGKILL
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    async def wait(self) -> int:
        """The command's exit code, when it has ended."""
        assert self._exited
        await asyncio.shield(self._exited)
        assert self.returncode is not None
        return self.returncode

    def kill(self) -> None:
        """End the command itself at once, nothing else."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    async def end(self) -> None:
        """End the command and all that it started. Returns when the supervisor has done so."""
        if self._control >= 0:
            os.close(self._control)
            self._control = -1
        try:
            await asyncio.wait_for(self._supervisor.wait(), _GRACE + _LAST)
        except TimeoutError:
            self._supervisor.kill()
            await self._supervisor.wait()
        if self._exited is not None:
            await self._exited
        self._pipe.close()


async def supervised(command: Sequence[str], *, env: Mapping[str, str], folder: Path, mark: str) -> Supervised:
    """Start ``command`` in ``folder`` with exactly ``env``, and the mark.

    Raises:
        OSError: it cannot be started.
    """
    pipes: list[int] = []
    try:
        pipes += os.pipe()
        pipes += os.pipe()
        control, ours, status, theirs = pipes
        supervisor = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(_PROGRAM)),
            *(str(control), str(theirs), str(files_for_others()), f"{_GRACE:g}", MARK, mark, *command),
            cwd=folder,
            pass_fds=(control, theirs),
            start_new_session=True,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except BaseException:
        for descriptor in pipes:
            os.close(descriptor)
        raise
    os.close(control)
    os.close(theirs)
    with contextlib.suppress(BrokenPipeError):
        _write_environment(ours, env)
    reader = asyncio.StreamReader()
    pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(status, "rb", 0)
    )
    started = Supervised(supervisor, ours, reader, pipe)
    try:
        await started.begun()
    except BaseException:
        await asyncio.shield(started.end())
        raise
    return started


def _write_environment(pipe: int, env: Mapping[str, str]) -> None:
    block = b"".join(os.fsencode(name) + b"=" + os.fsencode(value) + b"\0" for name, value in env.items())
    with os.fdopen(os.dup(pipe), "wb") as file:
        file.write(b"%08d" % len(block) + block)
