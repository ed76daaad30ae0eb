"""The harness at work: launching, failing to launch, diagnosing, and never writing a secret. Real processes, real sockets."""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import certifi
import psutil
import pytest

from payproof.contracts.entries import Checkout, Connection, Log, Page, Process
from payproof.contracts.journal import Journal
from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Outcome, PayproofError, Verdict
from payproof.contracts.redaction import secrets
from payproof.contracts.run import dump, load
from payproof.reports import write_all
from payproof.suites.config import make_config
from payproof.suites.run.plan import MAIN, Options, plan
from payproof.suites.run.runner import perform
from payproof.suites.selftest.selftest import shop
from payproof.suites.session.launcher import Instance, basics
from payproof.suites.session.ports import Port
from payproof.suites.session.settings import settings_of

SHOP = """
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
mode, port = sys.argv[1], int(sys.argv[2])
if mode == "ends":
    sys.exit("cannot open the database")
if mode == "long-line":
    print("x" * 200_000, flush=True)

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200, b"<p>hello</p>")
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if mode == "404":
            self.answer(404, b"there is no such page")
        elif mode == "elsewhere":
            self.send_response(302)
            self.send_header("Location", "https://pay.example/x")
            self.end_headers()
        else:
            self.answer(200, b"<p>thank you</p>")
    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass

ThreadingHTTPServer(("127.0.0.1", port + (1 if mode == "other-port" else 0)), Handler).serve_forever()
"""


def a_config(tmp_path: Path, mode: str, **integration: Any) -> Any:
    (tmp_path / "shop.py").write_text(textwrap.dedent(SHOP))
    table = {
        "name": "stub",
        "command": [sys.executable, "shop.py", mode, "{port}"],
        "ready_timeout": 3,
        "checkout": {"path": "/checkout", "form": {"order_id": "{order.id}"}},
        "order": {"path": "/orders/{order.id}", "status": "json:/status"},
        **integration,
    }
    return make_config({"integration": table}, folder=tmp_path, place="payproof.toml", environ={})


def an_instance(tmp_path: Path, *command: str, port: int, **fields: Any) -> Instance:
    (tmp_path / "shop.py").write_text(textwrap.dedent(SHOP))
    given: dict[str, Any] = {"ready": "/", "ready_timeout": 3.0, "log_files": (), "journal": Journal(), **fields}
    return Instance(command=command, env=basics(), folder=tmp_path, url=f"http://127.0.0.1:{port}", **given)


def nothing_is_left() -> bool:
    return not [child for child in psutil.Process().children(recursive=True) if "shop" in " ".join(child.cmdline())]


@pytest.mark.parametrize(
    ("mode", "message"),
    [("ends", "ended at once with exit code 1"), ("other-port", "it listens on port")],
)
def test_an_integration_that_does_not_come_up_is_explained(tmp_path: Path, mode: str, message: str) -> None:
    with pytest.raises(PayproofError) as caught:
        asyncio.run(perform(a_config(tmp_path, mode), Options()))
    assert message in caught.value.message
    assert caught.value.remedy
    assert nothing_is_left()


@pytest.fixture
def port() -> Iterator[int]:
    reserved = Port()
    yield reserved.number
    reserved.release()


def test_a_command_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(PayproofError) as caught:
        asyncio.run(perform(a_config(tmp_path, "", command=["no-such-program"]), Options()))
    assert "does not start" in caught.value.message
    assert "no-such-program" in caught.value.place


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("404", "answered 404"),
        ("elsewhere", "not the gateway's hosted checkout"),
        ("no-redirect", "found no address to pay at"),
    ],
)
def test_a_checkout_that_leads_nowhere_is_diagnosed_and_nothing_is_scored(
    tmp_path: Path, mode: str, message: str
) -> None:
    config = a_config(tmp_path, mode)
    run = asyncio.run(perform(config, Options(quick=True)))
    assert not run.scored
    assert message in run.diagnosis[0]
    # A shop that refused the customer's request had no reason to call anybody yet.
    assert any("never called the gateway" in sentence for sentence in run.diagnosis) is (mode != "404")
    assert judge(run, config.profile).outcome is Outcome.NOT_SCORED
    assert nothing_is_left()


