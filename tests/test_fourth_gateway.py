"""What the third gateway leaves open: one key, one currency, a template for the way back, a refusal on the gateway's own page, money
that comes later. Quay (``tests/lib/quay``) has all of it, and needs no line outside its own folder."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from invented import PROBES, differences, findings, performed, recorded, shop_config, unjudged_musts, verdicts

from payproof.contracts.contract import contract_of
from payproof.contracts.entries import Call, Ledger
from payproof.contracts.judging.judge import judge
from payproof.contracts.judging.requirements import requirements, requirements_of
from payproof.contracts.model import Level, Verdict
from payproof.contracts.profile import load
from payproof.simulator.relay.rate_budget import RateBudget
from payproof.simulator.testing import GatewayThread
from payproof.suites.config import Config
from payproof.suites.conformance import contract
from payproof.suites.conformance.contract.channel import Channel
from payproof.suites.conformance.contract.rules import Bench, takes
from payproof.suites.conformance.contract.where import simulated
from payproof.suites.explorer.explorer_session import opened
from payproof.suites.explorer.playing import RuleTally
from payproof.suites.explorer.search import Search, SearchLimits
from payproof.suites.probes import probes, provoked_by

OWN_PROBES = (
    "for-a-cent",
    "undecided",
    "undecided-again",
    "pending-told-last",
    "forged-notice",
    "disordered-notices",
    "lost-notice",
)
HERS = tuple(name for name in PROBES if name not in ("token-expired", "stampede", "always-unauthorized"))


def config(folder: Path, defect: str = "", **more: Any) -> Config:
    credentials = {"PAY_CLIENT_ID": "none", "PAY_SECRET_KEY": "{gateway.api_key}"}
    program = ("quay.shop", *([defect] if defect else []))
    integration = {"webhook": {"path": "/notices"}}
    return shop_config("quay", folder, *program, credentials=credentials, integration=integration, **more)


def test_a_careful_shop_has_no_finding_and_every_must_is_judged_or_explained(tmp_path: Path) -> None:
    run, result = performed(config(tmp_path), probes=(*HERS, *OWN_PROBES))
    assert findings(result) == {}
    open_ = unjudged_musts(result)
    not_run = {id for id in open_ if id.startswith("webhook.")}  # their probes are those of the third gateway
    assert open_ - not_run <= {"timeout.response", "timeout.connect"}
    judged = ("flow.failed", "flow.pending", "flow.pending-success", "flow.pending-failure", "flow.pending-again",
              "credentials.revoked",
              "verify.currency", "verify.other-payment", "errors.rate-limit", "errors.conflict", "errors.no-retry", "errors.backoff",
              "idempotency.new-key-per-order", "idempotency.new-key-per-attempt", "quay.small-orders")  # fmt: skip
    assert {verdicts(result)[id] for id in judged} == {Verdict.PASS}
    assert {verdicts(result)[id] for id in ("token.cached", "logs.no-access-token")} == {Verdict.NOT_APPLICABLE}
    calls = [entry for world in run.worlds for entry in world.of(Call)]
    assert {call.role for call in calls if call.event.operation} == {"open", "confirm"}
    events = {entry.event for world in run.worlds for entry in world.of(Ledger)}
    assert {"pending", "charged", "declined", "refused"} <= events


def test_what_a_gateway_alone_asks_for_is_no_other_gateways() -> None:
    assert "quay.small-orders" in requirements_of(load("quay"))
    assert "quay.small-orders" not in requirements()
    assert provoked_by("quay")["quay.small-orders"] == ("for-a-cent",)
    assert "for-a-cent" in probes("quay")
    assert not {"for-a-cent"} & {*probes(), *probes("harbor")}


def test_a_gateway_says_what_weighs_more_or_less_on_it(tmp_path: Path) -> None:
    known = requirements_of(load("quay"))
    assert (known["https.cancel-url"].level, known["webhook.stale"].level) == (Level.SHOULD, Level.MUST)
    assert requirements_of(load("harbor"))["webhook.stale"].level is Level.SHOULD
    _, result = performed(config(tmp_path, "believes-anybody"), probes=("forged-notice",))
    (stale,) = (each for each in result.judgements if each.requirement == "webhook.stale")
    assert (stale.level, stale.verdict) == (Level.MUST, Verdict.FAIL)


@pytest.mark.parametrize(
    ("defect", "requirement", "probes"),
    [
        ("waiting-is-paid", "flow.pending", ("undecided",)),
        ("pays-again-unseen", "flow.pending-again", ("undecided-again",)),
        ("believes-anybody", "webhook.signature-verified", ("forged-notice",)),
        ("takes-it-back", "webhook.out-of-order", ("pending-told-last",)),
        ("any-payment", "verify.other-payment", ("replayed-return",)),
        ("no-key", "idempotency.key-sent", ("steady",)),
        ("no-version", "api.version-pinned", ("steady",)),
        ("encodes-the-template", "return.template", ("steady",)),
        ("minimum-order", "quay.small-orders", ("for-a-cent",)),
        ("one-key", "idempotency.new-key-per-order", ("steady",)),
        ("key-for-ever", "idempotency.new-key-per-attempt", ("started-again-refused",)),
        ("sends-refusals-again", "errors.no-retry", ("error-answer",)),
        ("sends-refusals-again", "errors.conflict", ("error-answer",)),
        ("hurries", "errors.backoff", ("error-answer",)),
        ("notice-secret-in-log", "logs.no-secret-key", ("steady",)),
    ],
)
def test_a_planted_defect_is_found_by_the_requirement_that_names_it(
    tmp_path: Path, defect: str, requirement: str, probes: tuple[str, ...]
) -> None:
    assert requirement in findings(performed(config(tmp_path, defect), probes=probes)[1])


def test_a_shop_that_lives_by_notices_and_takes_none_is_told_so(tmp_path: Path) -> None:
    run, _ = performed(config(tmp_path, "takes-no-notice"), probes=("steady",))
    assert not run.scored
    assert run.diagnosis[0].startswith("It took none of the gateway's 2 notices: order.taken was answered 4")
    assert "It made no status check after the customer's return." in run.diagnosis


@pytest.mark.parametrize(("defect", "broken"), [("", set[str]()), ("waiting-is-paid", {"paid-is-charged"})])
def test_the_explorer_pays_with_money_that_comes_later(tmp_path: Path, defect: str, broken: set[str]) -> None:
    async def searched() -> RuleTally:
        async with opened(config(tmp_path, defect), 3) as session:
            limits = SearchLimits(stories=40, first=bool(defect))
            return await Search(session, limits, lambda tally, text: None).run()

    found = asyncio.run(searched()).found
    assert {each.rule for each in found} == broken
    assert all(each.played.story.acts[-1].do == "promise" for each in found)


def test_the_explorer_gives_a_notice_the_time_that_the_gateway_does(tmp_path: Path) -> None:
    """A shop may have a notice come again, and be told only after a minute of the gateway's clock."""

    async def searched() -> RuleTally:
        async with opened(config(tmp_path, "notices-alone"), 3) as session:
            return await Search(session, SearchLimits(stories=6, first=True), lambda tally, text: None).run()

    assert asyncio.run(searched()).found == []


