"""An integration that listens on no port: a program that takes orders from a folder, and a driver that puts them there."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from payproof.contracts.judging.judge import judge
from payproof.contracts.model import PayproofError, Verdict
from payproof.suites.config import Config, make_config
from payproof.suites.run.plan import Options
from payproof.suites.run.runner import perform

PROGRAM = """
import asyncio, dataclasses, json, os, sys
from pathlib import Path
from payproof.suites.selftest.shop.gateway import Gateway, GatewayError

spool, site, careless = Path(os.environ["SPOOL"]), "https://merchant.example", sys.argv[1:] == ["careless"]
gateway = Gateway(os.environ["API"], os.environ["ID"], os.environ["SECRET"])
known = {}

async def work(order):
    kept = known.setdefault(order["id"], {**order, "state": "open", "payments": [], "asked": 0, "pay_at": ""})
    try:
        await look(kept)
        if kept["state"] == "open" and not kept["pay_at"]:
            token, kept["pay_at"] = await gateway.create(order["id"], order["amount"], order["currency"], site, site)
            kept["payments"].append(token)
    except GatewayError as error:
        print("ERROR", order["id"], error, flush=True)
    kept["asked"] += 1
    keep(kept)

async def look(kept):
    for token in kept["payments"]:
        seen = await gateway.status(kept["id"], token)
        fits = careless or (f"{seen.amount:.2f}", seen.currency, seen.custom) == (kept["amount"], kept["currency"], kept["id"])
        if seen.paid and kept["state"] == "open":
            kept["state"] = "paid" if fits else "held"
        elif seen.state in ("CANCELLED", "EXPIRED"):
            kept["pay_at"] = ""

def keep(kept):
    part = spool / f"{kept['id']}.part"
    part.write_text(json.dumps(kept))
    part.rename(spool / f"{kept['id']}.out")

async def main():
    while True:
        for path in spool.glob("*.in"):
            order = json.loads(path.read_text())
            path.unlink()
            await work(order)
        for kept in list(known.values()):
            if kept["state"] == "open" and kept["payments"]:
                try:
                    await look(kept)
                except GatewayError as error:
                    print("ERROR", kept["id"], error, flush=True)
                keep(kept)
        await asyncio.sleep(0.1)

asyncio.run(main())
"""
DRIVER = """
import asyncio, json
from pathlib import Path
from payproof.suites.driver import OrderState, Started

class Batch:
    def __init__(self, values):
        self.spool = Path(values["instance.dir"])

    def record(self, id):
        path = self.spool / f"{id}.out"
        return json.loads(path.read_text()) if path.exists() else {}

    async def checkout(self, order, customer, *, again=False):
        before = self.record(order.id).get("asked", 0)
        part = self.spool / f"{order.id}.new"
        part.write_text(json.dumps({"id": order.id, "amount": f"{order.amount:.2f}", "currency": order.currency}))
        part.rename(self.spool / f"{order.id}.in")
        while self.record(order.id).get("asked", 0) <= before:
            await asyncio.sleep(0.05)
        return Started(self.record(order.id)["pay_at"])

    async def order(self, order, customer):
        found = self.record(order.id)
        return OrderState(state=found.get("state", ""), paid=found.get("state") == "paid")
"""
PROBES = ("cancelled", "refused", "forged-return", "wrong-money", "error-answer", "revoked", "cancelled-in-trouble")


def config(folder: Path, program: str = PROGRAM, *arguments: str) -> Config:
    (folder / "batch.py").write_text(program)
    (folder / "drive.py").write_text(dedent(DRIVER))
    env = {
        "API": "{gateway.base_url}",
        "ID": "{gateway.client_id}",
        "SECRET": "{gateway.secret_key}",
        "SPOOL": "{instance.dir}",
    }
    integration = {
        "name": "batch",
        "command": [sys.executable, "batch.py", *arguments],
        "ready": "",
        "driver": "drive.py:Batch",
        "env": env,
        "order": {"within": 3},
    }
    return make_config({"integration": integration}, folder=folder, place="payproof.toml", environ={})


def verdicts(chosen: Config) -> dict[str, Verdict]:
    run = asyncio.run(perform(chosen, Options(seed=3, probes=PROBES)))
    assert run.scored, run.diagnosis
    return {judgement.requirement: judgement.verdict for judgement in judge(run, chosen.profile).judgements}


def test_a_careful_one_is_accused_of_nothing_and_its_pages_are_not_judged(tmp_path: Path) -> None:
    found = verdicts(config(tmp_path))
    assert not [id for id, verdict in found.items() if verdict in (Verdict.FAIL, Verdict.ERROR)]
    judged = (
        "flow.cancelled",
        "flow.failed",
        "verify.forged-return",
        "verify.amount",
        "credentials.revoked",
        "errors.server-error",
    )
    assert {id: found[id] for id in judged} == dict.fromkeys(judged, Verdict.PASS)
    assert found["errors.friendly"] is Verdict.NOT_APPLICABLE


def test_a_careless_one_is_found(tmp_path: Path) -> None:
    assert verdicts(config(tmp_path, PROGRAM, "careless"))["verify.amount"] is Verdict.FAIL


def test_one_that_ends_at_once_is_not_started(tmp_path: Path) -> None:
    with pytest.raises(PayproofError, match=r"ended at once with exit code 3; its last words:\s+no spool"):
        asyncio.run(
            perform(config(tmp_path, "print('no spool', flush=True); raise SystemExit(3)"), Options(quick=True))
        )


def test_without_a_driver_there_must_be_a_port_to_ask_at(tmp_path: Path) -> None:
    recipe = {"checkout": {"path": "/pay"}, "order": {"path": "/o", "status": "json:/s"}}
    with pytest.raises(PayproofError, match="listens on no port needs a driver"):
        make_config({"integration": {"command": ["x"], "ready": "", **recipe}}, folder=tmp_path, place="payproof.toml")
