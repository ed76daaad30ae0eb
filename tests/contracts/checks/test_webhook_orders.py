"""Notices, as they change orders."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Verdict

from .written import Written


def a_run(*, settles: bool = False, **settings: Any) -> Written:
    """On a gateway where the customer pays at the hosted checkout, unless the integration takes the money."""
    run = Written("harbor", **{"notices": True, "counts_effects": True} | settings)
    run.profile = replace(run.profile, traits=replace(run.profile.traits, settles=settles))
    return run


def started(run: Written, order: str = "1", payment: str = "p1", *, charged: bool = True) -> None:
    run.order(order)
    run.create(payment, order)
    run.ledger("opened", payment, reference=order)
    run.checkout(order, payment)
    if charged:
        run.ledger("charged", payment, reference=order)


def unbought(run: Written) -> None:
    run.order("1")
    run.checkout("1", "")


# -- webhook.duplicate, webhook.replayed-old ---------------------------------------------------------------------------

TWICE = {"webhook.duplicate": "repeated-notice", "webhook.replayed-old": "replayed-notice"}


def repeated(run: Written, probe: str, effects: int | None, *, status: int | None = 200, before: int = 0) -> None:
    with run.probe(probe, how="in-turn"):
        started(run)
        run.seen("1", bool(before), effects=before)
        run.step(StepName.NOTICED)
        run.delivery("p1", status)
        run.delivery("p1", status, attempt=2)
        run.seen("1", True, effects=effects)


@pytest.mark.parametrize(("id", "probe"), TWICE.items())
@pytest.mark.parametrize("status", [200, 409, 400])
def test_one_fulfilment_passes_however_a_repetition_is_answered(id: str, probe: str, status: int) -> None:
    run = a_run()
    repeated(run, probe, 1, status=status, before=int(probe == "replayed-notice"))
    assert run.finding(id, Verdict.PASS).actual == {"effects": 1, "notices": 2}


@pytest.mark.parametrize(("id", "probe"), TWICE.items())
def test_a_second_fulfilment_fails(id: str, probe: str) -> None:
    run = a_run()
    repeated(run, probe, 2, before=int(probe == "replayed-notice"))
    assert run.finding(id, Verdict.FAIL).expected == {"effects": 1}


def test_a_second_fulfilment_that_is_seen_later_fails() -> None:
    run = a_run()
    repeated(run, "repeated-notice", 1)
    with run.probe("settle"):
        run.seen("1", True, effects=2)
    run.finding("webhook.duplicate", Verdict.FAIL)


def test_what_was_fulfilled_twice_before_its_old_notice_came_is_another_matter() -> None:
    run = a_run()
    repeated(run, "replayed-notice", 2, before=2)
    run.finding("webhook.replayed-old", Verdict.PASS)


@pytest.mark.parametrize(("id", "probe"), TWICE.items())
def test_without_a_counter_nobody_can_tell(id: str, probe: str) -> None:
    run = a_run(counts_effects=False)
    repeated(run, probe, None)
    assert run.finding(id, Verdict.NOT_APPLICABLE).declare == "order.effects"


@pytest.mark.parametrize(("id", "probe"), TWICE.items())
def test_what_was_never_fulfilled_or_read_or_told_is_not_exercised(id: str, probe: str) -> None:
    run = a_run()
    repeated(run, probe, 0)
    assert "never fulfilled" in run.finding(id, Verdict.NOT_EXERCISED).title
    assert run.causes(id) == {"webhook.before-return", "flow.success"}
    run = a_run()
    repeated(run, probe, None)
    assert "could not be read" in run.finding(id, Verdict.NOT_EXERCISED).title
    run = a_run()
    with run.probe(probe):
        unbought(run)
    assert "could not be checked out" in run.finding(id, Verdict.NOT_EXERCISED).title


# -- webhook.out-of-order ----------------------------------------------------------------------------------------------

ORDER = "webhook.out-of-order"


def disordered(run: Written, paid: bool | None, *, charged: bool = True, **seen: Any) -> None:
    with run.probe("disordered-notices", order="end-after-success"):
        started(run, charged=charged)
        run.seen("1", True)
        run.step(StepName.NOTICED)
        run.delivery("p1", event="order.aborted", paid=False)
        run.seen("1", paid, **seen)


def test_an_order_that_stays_paid_passes() -> None:
    run = a_run()
    disordered(run, True)
    run.finding(ORDER, Verdict.PASS)


def test_a_late_end_that_takes_an_order_back_fails() -> None:
    run = a_run()
    disordered(run, False, state="cancelled")
    finding = run.finding(ORDER, Verdict.FAIL)
    assert finding.actual == {"paid": False, "state": "cancelled"}
    assert "told after its success" in finding.title


def test_an_order_that_is_visibly_held_after_a_late_end_passes() -> None:
    run = a_run()
    disordered(run, False, flagged="double payment")
    run.finding(ORDER, Verdict.PASS)


def test_without_money_or_a_notice_of_an_end_there_is_no_disorder() -> None:
    run = a_run()
    disordered(run, False, charged=False)
    run.finding(ORDER, Verdict.NOT_EXERCISED)
    run = a_run()
    with run.probe("disordered-notices", order="end-after-success"):
        started(run, charged=False)
        run.step(StepName.NO_SUCH_NOTICE, "this gateway does not tell of payments that came to nothing")
    run.finding(ORDER, Verdict.NOT_APPLICABLE)
    run = a_run()
    disordered(run, None, problem="HTTP 500")
    assert run.finding(ORDER, Verdict.PASS).actual == {"state": "paid"}, "the last readable look counts"


def test_a_shop_that_does_not_sell_at_all_is_told_so_and_no_more() -> None:
    run = a_run()
    disordered(run, False)
    assert run.causes(ORDER) == {"flow.success", "flow.pending-success"}


# -- webhook.before-return ---------------------------------------------------------------------------------------------

FIRST = "webhook.before-return"


def first(
    run: Written,
    *statuses: int | None,
    paid: bool | None,
    charged: bool = True,
    then: bool = True,
    notified: bool = True,
) -> None:
    with run.probe("first-the-notice"):
        started(run, charged=charged)
        run.step(StepName.NOTICED)
        for attempt, status in enumerate(statuses, start=1) if notified else ():
            run.delivery("p1", status, attempt=attempt)
        run.seen("1", paid)
        run.step(StepName.RETURNED)
        run.page("return", "1")
        run.seen("1", then)


def test_an_order_that_the_notice_pays_passes() -> None:
    run = a_run()
    first(run, 200, paid=True)
    run.finding(FIRST, Verdict.PASS)


@pytest.mark.parametrize("first_answer", [503, 409, 404, None])
def test_the_first_delivery_may_be_refused(first_answer: int | None) -> None:
    run = a_run()
    first(run, first_answer, 200, paid=True)
    run.finding(FIRST, Verdict.PASS)


def test_a_shop_that_polls_and_swallows_the_notice_passes() -> None:
    run = a_run()
    first(run, 404, 404, 404, paid=True)
    run.finding(FIRST, Verdict.PASS)


@pytest.mark.parametrize("statuses", [(200,), (503, 503, 503), (None, None, None)])
def test_an_order_that_waits_for_the_customer_fails_though_it_is_paid_in_the_end(
    statuses: tuple[int | None, ...],
) -> None:
    run = a_run()
    first(run, *statuses, paid=False)
    finding = run.finding(FIRST, Verdict.FAIL)
    assert finding.actual == {"paid": False, "state": "pending", "notices": len(statuses)}


def test_a_capture_without_a_paid_order_fails_where_the_integration_takes_the_money() -> None:
    run = a_run(settles=True)
    first(run, 200, paid=False)
    run.finding(FIRST, Verdict.FAIL)


def test_who_takes_the_money_only_when_the_customer_is_back_loses_nothing() -> None:
    run = a_run(settles=True)
    with run.probe("first-the-notice"):
        started(run, charged=False)
        run.step(StepName.NOTICED)
        run.delivery("p1", event="order.approved", paid=False)
        run.seen("1", False)
        run.step(StepName.RETURNED)
        run.ledger("charged", "p1", reference="1")
        run.seen("1", True)
    assert "no money" in run.finding(FIRST, Verdict.PASS).title
    run = a_run(settles=True)
    first(run, 200, paid=False, charged=False, then=False)
    run.finding(FIRST, Verdict.FAIL)


def test_without_a_notice_or_a_readable_order_the_return_decides_nothing() -> None:
    run = a_run()
    first(run, 200, paid=True, notified=False)
    run.finding(FIRST, Verdict.NOT_EXERCISED)
    run = a_run()
    first(run, 200, paid=None)
    assert "could not be read" in run.finding(FIRST, Verdict.NOT_EXERCISED).title
    run = a_run()
    with run.probe("first-the-notice"):
        unbought(run)
    run.finding(FIRST, Verdict.NOT_EXERCISED)


# -- webhook.late ------------------------------------------------------------------------------------------------------

LATE = "webhook.late"


def late(run: Written, paid: bool | None, *, charged: bool = True, **seen: Any) -> None:
    with run.probe("late-notice", left="cancelled"):
        started(run, charged=charged)
        run.seen("1", False, state="cancelled")
        run.step(StepName.NOTICED)
        run.delivery("p1")
        run.seen("1", paid, **seen)


def test_a_late_notice_that_pays_or_holds_the_order_passes() -> None:
    run = a_run()
    late(run, True)
    run.finding(LATE, Verdict.PASS)
    run = a_run()
    late(run, False, flagged="double payment")
    assert "held" in run.finding(LATE, Verdict.PASS).title


def test_money_of_a_late_notice_that_nobody_books_fails() -> None:
    run = a_run()
    late(run, False, state="cancelled")
    run.finding(LATE, Verdict.FAIL)
    assert "webhook.before-return" in run.causes(LATE)


def test_late_money_that_was_never_taken_is_no_loss_where_the_integration_takes_it() -> None:
    run = a_run(settles=True)
    late(run, False, charged=False)
    run.finding(LATE, Verdict.PASS)
    run = a_run()
    late(run, False, charged=False)
    run.finding(LATE, Verdict.NOT_EXERCISED)


# -- webhook.lost ------------------------------------------------------------------------------------------------------

LOST = "webhook.lost"


def lost(run: Written, paid: bool, *, came: bool = False, returned: bool = True, **seen: Any) -> None:
    with run.probe("lost-notice"):
        started(run)
        run.step(StepName.NOTICED)
        if came:
            run.delivery("p1")
        if returned:
            run.page("return", "1")
        run.seen("1", paid, **seen)


def test_a_return_that_makes_up_for_a_lost_notice_passes() -> None:
    run = a_run()
    lost(run, True)
    run.finding(LOST, Verdict.PASS)
    run = a_run()
    lost(run, False, flagged="please look")
    run.finding(LOST, Verdict.PASS)


def test_who_trusts_notices_alone_is_warned() -> None:
    run = a_run()
    lost(run, False)
    run.finding(LOST, Verdict.WARN)


def test_a_notice_that_arrived_was_not_lost() -> None:
    run = a_run()
    lost(run, True, came=True)
    run.finding(LOST, Verdict.NOT_EXERCISED)
    run = a_run()
    lost(run, False, returned=False)
    run.finding(LOST, Verdict.NOT_EXERCISED)


# -- webhook.not-swallowed ---------------------------------------------------------------------------------------------

SWALLOWED = "webhook.not-swallowed"


def outage(run: Written, status: int | None, *again: int, paid: bool, **seen: Any) -> None:
    with run.probe("notice-in-an-outage"):
        started(run)
        run.step(StepName.NOTICED)
        run.delivery("p1", status)
        run.step(StepName.WELL_AGAIN)
        for each in again:
            run.delivery("p1", each, attempt=2)
        run.seen("1", paid, **seen)


def test_what_is_refused_in_an_outage_and_taken_later_passes() -> None:
    run = a_run()
    outage(run, 503, 200, paid=True)
    run.finding(SWALLOWED, Verdict.PASS)


@pytest.mark.parametrize("status", [200, None])
def test_a_queue_or_a_job_of_the_shops_own_passes(status: int | None) -> None:
    run = a_run()
    outage(run, status, paid=True)
    run.finding(SWALLOWED, Verdict.PASS)
    run = a_run()
    outage(run, status, paid=False, flagged="unverified")
    run.finding(SWALLOWED, Verdict.PASS)


def test_a_notice_that_was_accepted_and_forgotten_fails() -> None:
    run = a_run()
    outage(run, 200, paid=False)
    assert "answered HTTP 200" in run.finding(SWALLOWED, Verdict.FAIL).title
    assert run.causes(SWALLOWED) == {"webhook.before-return", "flow.success"}


def test_an_outage_in_which_no_notice_came_is_not_exercised() -> None:
    run = a_run()
    with run.probe("notice-in-an-outage"):
        started(run)
        run.step(StepName.NOTICED)
        run.step(StepName.WELL_AGAIN)
        run.seen("1", False)
    run.finding(SWALLOWED, Verdict.NOT_EXERCISED)
    run = a_run()
    with run.probe("notice-in-an-outage"):
        unbought(run)
    run.finding(SWALLOWED, Verdict.NOT_EXERCISED)


def taken_by_hand(*statuses: int, enough: bool = True, flagged: str = "", paid_later: bool = True) -> Written:
    """A run at a gateway where the integration takes the money: a notice that is (or is not) ``enough`` when all is well, and one
    that came in an outage and was answered like this; nothing came of it until the customer was back."""
    run = a_run(settles=True)
    first(run, 200, paid=enough)
    with run.probe("notice-in-an-outage"):
        started(run, "2", "p2", charged=False)
        run.step(StepName.NOTICED)
        for number, status in enumerate(statuses, start=1):
            run.delivery("p2", status, attempt=number)
        run.step(StepName.WELL_AGAIN)
        run.seen("2", False, flagged=flagged)
        run.step(StepName.RETURNED)
        run.ledger("charged", "p2", reference="2")
        run.seen("2", paid_later)
    return run


def test_who_takes_the_money_on_a_notice_must_not_forget_one_until_the_customer_is_back() -> None:
    found = taken_by_hand(200).finding(SWALLOWED, Verdict.FAIL)
    assert "until the customer came back" in found.title


def test_who_leaves_the_taking_to_the_return_or_asks_for_the_notice_again_forgets_nothing() -> None:
    taken_by_hand(200, enough=False).finding(SWALLOWED, Verdict.PASS)
    taken_by_hand(503, 200).finding(SWALLOWED, Verdict.PASS)
    taken_by_hand(200, flagged="unverified").finding(SWALLOWED, Verdict.PASS)


def test_an_order_that_even_the_return_does_not_pay_fails_in_any_case() -> None:
    taken_by_hand(503, enough=False, paid_later=False).finding(SWALLOWED, Verdict.FAIL)
