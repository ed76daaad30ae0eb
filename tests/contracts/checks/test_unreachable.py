"""verify.unreachable: an order whose status check failed for a while."""

from __future__ import annotations

import pytest

from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Verdict

from .written import Written


def unverified(
    fault: str = "status",
    *,
    early: bool = False,
    asked: bool = True,
    later: tuple[bool | None, ...] = (),
    flagged: str = "",
    order: str = "1",
    payment: str = "p1",
    run: Written | None = None,
) -> Written:
    """A paid order whose check fails; ``later``: the looks after it works again."""
    run = run or Written()
    with run.probe("unverified", fault=fault):
        run.order(order, "unverified")
        run.create(payment, order)
        run.ledger("opened", payment, reference=order)
        run.checkout(order, payment)
        run.ledger("charged", payment, reference=order)
        run.step("paid")
        run.armed(fault, "status")
        if asked:
            run.status(payment, paid=None, status=500, fault=fault)
        run.page("return", order, status=503)
        run.seen(order, early)
        run.cleared(fault, "status")
        run.step("mended", promised=60)
        run.page("reload", order)
        for paid in later:
            run.seen(order, paid, flagged=flagged)
    return run


def settled(run: Written, order: str = "1", *, seconds: float = 60, paid: bool = False, flagged: str = "") -> Written:
    """The last wait of the world, and a look at its end."""
    with run.probe("settle"):
        run.step("last-wait", promised=60)
        run.page("reload", order)
        run.passes(seconds)
        run.seen(order, paid, flagged=flagged)
    return run


def test_pending_and_then_paid_passes() -> None:
    assert unverified(later=(True,)).finding("verify.unreachable", Verdict.PASS)


def test_paid_before_it_was_verified_fails() -> None:
    found = unverified(early=True, later=(True,)).finding("verify.unreachable", Verdict.FAIL)
    assert "while the status check failed" in found.title


def test_an_order_that_is_lost_for_good_fails() -> None:
    found = settled(unverified(later=(False,))).finding("verify.unreachable", Verdict.FAIL)
    assert "stays pending" in found.title


def test_a_background_job_that_needs_its_time_passes() -> None:
    run = settled(unverified(later=(False,)), seconds=50, paid=True)
    assert run.finding("verify.unreachable", Verdict.PASS)


def test_a_held_order_passes_at_once() -> None:
    found = unverified(later=(False,), flagged="check by hand").finding("verify.unreachable", Verdict.PASS)
    assert "held for a person" in found.title


def test_an_order_that_is_held_at_last_passes() -> None:
    run = settled(unverified(later=(False,)), seconds=5, flagged="check by hand")
    assert run.finding("verify.unreachable", Verdict.PASS)


def test_what_was_looked_at_too_briefly_is_neither_lost_nor_a_pass() -> None:
    run = unverified(later=(False,))
    unverified("html", later=(True,), order="2", payment="p2", run=run)
    found = run.finding("verify.unreachable", Verdict.NOT_EXERCISED)
    assert "nobody looked for the 60 s" in found.title
    assert len(found.evidence) == 3
    assert any(reason.startswith("verify.unreachable: ") for reason in judge(run.run(), run.profile).reasons)


def test_one_kind_of_failure_that_loses_the_order_fails_though_the_others_go_well() -> None:
    run = unverified(later=(True,))
    unverified("html", later=(False,), order="2", payment="p2", run=run)
    settled(run, "2")
    assert "(answered with an HTML page)" in run.finding("verify.unreachable", Verdict.FAIL).title


def test_the_time_in_which_other_probe_runs_broke_the_check_again_is_not_counted() -> None:
    run = unverified(later=(False,))
    run.passes(120)
    settled(run, seconds=20)
    assert run.finding("verify.unreachable", Verdict.NOT_EXERCISED)


def test_a_truthful_answer_in_strange_wrapping_is_an_answer() -> None:
    run = Written()
    with run.probe("unverified", fault="oversized"):
        run.order("1", "unverified")
        run.create("p1", "1")
        run.checkout("1", "p1")
        run.ledger("charged", "p1", reference="1")
        run.step("paid")
        run.status("p1", paid=True, fault="oversized")
        run.page("return", "1")
        run.seen("1")
        run.step("mended", promised=60)
        run.seen("1")
    assert run.finding("verify.unreachable", Verdict.PASS)