def test_lines_of_any_length_and_the_exit_are_read(tmp_path: Path, port: int) -> None:
    async def scenario() -> Journal:
        instance = an_instance(tmp_path, sys.executable, "shop.py", "long-line", str(port), port=port)
        await instance.start()
        assert instance.process
        instance.process.kill()
        await instance.process.wait()
        await asyncio.sleep(0.1)
        await instance.stop()
        return instance.journal

    journal = asyncio.run(scenario())
    assert sum(len(entry.text) for entry in journal.entries if isinstance(entry, Log)) >= 200_000
    assert [entry.event for entry in journal.entries if isinstance(entry, Process)] == [
        "started",
        "ready",
        "exited",
        "stopped",
    ]


def test_children_that_leave_the_group_are_stopped_too(tmp_path: Path, port: int) -> None:
    (tmp_path / "parent.py").write_text(
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, 'shop.py', 'x', sys.argv[1]], start_new_session=True)\n"
        "time.sleep(60)\n"
    )

    async def scenario() -> None:
        instance = an_instance(tmp_path, sys.executable, "parent.py", str(port), port=port)
        await instance.start()
        assert instance.processes() == 2
        await instance.stop()

    asyncio.run(scenario())
    assert nothing_is_left()


def test_log_files_are_read_from_where_they_ended_before_the_start(tmp_path: Path, port: int) -> None:
    log = tmp_path / "shop.log"
    log.write_text("of yesterday\n")

    async def scenario() -> Journal:
        instance = an_instance(tmp_path, sys.executable, "shop.py", "x", str(port), port=port, log_files=("*.log",))
        await instance.start()
        with log.open("a") as file:
            file.write("of today\nand half a li")
        instance.read_logs()
        with log.open("a") as file:
            file.write("ne\n")
        await instance.stop()
        return instance.journal

    lines = [
        entry.text for entry in asyncio.run(scenario()).entries if isinstance(entry, Log) and entry.stream == "shop.log"
    ]
    assert lines == ["of today", "and half a line"]


def test_a_log_that_is_a_link_out_of_the_folder_or_no_file_is_not_read(tmp_path: Path, port: int) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (tmp_path / "environ.log").write_text("CI_SECRET=hush\n")
    (folder / "a.log").symlink_to(tmp_path / "environ.log")
    (folder / "b.log").symlink_to("/proc/self/environ")
    os.mkfifo(folder / "c.log")
    (folder / "d.log").symlink_to(folder / "real.txt")

    async def scenario() -> None:
        instance = an_instance(folder, sys.executable, "shop.py", "x", str(port), port=port, log_files=("*.log",))
        await instance.start()
        (folder / "real.txt").write_text("our own\n")
        with (tmp_path / "environ.log").open("a") as file:
            file.write("CI_SECRET=hush\n")
        await instance.stop()
        lines = [
            entry.text for entry in instance.journal.entries if isinstance(entry, Log) and entry.stream != "stderr"
        ]
        assert lines == ["our own"]

    asyncio.run(scenario())


