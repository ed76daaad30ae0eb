"""What several test folders share: the independent sandbox server, which is written in another language than payproof, and
the integrations of other styles (tests/integrations), compiled where their language asks for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import pytest
import trustme

hypothesis.settings.register_profile("unhurried", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("unhurried")  # a busy machine is no failure

SERVER = Path(__file__).parent / "sandbox" / "server.mjs"
STYLES = Path(__file__).parent / "integrations"
CARELESS = {"shop.py": "defects.py", "start.mjs": "defects.mjs"}
"""Program of a style -> the one that starts it with a planted mistake. A Go program has them in a build of its own."""


@pytest.fixture(autouse=True, scope="session")
def _no_pipeline() -> None:
    """On GitHub, too, tests see what a developer sees, and add nothing to the job's own summary."""
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        os.environ.pop(name, None)


@dataclass(frozen=True)
class IndependentSandbox:
    """A running sandbox server over HTTPS. ``ca``: PEM file of its authority. ``control``: address of its own control."""

    url: str
    control: str
    client_id: str
    secret_key: str
    ca: Path

    def table(self, **more: Any) -> dict[str, Any]:
        """The ``[sandbox]`` table of a payproof.toml."""
        payer = {"login": "sandbox@appdevs.net", "password": "appdevs"}
        refused = {"login": "refused@sandbox.test", "password": "whatever-it-is"}
        return {
            "base_url": self.url,
            "client_id": self.client_id,
            "secret_key": self.secret_key,
            "ca": str(self.ca),
            "payers": {"paid": payer, "refused": refused},
            "rate": 6000,
            "budget": 6000,
        } | more

    def payments(self) -> list[dict[str, Any]]:
        """The server's own books."""
        found: list[dict[str, Any]] = httpx.get(f"{self.control}/payments").json()
        return found

    def requests(self) -> list[dict[str, Any]]:
        """Every request that reached it."""
        found: list[dict[str, Any]] = httpx.get(f"{self.control}/requests").json()
        return found

    def advance(self, seconds: float) -> None:
        """Move its clock."""
        httpx.post(f"{self.control}/clock", json={"seconds": seconds}).raise_for_status()


@pytest.fixture
def independent_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., IndependentSandbox]]:
    """Starts independent sandbox servers: ``independent_sandbox("--otp", "--plant", "status-text")``."""
    with independent_sandboxes(tmp_path_factory.mktemp("sandbox")) as start:
        yield start


@contextmanager
def independent_sandboxes(folder: Path) -> Generator[Callable[..., IndependentSandbox]]:
    """What starts them; they end with it. ``folder``: for their certificates."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    (folder / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    with ExitStack() as running:

        def start(*flags: str) -> IndependentSandbox:
            where = ["--port", "0", "--control-port", "0", "--until-stdin-closes"]
            tls = ["--cert", str(folder / "cert.pem"), "--key", str(folder / "key.pem")]
            limit = [] if "--rate-limit" in flags else ["--rate-limit", "6000"]
            process = subprocess.Popen(
                [node, str(SERVER), *where, *tls, *limit, *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            running.callback(_end, process)
            assert process.stdout is not None
            announced = json.loads(process.stdout.readline())
            return IndependentSandbox(
                announced["url"],
                announced["control"],
                announced["client_id"],
                announced["secret_id"],
                folder / "ca.pem",
            )

        yield start


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.communicate(timeout=10)


@pytest.fixture(scope="session")
def style(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """Tables of a style's payproof.toml, with a command that runs: ``style("go-prefork", defect="process-lock")``."""
    built: dict[tuple[str, bool], list[str]] = {}

    def tables(name: str, *, defect: str = "") -> dict[str, Any]:
        found = tomllib.loads((STYLES / name / "payproof.toml").read_text())
        integration = found["integration"]
        if (name, bool(defect)) not in built:
            target = tmp_path_factory.mktemp(name)
            built[name, bool(defect)] = _command(name, integration["command"], target, careless=bool(defect))
        integration["command"] = built[name, bool(defect)]
        if defect:
            integration["env"]["SHOP_DEFECT"] = defect
            if "order" in integration:  # what is never paid is waited for that long
                integration["order"]["within"] = min(integration["order"].get("within", 1), 2)
        return found

    return tables


def _command(name: str, command: list[str], target: Path, *, careless: bool) -> list[str]:
    language = name.partition("-")[0]
    program = {"go": "go", "java": "javac"}.get(language, command[0])
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    if language == "go":
        tags = ["-tags", "defects"] if careless else []
        subprocess.run(["go", "build", *tags, "-o", str(target / "shop"), "."], cwd=STYLES / name, check=True)
        return [str(target / "shop")]
    if language == "java":
        sources = sorted(map(str, (STYLES / name).glob("*.java")))
        subprocess.run(["javac", "-d", str(target), *sources], check=True)
        return ["java", "-cp", str(target), "Shop"]
    return [CARELESS.get(word, word) if careless else word for word in command]
