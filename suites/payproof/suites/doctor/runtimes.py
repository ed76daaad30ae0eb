"""The runtimes of this machine, and whether each one trusts the authority of a run when one variable tells it to.

Each is asked for real: one HTTPS request to a server on loopback, with nothing in its environment but that variable and the basics.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import shutil
import signal
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.responses import PlainTextResponse

from payproof.simulator.listening.listener import GatewayServer
from payproof.suites.doctor.finding import HealthCheck
from payproof.suites.session.launcher import basics
from payproof.suites.session.trust import Trust

_WITHIN = 20.0
"""Seconds for one program; a Java compiler on a busy machine takes ten."""
_AT_A_TIME = 4
_JAVA = """
public class Ask {
    public static void main(String[] given) throws Exception {
        System.out.print(new String(new java.net.URL(given[0]).openStream().readAllBytes()));
    }
}
"""


@dataclass(frozen=True, slots=True)
class Runtime:
    """``ask``: arguments of a program that prints what ``{url}`` answers; ``{folder}`` holds Ask.java. Empty: ``untried`` says why.
    ``needs``: another program without which it is not tried."""

    name: str
    programs: tuple[str, ...]
    variable: str
    ask: tuple[str, ...] = ()
    version: tuple[str, ...] = ("--version",)
    needs: str = ""
    untried: str = ""


RUNTIMES = (
    Runtime("Python", ("python3", "python"), "SSL_CERT_FILE", ("-c", "from urllib.request import urlopen; print(urlopen('{url}').read().decode())")),
    Runtime("Node", ("node",), "NODE_EXTRA_CA_CERTS", ("-e", "require('https').get('{url}', a => a.pipe(process.stdout))")),
    Runtime("PHP", ("php",), "PHP_INI_SCAN_DIR", ("-r", "echo file_get_contents('{url}');")),
    Runtime("Ruby", ("ruby",), "SSL_CERT_FILE", ("-rnet/http", "-e", "print Net::HTTP.get(URI('{url}'))")),
    Runtime("Java", ("java",), "JAVA_TOOL_OPTIONS", ("{folder}/Ask.java", "{url}"), ("-version",), needs="javac"),
    Runtime("Perl", ("perl",), "PERL_LWP_SSL_CA_FILE", ("-MLWP::UserAgent", "-e", "print LWP::UserAgent->new->get('{url}')->decoded_content")),
    Runtime("curl", ("curl",), "CURL_CA_BUNDLE", ("-sS", "{url}")),
    Runtime("Go", ("go",), "SSL_CERT_FILE", version=("version",), untried="a program would have to be compiled"),
    Runtime(".NET", ("dotnet",), "SSL_CERT_FILE", untried="a program would have to be compiled"),
)  # fmt: skip


async def runtimes(command: Sequence[str] = ()) -> list[HealthCheck]:
    """All that are installed, tried side by side. ``command``: of the integration; what it needs must work."""
    word = secrets.token_hex(8)
    turn = asyncio.Semaphore(_AT_A_TIME)
    with tempfile.TemporaryDirectory(prefix="payproof-doctor-") as name:
        folder = Path(name)
        trust = Trust(folder)
        (folder / "Ask.java").write_text(_JAVA)
        server = GatewayServer(PlainTextResponse(word), tls=trust.server)
        await server.start()
        url = f"https://localhost:{server.port}/"

        async def one(runtime: Runtime, program: str) -> HealthCheck:
            async with turn:
                return await _examined(runtime, program, trust, url, word, folder, needed=_uses(command, runtime))

        try:
            found = [(each, program) for each in RUNTIMES if (program := _program(each))]
            return await asyncio.gather(*(one(each, program) for each, program in found))
        finally:
            await server.stop()


def _program(runtime: Runtime) -> str | None:
    return next((path for name in runtime.programs if (path := shutil.which(name, path=basics().get("PATH")))), None)


def _uses(command: Sequence[str], runtime: Runtime) -> bool:
    """Whether the integration is started with it: ``python3.12`` is Python."""
    return bool(command) and re.sub(r"[\d.]*$", "", Path(command[0]).name) in {
        re.sub(r"\d*$", "", name) for name in runtime.programs
    }


async def _examined(
    runtime: Runtime, program: str, trust: Trust, url: str, word: str, folder: Path, *, needed: bool
) -> HealthCheck:
    _, output = await _output_of([program, *runtime.version], {}, folder)
    number = re.search(r"\d+(\.\w+)+", output)
    version = f"{number[0] if number else 'no version told'} at {program}"
    untried = runtime.untried or (
        f"{runtime.needs} is not installed" if runtime.needs and not shutil.which(runtime.needs) else ""
    )
    if untried:
        return HealthCheck("runtimes", runtime.name, "ok", f"{version}; {runtime.variable} was not tried: {untried}")
    asked = [each.replace("{url}", url).replace("{folder}", str(folder)) for each in runtime.ask]
    variable = {runtime.variable: trust.environment()[runtime.variable]}
    code, answer = await _output_of([program, *asked], variable, folder)
    if word in answer:
        return HealthCheck(
            "runtimes", runtime.name, "ok", f"{version}; trusts the authority that {runtime.variable} names"
        )
    why = (
        "it did not answer in time"
        if code is None
        else (answer.strip().splitlines() or [f"exit code {code}"])[-1][:200]
    )
    return HealthCheck(
        "runtimes", runtime.name, "problem" if needed else "note",
        f"{version}; does not take the authority in {runtime.variable}: {why}",
        f"ask it for an https page by hand with {runtime.variable} set to a PEM file; until that works, payproof offers it plain HTTP",
    )  # fmt: skip


async def _output_of(command: Sequence[str], extra: Mapping[str, str], folder: Path) -> tuple[int | None, str]:
    """Exit code, None where it was ended for taking too long, and what it printed."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, env={**basics(), **extra}, start_new_session=True,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
    except OSError as error:
        return -1, str(error)
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _WITHIN)
    except TimeoutError:
        return None, ""
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return process.returncode, output.decode("utf-8", "replace")
