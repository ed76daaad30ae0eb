"""Processes that may keep an access token each: not the shell, nor whatever else only started the others."""

from __future__ import annotations

import asyncio
import sys
import textwrap
from pathlib import Path

import pytest

from payproof.contracts.entries import Entry, Log
from payproof.contracts.journal import Journal
from payproof.suites.session.launcher import Instance, basics
from payproof.suites.session.ports import Port

SERVER = textwrap.dedent(
    """
    import os, socket, sys
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    for _ in range(int(sys.argv[2])):
        if os.fork() == 0:
            break
    print("at work", flush=True)
    while True:
        client, _ = listener.accept()
        client.recv(65536)
        client.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok")
        client.close()
    """
)


async def _serving(script: Path, folder: Path, children: int, *, shell: bool) -> int:
    port = Port()
    journal = Journal()
    all_at_work = asyncio.Event()

    def heard(_: Entry) -> None:
        if sum(isinstance(entry, Log) for entry in journal.entries) > children:
            all_at_work.set()

    journal.listeners.append(heard)
    words = [sys.executable, str(script), str(port.number), str(children)]
    instance = Instance(
        command=["sh", "-c", f"{' '.join(words)}; true"] if shell else words,
        env={**basics(), "PYTHONUNBUFFERED": "1"},
        folder=folder,
        url=f"http://127.0.0.1:{port.number}",
        ready="/",
        ready_timeout=20,
        log_files=[],
        journal=journal,
    )
    try:
        await instance.start()
        await all_at_work.wait()
        return instance.serving()
    finally:
        await instance.stop()
        port.release()


@pytest.mark.parametrize("shell", [False, True])
@pytest.mark.parametrize("children", [0, 3])
def test_only_those_that_serve_are_counted(tmp_path: Path, children: int, shell: bool) -> None:
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    assert asyncio.run(asyncio.wait_for(_serving(script, tmp_path, children, shell=shell), 30)) == children + 1
