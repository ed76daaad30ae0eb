"""What is measured: payproof, the two apps it is compared with, and the peers that can be installed."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from payproof.simulator.serve import KEPT_ENTRIES

HERE = Path(__file__).resolve().parent
INSTALLS_WITHIN = 300.0
JSON = {"Content-Type": "application/json"}
CONTRACT = HERE.parent / "contracts/payproof/contracts/gateways/quatapay/openapi.yaml"
API = "/pay/sandbox/api/v1"
PAYMENT = {
    "amount": "5000.00",
    "currency": "XAF",
    "return_url": "https://shop.example/return",
    "cancel_url": "https://shop.example/cancel",
    "custom": "order-1",
}
OPERATIONS = ("create", "token", "status", "payment")
"""``payment``: the three calls that one payment needs, in turn."""


class Skipped(Exception):
    """This server cannot be measured here; the text says why."""


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    path: str
    headers: dict[str, str]
    body: str = ""

    def send(self, client: httpx.Client) -> httpx.Response:
        return client.request(self.method, self.path, headers=self.headers, content=self.body)

    def lua(self) -> str:
        """The same call for wrk."""
        headers = ", ".join(f"[{json.dumps(name)}] = {json.dumps(value)}" for name, value in self.headers.items())
        body = f"[==[{self.body}]==]" if self.body else "nil"
        return f"wrk.format({json.dumps(self.method)}, {json.dumps(self.path)}, {{{headers}}}, {body})"


@dataclass(frozen=True, slots=True)
class Server:
    """``command``: how it is started on a port. ``calls``: operation -> its call, once it is there; None while it is not. The second
    argument is what the server has printed so far."""

    name: str
    note: str
    command: Callable[[int], list[str]]
    calls: Callable[[httpx.Client, str], dict[str, Call] | None]


def payproof(port: int) -> list[str]:
    control = ["--control-port", str(free_port())]
    return [sys.executable, "-m", "payproof.suites.cli", "serve", "--quiet", "--port", str(port), *control]


def payproof_calls(client: httpx.Client, printed: str) -> dict[str, Call] | None:
    keys = re.findall(r"^  (?:client_id|secret_id) .* (\w{100})$", printed, re.MULTILINE)
    return gateway_calls(client, *keys) if len(keys) == 2 else None


def plain_calls(client: httpx.Client, printed: str) -> dict[str, Call]:
    return gateway_calls(client, "c" * 100, "s" * 100)


def gateway_calls(client: httpx.Client, client_id: str, secret: str) -> dict[str, Call]:
    """The three calls of a payment, each as a shop sends it."""
    token = Call("POST", f"{API}/authentication/token", JSON, json.dumps({"client_id": client_id, "secret_id": secret}))
    issued = token.send(client).json()["data"].get("access_token", "t" * 350)
    bearer = {"Authorization": f"Bearer {issued}"}
    create = Call("POST", f"{API}/payment/create", JSON | bearer, json.dumps(PAYMENT))
    payment = create.send(client).json()["data"]["token"]
    return {"create": create, "token": token, "status": Call("GET", f"{API}/payment/status/{payment}", bearer)}


def uvicorn(app: str) -> Callable[[int], list[str]]:
    quiet = ["--no-access-log", "--log-level", "warning"]
    return lambda port: [
        sys.executable, "-m", "uvicorn", "--app-dir", str(HERE / "apps"), app, "--port", str(port), *quiet,
    ]  # fmt: skip


# Peers


def mock_calls(client: httpx.Client, printed: str) -> dict[str, Call] | None:
    call = Call("POST", "/payment/create", JSON | {"Authorization": "Bearer token"}, json.dumps(PAYMENT))
    return {"create": call} if call.send(client).is_success else None


def wiremock(folder: str, *options: str) -> Callable[[int], list[str]]:
    """WireMock with the mappings of ``peers/FOLDER``."""

    def command(port: int) -> list[str]:
        if shutil.which("java") is None:
            raise Skipped("java is not there")
        jar = node_file("wiremock@3", "wiremock/build/wiremock-standalone-*.jar")
        quiet = ["--disable-banner", "--bind-address", "127.0.0.1", *options]
        return ["java", "-jar", jar, "--port", str(port), "--root-dir", str(HERE / "peers" / folder), *quiet]

    return command


def prism(document: Path) -> Callable[[int], list[str]]:
    """Prism with an OpenAPI file."""

    def command(port: int) -> list[str]:
        program = node_program("@stoplight/prism-cli@5", "prism")
        return [program, "mock", "-h", "127.0.0.1", "-p", str(port), "-v", "error", str(document)]

    return command


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


def localstripe_calls(client: httpx.Client, printed: str) -> dict[str, Call] | None:
    headers = {"Authorization": "Bearer sk_test_12345", "Content-Type": "application/x-www-form-urlencoded"}
    call = Call("POST", "/v1/payment_intents", headers, "amount=5000&currency=eur")
    return {"create": call} if call.send(client).is_success else None


PLAIN = "plain Starlette app"
PAYPROOF = "payproof serve"
SERVERS = (
    Server("bare uvicorn", "raw ASGI, a constant answer: the protocol's limit", uvicorn("bare:app"), plain_calls),
    Server(PLAIN, "parses and stores; no checks, no journal", uvicorn("parsed:app"), plain_calls),
    Server(PAYPROOF, "authentication, validation, clock, ledger, journal", payproof, payproof_calls),
    Server(
        "WireMock", "a constant answer; no checks, no journal", wiremock("wiremock", "--no-request-journal"), mock_calls
    ),
    Server("WireMock, as it comes", "a constant answer and its journal; no checks", wiremock("wiremock"), mock_calls),
    Server(
        "WireMock, checking",
        "checks the token and the fields, answers a fresh payment, keeps its journal; no state",
        wiremock("wiremock-checking", "--max-request-journal-entries", str(KEPT_ENTRIES)),
        mock_calls,
    ),
    Server(
        "Prism 5", "a constant answer; validates the one call", prism(HERE / "peers/create.openapi.json"), mock_calls
    ),
    Server("Prism 5, the contract", "the same with payproof's contract of the gateway", prism(CONTRACT), mock_calls),
    Server("Mockoon 9", "mock, no checks", mockoon, mock_calls),
    Server("localstripe", "stateful; writes its state to a file at each call", localstripe, localstripe_calls),
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


def node_program(package: str, program: str) -> str:
    """A program of a Node package, installed under benchmarks/node_modules."""
    return node_file(package, f".bin/{program}")


def node_file(package: str, pattern: str) -> str:
    """A file of a Node package, installed under benchmarks/.peers. ``pattern``: where it lies in its node_modules."""
    folder = (
        HERE / ".peers" / re.sub(r"\W+", "-", package).strip("-")
    )  # one each: npm removes what it was not asked for
    place = folder / "node_modules"
    if not any(place.glob(pattern)):
        if shutil.which("npm") is None:
            raise Skipped("npm is not there")
        install(["npm", "install", "--prefix", str(folder), "--no-save", "--no-package-lock", "--no-audit", package])
    found = next(place.glob(pattern), None)
    if found is None:
        raise Skipped(f"the package {package} has no {pattern}")
    return str(found)


def python_with(package: str) -> str:
    """A Python that has a package, in benchmarks/.venv."""
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
