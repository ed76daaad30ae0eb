"""Starts the integration under a supervisor, waits until it answers, and ends all of it. Whoever answers at the integration's port must
be one of its processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shlex
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import httpx
import psutil

from payproof.contracts.entries import Log, Process
from payproof.contracts.journal import Journal
from payproof.contracts.model import PayproofError
from payproof.contracts.reading import levels
from payproof.simulator.listening.listener import is_loopback
from payproof.suites.customer.fresh_connections import FreshConnections
from payproof.suites.resources import lacking
from payproof.suites.session import ports
from payproof.suites.session import process_family as family
from payproof.suites.session.output import Output
from payproof.suites.session.shared_logs import SharedLogs
from payproof.suites.session.start_limit import StartLimit
from payproof.suites.session.supervised import MARK, Supervised, supervised
from payproof.suites.session.tool_environment import without_ours
from payproof.suites.session.traces import last_trace

_ONE_ANSWER = 5.0
"""Seconds that one question for readiness may take."""
_LIVES = 1.0
"""Seconds after which an integration that listens on no port is taken to run."""
_BEHIND = (502, 503, 504)
"""What a proxy answers while nobody listens behind it yet: half of the time for starting is given to that."""
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
    found = {name: os.environ[name] for name in _BASICS if name in os.environ}
    return {**found, "PATH": without_ours(found["PATH"])} if "PATH" in found else found


class Instance:
    """One running instance of the integration.

    ``url`` is where it listens; ``ready`` a path of it that answers anything at all once it is up. ``log_files`` are its own;
    ``shared_files`` other instances write too, and ``marks`` are values by which its lines are known there.
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
        shared_files: Sequence[str] = (),
        shared_logs: SharedLogs | None = None,
        marks: Iterable[str] = (),
    ) -> None:
        self.command, self.env, self.folder, self.url = tuple(command), dict(env), folder, url
        self.ready, self.ready_timeout, self.journal = ready, ready_timeout, journal
        self.output = Output(journal, folder, log_files, shared_files, shared_logs or SharedLogs(), marks)
        self.start_seconds = self.start_work = 0.0
        """How long the last start took, and for how much of that it had a processor or waited for one."""
        self.process: Supervised | None = None
        self._mark = secrets.token_hex(12)
        self._readers: list[asyncio.Task[None]] = []
        self._stopping = False

    async def start(self) -> None:
        """Start and wait until it answers.

        Raises:
            PortTaken: another program listens at its port.
            Lacking: the system starts no more processes.
            PayproofError: the command does not exist, ends at once, or never answers in time.
        """
        self._stopping = False
        began = time.monotonic()
        await ports.refuse_taken(self.url)
        self.output.begin()
        try:
            self.process = await supervised(self.command, env=self.env, folder=self.folder, mark=self._mark)
        except OSError as error:
            raise lacking(error) or PayproofError(
                f"the integration's command does not start: {error.strerror or error}",
                place=f"integration.command = {shlex.join(self.command)} (in {self.folder})",
                remedy="check the program's name and path; relative paths start at the folder of the configuration file",
            ) from None
        self.journal.add(Process(event="started", detail=shlex.join(self.command)))
        self._readers = [
            asyncio.create_task(self.output.read(self.process.stdout, "stdout")),
            asyncio.create_task(self.output.read(self.process.stderr, "stderr")),
            asyncio.create_task(self._watch(self.process)),
        ]
        processes = await (self._until_ready() if self.ready else self._until_running())
        self.start_seconds = time.monotonic() - began
        self.start_work = family.worked(processes) + family.waited(processes)

    def _stranger(self, processes: Sequence[psutil.Process]) -> tuple[psutil.Process | None, str]:
        """Who answers at the integration's port though it is none of its processes; and what could not be known."""
        host, port = ports.address(self.url)
        listening, known = family.listening(processes)
        if port in listening:
            return None, ""
        unknown = f"; who listens on port {port} cannot be known"
        if not (is_loopback(host) and known) or family.lets_others_serve(self.command, processes):
            return None, unknown
        if (holder := family.holder(port)) is None:
            return None, unknown
        return holder, ""

    async def _until_running(self) -> Sequence[psutil.Process]:
        """Its processes, once it has lived for a second: it listens nowhere, so nobody can ask whether it is ready."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LIVES):
                await self.process.wait() if self.process else None
        if not self.alive:
            raise await self._launch_error(f"the integration ended at once with exit code {self.exit_code}")
        processes = self._family()
        self.journal.add(Process(event="ready", detail=f"processes={len(processes)}"))
        return processes

    async def _until_ready(self) -> Sequence[psutil.Process]:
        """Its processes, once it answers."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        limit = StartLimit(self.ready_timeout, loop.time, lambda: family.waited(self._family()))
        problem = "no connection"
        async with httpx.AsyncClient(transport=FreshConnections(), trust_env=False) as client:
            while (left := limit.left) > 0:
                if not self.alive:
                    if await ports.answers(self.url):
                        raise ports.taken(self.url)
                    raise await self._launch_error(f"the integration ended at once with exit code {self.exit_code}")
                asked = loop.time()
                try:
                    async with asyncio.timeout(min(left, _ONE_ANSWER)):
                        status = await self._ask(client)
                except (httpx.HTTPError, TimeoutError, AttributeError) as error:  # of anyio: closed as it connected
                    if found := lacking(error):
                        raise found from None
                    limit.was_late(loop.time() - asked - _ONE_ANSWER)
                    problem = type(error).__name__
                    await asyncio.sleep(0.02)
                    continue
                if status in _BEHIND and loop.time() < began + self.ready_timeout / 2:
                    await asyncio.sleep(0.1)
                    continue
                processes = self._family()  # all processes of the system are looked through for them
                stranger, note = self._stranger(processes)
                if stranger is not None and self.alive:
                    stranger = await self._stranger_still()
                if stranger is not None:
                    raise ports.taken(self.url, stranger)
                self.journal.add(Process(event="ready", detail=f"processes={len(processes)}{note}"))
                return processes
        raise await self._launch_error(
            f"the integration did not answer at {self.url}{self.ready} within {limit} ({problem}); "
            + _where(self.listening(), ports.address(self.url)[1]),
            slow="; where it only needs longer, raise integration.ready_timeout, or start fewer at once: --worlds 2",
        )

    async def _ask(self, client: httpx.AsyncClient) -> int:
        """The status of the answer. Its head is enough: nobody knows how long a body goes on."""
        async with client.stream("GET", self.url.rstrip("/") + self.ready) as answer:
            return answer.status_code

    async def _stranger_still(self) -> psutil.Process | None:
        """A look once more: a process that has just been started or replaced may have been seen halfway."""
        await asyncio.sleep(0.2)
        return self._stranger(self._family())[0]

    async def _launch_error(self, message: str, *, slow: str = "") -> PayproofError:
        if self._readers:
            await asyncio.wait(self._readers, timeout=0.2)  # what it said last is on its way
        lines = [levels.plain(entry.text).rstrip() for entry in self.journal.entries if isinstance(entry, Log)]
        written = [line for line in lines if line]
        tail = [line[:500] for line in last_trace(written) or written[-5:]]
        return PayproofError(
            "\n    ".join((f"{message}; its last words:", *tail)) if tail else f"{message}; it wrote nothing",
            place=f"integration.command = {shlex.join(self.command)}",
            remedy="start it by hand as `payproof run --show-env` prints it; check integration.url, {port} and ready"
            + slow,
        )

    # -- its processes -----------------------------------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.returncode is None

    @property
    def exit_code(self) -> int | None:
        return self.process.returncode if self.process else None

    def _family(self) -> list[psutil.Process]:
        if self.process is None:
            return []
        # A process id of what has ended may be somebody else's by now.
        tops = (
            *((self.process.pid,) if self.alive else ()),
            *((self.process.supervisor,) if self.process.watched else ()),
        )
        return family.family(tops, MARK, self._mark, besides=self.process.supervisor)

    def processes(self) -> int:
        """How many processes the integration consists of, those included that left its group."""
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
        return sorted(family.listening(self._family())[0])

    async def _watch(self, process: Supervised) -> None:
        code = await process.wait()
        if not self._stopping:
            self.journal.add(Process(event="exited", code=code))

    def read_logs(self, *, probe_over: bool = False) -> None:
        """Take in what the declared log files gained. At the end of a probe run: say what was too much."""
        self.output.take_in(probe_over=probe_over)

    # -- its end -----------------------------------------------------------------------------------------------------------

    async def stop(self) -> None:
        """End every process of the integration."""
        self._stopping = True
        if self.process is None:
            self.output.leave()
            return
        await self.process.end()
        for process in self._family():  # where the supervisor could not see them, or was killed itself
            with contextlib.suppress(psutil.Error):
                process.kill()
        # The pipes end when the last child that holds them is gone.
        if self._readers:
            done, late = await asyncio.wait(self._readers, timeout=1)
            for task in late:
                task.cancel()
            for task in done:
                task.exception()
        if self._readers:
            self.output.end()
            self.journal.add(Process(event="stopped", code=self.process.returncode))
        self._readers = []


def _where(ports: Sequence[int], wanted: int) -> str:
    """What an integration that gives no answer listens on."""
    if wanted in ports:
        return "it listens there, and no answer of it came to the end of its headers"
    nowhere = 'it listens on no port (one that never does needs a driver, and ready = "")'
    return f"it listens on port {', '.join(map(str, ports))} instead" if ports else nowhere


def _ports_of(process: psutil.Process) -> set[int]:
    try:
        return {conn.laddr.port for conn in process.net_connections("tcp") if conn.status == psutil.CONN_LISTEN}
    except psutil.Error:
        return set()