def test_another_payments_answer_is_no_answer() -> None:
    run = Written()
    with run.probe("unverified", fault="other-payment"):
        run.order("1", "unverified")
        run.create("p1", "1")
        run.checkout("1", "p1")
        run.ledger("charged", "p1", reference="1")
        run.step("paid")
        run.status("p1", paid=True, answered="p9", fault="other-payment")
        run.page("return", "1")
        run.seen("1")
        run.step("mended", promised=60)
    assert run.finding("verify.unreachable", Verdict.FAIL)


def test_a_check_that_was_never_made_meets_no_failure() -> None:
    run = unverified(early=True, asked=False, later=(True,))
    assert run.finding("verify.unreachable", Verdict.NOT_EXERCISED).because == "verify.status-checked"


def test_a_payment_that_did_not_come_about_is_the_reason() -> None:
    run = Written()
    with run.probe("unverified", fault="cut"):
        run.order("1", "unverified")
        run.checkout("1", "")
    found = run.finding("verify.unreachable", Verdict.NOT_EXERCISED)
    assert found.title == "answered with JSON that breaks off: order 1 could not be checked out: refused"


def test_a_status_check_that_was_never_answered_is_one_of_its_probe_runs() -> None:
    run = Written()
    with run.probe("stalled", operation="status"):
        run.order("1", "unverified")
        run.create("p1", "1")
        run.checkout("1", "p1")
        run.ledger("charged", "p1", reference="1")
        run.step("paid")
        run.status("p1", paid=None, status=None, ending="hung_up", seconds=10, fault="never-answer")
        run.page("return", "1", status=503)
        run.seen("1", paid=False)
        run.step("mended", promised=60)
        run.seen("1")
    assert "no answer" in run.finding("verify.unreachable", Verdict.PASS).title


def unreached(how: str, *, early: bool = False, later: bool = True, asked: bool = True) -> Written:
    """The status check gets no connection, or no answer on one."""
    run = Written()
    with run.probe("network-error", operation="status", how=how):
        run.order("1", "unverified")
        run.create("p1", "1")
        run.ledger("opened", "p1", reference="1")
        run.checkout("1", "p1")
        run.ledger("charged", "p1", reference="1")
        run.step("paid")
        if how == "close" and asked:
            run.status("p1", paid=None, status=None, ending="cut", fault="dropped")
        run.page("return", "1", status=503)
        run.seen("1", early)
        run.step("tried")
        run.step("mended", promised=60)
        if asked:
            run.status("p1")
        run.seen("1", later)
    return run


@pytest.mark.parametrize(("how", "words"), [("refuse", "connection refused"), ("close", "closed without an answer")])
def test_a_connection_that_fails_is_one_of_its_probe_runs(how: str, words: str) -> None:
    assert words in unreached(how).finding("verify.unreachable", Verdict.PASS).title
    assert unreached(how, early=True).finding("verify.unreachable", Verdict.FAIL)
    assert settled(unreached(how, later=False)).finding("verify.unreachable", Verdict.FAIL)


def test_whoever_never_asks_is_not_accused_for_a_closed_port() -> None:
    found = unreached("refuse", early=True, asked=False).finding("verify.unreachable", Verdict.NOT_EXERCISED)
    assert found.because == "verify.status-checked"


def limited(*later: bool, early: bool = False, operation: str = "status") -> Written:
    """The status check of a paid order is answered 429, and then properly."""
    run = Written()
    with run.probe("rate-limited", operation=operation):
        run.order("1", "unverified")
        run.create("p1", "1")
        run.ledger("opened", reference="1")
        run.checkout("1", "p1")
        run.ledger("charged", reference="1")
        run.step("paid")
        run.armed("rate-limit", operation)
        run.status("p1", paid=None, status=429, fault="rate-limit", answer_headers=(("Retry-After", "2"),))
        run.page("return", "1", status=200)
        run.seen("1", early)
        run.step("mended", promised=60)
        run.page("reload", "1")
        for paid in later:
            run.seen("1", paid)
        run.step("recover")
    return run


def test_too_many_status_checks_make_an_order_neither_paid_nor_lost() -> None:
    assert limited(True).finding("verify.unreachable", Verdict.PASS)
    assert "HTTP 429" in limited(True, early=True).finding("verify.unreachable", Verdict.FAIL).title
    assert "HTTP 429" in settled(limited(False)).finding("verify.unreachable", Verdict.FAIL).title


def test_too_many_other_calls_are_nothing_to_an_order_that_was_not_paid() -> None:
    run = Written()
    with run.probe("rate-limited", operation="create"):
        run.order("1")
        run.create(None, "1", status=429, fault="rate-limit")
        run.page("checkout", "1", status=503)
        run.step("recover")
    assert "HTTP 429" not in run.finding("verify.unreachable", Verdict.NOT_EXERCISED).title
