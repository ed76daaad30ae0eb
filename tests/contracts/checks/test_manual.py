"""manual.exported: every operation that the integration uses can be tried by hand."""

from __future__ import annotations

from payproof.contracts.model import Verdict

from .written import Written

EXPORTED = "manual.exported"


def test_an_export_of_every_operation_passes() -> None:
    run = Written()
    run.token()
    run.create()
    run.status()
    found = run.finding(EXPORTED, Verdict.PASS)
    assert found.actual == {"operations": ["create", "status", "token"]}


def test_a_call_to_an_unknown_path_warns() -> None:
    run = Written()
    run.token()
    call = run.call("", url="https://localhost/pay/v0/create?x=1")
    found = run.finding(EXPORTED, Verdict.WARN)
    assert found.actual == {"path": "POST https://localhost/pay/v0/create"}
    assert found.evidence == run.run().worlds[0].point(call)


def test_an_operation_that_never_succeeded_warns() -> None:
    run = Written()
    run.token()
    run.create(None, status=400, ok=False)
    found = run.finding(EXPORTED, Verdict.WARN)
    assert found.expected == {"operations": ["create", "token"]}
    assert found.actual == {"operations": ["token"]}


def test_one_success_in_any_world_is_enough() -> None:
    run = Written()
    run.create(None, status=400, ok=False)
    run.world("other")
    run.create()
    assert run.finding(EXPORTED, Verdict.PASS)


def test_an_answer_that_a_fault_spoiled_is_no_success() -> None:
    run = Written()
    run.token(fault="status")
    assert run.finding(EXPORTED, Verdict.WARN)


def test_an_integration_that_never_called_is_not_judged() -> None:
    assert Written().finding(EXPORTED, Verdict.NOT_EXERCISED)
