"""Whose answer it is, and how much of it is read."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from payproof.contracts.entries import Log, Process, Step
from payproof.contracts.journal import Journal
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import PayproofError
from payproof.suites.config import make_config
from payproof.suites.run.plan import MAIN, Options, plan
from payproof.suites.run.runner import perform
from payproof.suites.session import deployment
from payproof.suites.session.launcher import Instance, basics
from payproof.suites.session.ports import Port, PortTaken
from payproof.suites.session.settings import settings_of
from payproof.suites.session.shared_logs import SharedLogs

SERVER = """
import socket, sys
mode, port = sys.argv[1], int(sys.argv[2])
if mode == "flood":
    for _ in range(300):
        sys.stdout.buffer.write(b"x" * 99 + b"\\n" + b"y" * 999_899 + b"\\n")
    print("the last words", file=sys.stderr, flush=True)
server = socket.create_server(("127.0.0.1", port))
while True:
    client, _ = server.accept()
    try:
        client.recv(65536)
        if mode == "endless-body":
            client.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\n\\r\\n")
            while True:
                client.sendall(b"z" * 1_000_000)
        while mode == "endless-head":
            client.sendall(b"HTTP/1.1 100 Continue\\r\\n\\r\\n")
        client.sendall(b"HTTP/1.1 204 No Content\\r\\nConnection: close\\r\\n\\r\\n")
    except OSError:
        pass
    client.close()