def test_a_shop_that_gives_no_way_back_is_not_accused_for_it(tmp_path: Path) -> None:
    _, result = performed(config(tmp_path, "no-way-back"), probes=("steady", "cancelled", "refused"))
    assert findings(result) == {}
    judged = verdicts(result)
    assert (judged["flow.cancelled"], judged["flow.failed"]) == (Verdict.NOT_APPLICABLE, Verdict.PASS)


def test_a_recording_of_its_sandbox_replays_with_no_difference(tmp_path: Path) -> None:
    """The sandbox's key travels as a bearer, and the way back is a template that the sandbox fills in."""
    path = tmp_path / "cassette.yaml"
    with GatewayThread("quay") as gateway:
        sandbox = {"base_url": gateway.base_url, "secret_key": gateway.secret_key, "rate": 1000}
        chosen = config(tmp_path, sandbox=sandbox, cassettes={"path": str(path)})
        run = recorded(chosen, gateway.base_url, path, "steady", "cancelled", "forged-return", "wrong-money")
        result = judge(run, chosen.profile)
        assert findings(result) == {}
        assert {verdicts(result)[id] for id in ("verify.amount", "verify.currency")} == {Verdict.PASS}
        assert "access token" not in str(run.facts["account"]), "there is none that could be taken for a payment"
        assert gateway.secret_key not in path.read_text()
    assert differences(config(tmp_path, cassettes={"path": str(path)})) == []


def test_the_contract_suite_uses_its_key_where_no_call_issues_tokens() -> None:
    with simulated(load("quay")) as where:
        result = contract.perform(where, budget=200, seed=1)
    assert result.complete
    assert {covered.operation for covered in result.covered} == {"order", "look", "receipt"}
    assert [(failure.check, failure.operation, failure.message) for failure in result.failures] == []
    assert (result.notes, dict(result.untried)) == ((), {})


def test_a_key_that_another_order_has_used_may_refuse_and_no_other_request_may_be_refused() -> None:
    quay = load("quay")
    with simulated(quay) as where, closing(Channel(where, RateBudget(0, 9), contract_of(quay))) as channel:
        bench, headers = (
            Bench(channel),
            (("Authorization", f"Bearer {where.key()}"), ("Content-Type", "application/json")),
        )
        channel.part(9)
        channel.token()

        def order(key: str, number: str) -> tuple[int, list[str]]:
            asked = {
                "order": {"ref": number, "total": {"minor": 500, "code": "eur"}},
                "back": "https://shop.example/back",
            }
            exchange = channel.send("POST", "/orders", (*headers, ("Harbor-Key", key)), json.dumps(asked).encode())
            assert exchange.response is not None
            return exchange.response.status, list(takes(bench, exchange))

        assert order("one", "1") == (201, [])
        assert order("one", "2") == (409, [])
        bench.keys.clear()
        status, said = order("one", "3")
        assert (status, len(said)) == (409, 1)
        assert said[0].endswith("to a request that is as the contract says")
