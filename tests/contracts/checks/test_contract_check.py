"""contract.request: how the findings are counted and told. What the contract says of each field: test_contract_request.py."""

from __future__ import annotations

import json
from typing import Any

import pytest

from payproof.contracts import entries as e
from payproof.contracts.checks import contract as check
from payproof.contracts.contract import Contract
from payproof.contracts.model import PayproofError, Verdict
from payproof.contracts.profile import Profile

from .written import Written

REQUEST = "contract.request"
BASE = "https://localhost:8443/pay/sandbox/api/v1"
HEADERS = (("Content-Type", "application/json"), ("Authorization", "Bearer <access-token-1>"))
ORDER = {
    "amount": "5000.00",
    "currency": "XAF",
    "return_url": "https://shop.test/return/1001",
    "cancel_url": "https://shop.test/cancel/1001",
    "custom": "1001",
}


def _create(
    run: Written, *, url: str = f"{BASE}/payment/create", more: dict[str, Any] | None = None, **fields: Any
) -> e.Call:
    return run.create(url=url, headers=HEADERS, asked=json.dumps({**ORDER, **fields}), **(more or {}))


def test_calls_as_the_contract_says_pass_and_are_counted() -> None:
    run = Written()
    _create(run)
    _create(run)
    found = run.finding(REQUEST, Verdict.PASS)
    assert found.actual == {"calls": {"create": 2}}
    assert len(found.evidence) == 1


def test_a_wrong_field_is_one_finding_with_its_count() -> None:
    run = Written()
    _create(run)
    first, second = _create(run, amount="5E+3"), _create(run, amount="5E+3")
    found = run.finding(REQUEST, Verdict.WARN)
    assert found.title.startswith("2 of 3 create calls: ")
    assert found.evidence == run.run().worlds[0].point(first, second)
    assert isinstance(found.expected, dict)
    assert "known from" in found.expected


@pytest.mark.parametrize(("sent", "told"), [("950", '"950"'), (950, "950"), ("xaf", "xaf")])
def test_a_text_that_reads_like_a_number_is_told_from_one(sent: str | int, told: str) -> None:
    run = Written()
    _create(run, currency=sent)
    assert run.finding(REQUEST, Verdict.WARN).title.endswith(f"body /currency is {told}")


def test_the_same_mistake_in_another_world_is_no_second_finding() -> None:
    run = Written()
    _create(run, amount="5E+3")
    run.world("other")
    _create(run, amount="5E+3")
    warned = [finding for finding in run.judged(REQUEST).findings if finding.verdict is Verdict.WARN]
    assert [finding.title.partition(":")[0] for finding in warned] == ["2 of 2 create calls"]
    assert {pointer.world for pointer in warned[0].evidence} == {"main"}


def test_a_client_that_gets_everything_wrong_is_told_so_in_bounds() -> None:
    run = Written()
    for number in range(30):
        wrong: dict[str, Any] = {name: [number] for name in ORDER}
        _create(run, **wrong, more={"method": "GET"} if number % 2 else {})
    assert 1 < len(run.judged(REQUEST).findings) <= 12


def test_calls_to_addresses_outside_the_contract_are_named_and_no_fault() -> None:
    run = Written()
    _create(run)
    run.call("", url="https://localhost:8443/metrics", method="GET")
    found = run.finding(REQUEST, Verdict.PASS)
    assert isinstance(found.actual, dict)
    assert found.actual["calls to addresses outside the contract"] == ["GET metrics"]


def test_a_request_that_the_client_broke_off_is_not_measured() -> None:
    run = Written()
    _create(run, amount="5E+3", more={"status": None, "ending": "hung_up"})
    assert run.finding(REQUEST, Verdict.NOT_EXERCISED)


def test_without_a_call_nothing_is_judged() -> None:
    assert Written().finding(REQUEST, Verdict.NOT_EXERCISED)


def test_a_gateway_without_a_contract_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(profile: Profile) -> Contract:
        raise PayproofError(f"{profile.name} has no contract")

    monkeypatch.setattr(check, "contract_of", nothing)
    run = Written()
    _create(run)
    assert run.judged(REQUEST).verdict is Verdict.NOT_APPLICABLE
