"""The hand of these tests writes what a real run would have written."""

from __future__ import annotations

from payproof.contracts.model import Verdict

from .written import Written


def test_a_clean_purchase_is_a_verified_one() -> None:
    run = Written()
    with run.probe("control"):
        run.order()
        run.bought()
    assert run.finding("verify.status-checked", Verdict.PASS).evidence
    assert run.finding("flow.success", Verdict.PASS)


def test_an_order_that_nobody_verified_fails_and_points_at_what_showed_it() -> None:
    run = Written()
    with run.probe("control"):
        run.order()
        run.bought(verified=False)
    found = run.finding("verify.status-checked", Verdict.FAIL)
    assert found.actual == {"status checks answered": 0, "order": "paid"}
    assert len(found.evidence) == 2
