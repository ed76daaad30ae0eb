"""Nothing of an integration outlives its run, whatever ends the run; and the integration does not notice who watches it."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from payproof.suites.session.supervised import MARK, Supervised, supervised

SHOP = """
import json, os, subprocess, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
left = subprocess.Popen(sleep, start_new_session=True)                                     # a session of its own
hidden = subprocess.Popen(["env", "-i", *sleep], start_new_session=True)                   # and no environment
orphan = subprocess.run(["sh", "-c", f"{sleep[0]} -c 'import time; time.sleep(600)' >/dev/null 2>&1 & echo $!"], capture_output=True)

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()
    def do_POST(self):
        time.sleep(600)

server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
with open("pids.new", "w") as file:
    json.dump([os.getpid(), left.pid, hidden.pid, int(orphan.stdout)], file)
os.rename("pids.new", "pids")
server.serve_forever()
"""

OPENED = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
"""Makes the terminal that stands at its input its own, and becomes the program that is named."""


def until(met: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGKILL"])
def test_a_run_that_is_ended_leaves_no_process_of_the_shop(tmp_path: Path, name: str) -> None:
    (tmp_path / "shop.py").write_text(SHOP)
    words = [sys.executable, "-m", "payproof.suites", "run", "-q", "--checkout", "POST /checkout"]
    words += ["--order", "/orders/{order.id} json:/status=paid", "--", sys.executable, "shop.py", "{port}"]
    run = subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        until(lambda: (tmp_path / "pids").exists() or run.poll() is not None, "the shop starts")
        pids: list[int] = json.loads((tmp_path / "pids").read_text())
        assert all(map(runs, pids))
        run.send_signal(getattr(signal, name))
        _, err = run.communicate(timeout=30)
    finally:
        run.kill()
        run.wait()
    until(lambda: not any(map(runs, pids)), f"{[pid for pid in pids if runs(pid)]} are gone")
    if name == "SIGKILL":
        assert run.returncode == -signal.SIGKILL
    else:
        assert run.returncode == 130, err
        assert "everything that payproof started is stopped" in err


def test_a_closed_terminal_ends_a_run_too(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP)
    words = [sys.executable, "-m", "payproof.suites", "run", "--checkout", "POST /checkout"]
    words += ["--order", "/orders/{order.id} json:/status=paid", "--", sys.executable, "shop.py", "{port}"]
    terminal, inside = pty.openpty()
    opened = [sys.executable, "-c", OPENED, *words]
    run = subprocess.Popen(opened, cwd=tmp_path, stdin=inside, stdout=inside, stderr=inside, start_new_session=True)
    os.close(inside)
    until(lambda: (tmp_path / "pids").exists(), "the shop starts")
    pids: list[int] = json.loads((tmp_path / "pids").read_text())
    os.close(terminal)
    assert run.wait(timeout=30) == 130
    until(lambda: not any(map(runs, pids)), f"{[pid for pid in pids if runs(pid)]} are gone")


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -USR1 $$", -signal.SIGUSR1), ("kill -9 $$", -9)]
)
def test_the_exit_code_is_the_command_s(tmp_path: Path, script: str, code: int) -> None:
    assert asyncio.run(ended(tmp_path, "sh", "-c", script))[0] == code


async def ended(folder: Path, *command: str, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    process = await supervised(command, env=env or {"PATH": os.environ["PATH"]}, folder=folder, mark="m")
    try:
        out, err, code = await asyncio.gather(process.stdout.read(), process.stderr.read(), process.wait())
    finally:
        await process.end()
    return code, os.fsdecode(out), os.fsdecode(err)


def test_the_environment_is_the_given_one_and_the_mark(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "LONG": "x" * 100_000, "LINES": "a\nb=c", "EMPTY": "", "BYTE": "\udcff"}
    _, out, _ = asyncio.run(ended(tmp_path, "env", "-0", env=env))
    found = dict(pair.split("=", 1) for pair in out.split("\0") if pair)
    assert found == {**env, MARK: "m"}


def test_output_folder_group_and_signals_are_as_without_a_supervisor(tmp_path: Path) -> None:
    script = f"pwd; echo $$; ps -o pgid=,sid= -p $$; {shlex.quote(sys.executable)} -c 'import sys; print(sys.stdin.read())'; echo wrong >&2"
    code, out, err = asyncio.run(ended(tmp_path, "sh", "-c", script))
    folder, pid, ids, rest = out.splitlines()
    assert (code, folder, ids.split(), rest, err) == (0, str(tmp_path), [pid, pid], "", "wrong\n")
    _, out, _ = asyncio.run(ended(tmp_path, "sh", "-c", "grep SigIgn /proc/self/status; ls /proc/self/fd | wc -l"))
    ignored, files = out.splitlines()
    assert int(ignored.split()[1], 16) & ~(1 << signal.SIGINT - 1 | 1 << signal.SIGQUIT - 1) == 0
    assert int(files) <= 4  # three, and the folder that ls reads


@pytest.mark.parametrize(("command", "error"), [("no-such-program", FileNotFoundError), ("./plain", PermissionError)])
def test_what_cannot_be_started_is_told_as_the_system_tells_it(
    tmp_path: Path, command: str, error: type[OSError]
) -> None:
    (tmp_path / "plain").write_text("not a program")
    with pytest.raises(error):
        asyncio.run(ended(tmp_path, command))


def test_the_command_is_asked_to_end_before_it_is_made_to(tmp_path: Path) -> None:
    async def scenario() -> int:
        script = "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done"
        process = await supervised(["sh", "-c", script], env={"PATH": os.environ["PATH"]}, folder=tmp_path, mark="m")
        await process.stdout.readline()
        await asyncio.gather(process.stdout.read(), process.stderr.read(), process.end())
        return await process.wait()

    assert asyncio.run(scenario()) == 5


def test_a_command_is_not_left_alone_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    async def scenario() -> Supervised:
        process = await supervised(["sleep", "600"], env={"PATH": os.environ["PATH"]}, folder=tmp_path, mark="m")
        os.kill(process.supervisor, signal.SIGKILL)
        assert await process.wait() == -signal.SIGKILL
        await asyncio.gather(process.stdout.read(), process.stderr.read(), process.end())
        return process

    process = asyncio.run(scenario())
    until(lambda: not runs(process.pid), "the command is gone")
