"""``payproof serve`` as a process of its own, as a stranger meets it: two ports, and what it says on stderr."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import SHUT_WR, create_connection
from typing import Any

import psutil

HANGS_AFTER = 30.0
"""Seconds without an answer that count as a hang; far more than anything takes on a busy machine."""
BASE = "/pay/sandbox/api/v1"


@dataclass(frozen=True)
class Answer:
    """``status``: None where the connection ended without an answer."""

    status: int | None
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Served:
    process: subprocess.Popen[str]
    gateway: int
    control: int
    token: str
    client_id: str
    secret_key: str
    stderr: Path

    def send(self, port: int, data: bytes, *, to_the_end: bool = True) -> Answer:
        """Everything that is answered to these bytes until the connection ends. ``to_the_end``: say that no more will come."""
        found = bytearray()
        with _ended_by_them(), create_connection(("127.0.0.1", port), timeout=HANGS_AFTER) as sock:
            with _ended_by_them():  # what was answered before is still there
                sock.sendall(data)
                if to_the_end:
                    sock.shutdown(SHUT_WR)
            while part := sock.recv(65_536):
                found += part
        head, _, body = bytes(found).partition(b"\r\n\r\n")
        status = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
        return Answer(int(status[1]) if status else None, body)

    def ask(self, port: int, method: str, target: str, body: bytes = b"", *headers: str) -> Answer:
        """One whole request on a connection of its own."""
        lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", f"Content-Length: {len(body)}"]
        head = "\r\n".join([*lines, *headers]).encode("utf-8", "replace")
        return self.send(port, head + b"\r\n\r\n" + body, to_the_end=False)

    def steer(self, method: str, path: str, body: bytes = b"") -> Answer:
        """One call of the control port."""
        return self.ask(self.control, method, path, body, f"X-Payproof-Token: {self.token}")

    def call(self, path: str, fields: dict[str, str], bearer: str = "") -> Any:
        """What the gateway says to a call of its API."""
        headers = ["Content-Type: application/json", *([f"Authorization: Bearer {bearer}"] if bearer else [])]
        return self.ask(self.gateway, "POST", BASE + path, json.dumps(fields).encode(), *headers).json()

    def pays(self) -> bool:
        """Whether a payment can be opened, once everything that was armed is forgotten."""
        assert self.steer("POST", "/reset").status == 200
        merchant = json.loads(self.steer("POST", "/merchants", b"{}").body)
        keys = {"client_id": merchant["client_id"], "secret_id": merchant["secret_key"]}
        token = self.call("/authentication/token", keys)["data"]["access_token"]
        order = {"amount": "1.00", "currency": "XAF", "return_url": "https://s.example/r", "custom": "o-1"}
        return bool(self.call("/payment/create", order, token)["type"] == "success")

    def memory(self) -> float:
        """Megabytes that it holds."""
        return float(psutil.Process(self.process.pid).memory_info().rss / 1e6)

    def descriptors(self) -> int:
        return int(psutil.Process(self.process.pid).num_fds())

    def complaints(self) -> str:
        """What it has written to stderr."""
        return self.stderr.read_text(encoding="utf-8", errors="replace")


@contextmanager
def _ended_by_them() -> Generator[None]:
    try:
        yield
    except TimeoutError:
        raise
    except OSError:
        pass


@contextmanager
def serving(folder: Path) -> Generator[Served]:
    stderr = folder / "stderr.txt"
    command = [sys.executable, "-m", "payproof.suites.cli", "serve", "--port", "0", "--control-port", "0"]
    with stderr.open("wb") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        text = _until_ready(process)
        keys = re.findall(r"^  (?:client_id|secret_id) \(.+\) +(\w{100})$", text, re.MULTILINE)
        port = re.search(r"127\.0\.0\.1:(\d+)/pay", text)
        control = re.search(r"X-Payproof-Token: (\S+)' http://127\.0\.0\.1:(\d+)/", text)
        assert port, text
        assert control, text
        yield Served(process, int(port[1]), int(control[2]), control[1], keys[0], keys[1], stderr)
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _until_ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    text = ""
    while "Ctrl-C stops it" not in text:
        line = process.stdout.readline()
        assert line, "payproof serve ended"
        text += line
    return text