"""
SLEEPER = "import time; time.sleep(600)"


@pytest.fixture
def port() -> Iterator[int]:
    reserved = Port()
    yield reserved.number
    reserved.release()


def an_instance(folder: Path, port: int, *command: str, **more: Any) -> Instance:
    (folder / "server.py").write_text(SERVER)
    given: dict[str, Any] = {"ready": "/", "ready_timeout": 10.0, "log_files": (), "journal": Journal(), **more}
    return Instance(command=command, env=basics(), folder=folder, url=f"http://127.0.0.1:{port}", **given)


async def started(instance: Instance) -> Journal:
    try:
        await instance.start()
        instance.read_logs(probe_over=True)
    finally:
        await instance.stop()
    return instance.journal


def ready(journal: Journal) -> str:
    return next(entry.detail for entry in journal.entries if isinstance(entry, Process) and entry.event == "ready")


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    writer.close()


def test_a_port_that_answers_already_is_refused_and_the_program_named(tmp_path: Path, port: int) -> None:
    async def scenario() -> None:
        async with await asyncio.start_server(answer, "127.0.0.1", port):
            await started(an_instance(tmp_path, port, sys.executable, "server.py", "x", str(port)))

    with pytest.raises(PortTaken, match=rf"another program answers .* process {os.getpid()}, ") as caught:
        asyncio.run(scenario())
    assert "{port}" in caught.value.remedy


def test_whoever_takes_the_port_after_the_start_is_not_the_integration(tmp_path: Path, port: int) -> None:
    async def scenario() -> None:
        instance = an_instance(tmp_path, port, sys.executable, "-c", SLEEPER)
        starting = asyncio.create_task(started(instance))
        while not instance.alive:  # noqa: ASYNC110 - a start has no event to wait for
            await asyncio.sleep(0.01)
        async with await asyncio.start_server(answer, "127.0.0.1", port):
            await starting

    with pytest.raises(PortTaken, match=f"process {os.getpid()}, "):
        asyncio.run(scenario())


def test_who_serves_out_of_a_container_cannot_be_known_and_is_believed(tmp_path: Path, port: int) -> None:
    """The program that was started lets another one serve, which is none of its children."""
    (tmp_path / "docker").write_text(f'#!/bin/sh\nexec {sys.executable} -c "{SLEEPER}"\n')
    (tmp_path / "docker").chmod(0o755)

    async def scenario() -> Journal:
        instance = an_instance(tmp_path, port, "./docker")
        starting = asyncio.create_task(started(instance))
        while not instance.alive:  # noqa: ASYNC110 - a start has no event to wait for
            await asyncio.sleep(0.01)
        async with await asyncio.start_server(answer, "127.0.0.1", port):
            return await starting

    assert f"who listens on port {port} cannot be known" in ready(asyncio.run(scenario()))


def test_children_that_left_with_the_port_are_the_integration(tmp_path: Path, port: int) -> None:
    script = "import subprocess, sys, time; subprocess.Popen([sys.executable, 'server.py', 'x', sys.argv[1]], start_new_session=True)"
    shell = f'{sys.executable} -c "{script}" {port}; exec {sys.executable} -c "{SLEEPER}"'
    assert ready(asyncio.run(started(an_instance(tmp_path, port, "sh", "-c", shell)))) == "processes=2"


def test_a_port_of_our_choice_that_a_stranger_took_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    chosen: list[Port] = []

    def choose() -> Port:
        chosen.append(Port())
        if len(chosen) == 1:
            chosen[0].number = taken.getsockname()[1]
        return chosen[-1]

    monkeypatch.setattr(deployment, "Port", choose)
    (tmp_path / "server.py").write_text(SERVER)
    integration = {
        "name": "stub",
        "command": [sys.executable, "server.py", "x", "{port}"],
        "checkout": {"path": "/checkout"},
        "order": {"path": "/orders/{order.id}", "status": "json:/status"},
    }
    config = make_config({"integration": integration}, folder=tmp_path, place="payproof.toml", environ={})
    with taken:
        run = asyncio.run(perform(config, Options(quick=True)))
    main = next(world for world in run.worlds if world.name == MAIN)
    text = next(step.text for step in main.of(Step) if step.name == "port")
    assert text.startswith("another port: another program")
    assert [entry.event for entry in main.of(Process)] == ["started", "ready", "stopped"]


def test_an_integration_at_a_fixed_port_has_one_world(tmp_path: Path) -> None:
    integration = {
        "command": ["true"],
        "url": "http://127.0.0.1:8000",
        "checkout": {"path": "/checkout"},
        "order": {"path": "/orders/{order.id}", "status": "json:/status"},
    }
    config = make_config({"integration": integration}, folder=tmp_path, place="payproof.toml", environ={})
    planned = plan(config, Options(), settings_of(config))
    assert list(planned.worlds) == [MAIN]
    assert planned.worlds[MAIN][-1][0].name == "revoked"


def test_readiness_needs_the_head_of_an_answer_and_reads_no_body(tmp_path: Path, port: int) -> None:
    began = time.monotonic()
    instance = an_instance(tmp_path, port, sys.executable, "server.py", "endless-body", str(port))
    assert ready(asyncio.run(started(instance)))
    assert time.monotonic() - began < 10


def test_an_answer_without_an_end_does_not_outlast_the_time_for_readiness(tmp_path: Path, port: int) -> None:
    command = [sys.executable, "server.py", "endless-head", str(port)]
    with pytest.raises(
        PayproofError, match=r"did not answer .* within 3 s .* it listens there, and no answer"
    ) as caught:
        asyncio.run(started(an_instance(tmp_path, port, *command, ready_timeout=3.0)))
    assert "raise integration.ready_timeout, or start fewer at once: --worlds 2" in caught.value.remedy


def test_instances_that_write_the_same_file_get_their_own_lines(tmp_path: Path) -> None:
    async def scenario() -> list[Journal]:
        ports, logs = [Port(), Port()], SharedLogs()
        (tmp_path / "shop.log").write_text("of yesterday\n")
        running = [
            an_instance(
                tmp_path, reserved.number, sys.executable, "server.py", "x", str(reserved.number),
                shared_files=("*.log",), shared_logs=logs, marks=(f"order-{number}00000",),
            )
            for number, reserved in enumerate(ports, start=1)
        ]  # fmt: skip
        for instance in running:
            await instance.start()
        with (tmp_path / "shop.log").open("a") as file:
            file.write("order-100000 opened\norder-200000 opened\nsomebody was here\n")
        for instance in running:
            await instance.stop()
        for reserved in ports:
            reserved.release()
        assert logs.together
        return [instance.journal for instance in running]

    first, second = asyncio.run(scenario())
    assert [entry.text for entry in first.entries if isinstance(entry, Log)] == ["order-100000 opened"]
    assert [entry.text for entry in second.entries if isinstance(entry, Log)] == ["order-200000 opened"]


def test_a_flood_of_output_holds_nobody_up_and_what_was_not_kept_is_said(tmp_path: Path, port: int) -> None:
    command = [sys.executable, "server.py", "flood", str(port)]
    journal = asyncio.run(started(an_instance(tmp_path, port, *command)))
    lines = [entry for entry in journal.entries if isinstance(entry, Log)]
    assert "the last words" in [line.text for line in lines if line.stream == "stderr"]
    kept = sum(len(line.text) for line in lines)
    cut = [step for step in journal.entries if isinstance(step, Step) and step.name == StepName.CUT]
    assert kept < 6_000_000
    assert "of stdout were not read" in cut[0].text
    lost = sum(int(str(step.facts["bytes"])) for step in cut)
    assert 290_000_000 < lost < 300_000_000


def test_a_start_that_fails_is_told_with_its_whole_trace(tmp_path: Path, port: int) -> None:
    boot = "def boot():\n    raise OSError('no database')\nprint('\\x1b[31mstarting\\x1b[0m', flush=True)\nboot()\n"
    (tmp_path / "boot.py").write_text(boot)
    with pytest.raises(PayproofError, match="ended at once with exit code 1") as caught:
        asyncio.run(started(an_instance(tmp_path, port, sys.executable, "boot.py")))
    lines = caught.value.message.splitlines()
    assert [line for line in lines if 'boot.py", line' in line]
    assert lines[-1].strip() == "OSError: no database"
    assert "\x1b" not in caught.value.message
    assert "--show-env" in caught.value.remedy
    assert "ready_timeout" not in caught.value.remedy


PROXY = """
import socket, sys, time
status, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
server, began = socket.create_server(("127.0.0.1", port)), time.monotonic()
while True:
    client, _ = server.accept()
    client.recv(65536)
    line = "200 OK" if time.monotonic() - began > seconds else status
    client.sendall(f"HTTP/1.1 {line}\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n".encode())
    client.close()
