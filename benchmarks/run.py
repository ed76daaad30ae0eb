"""One create call, measured side by side: payproof serve, the limit, and the peers that can be installed.

    python benchmarks/run.py [--seconds 10] [--only NAME ...] [--write]

Servers run one after another on loopback, each under ``wrk -t1 -c32`` for a few seconds, and are ended with all their
children. ``--write`` puts the table into benchmarks/README.md. Peers that cannot be installed are skipped with a line.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import httpx
import psutil

HERE = Path(__file__).resolve().parent
ROOTS = [str(HERE.parent / root) for root in ("contracts", "simulator", "reports", "suites")]
STARTS_WITHIN, INSTALLS_WITHIN = 60.0, 300.0
JSON = {"Content-Type": "application/json"}
PAYMENT = {
    "amount": "5000.00",
    "currency": "XAF",
    "return_url": "https://shop.example/return",
    "cancel_url": "https://shop.example/cancel",
    "custom": "order-1",
}


class Skipped(Exception):
    """This server cannot be measured here; the text says why."""


@dataclass(frozen=True, slots=True)
class Call:
    url: str
    headers: dict[str, str]
    body: str

    def send(self, client: httpx.Client) -> bool:
        """One call; whether it was answered with success."""
        return client.post(self.url, headers=self.headers, content=self.body).is_success

    def lua(self) -> str:
        """The same call as a script of wrk."""
        headers = "".join(f"wrk.headers[{json.dumps(k)}] = {json.dumps(v)}\n" for k, v in self.headers.items())
        return f'wrk.method = "POST"\nwrk.body = [==[{self.body}]==]\n{headers}'


@dataclass(frozen=True, slots=True)
class Server:
    """``command``: how it is started on a port. ``call``: its create call, from the port and what it has printed so far."""

    name: str
    note: str
    command: Callable[[int], list[str]]
    call: Callable[[int, str], Call | None]


@dataclass(frozen=True, slots=True)
class Row:
    """``p99`` and ``ready`` in seconds, ``before`` and ``after`` in MiB, ``failed``: answers other than 2xx or 3xx."""

    server: Server
    requests: float
    p99: float
    ready: float
    before: float
    after: float
    failed: int


# The servers


def payproof(port: int) -> list[str]:
    return [
        sys.executable, "-m", "payproof.suites.cli", "serve", "--port", str(port), "--control-port", str(free_port()),
    ]  # fmt: skip


def payproof_call(port: int, printed: str) -> Call | None:
    keys = re.findall(r"^  (?:client_id|secret_id) .* (\w{100})$", printed, re.MULTILINE)
    if len(keys) < 2:
        return None
    base = f"http://127.0.0.1:{port}/pay/sandbox/api/v1"
    answer = httpx.post(f"{base}/authentication/token", json={"client_id": keys[0], "secret_id": keys[1]})
    token = answer.json()["data"]["access_token"]
    return Call(f"{base}/payment/create", JSON | {"Authorization": f"Bearer {token}"}, json.dumps(PAYMENT))


def limit(port: int) -> list[str]:
    return [
        sys.executable, "-m", "uvicorn", "--app-dir", str(HERE), "constant:app", "--port", str(port),
        "--no-access-log", "--log-level", "warning",
    ]  # fmt: skip


def mock_call(port: int, printed: str) -> Call:
    return Call(
        f"http://127.0.0.1:{port}/payment/create", JSON | {"Authorization": "Bearer token"}, json.dumps(PAYMENT)
    )


def prism(port: int) -> list[str]:
    program = node_program("@stoplight/prism-cli@5", "prism")
    return [program, "mock", "-h", "127.0.0.1", "-p", str(port), "-v", "error", str(HERE / "peers/create.openapi.json")]


def mockoon(port: int) -> list[str]:
    program = node_program("@mockoon/cli@9", "mockoon-cli")
    data = str(HERE / "peers/create.mockoon.json")
    return [
        program, "start", "--data", data, "--port", str(port), "--hostname", "127.0.0.1",
        "--disable-log-to-file", "--disable-admin-api", "--repair",
    ]  # fmt: skip


def localstripe(port: int) -> list[str]:
    # Its own command listens on every address.
    start = "import sys; from aiohttp import web; from localstripe.server import app; "
    start += "web.run_app(app, host='127.0.0.1', port=int(sys.argv[1]), access_log=None)"
    return [python_with("localstripe"), "-c", start, str(port)]


def localstripe_call(port: int, printed: str) -> Call:
    headers = {"Authorization": "Bearer sk_test_12345", "Content-Type": "application/x-www-form-urlencoded"}
    return Call(f"http://127.0.0.1:{port}/v1/payment_intents", headers, "amount=5000&currency=eur")


SERVERS = (
    Server("payproof serve", "all checks, ledger, veil and journal on", payproof, payproof_call),
    Server("starlette + uvicorn", "constant answer: the limit", limit, mock_call),
    Server("Prism 5", "OpenAPI mock, stateless, validates the request", prism, mock_call),
    Server("Mockoon 9", "mock, stateless, no checks", mockoon, mock_call),
    Server("localstripe", "stateful; writes its state to a file at each call", localstripe, localstripe_call),
)


def node_program(package: str, program: str) -> str:
    """A program of an npm package, installed under benchmarks/node_modules."""
    path = HERE / "node_modules" / ".bin" / program
    if not path.exists():
        if shutil.which("npm") is None:
            raise Skipped("npm is not there")
        install(["npm", "install", "--prefix", str(HERE), "--no-save", "--no-package-lock", "--no-audit", package])
    return str(path)


def python_with(package: str) -> str:
    """A Python that has a package of PyPI, in benchmarks/.venv."""
    place = HERE / ".venv"
    if not (place / "bin" / package).exists():
        venv.create(place, with_pip=True)
        install([str(place / "bin" / "pip"), "install", "--quiet", package])
    return str(place / "bin" / "python")


def install(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=INSTALLS_WITHIN)
    except (OSError, subprocess.SubprocessError) as error:
        raise Skipped(f"cannot be installed: {error}") from None


# Measuring


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


@contextlib.contextmanager
def running(command: list[str], output: Path) -> Generator[psutil.Process]:
    """The command's process, in a group of its own that is ended with it."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join(ROOTS), "PYTHONUNBUFFERED": "1"}
    with output.open("wb") as stream:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, env=env, start_new_session=True
        )
    try:
        yield psutil.Process(process.pid)
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)


