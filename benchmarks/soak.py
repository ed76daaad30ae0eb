"""A long time under load with faults on: does anything grow, fail, hang, or stay behind?

    python benchmarks/soak.py [--requests 1000000] [--rounds 1] [--json]

``payproof serve`` runs in a process of its own. Shops open payments and ask how they stand, on kept connections and with little
patience, while a share of their calls meets one of the faults; strangers send garbage, half requests and requests that they do not
wait for. After each of several ``--rounds`` everything is forgotten (``POST /reset``), so that memory can be compared at the same
point; with one round nothing is, and memory must come to rest at the bounds of journal and books. Exit code 1 when something is
not as it should be.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from payproof.contracts.profile import load
from payproof.simulator.serve import KEPT_TOKENS, serve

SHOPS, STRANGERS = 64, 4
PATIENCE, LATEST_ANSWER = 2.0, 10.0
"""Seconds that a shop waits for an answer, and that the control port may take for one at any time."""
ROW = 1_100
"""Bytes that the books may take for a payment or an access token; they forget nothing before their own bound."""
SHARE = 0.005
HANGING = 0.001
"""Of the calls, for each fault; for those that keep a shop waiting for as long as it likes. About a tenth of the calls meets one."""
CANARY = "asked-for-by-the-soak"
BASE = "/pay/sandbox/api/v1"
FAULTS = (
    {"name": "status", "params": {"status": 503, "canary": CANARY}}, {"name": "html", "params": {"canary": CANARY}},
    {"name": "plain-error", "params": {"canary": CANARY}}, {"name": "error", "operation": "create", "params": {"error": "currency"}},
    {"name": "not-json"}, {"name": "empty"}, {"name": "unauthorized", "operation": "status"}, {"name": "rate-limit"}, {"name": "cut"},
    {"name": "wrong-content-type"}, {"name": "oversized", "params": {"kilobytes": 64}}, {"name": "other-payment", "operation": "status"},
    {"name": "delay", "params": {"seconds": 0.02}}, {"name": "delay", "after_effect": True, "params": {"seconds": 1}, "share": HANGING},
    {"name": "gather", "params": {"calls": 2, "seconds": 0.05}}, {"name": "never-answer", "share": HANGING}, {"name": "stall", "share": HANGING},
    {"name": "drip", "params": {"seconds": 0.01}}, {"name": "dropped"}, {"name": "dropped", "after_effect": True},
    {"name": "reset"}, {"name": "reset", "after_effect": True}, {"name": "silent", "share": HANGING},
    {"name": "close-on-accept"}, {"name": "reset-on-accept"},
)  # fmt: skip
GARBAGE = (
    os.urandom(300), b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 700, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /" + b"a" * 200_000,
    b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"GET /x HTTP/1.1\r\n\r\n" * 20,
    b"POST /x HTTP/1.1\r\nContent-Length: 9\r\n\r\nab", b"GET /x HTTP/1.1\r\nHo", b"",
)  # fmt: skip


@dataclass(slots=True)
class Result:
    """``memory``: MB after each tenth, or after each round; ``books``: the part of it that payments and tokens may take. ``left``: what was
    there after the end and not before the beginning."""

    requests: int = 0
    answered: int = 0
    hung_up: int = 0
    broken: int = 0
    strangers: int = 0
    fired: dict[str, int] = field(default_factory=dict[str, int])
    seconds: float = 0.0
    slowest_control: float = 0.0
    memory: list[float] = field(default_factory=list[float])
    books: list[float] = field(default_factory=list[float])
    unasked: list[str] = field(default_factory=list[str])
    left: dict[str, int] = field(default_factory=dict[str, int])
    stderr: str = ""
    pays_at_the_end: bool = False

    def wrong(self, rounds: int) -> list[str]:
        """What is not as it should be, in a sentence each."""
        found = [f"answered 5xx unasked: {text}" for text in self.unasked[:3]]
        found += [f"{count} {what} left" for what, count in self.left.items() if count]
        found += [f"the control port took {self.slowest_control:.1f} s"] if self.slowest_control > LATEST_ANSWER else []
        found += [f"it said on stderr: {self.stderr[:300]}"] if self.stderr else []
        found += [] if self.pays_at_the_end else ["no payment could be opened at the end"]
        begin = min(1, rounds - 1) if rounds > 1 else len(self.memory) * 6 // 10
        at_rest = self.memory[begin]
        grown = self.memory[-1] - at_rest - (self.books[-1] - self.books[begin])
        return found + ([f"memory grew by {grown:.0f} MB"] if grown > 20 + at_rest / 10 else [])


# The server


async def subject() -> None:
    """``payproof serve`` that tells at its end what it leaves behind."""
    loop, errors = asyncio.get_running_loop(), list[str]()
    loop.set_exception_handler(lambda _, context: errors.append(str(context["message"])))
    logging.getLogger("asyncio").addHandler(_Count(errors))
    before = psutil.Process().num_fds()
    await serve(load("quatapay"), port=0, control_port=0, out=lambda text: print(text, flush=True))
    tasks = len(asyncio.all_tasks()) - 1
    print(
        json.dumps({"tasks": tasks, "descriptors": psutil.Process().num_fds() - before, "errors": errors}), flush=True
    )


class _Count(logging.Handler):
    def __init__(self, errors: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._errors = errors

    def emit(self, record: logging.LogRecord) -> None:
        self._errors.append(record.getMessage())


@dataclass(frozen=True)
class Server:
    process: asyncio.subprocess.Process
    gateway: int
    control: int
    token: str
    client_id: str
    secret_key: str

    def descriptors(self) -> int:
        return int(psutil.Process(self.process.pid).num_fds())

    def megabytes(self) -> float:
        return float(psutil.Process(self.process.pid).memory_info().rss / 1e6)


@asynccontextmanager
async def running(stderr: Path) -> AsyncIterator[Server]:
    with stderr.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable, __file__, "--subject", stdout=subprocess.PIPE, stderr=errors
        )
    assert process.stdout
    try:
        text = ""
        while "Ctrl-C stops it" not in text:
            line = await process.stdout.readline()
            if not line:
                raise SystemExit("the server did not start")
            text += line.decode()
        keys = re.findall(r"^  (?:client_id|secret_id) \(.+\) +(\w{100})$", text, re.MULTILINE)
        ports = re.findall(r"http://127\.0\.0\.1:(\d+)/", text)
        token = re.search(r"X-Payproof-Token: (\S+)'", text)
        assert token
        yield Server(process, int(ports[0]), int(re.findall(r"' http://127\.0\.0\.1:(\d+)/", text)[0]), token[1], *keys)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


# Who comes


class Line:
    """A kept connection; a new one where the last has ended. Reads answers that say their length, as all here do."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: bytes = b"", *headers: str) -> tuple[int, bytes]:
        """(status, body).

        Raises:
            OSError, EOFError, ValueError: no answer, or half of one.
        """
        lines = [f"{method} {path} HTTP/1.1", "Host: soak", f"Content-Length: {len(body)}", *headers]
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
            answer = await reader.readexactly(int(length or b"0"))
            if b"connection: close" in head:
                self.end()
            return int(head[9:12]), answer
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


