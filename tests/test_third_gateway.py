"""The seam to a gateway fits: an invented one, unlike the others, works without a line outside its own folder.

Harbor (``tests/lib/harbor``) has two hosts, no base path, Basic credentials, nested amounts in the smallest unit, and a capture that
takes the money once the customer has approved.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from invented import PROBES, differences, findings, performed, recorded, shop_config, unjudged_musts, verdicts

from payproof.contracts.contract import Contract
from payproof.contracts.contract.document import document_of
from payproof.contracts.entries import Call, Checkout, Ledger
from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Verdict
from payproof.contracts.profile import load, package_of
from payproof.contracts.run import Run
from payproof.simulator.testing import GatewayThread
from payproof.suites.config import Config
from payproof.suites.conformance import contract
from payproof.suites.conformance.contract.suite import needing_a_payer
from payproof.suites.conformance.contract.where import simulated
from payproof.suites.explorer.explorer_session import opened
from payproof.suites.explorer.oracle import Truth
from payproof.suites.explorer.playing import RuleTally
from payproof.suites.explorer.search import Search, SearchLimits
from payproof.suites.run.plan import Options
from payproof.suites.run.runner import perform

HERE = Path(__file__).parent


def config(folder: Path, defect: str = "", **more: Any) -> Config:
    program = ("harbor_defects", defect) if defect else ("harbor.shop",)
    credentials = {"PAY_CLIENT_ID": "{gateway.client_id}", "PAY_SECRET_KEY": "{gateway.secret_key}"}
    return shop_config("harbor", folder, *program, credentials=credentials, integration={}, **more)


def test_a_careful_shop_has_no_finding_and_every_must_is_judged_or_explained(tmp_path: Path) -> None:
    run, result = performed(config(tmp_path), probes=(*PROBES, "declined-capture", "lost-capture", "late-return"))
    assert findings(result) == {}
    assert verdicts(result)["idempotency.lost-answer"] is Verdict.PASS
    waiting = {"timeout.response", "timeout.connect"}
    left_out = {"alerts.payment-error", "alerts.failed-verification", *waiting}  # they wait for ten seconds
    undeclared = {"credentials.not-in-source", "credentials.not-in-frontend-source"}
    assert unjudged_musts(result) <= {*left_out, *undeclared}
    calls = [entry for world in run.worlds for entry in world.of(Call)]
    assert {call.role for call in calls if call.event.operation} == {"authenticate", "open", "confirm", "settle"}
    events = {entry.event for world in run.worlds for entry in world.of(Ledger)}
    assert {"approved", "charged", "declined", "cancelled"} <= events


@pytest.mark.parametrize(
    ("defect", "requirement", "probes"),
    [
        ("believes-the-return", "verify.forged-return", ("forged-return",)),
        ("never-captures", "flow.success", ("steady",)),
        ("wrong-minor-units", "amount.sent", ("steady",)),
        ("six-digits", "amount.sent", ("large-amount",)),
        ("groups-thousands", "amount.sent", ("large-amount",)),
        ("narrow-column", "amount.sent", ("steady", "large-amount")),
        ("books-small-sums", "flow.success", ("large-amount",)),
        ("life-in-milliseconds", "token.cached", ("steady",)),
        ("logs-the-bearer", "logs.no-access-token", ("steady",)),
        ("complains-of-nothing", "logs.request-id", ("error-answer",)),
        ("tries-afresh", "idempotency.lost-answer", ("lost-answer",)),
    ],
)
def test_a_planted_defect_is_found_by_the_requirement_that_names_it(
    tmp_path: Path, defect: str, requirement: str, probes: tuple[str, ...]
) -> None:
    assert requirement in findings(performed(config(tmp_path, defect), probes=probes)[1])


def test_a_limit_of_the_shops_own_is_no_mistake(tmp_path: Path) -> None:
    _, result = performed(config(tmp_path, "sells-nothing-dear"), probes=("steady", "large-amount"))
    assert findings(result) == {}
    assert verdicts(result)["amount.sent"] is Verdict.PASS


@pytest.mark.parametrize(
    ("shop", "found"), [("opens-for-ever", {"flow.recovers"}), ("opens-for-a-while", set[str]()), ("", set[str]())]
)
def test_a_circuit_breaker_closes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shop: str, found: set[str]
) -> None:
    """One that stays open for two seconds has three, instead of the minute that it really has."""
    monkeypatch.setattr("payproof.suites.probes.errors.CLOSES", (0.5, 2.5))
    run, result = performed(config(tmp_path, shop), probes=("errors-in-a-row",))
    assert set(findings(result)) == found
    tries = [checkout for world in run.worlds for checkout in world.of(Checkout) if checkout.purpose == "recovery"]
    assert len(tries) == (3 if shop else 1)


def test_a_shop_that_never_takes_the_money_is_told_so(tmp_path: Path) -> None:
    run = asyncio.run(perform(config(tmp_path, "only-looks"), Options(probes=("steady",), seed=1)))
    assert "The customer agreed to pay, and nobody took the money: it made no take call." in run.diagnosis


REFUNDS = ("partial-refund", "lost-refund", "given-back-there")


def with_refunds(folder: Path, defect: str = "") -> Config:
    credentials = {"PAY_CLIENT_ID": "{gateway.client_id}", "PAY_SECRET_KEY": "{gateway.secret_key}"}
    refund = {"path": "/orders/{order.id}/refunds", "json": {"amount": "{refund.amount}"}}
    program = ("harbor_defects", defect) if defect else ("harbor.shop",)
    return shop_config(
        "harbor",
        folder,
        *program,
        credentials=credentials,
        integration={"refund": refund, "webhook": {"path": "/notices"}},
    )


def test_money_goes_back_as_asked_for_and_once(tmp_path: Path) -> None:
    run, result = performed(with_refunds(tmp_path), probes=REFUNDS)
    assert findings(result) == {}
    assert {verdicts(result)[id] for id in ("refund.amount", "refund.once", "refund.noticed")} == {Verdict.PASS}
    back = [entry for world in run.worlds for entry in world.of(Ledger) if entry.event == "refunded"]
    assert sorted(entry.detail for entry in back) == ["1000.00", "1000.00", "5000.00"]
    calls = [call.role for world in run.worlds for call in world.of(Call) if call.role == "refund"]
    assert len(calls) == 3


@pytest.mark.parametrize(
    ("defect", "requirement"),
    [
        ("gives-all-back", "refund.amount"),
        ("gives-dollars-back", "refund.amount"),
        ("forgets-the-refund", "refund.once"),
        ("asks-for-another", "refund.once"),
        ("ignores-returns", "refund.noticed"),
    ],
)
def test_a_refund_that_goes_wrong_is_found(tmp_path: Path, defect: str, requirement: str) -> None:
    _, result = performed(with_refunds(tmp_path, defect), probes=REFUNDS)
    assert set(findings(result)) == {requirement}


def test_a_program_that_asks_again_by_itself_is_not_asked_for_another_refund(tmp_path: Path) -> None:
    run, result = performed(with_refunds(tmp_path, "asks-again"), probes=("lost-refund",))
    assert verdicts(result)["refund.once"] is Verdict.PASS
    back = [entry for world in run.worlds for entry in world.of(Ledger) if entry.event == "refunded"]
    assert [entry.detail for entry in back] == ["1000.00"]


def test_undeclared_refunds_are_a_caveat_and_no_failure(tmp_path: Path) -> None:
    _, result = performed(config(tmp_path), probes=("steady",))
    assert verdicts(result)["refund.once"] is Verdict.NOT_APPLICABLE
    assert "refund.once: declare [integration.refund]" in result.caveats


def test_a_recording_of_its_sandbox_replays_with_no_difference(tmp_path: Path) -> None:
    """The relay has two hosts on either side: of the sandbox, whose checkout is at pay.localhost, and of its own."""
    path = tmp_path / "cassette.yaml"
    with GatewayThread("harbor") as gateway:
        sandbox = {
            "base_url": gateway.base_url,
            "client_id": gateway.client_id,
            "secret_key": gateway.secret_key,
            "rate": 1000,
        }
        chosen = config(tmp_path, sandbox=sandbox, cassettes={"path": str(path)})
        run = recorded(chosen, gateway.base_url, path, "steady", "cancelled", "forged-return")
        assert findings(judge(run, chosen.profile)) == {}
        theirs = {row.payment: row.charged for row in gateway.payments()}
    mirrored = {entry.payment for world in run.worlds for entry in world.of(Ledger) if entry.event == "charged"}
    assert mirrored == {payment for payment, charged in theirs.items() if charged}
    assert differences(config(tmp_path, cassettes={"path": str(path)})) == []


def test_everything_is_given_up_within_this_gateways_own_seconds(tmp_path: Path) -> None:
    only = ("timeout.response", "timeout.connect", "timeout.drip")
    _, result = performed(config(tmp_path), only=only)
    assert {id: verdicts(result)[id] for id in only} == dict.fromkeys(only, Verdict.PASS)
    said = {
        "timeout.response": r"call was still open after 1[1-5]",
        "timeout.connect": r"an attempt to connect was still open after [5-9]",
        "timeout.drip": r"one byte a second was still open after 2[1-5]",
    }
    left = set(said)
    for again in ("slow", "slow again"):  # what a machine with too much to do did not let be judged is tried once more
        if left:
            _, slow = performed(config(_folder(tmp_path / again), "waits-too-long"), only=tuple(sorted(left)))
            left -= {id for id, titles in findings(slow).items() if any(re.search(said[id], title) for title in titles)}
    assert not left


def test_each_limit_is_told_from_the_others(tmp_path: Path) -> None:
    only = ("timeout.response", "timeout.connect", "timeout.drip")
    shops = {name: config(_folder(tmp_path / name), name) for name in ("limits-reads-only", "limits-connecting-only")}

    async def both() -> list[Run]:
        return await asyncio.gather(*(perform(shop, Options(only=only, seed=7)) for shop in shops.values()))

    reads, connecting = (verdicts(judge(run, load("harbor"))) for run in asyncio.run(both()))
    assert [reads[id] for id in only] == [Verdict.PASS, Verdict.FAIL, Verdict.WARN]
    assert [connecting[id] for id in only] == [Verdict.FAIL, Verdict.PASS, Verdict.WARN]


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def test_the_explorer_finds_nothing_in_forty_stories(tmp_path: Path) -> None:
    async def searched() -> RuleTally:
        async with opened(config(tmp_path), 3) as session:
            return await Search(session, SearchLimits(stories=40), lambda tally, text: None).run()

    tally = asyncio.run(searched())
    assert tally.charges > 0
    assert tally.truths[Truth.FALSE] == 0, tally.found


def test_the_contract_suite_holds_its_simulator_to_its_own_document() -> None:
    with simulated(load("harbor")) as where:
        result = contract.perform(where, budget=150, seed=1)
    assert result.complete
    assert {covered.operation for covered in result.covered if covered.succeeded} == {"grant", "order", "look"}
    (waiting,) = (covered for covered in result.covered if not covered.succeeded)
    assert (waiting.operation, 409 in waiting.statuses) == ("take", True)
    assert [(failure.check, failure.operation, failure.message) for failure in result.failures] == []
    assert (result.notes, dict(result.untried)) == ((), {})


def test_the_third_gateway_is_small() -> None:
    files = [(HERE / "lib/harbor" / name).read_text().splitlines() for name in ("profile.py", "dialect.py")]
    assert sum(bool(line.strip()) for lines in files for line in lines) <= 400
    assert load("harbor").verification == "verification"
    assert (package_of("harbor"), package_of("qrpay")) == ("harbor", "payproof.contracts.gateways.qrpay")


def test_what_is_reached_through_a_capture_only_needs_a_payer() -> None:
    whole = document_of("harbor")
    receipt: dict[str, Any] = {"get": {"operationId": "receipt", "responses": {}, "parameters": []}}
    take = whole["paths"]["/orders/{payment}/taking"]["post"]
    answer = {**take["responses"]["201"], "links": {"receipt": {"operationId": "receipt"}}}
    later: dict[str, Any] = {
        "/orders/{payment}/taking": {"post": {**take, "responses": {"201": answer}}},
        "/receipts/{receipt}": receipt,
    }
    harbor = Contract("harbor", document={**whole, "paths": whole["paths"] | later})
    assert needing_a_payer(harbor, load("harbor")) == {"take", "receipt"}


def test_behind_the_relay_a_declined_capture_and_a_refund_are_seen(tmp_path: Path) -> None:
    with GatewayThread("harbor") as gateway:
        payers = {"refused": {"login": "rob@harbor.test", "password": "1234"}}
        sandbox = {
            "base_url": gateway.base_url,
            "client_id": gateway.client_id,
            "secret_key": gateway.secret_key,
            "rate": 2000,
            "payers": payers,
        }
        integration = {"refund": {"path": "/orders/{order.id}/refunds", "json": {"amount": "{refund.amount}"}}}
        credentials = {"PAY_CLIENT_ID": "{gateway.client_id}", "PAY_SECRET_KEY": "{gateway.secret_key}"}
        chosen = shop_config(
            "harbor", tmp_path, "harbor.shop", credentials=credentials, integration=integration, sandbox=sandbox
        )
        probes = ("declined-capture", "lost-refund")
        run = asyncio.run(perform(chosen, Options(probes=probes, seed=1, target="sandbox")))
    found = verdicts(judge(run, chosen.profile))
    assert [found[id] for id in ("capture.declined", "refund.once")] == [Verdict.PASS, Verdict.PASS]
    events = [entry.event for world in run.worlds for entry in world.of(Ledger)]
    assert (events.count("declined"), events.count("refunded")) == (1, 1)
