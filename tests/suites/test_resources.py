"""What payproof itself lacks is said, and accuses nobody."""

from __future__ import annotations

import asyncio
import errno
import resource
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from payproof.contracts.journal import Journal
from payproof.contracts.model import PayproofError
from payproof.contracts.profile import load
from payproof.suites import cli, resources
from payproof.suites.customer.customer import Customer
from payproof.suites.customer.routing import Routing
from payproof.suites.resources import Lacking, breathe, lacking
from payproof.suites.run import probe_runner
from payproof.suites.run.plan import Options
from payproof.suites.run.runner import perform
from payproof.suites.selftest.selftest import shop
from payproof.suites.session.ports import Port


def wrapped(error: Exception) -> Exception:
    """The error as it arrives: behind one of ours, in a group of tasks."""
    try:
        try:
            raise error
        except Exception as cause:
            raise PayproofError("the checkout broke") from cause
    except PayproofError as ours:
        return ExceptionGroup("tasks", [ValueError(), ExceptionGroup("inner", [ours])])


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "no more files"), (OSError(errno.ENFILE, "x"), "open files"),
        (OSError(errno.EADDRNOTAVAIL, "x"), "no more ports"), (OSError(errno.ENOSPC, "x"), "no space left"),
        (OSError(errno.ENOMEM, "x"), "no more memory"), (MemoryError(), "no more memory"),
        (RuntimeError("can't start new thread"), "processes or threads"),
    ],
)  # fmt: skip
def test_a_lack_is_found_behind_any_error_and_says_what_to_do(error: Exception, message: str) -> None:
    for found in (lacking(error), lacking(wrapped(error))):
        assert found
        assert message in found.message
        assert "nothing is said about the integration" in found.message
        assert found.remedy


@pytest.mark.parametrize(
    "error", [OSError(errno.ECONNREFUSED, "x"), BlockingIOError(errno.EAGAIN, "x"), ValueError("Too many open files")]
)
def test_other_errors_are_no_lack(error: Exception) -> None:
    assert lacking(wrapped(error)) is None


def test_a_lack_ends_any_command_with_2_and_its_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full() -> str:
        raise wrapped(OSError(errno.ENOSPC, "No space left on device"))

    monkeypatch.setattr("payproof.suites.commands.schema.json_schema", full)
    assert cli.run(["schema"]) == 2
    err = capsys.readouterr().err
    assert "no space left" in err
    assert "  do: make room" in err
    assert "payproof itself failed" not in err


def test_a_lack_within_a_probe_ends_the_run_and_accuses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> None:
        raise wrapped(OSError(errno.EMFILE, "Too many open files"))

    monkeypatch.setattr(probe_runner, "run_probe", fails)
    with pytest.raises(Lacking, match="no more files"):
        asyncio.run(perform(shop("lacking"), Options(probes=("cancelled", "refused"))))


def test_a_customer_without_a_port_left_does_not_say_that_the_shop_refused() -> None:
    def no_port(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("All connection attempts failed") from OSError(errno.EADDRNOTAVAIL, "x")

    async def scenario() -> None:
        place = Routing("https://shop.localhost", "http://127.0.0.1:9", "http://localhost:9")
        customer = Customer(place, Journal(), load("quatapay").hosted, name="c", outside=httpx.MockTransport(no_port))
        await customer.browse("GET", "http://elsewhere.example/", purpose="x")

    with pytest.raises(Lacking, match="no more ports"):
        asyncio.run(scenario())


def test_no_free_port_is_a_lack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payproof.suites.session.ports._first_ephemeral", lambda: 12_000)
    with pytest.raises(Lacking, match="no free port"):
        Port()


class Usage(NamedTuple):
    f_bavail: int
    f_frsize: int


def test_a_full_disk_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    breathe("127.0.0.1", 9, tmp_path)

    def full(folder: Path) -> Usage:
        return Usage(1, 1000)

    monkeypatch.setattr("os.statvfs", full)
    with pytest.raises(Lacking, match="no space left"):
        breathe("127.0.0.1", 9, tmp_path)


def limited(soft: int, hard: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    limits = f'ulimit -Sn {soft} && ulimit -Hn {"unlimited" if hard < 0 else hard} && exec "$@"'
    return subprocess.run(
        ["sh", "-c", limits, "sh", sys.executable, *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_too_few_open_files_are_told_before_anything_starts() -> None:
    order = "/o json:/status"
    done = limited(64, 64, "-m", "payproof.suites", "run", "--checkout", "POST /c", "--order", order, "--", "true")
    assert done.returncode == 2
    assert "may open 64" in done.stderr
    assert "ulimit -n" in done.stderr


PROGRAM = """
import asyncio, os, resource
from pathlib import Path
from payproof.suites.resources import need_files, raise_limits
from payproof.suites.session.supervised import supervised
raise_limits()
need_files()
async def scenario():
    process = await supervised(["sh", "-c", "ulimit -Sn"], env={"PATH": os.environ["PATH"]}, folder=Path(), mark="m")
    limit, _, _ = await asyncio.gather(process.stdout.read(), process.stderr.read(), process.wait())
    await process.end()
    print(limit.decode().strip())
asyncio.run(scenario())
"""


def test_payproof_takes_the_files_that_it_may_and_the_integration_keeps_its_limit() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    done = limited(200, hard, "-c", PROGRAM)
    assert (done.returncode, done.stdout, done.stderr) == (0, "200\n", "")


def test_the_limits_of_this_process_are_not_lowered() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resources.raise_limits()
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= before[0]