class Soak:
    def __init__(self, server: Server, result: Result) -> None:
        self.server, self.result, self.until = server, result, 0
        self._steering = Line(server.control)
        self._rng = random.Random(0)

    async def steer(self, method: str, path: str, value: object = None) -> bytes:
        body = b"" if value is None else json.dumps(value).encode()
        began = time.monotonic()
        status, answer = await self._steering.ask(method, path, body, f"X-Payproof-Token: {self.server.token}")
        self.result.slowest_control = max(self.result.slowest_control, time.monotonic() - began)
        if status >= 400:
            raise SystemExit(f"{method} {path} was answered {status}: {answer.decode()}")
        return answer

    async def arm(self) -> None:
        for fault in FAULTS:
            await self.steer("POST", "/faults", {"share": SHARE} | fault)

    async def note_faults(self) -> None:
        for armed in json.loads(await self.steer("GET", "/faults"))["armed"]:
            self.result.fired[armed["name"]] = self.result.fired.get(armed["name"], 0) + armed["fired"]

    async def sample(self) -> None:
        """Note how much memory there is, and what of it the books may take."""
        held = json.loads(await self.steer("GET", "/health"))["held"]
        self.result.memory.append(self.server.megabytes())
        self.result.books.append(sum(held.values()) * ROW / 1e6)

    async def round(self, requests: int, sampled: Callable[[], Awaitable[None]]) -> None:
        """So many requests of shops, with strangers beside them; ``sampled`` is called after each tenth."""
        begun = self.result.requests
        self.until = begun + requests
        await self.arm()
        guests = [asyncio.create_task(self._stranger()) for _ in range(STRANGERS)]
        shops = [asyncio.create_task(self._shop()) for _ in range(SHOPS)]
        marks = [begun + requests * tenth // 10 for tenth in range(1, 11)]
        while any(not shop.done() for shop in shops):
            await asyncio.wait(shops, timeout=0.5)
            await self.steer("GET", "/health")
            while marks and self.result.requests >= marks[0]:
                marks.pop(0)
                await sampled()
        await asyncio.gather(*shops, *guests)
        await self.note_faults()
        await self.steer("DELETE", "/faults")

    async def _call(
        self, line: Line, method: str, path: str, fields: dict[str, str], bearer: str = ""
    ) -> dict[str, str]:
        """The data of a success; empty for anything else, and where no answer came in time."""
        self.result.requests += 1
        headers = ["Content-Type: application/json", *([f"Authorization: Bearer {bearer}"] if bearer else [])]
        try:
            async with asyncio.timeout(PATIENCE):
                status, body = await line.ask(method, path, json.dumps(fields).encode(), *headers)
        except TimeoutError:
            self.result.hung_up += 1
            return {}
        except (OSError, EOFError, ValueError):
            self.result.broken += 1
            return {}
        self.result.answered += 1
        if status >= 500 and CANARY.encode() not in body:
            self.result.unasked.append(f"{status} {body[:200]!r}")
        with contextlib.suppress(ValueError):
            data = json.loads(body).get("data")
            return data if isinstance(data, dict) else {}
        return {}

    async def _shop(self) -> None:
        line, bearer, orders = Line(self.server.gateway), "", 0
        keys = {"client_id": self.server.client_id, "secret_id": self.server.secret_key}
        while self.result.requests < self.until:
            if not bearer or orders % 50 == 0:
                bearer = (await self._call(line, "POST", f"{BASE}/authentication/token", keys)).get("access_token", "")
            orders += 1
            order = {
                "amount": f"{orders % 900 + 10}.00",
                "currency": "XAF",
                "return_url": "https://s.example/r",
                "custom": f"o-{orders}",
            }
            payment = (await self._call(line, "POST", f"{BASE}/payment/create", order, bearer)).get("token", "x")
            for _ in range(2):
                await self._call(line, "GET", f"{BASE}/payment/status/{payment}", {}, bearer)
        line.end()

    async def _stranger(self) -> None:
        """Sends something, and leaves after a moment whatever is answered."""
        while self.result.requests < self.until:
            port = self._rng.choice((self.server.gateway, self.server.control))
            with contextlib.suppress(OSError, EOFError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(self._rng.choice(GARBAGE))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await reader.read(100)
                writer.transport.abort()
            self.result.strangers += 1

    async def warm_up(self) -> None:
        """As many access tokens as the journal's redactor remembers, so that they do not count as growth."""
        line, keys = (
            Line(self.server.gateway),
            {"client_id": self.server.client_id, "secret_id": self.server.secret_key},
        )
        for _ in range(KEPT_TOKENS + 100):
            await self._call(line, "POST", f"{BASE}/authentication/token", keys)
        line.end()

    async def pays(self) -> bool:
        line = Line(self.server.gateway)
        keys = {"client_id": self.server.client_id, "secret_id": self.server.secret_key}
        _, body = await line.ask(
            "POST", f"{BASE}/authentication/token", json.dumps(keys).encode(), "Content-Type: application/json"
        )
        line.end()
        return json.loads(body)["type"] == "success"

    async def settled(self, descriptors: int) -> int:
        """Descriptors more than before, once what the clients have left is noticed."""
        self._steering.end()
        ends = time.monotonic() + 20
        while (more := self.server.descriptors() - descriptors) > 0 and time.monotonic() < ends:  # noqa: ASYNC110
            await asyncio.sleep(0.1)  # another process: there is no event to wait for
        return more


async def soak(requests: int, rounds: int, say: Callable[[str], None]) -> Result:
    result = Result()
    with tempfile.TemporaryDirectory() as folder:
        stderr = Path(folder) / "stderr"
        async with running(stderr) as server:
            before = server.descriptors()
            run = Soak(server, result)
            await run.warm_up()

            async def sampled() -> None:
                say(f"{result.requests:>9,} requests  {server.megabytes():6.0f} MB  {server.descriptors()} descriptors")
                if rounds == 1:
                    await run.sample()

            began = time.monotonic()
            for _ in range(rounds):
                await run.round(requests // rounds, sampled)
                if rounds > 1:
                    await run.steer("POST", "/reset")
                    await run.sample()
            result.seconds = time.monotonic() - began
            result.pays_at_the_end = await run.pays()
            result.left["descriptors while running"] = max(0, await run.settled(before))
            await _ended(server, result)
        result.stderr = stderr.read_text(errors="replace")
    return result


async def _ended(server: Server, result: Result) -> None:
    server.process.terminate()
    assert server.process.stdout
    last = json.loads((await server.process.stdout.read()).splitlines()[-1])
    await server.process.wait()
    result.left |= {"tasks": last["tasks"], "descriptors": last["descriptors"]}
    if last["errors"]:
        result.left["unhandled errors"] = len(last["errors"])
        result.unasked += [f"unhandled: {text}" for text in last["errors"][:3]]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print the result as JSON, and nothing else")
    parser.add_argument("--subject", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.subject:
        asyncio.run(subject())
        return 0
    result = asyncio.run(soak(given.requests, given.rounds, (lambda _: None) if given.json else print))
    wrong = result.wrong(given.rounds)
    if given.json:
        print(json.dumps(asdict(result) | {"wrong": wrong}))
    else:
        print(json.dumps(asdict(result), indent=2))
        print("\n".join(wrong) or "as it should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
