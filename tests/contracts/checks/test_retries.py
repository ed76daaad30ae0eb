"""errors.no-retry, .backoff, .conflict and idempotency.new-key-per-attempt: what is sent again, and what had better not be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from payproof.contracts.checklist import Item
from payproof.contracts.model import Verdict
from payproof.contracts.profile import Idempotency

from .written import Written

NO_RETRY, BACKOFF, CONFLICT, ATTEMPT = (
    "errors.no-retry",
    "errors.backoff",
    "errors.conflict",
    "idempotency.new-key-per-attempt",
)


def listed() -> Written:
    """A run on a gateway whose checklist asks for all of it."""
    run = Written()
    item = Item("17", "again", "Again", "What is sent again.", (NO_RETRY, BACKOFF, CONFLICT, ATTEMPT))
    checklist = replace(run.profile.checklist, guidelines=(*run.profile.checklist.guidelines, item))
    run.profile = replace(run.profile, checklist=checklist)
    return run


def guided() -> Written:
    """The same, on one that says what to send again, and remembers keys."""
    run = listed()
    limits = replace(run.profile.limits, attempts=5, pause=0.5)
    faults = {**run.profile.faults, CONFLICT: ("currency",)}
    run.profile = replace(run.profile, limits=limits, idempotency=Idempotency(header="Key"), faults=faults)
    return run


def refused(*statuses: int, pause: float = 1.0, of: str = "create", **more: Any) -> Written:
    """One request of the customer leads to these answers."""
    run = guided()
    verifies = of == "status"
    with run.probe("refused-check" if verifies else "error-answer", operation=of, fault="error", error="currency"):
        run.order("1", "unverified" if verifies else "main")
        if verifies:
            run.create("p1", "1")
            run.checkout("1", "p1")
            run.step("paid")
        began = run.now
        for n, status in enumerate(statuses):
            run.passes(pause if n else 0)
            about: dict[str, Any] = {"payment": "p1"} if verifies else {"reference": "1", "spelled": "5000"}
            run.call(of, status=status, fault="error", **about | {name: value[n] for name, value in more.items()})
        run.page(
            "return" if verifies else "checkout", "1", status=503, body="<p>Please try again later.</p>", began=began
        )
        run.step("mended" if verifies else "tried", promised=60)
    return run


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_refusal_that_is_sent_again_as_it_is_fails(status: int) -> None:
    assert refused(status).finding(NO_RETRY, Verdict.PASS)
    assert refused(status, status).finding(NO_RETRY, Verdict.FAIL).actual == {"attempts": 2}


@pytest.mark.parametrize("status", [401, 403, 409, 429, 500])
def test_what_another_try_may_mend_is_no_refusal(status: int) -> None:
    assert refused(status, status).judged(NO_RETRY).verdict is not Verdict.FAIL


def test_a_request_that_was_changed_is_another_one() -> None:
    assert refused(400, 400, spelled=["5000", "5000.00"]).finding(NO_RETRY, Verdict.PASS)


def test_two_looks_at_a_payment_are_no_repetition_and_three_are() -> None:
    assert refused(404, 404, of="status").finding(NO_RETRY, Verdict.PASS)
    assert refused(404, 404, 404, of="status").finding(NO_RETRY, Verdict.FAIL)


def test_what_is_sent_again_without_a_pause_or_too_often_is_warned_of() -> None:
    assert refused(503).finding(BACKOFF, Verdict.PASS)
    assert refused(503, 503, pause=0.6).finding(BACKOFF, Verdict.PASS)
    hasty = refused(503, 503, pause=0.1).finding(BACKOFF, Verdict.WARN)
    assert hasty.actual == {"attempts": 2, "seconds between": [0.2]}
    assert refused(*[503] * 6).finding(BACKOFF, Verdict.WARN)
    assert refused(*[503] * 5).finding(BACKOFF, Verdict.PASS)


def test_a_gateway_without_guidance_asks_for_none_of_it() -> None:
    assert {listed().judged(id).verdict for id in (NO_RETRY, BACKOFF, CONFLICT, ATTEMPT)} == {Verdict.NOT_APPLICABLE}


def test_a_used_key_may_be_answered_by_one_more_try() -> None:
    assert refused(409).finding(CONFLICT, Verdict.PASS)
    assert refused(409, 409).finding(CONFLICT, Verdict.PASS)
    assert refused(409, 409, 409).finding(CONFLICT, Verdict.FAIL)


def test_a_key_whose_first_call_is_still_under_way_may_be_sent_more_often() -> None:
    def busy(times: int) -> Written:
        run = refused(*[409] * times)
        errors = {**run.profile.errors, "currency": replace(run.profile.errors["currency"], passes=True)}
        run.profile = replace(run.profile, errors=errors)
        return run

    assert busy(3).finding(CONFLICT, Verdict.PASS)
    assert busy(6).finding(CONFLICT, Verdict.FAIL)


def again(payment: str = "p2", *, taken: str = "", status: int = 200) -> Written:
    """The first payment was cancelled; the customer starts again and comes to ``payment``."""
    run = guided()
    with run.probe("started-again"):
        run.order("1")
        run.create("p1", "1")
        run.ledger("opened", "p1", reference="1")
        run.checkout("1", "p1")
        run.ledger("cancelled", "p1", reference="1")
        run.step("again", ended="cancelled")
        run.create(payment, "1", status=status)
        run.checkout("1", payment, purpose="again")
        if taken:
            run.ledger("charged", taken, reference="1")
    return run


def test_a_customer_who_is_sent_to_the_payment_that_ended_is_lost() -> None:
    assert again(taken="p2").finding(ATTEMPT, Verdict.PASS)
    assert "is sent to the payment that was cancelled" in again("p1").finding(ATTEMPT, Verdict.FAIL).title


def test_a_first_payment_that_can_still_be_paid_is_fine() -> None:
    assert again("p1", taken="p1").finding(ATTEMPT, Verdict.PASS)


def test_a_used_key_that_is_refused_fails_and_an_order_that_is_over_does_not() -> None:
    assert "the gateway refuses the call" in again("", status=409).finding(ATTEMPT, Verdict.FAIL).title
    assert again("", status=200).judged(ATTEMPT).verdict is Verdict.NOT_APPLICABLE
