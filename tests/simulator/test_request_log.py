from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable

import httpx

from payproof.contracts.entries import Step
from payproof.contracts.journal import Journal
from payproof.simulator.request_log import follow, to_descriptor
from payproof.simulator.testing import GatewayThread

Answer = Callable[..., httpx.Response]


def logged(journal: Journal, *, base_path: str = "", until: str = "") -> list[str]:
    """The log of what stands in a journal, up to the line that holds ``until``."""

    async def scenario() -> list[str]:
        lines: list[str] = []
        enough = asyncio.Event()

        def say(line: str) -> None:
            lines.append(line)
            if until in line:
                enough.set()

        task = asyncio.create_task(follow(journal, say, base_path=base_path, after=0))
        async with asyncio.timeout(10):
            await enough.wait()
        task.cancel()
        return lines

    return asyncio.run(scenario())


def test_a_call_is_one_line_with_its_meaning_and_no_secret(gateway: GatewayThread, create: Answer) -> None:
    assert create(gateway).status_code == 200
    gateway.arm("status", params={"status": 503})
    create(gateway, token="t" * 40, custom="order-2")
    text = "\n".join(logged(gateway.simulator.journal, base_path=gateway.profile.base_path, until="fault"))
    token, made, faulty = text.splitlines()
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d  POST /authentication/token +200 +\d+ ms  asks for an access token → <access-token-1>", token
    )
    assert re.search(r"200 +\d+ ms  opens a payment of 5000.00 XAF for order-1 → payment \w{10}…$", made)
    assert re.search(r"503 +\d+ ms  opens a payment .* for order-2 → .*\[fault status\]$", faulty)
    assert gateway.secret_key not in text
    assert gateway.client_id not in text


def test_what_an_integration_sends_cannot_command_a_terminal(gateway: GatewayThread, create: Answer) -> None:
    create(gateway, custom="order\x1b[31m\u202e\nforged line")
    (line,) = [each for each in logged(gateway.simulator.journal, until="opens") if "opens" in each]
    assert r"order\x1b[31m\u202e forged line" in line
    assert line.isprintable()


def test_a_crowd_of_entries_is_counted_and_not_written_down_for_the_log() -> None:
    journal = Journal()
    for number in range(500):
        journal.put(Step(text=str(number)))
    assert logged(journal, until="too fast") == ["… 500 entries came too fast to be shown; GET /journal has them"]
    assert journal._pending == 500  # pyright: ignore[reportPrivateUsage]


def test_a_log_that_nobody_reads_holds_nobody_up_and_says_what_it_dropped() -> None:
    read, write = os.pipe()
    say = to_descriptor(write)
    for _ in range(5_000):
        say("x" * 100)
    assert os.read(read, 1_000_000)
    say("and then")
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as pipe:
        rest = pipe.read()
    assert re.search("… [\\d,]+ lines were dropped: nobody read them\nand then\n$", rest)
