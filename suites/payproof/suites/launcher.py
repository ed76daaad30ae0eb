"""Starts the integration in a process group of its own, reads all it writes, and ends all of it.

The output is read in chunks and split into lines here: a line of any length is a line, and nothing blocks. Stopping
asks politely first (TERM), then insists (KILL), also with children that left the group.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
import psutil

from payproof.contracts.entries import Log, Process
from payproof.contracts.files import fixed_part, regular_within
from payproof.contracts.journal import Journal
from payproof.contracts.model import PayproofError

_CHUNK = 64 * 1024
_GRACE = 3.0
_BASICS = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TZ",
    "USER",
    "SHELL",
    "SYSTEMROOT",
    "VIRTUAL_ENV",
    "JAVA_HOME",
    "GOPATH",
    "GOCACHE",
    "NODE_PATH",
    "GEM_HOME",
    "PYENV_ROOT",
)


def basics() -> dict[str, str]:
    """The few variables of our own environment that every program may need; nothing else is inherited."""
    return {name: os.environ[name] for name in _BASICS if name in os.environ}


class Instance:
    """One running instance of the integration.

    ``url`` is where it listens; ``ready`` a path of it that answers anything at all once it is up.
    """

    def __init__(
        self,
        *,
        command: Sequence[str],
        env: Mapping[str, str],
        folder: Path,
        url: str,
        ready: str,
        ready_timeout: float,
        log_files: Sequence[str],
        journal: Journal,
    ) -> None:
        self.command, self.env, self.folder, self.url = tuple(command), dict(env), folder, url
        self.ready, self.ready_timeout, self.log_files, self.journal = ready, ready_timeout, tuple(log_files), journal
        self.process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []
        self._tails: dict[Path, int] = {}
        self._partial: dict[Path, str] = {}
        self._stopping = False

    async def start(self) -> None:
        """Start and wait until it answers.

        Raises:
            PayproofError: the command does not exist, ends at once, or never answers in time.
        """
        self._stopping = False
        self._tails = {path: path.stat().st_size for path in self._log_paths()}
        try:
            self.process = await asyncio.create_subprocess_exec(
                *self.command,
                cwd=self.folder,
                env=self.env,
                start_new_session=True,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except (FileNotFoundError, PermissionError, NotADirectoryError, OSError) as error:
            raise PayproofError(
                f"the integration's command does not start: {error.strerror or error}",
                place=f"integration.command = {shlex.join(self.command)} (in {self.folder})",
                remedy="check the program's name and path; relative paths start at the folder of the configuration file",
            ) from None
        self.journal.add(Process(event="started", detail=shlex.join(self.command)))
        assert self.process.stdout
        assert self.process.stderr
        self._readers = [
            asyncio.create_task(self._read(self.process.stdout, "stdout")),
            asyncio.create_task(self._read(self.process.stderr, "stderr")),
            asyncio.create_task(self._watch(self.process)),
        ]
        await self._until_ready()

    async def _until_ready(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.ready_timeout
        problem = "no connection"
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=5) as client:
            while loop.time() < deadline:
                if not self.alive:
                    raise self._launch_error(f"the integration ended at once with exit code {self.exit_code}")
                try:
                    await client.get(self.url.rstrip("/") + self.ready)
                except httpx.HTTPError as error:
                    problem = type(error).__name__
                    await asyncio.sleep(0.02)
                    continue
                self.journal.add(Process(event="ready", detail=f"processes={self.processes()}"))
                return
        listening = self.listening()
        raise self._launch_error(
            f"the integration did not answer at {self.url}{self.ready} within {self.ready_timeout:g} s ({problem})"
            + (
                f"; it listens on port {', '.join(map(str, listening))} instead"
                if listening
                else "; it listens on no port"
            ),
        )

    def _launch_error(self, message: str) -> PayproofError:
        tail = [entry.text for entry in self.journal.entries if isinstance(entry, Log)][-5:]
        said = ("; its last words: " + " | ".join(tail)) if tail else "; it wrote nothing"
        return PayproofError(
            message + said,
            place=f"integration.command = {shlex.join(self.command)}",
            remedy="start the command by hand with the same environment; check integration.url, {port} and ready",
        )

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.returncode is None

    @property
    def exit_code(self) -> int | None:
        return self.process.returncode if self.process else None

    def _family(self) -> list[psutil.Process]:
        if self.process is None:
            return []
        try:
            top = psutil.Process(self.process.pid)
            return [top, *top.children(recursive=True)]
        except psutil.Error:
            return []

    def processes(self) -> int:
        """How many processes the integration consists of."""
        return len(self._family())

    def serving(self) -> int:
        """How many processes may keep a token of their own: all but those that only started the others (a shell, npm, a
        process manager), which neither listen nor stand beside one that does."""
        family = self._family()
        listeners = [process for process in family if _ports_of(process)]
        starters: set[int] = {process.pid for process in family} if listeners else set()
        for process in listeners:
            with contextlib.suppress(psutil.Error):
                starters &= {parent.pid for parent in process.parents()}
        return max(len([process for process in family if process.pid not in starters]), 1)

    def listening(self) -> list[int]:
        """The TCP ports that it listens on."""
        return sorted({port for process in self._family() for port in _ports_of(process)})

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        code = await process.wait()
        if not self._stopping:
            self.journal.add(Process(event="exited", code=code))

    async def _read(self, stream: asyncio.StreamReader, name: str) -> None:
        rest = b""
        while chunk := await stream.read(_CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self.journal.add(Log(stream=name, text=line.decode("utf-8", "replace").rstrip("\r")))
            if len(rest) > _CHUNK:
                self.journal.add(Log(stream=name, text=rest.decode("utf-8", "replace")))
                rest = b""
        if rest:
            self.journal.add(Log(stream=name, text=rest.decode("utf-8", "replace")))

    def _log_paths(self) -> list[Path]:
        found: list[Path] = []
        for pattern in self.log_files:
            path = Path(pattern)
            base = Path(path.anchor) if path.is_absolute() else self.folder
            root = fixed_part(path) if path.is_absolute() else self.folder
            found += sorted(
                file for file in base.glob(str(path.relative_to(path.anchor))) if regular_within(file, root)
            )
        return found

    def read_logs(self) -> None:
        """Take in what the declared log files gained since the last look."""
        for path in self._log_paths():
            start = self._tails.get(path, 0)
            with contextlib.suppress(OSError), path.open("rb") as file:
                file.seek(start)
                text = self._partial.pop(path, "") + (data := file.read()).decode("utf-8", "replace")
                self._tails[path] = start + len(data)
                *lines, rest = text.split("\n")
                if rest:
                    self._partial[path] = rest
                for line in lines:
                    self.journal.add(Log(stream=path.name, text=line.rstrip("\r")))

    async def stop(self) -> None:
        """End every process of the integration."""
        self._stopping = True
        if self.process is None:
            return
        family = self._family()
        self._signal_group(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), _GRACE)
        self._signal_group(signal.SIGKILL)
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.kill()
        await self.process.wait()
        # The pipes end when the last child that holds them is gone.
        if self._readers:
            done, late = await asyncio.wait(self._readers, timeout=1)
            for task in late:
                task.cancel()
            for task in done:
                task.exception()
        self.read_logs()
        for path, rest in self._partial.items():
            self.journal.add(Log(stream=path.name, text=rest))
        self._partial.clear()
        self.journal.add(Process(event="stopped", code=self.process.returncode))
        self._readers = []

    def _signal_group(self, number: signal.Signals) -> None:
        assert self.process
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


def _ports_of(process: psutil.Process) -> set[int]:
    try:
        return {conn.laddr.port for conn in process.net_connections("tcp") if conn.status == psutil.CONN_LISTEN}
    except psutil.Error:
        return set()
