"""An instance that sells as ever serves more probes; any other one does not."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from payproof.contracts.entries import OrderSeen, ProbeMark, Process, Step
from payproof.contracts.run import Run
from payproof.suites.config import Config
from payproof.suites.run.plan import Options
from payproof.suites.run.runner import perform
from payproof.suites.selftest.selftest import shop

PROBES = ("cancelled", "refused", "error-answer", "unverified", "false-certificate", "return-twice")

ENDS_AFTER = """
import os, sys
import uvicorn
from pathlib import Path
from payproof.suites.selftest.shop.gateway import Gateway
from payproof.suites.selftest.shop.orders import Orders
from payproof.suites.selftest.shop.shop import Shop

env = os.environ
app = Shop(
    Gateway(env["PAY_BASE_URL"], env["PAY_CLIENT_ID"], env["PAY_SECRET_KEY"]), Orders(Path(env["DATA_DIR"])), env["PUBLIC_URL"], ""
).app()
patience, served = int(sys.argv[1]), 0


async def refusing(scope, receive, send):
    # Sells so often, and then never again.
    global served
    if scope["type"] == "http" and scope["path"] == "/checkout":
        served += 1
        if served > patience:
            await send({"type": "http.response.start", "status": 503, "headers": [(b"content-type", b"text/html")]})
            await send({"type": "http.response.body", "body": b"<p>We sell nothing today.</p>"})
            return
    await app(scope, receive, send)


uvicorn.run(refusing, host="127.0.0.1", port=int(env["PORT"]), log_level="warning", access_log=False)
"""


def quick_run(config: Config, *, worlds: int = 3) -> Run:
    return asyncio.run(perform(config, Options(quick=True, seed=3, probes=PROBES, worlds=worlds)))


def starts(run: Run) -> int:
    return sum(entry.event == "started" for world in run.worlds for entry in world.of(Process))


def begun(run: Run) -> list[str]:
    marks = (entry for world in run.worlds for entry in world.of(ProbeMark) if entry.event == "begin")
    return sorted(f"{mark.probe} {mark.params}" for mark in marks if mark.probe not in ("control", "settle"))


@pytest.fixture(scope="module")
def sound() -> Run:
    return quick_run(shop("shared"))


def test_a_few_instances_serve_all_probes(sound: Run) -> None:
    assert len(begun(sound)) > 30
    assert starts(sound) <= 3


def test_each_order_is_looked_at_in_the_end_wherever_it_was_placed(sound: Run) -> None:
    for world in sound.worlds:
        orders = {str(step.facts["order"]) for step in world.of(Step) if step.name.startswith("order:")}
        settled = next(e.n for e in world.of(ProbeMark) if e.probe == "settle" and e.event == "begin")
        assert orders
        assert orders == {seen.order for seen in world.of(OrderSeen) if seen.n > settled}


def test_an_instance_that_sells_no_more_serves_no_more_probes_and_the_next_ones_have_a_sound_one(
    tmp_path: Path, sound: Run
) -> None:
    script = tmp_path / "ends_after.py"
    script.write_text(ENDS_AFTER)
    config = shop("shared")
    command = (sys.executable, str(script), "6")
    run = quick_run(
        config.model_copy(update={"integration": config.integration.model_copy(update={"command": command})})
    )
    assert begun(run) == begun(sound)
    assert starts(run) >= starts(sound) + 2


def test_orders_have_the_same_numbers_whichever_instance_they_are_placed_in(sound: Run) -> None:
    def numbers(run: Run) -> set[str]:
        steps = (step for world in run.worlds for step in world.of(Step))
        return {str(step.facts["order"]) for step in steps if step.name.startswith("order:")}

    again = quick_run(shop("shared"), worlds=2)
    # A customer who pays once more where the first time failed is one of a busy machine.
    assert len(numbers(sound) & numbers(again)) > 0.9 * len(numbers(sound))
