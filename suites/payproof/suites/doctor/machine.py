"""payproof itself, the system, its ports and its browser."""

from __future__ import annotations

import contextlib
import importlib.metadata
import platform
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from ipaddress import ip_address

from payproof.contracts import __version__
from payproof.contracts.model import PayproofError
from payproof.suites.customer.browser import browser
from payproof.suites.doctor.finding import HealthCheck, State
from payproof.suites.resources import Lacking, need_files

_SERVE_PORTS = (8400, 8401)
_SPACE = 200 * 1024 * 1024
"""Bytes that a run's instances, journals and reports are glad to have."""
_EXTRAS = {
    "suites": ("schemathesis", "only payproof explore, contract and record need it"),
    "browser": ("playwright", "only a customer with a browser needs it"),
}
"""Name of each extra -> the package that shows whether it is installed, and who needs it."""
_TRIED = {"linux": "Linux", "darwin": "macOS"}


def packages() -> Iterator[HealthCheck]:
    """Versions of payproof and of what it needs to run."""
    yield HealthCheck(
        "payproof", "payproof", "ok", f"{__version__}, Python {platform.python_version()} ({sys.executable})"
    )
    versions, missing = list[str](), list[str]()
    for line in importlib.metadata.requires("payproof") or ():
        needed, _, marker = line.partition(";")
        name = _name(needed)
        if "extra ==" in marker:
            continue
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    yield HealthCheck("payproof", "packages", "ok", ", ".join(versions))
    if missing:
        yield HealthCheck(
            "payproof", "packages", "problem", f"not installed: {', '.join(missing)}", "pip install payproof"
        )
    for extra, (module, who) in _EXTRAS.items():
        if find_spec(module) is not None:
            yield HealthCheck("payproof", f"payproof[{extra}]", "ok", "installed")
        else:
            yield HealthCheck(
                "payproof", f"payproof[{extra}]", "note", f"not installed; {who}", f"pip install 'payproof[{extra}]'"
            )


def _name(needed: str) -> str:
    return needed[: next((n for n, letter in enumerate(needed) if letter in "<>=!~[ "), len(needed))].strip()


def system() -> Iterator[HealthCheck]:
    """The operating system, and what it lets payproof have."""
    name = _TRIED.get(sys.platform)
    machine = f"{platform.system()} {platform.release()}, {platform.machine()}"
    if name == "Linux":
        yield HealthCheck("system", "system", "ok", machine)
    elif name:
        yield HealthCheck(
            "system", name, "note", f"{machine}: without the fault backlog, and without finding processes that left their session",
            "run in CI on Linux, too",
        )  # fmt: skip
    else:
        yield HealthCheck(
            "system", sys.platform, "note", f"{machine}: never tried", "use Linux or macOS; on Windows, WSL"
        )
    try:
        need_files()
        yield HealthCheck("system", "open files", "ok", "enough for a run")
    except Lacking as lack:
        yield HealthCheck("system", "open files", "problem", lack.message, lack.remedy)
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    enough = free >= _SPACE
    yield HealthCheck(
        "system", "space", "ok" if enough else "problem", f"{free // 1024**2:,} MiB free in {folder}",
        "" if enough else "make room, or name another folder with TMPDIR",
    )  # fmt: skip


def ports() -> Iterator[HealthCheck]:
    """Loopback, and the ports that `payproof serve` takes when it is told no others."""
    try:
        with (
            socket.create_server(("127.0.0.1", 0)) as server,
            socket.create_connection(server.getsockname(), timeout=2),
        ):
            yield HealthCheck("ports", "loopback", "ok", "127.0.0.1 takes connections")
    except OSError as error:
        yield HealthCheck(
            "ports", "loopback", "problem", f"127.0.0.1 takes no connection: {error}", "bring the interface lo up; allow it in a sandbox's rules"
        )  # fmt: skip
    yield _localhost()
    for port in _SERVE_PORTS:
        try:
            with socket.create_server(("127.0.0.1", port)):
                yield HealthCheck("ports", str(port), "ok", "free")
        except OSError as error:
            yield HealthCheck(
                "ports", str(port), "note", f"not free ({error.strerror})", "payproof serve --port N --control-port N"
            )


def _localhost() -> HealthCheck:
    found = set[str]()
    with contextlib.suppress(OSError):
        found = {str(info[4][0]) for info in socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)}
    if found and all(ip_address(address.partition("%")[0]).is_loopback for address in found):
        return HealthCheck("ports", "localhost", "ok", ", ".join(sorted(found)))
    return HealthCheck(
        "ports", "localhost", "problem", f"is {', '.join(sorted(found)) or 'not known'}", "let /etc/hosts say: 127.0.0.1 localhost"
    )  # fmt: skip


def chromium(*, needed: bool) -> HealthCheck:
    """``needed``: the configuration asks for a customer with a browser."""
    lacks: State = "problem" if needed else "note"
    if not browser.installed():
        return HealthCheck(
            "browser",
            "Playwright",
            lacks,
            "not installed; only a customer with a browser needs it",
            "pip install 'payproof[browser]'",
        )
    try:
        return HealthCheck("browser", "Chromium", "ok", browser.program())
    except PayproofError as error:
        return HealthCheck("browser", "Chromium", lacks, error.message, error.remedy)