def until_ready(server: Server, port: int, process: psutil.Process, output: Path) -> Call:
    """The create call that was answered with success for the first time."""
    ends = time.monotonic() + STARTS_WITHIN
    with httpx.Client(timeout=5) as client:
        while time.monotonic() < ends and process.status() != psutil.STATUS_ZOMBIE:
            with contextlib.suppress(httpx.TransportError):
                call = server.call(port, output.read_text(errors="replace"))
                if call is not None and call.send(client):
                    return call
            time.sleep(0.02)
    said = output.read_text(errors="replace").strip().splitlines()
    raise Skipped(f"never ready: {said[-1] if said else 'it said nothing'}")


def memory(process: psutil.Process) -> float:
    """MiB of a process and its children."""
    return sum(each.memory_info().rss for each in (process, *process.children(recursive=True))) / 2**20


def measure(server: Server, seconds: int) -> Row:
    port = free_port()
    command = server.command(port)
    with tempfile.TemporaryDirectory() as folder:
        output, script = Path(folder, "output"), Path(folder, "call.lua")
        began = time.monotonic()
        with running(command, output) as process:
            call = until_ready(server, port, process, output)
            ready, before = time.monotonic() - began, memory(process)
            script.write_text(call.lua())
            wrk = ["wrk", "-t1", "-c32", f"-d{seconds}s", "--latency", "-s", str(script), call.url]
            said = subprocess.run(wrk, capture_output=True, text=True, check=True, timeout=seconds + 30).stdout
            requests, p99, failed = figures(said)
            return Row(server, requests, p99, ready, before, memory(process), failed)


def figures(said: str) -> tuple[float, float, int]:
    """(requests a second, p99 in seconds, failed answers) of what wrk printed."""
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    if rate is None or p99 is None:
        raise Skipped("wrk printed no figures")
    unit = {"us": 1e-6, "ms": 1e-3, "s": 1.0}[p99.group(2)]
    return float(rate.group(1)), float(p99.group(1)) * unit, int(failed.group(1)) if failed else 0


# Telling


def table(rows: list[Row], skipped: list[str], seconds: int, load: float) -> str:
    lines = [
        f"{date.today().isoformat()}, {os.cpu_count()} cores shared by server and wrk, {platform.system()}, "
        f"Python {platform.python_version()}, {seconds} s each, load average at the start {load:.1f}.",
        "",
        "| server | | requests/s | p99 | ready after | memory before -> after |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        failed = f" ({row.failed} failed)" if row.failed else ""
        lines.append(
            f"| {row.server.name} | {row.server.note} | {row.requests:,.0f}{failed} | {row.p99 * 1000:.0f} ms "
            f"| {row.ready:.1f} s | {row.before:.0f} -> {row.after:.0f} MB |"
        )
    lines += ["", *(f"Skipped: {text}." for text in skipped)] if skipped else []
    return "\n".join(lines)


def write(text: str) -> None:
    """Put the table between the marks of README.md."""
    readme = HERE / "README.md"
    begin, end = "<!-- figures -->", "<!-- end of figures -->"
    head, _, rest = readme.read_text().partition(begin)
    tail = rest.partition(end)[2]
    readme.write_text(f"{head}{begin}\n{text}\n{end}{tail}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=int, default=10, choices=range(1, 31), metavar="1-30")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="words in the names of servers")
    parser.add_argument("--write", action="store_true", help="put the table into benchmarks/README.md")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is not there: apt-get install wrk, or brew install wrk", file=sys.stderr)
        return 2
    rows, skipped = list[Row](), list[str]()
    load = os.getloadavg()[0]
    for server in SERVERS:
        if options.only and not any(word.lower() in server.name.lower() for word in options.only):
            continue
        try:
            rows.append(measure(server, options.seconds))
        except Skipped as why:
            skipped.append(f"{server.name}: {why}")
            continue
        print(f"{server.name}: {rows[-1].requests:,.0f} requests/s", file=sys.stderr)
    text = table(rows, skipped, options.seconds, load)
    print(text)
    if options.write:
        write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