def test_no_secret_is_in_anything_that_payproof_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shop that spills every secret everywhere, and a hunt through every file of the report folder."""
    minted: set[str] = set()
    keep = secrets.Redactor.add

    def add(self: secrets.Redactor, kind: str, value: str, *, numbered: bool = True) -> str:
        minted.add(value)
        return keep(self, kind, value, numbered=numbered)

    monkeypatch.setattr(secrets.Redactor, "add", add)
    config = shop("spilling", ("logs-bearer",))
    run = asyncio.run(perform(config, Options(quick=True, seed=3)))
    result = judge(run, config.profile)
    write_all(result, run, tmp_path)
    assert len(minted) > 20
    assert any(
        judgement.verdict.value == "fail"
        for judgement in result.judgements
        if judgement.requirement.startswith("logs.")
    )
    for file in tmp_path.iterdir():
        text = file.read_text()
        for value in minted:
            for spelled in (value, value.encode().hex(), base64.b64encode(value.encode()).decode()[:-4], value[10:22]):
                assert spelled not in text, f"{file.name} holds a secret"
    assert "<access-token-" in (tmp_path / "run.jsonl").read_text()


def test_a_world_that_was_given_up_for_plain_http_is_kept_and_not_judged(tmp_path: Path) -> None:
    config = shop("pinned")
    (tmp_path / "other.pem").write_text(Path(certifi.where()).read_text())
    env = {**config.integration.env, "SSL_CERT_FILE": str(tmp_path / "other.pem")}
    config = config.model_copy(update={"integration": config.integration.model_copy(update={"env": env})})
    run = asyncio.run(
        perform(config, Options(only=("flow.success", "https.api", "https.certificate-verified"), seed=5))
    )
    assert run.scored
    assert [world.name for world in run.worlds] == [MAIN]
    assert any(entry.event == "handshake_failed" for entry in run.given_up[0].of(Connection))
    found = {judgement.requirement: judgement for judgement in judge(run, config.profile).judgements}
    assert found["flow.success"].verdict is Verdict.PASS
    assert found["https.api"].findings[0].evidence[0].world == run.given_up[0].name
    assert found["https.certificate-verified"].verdict is Verdict.PASS
    assert "authorities of its own choice" in found["https.certificate-verified"].findings[0].title
    assert load(dump(run)) == run


def test_the_same_seed_plays_the_same_orders_in_the_same_worlds() -> None:
    def orders(seed: int) -> list[tuple[str, list[str]]]:
        run = asyncio.run(perform(shop("twice"), Options(only=("flow.cancelled", "flow.failed"), seed=seed)))
        return [(world.name, [checkout.order for checkout in world.of(Checkout)]) for world in run.worlds]

    first = orders(5)
    assert first == orders(5)
    assert first != orders(6)


def test_a_saved_run_is_judged_as_the_live_one() -> None:
    config = shop("saved")
    run = asyncio.run(perform(config, Options(only=("verify.amount", "flow.success"), seed=5)))
    assert judge(load(dump(run)), config.profile) == judge(run, config.profile)


def test_an_interrupted_run_leaves_no_process() -> None:
    async def scenario() -> None:
        task = asyncio.create_task(perform(shop("interrupted"), Options()))
        while nothing_is_left():  # noqa: ASYNC110 - a process of the system has no event to wait for
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
    assert nothing_is_left()


def test_a_run_that_is_broken_off_leaves_what_was_journaled_and_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"

    async def scenario() -> None:
        task = asyncio.create_task(perform(shop("cut"), Options(seed=3), run_file=path))
        while not path.exists() or path.read_text().count('"event": "end"') < 3:  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
    assert nothing_is_left()
    run = load(path.read_text())
    assert run.cut
    assert run.facts["seed"] == 3
    result = judge(run, shop("cut").profile)
    assert result.outcome is Outcome.NOT_SCORED
    assert not any(judgement.verdict.value in ("fail", "error") for judgement in result.judgements)


def test_the_file_of_a_run_holds_as_it_happens_what_the_run_holds_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    options = Options(only=("flow.success", "flow.cancelled", "credentials.rotation"), seed=5)
    run = asyncio.run(perform(shop("whole"), options, run_file=path))
    found = load(path.read_text())
    assert found.cut == sum(len(world.entries) for world in run.worlds)
    assert {world.name: world.entries for world in found.worlds} == {world.name: world.entries for world in run.worlds}
    assert (found.settings, found.selected, found.left_out, found.powerless) == (
        run.settings,
        run.selected,
        run.left_out,
        run.powerless,
    )


def test_the_customer_reaches_the_instance_by_its_public_https_address(tmp_path: Path) -> None:
    run = asyncio.run(perform(a_config(tmp_path, "no-redirect"), Options(only=("flow.success",))))
    page = next(page for page in run.worlds[0].of(Page) if page.purpose == "checkout")
    assert page.request.url.startswith("https://shop-")
    assert page.response
    assert page.response.status == 200


def test_slow_verifications_are_spread_over_more_worlds() -> None:
    config = shop("pace")
    usual, slow = (plan(config, Options(), settings_of(config), pace) for pace in (0.0, 2.0))
    count = sum(len(probe_runs) for probe_runs in usual.worlds.values())
    assert sum(len(probe_runs) for probe_runs in slow.worlds.values()) == count
    assert len(slow.worlds) > len(usual.worlds)
    assert len(usual.worlds[MAIN]) > len(slow.worlds[MAIN])


def test_an_integration_that_already_runs_has_one_world_and_the_irrevocable_comes_last(tmp_path: Path) -> None:
    config = a_config(tmp_path, "", command=[], url="http://127.0.0.1:9")
    worlds = plan(config, Options(), settings_of(config)).worlds
    assert list(worlds) == [MAIN]
    assert worlds[MAIN][-1][0].name == "revoked"
    assert "rotation" not in {probe.name for probe, _ in worlds[MAIN]}


def test_python_m_runs_the_command_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "payproof.suites", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("payproof")