"""


@pytest.mark.parametrize("status", ["502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"])
def test_a_proxy_that_waits_for_what_is_behind_it_is_not_ready(tmp_path: Path, port: int, status: str) -> None:
    (tmp_path / "proxy.py").write_text(PROXY)
    instance = an_instance(tmp_path, port, sys.executable, "proxy.py", status, str(port), "1")
    began = time.monotonic()
    assert "processes=" in ready(asyncio.run(started(instance)))
    assert time.monotonic() - began > 1


@pytest.mark.parametrize("status", ["404 Not Found", "401 Unauthorized", "500 Internal Server Error"])
def test_any_answer_of_the_integration_itself_is_ready(tmp_path: Path, port: int, status: str) -> None:
    (tmp_path / "proxy.py").write_text(PROXY)
    instance = an_instance(tmp_path, port, sys.executable, "proxy.py", status, str(port), "600")
    assert "processes=" in ready(asyncio.run(started(instance)))


def test_a_ready_path_that_always_says_unavailable_is_taken_after_a_while(tmp_path: Path, port: int) -> None:
    (tmp_path / "proxy.py").write_text(PROXY)
    command = (sys.executable, "proxy.py", "503 Service Unavailable", str(port), "600")
    instance = an_instance(tmp_path, port, *command, ready_timeout=4.0)
    assert "processes=" in ready(asyncio.run(started(instance)))
