"""Guideline 3, verify.*: whether the gateway was asked before an order is paid, and returns that prove nothing."""

from __future__ import annotations

import pytest

from payproof.contracts.model import Verdict

from .written import Written

# -- verify.status-checked -------------------------------------------------------------------------------------------


def test_status_checked_passes_when_each_paid_order_was_asked_about() -> None:
    run = Written()
    with run.probe("control"):
        run.order()
        run.bought()
    assert run.finding("verify.status-checked", Verdict.PASS)


def test_status_checked_fails_when_nobody_asked() -> None:
    run = Written()
    with run.probe("control"):
        run.order()
        run.bought(verified=False)
    assert run.finding("verify.status-checked", Verdict.FAIL).actual == {"status checks answered": 0, "order": "paid"}


def test_status_checked_accepts_a_check_from_a_background_job() -> None:
    run = Written()
    with run.probe("control"):
        run.order()
        run.create()
        run.ledger("opened")
        run.checkout()
        run.ledger("charged")
        run.page("return")
        run.seen(paid=False)
        run.passes(20)
        run.status()
        run.seen()
    assert run.finding("verify.status-checked", Verdict.PASS)


def test_status_checked_cannot_be_told_where_no_order_was_paid() -> None:
    run = Written()
    with run.probe("cancelled"):
        run.order()
        run.create()
        run.checkout()
        run.seen(paid=False)
    assert "no order was seen paid" in run.finding("verify.status-checked", Verdict.NOT_EXERCISED).title


# -- returns that prove nothing --------------------------------------------------------------------------------------


def returned(
    probe: str, step: str, *, paid: bool | None, asked: bool = True, role: str = "main", run: Written | None = None
) -> Written:
    """An unpaid order whose customer comes back with an address that proves nothing."""
    run = run or Written()
    with run.probe(probe):
        if probe == "replayed-return":
            run.order("1", "paid")
            run.bought("1", "p1", verified=asked)
        run.order("2", role)
        run.create("p2", "2")
        run.ledger("opened", "p2", reference="2")
        run.checkout("2", "p2")
        run.step(step)
        began = run.now
        if asked:
            run.status("p2", paid=False)
        run.page("return", "2", began=began)
        run.seen("2", paid)
    return run


RETURNS = [
    ("verify.forged-return", "forged-return", "forged", "main"),
    ("verify.failed-return", "refused", "refused", "main"),
    ("verify.other-payment", "replayed-return", "replayed", "unpaid"),
]


@pytest.mark.parametrize(("requirement", "probe", "step", "role"), RETURNS)
def test_an_order_that_stays_unpaid_passes(requirement: str, probe: str, step: str, role: str) -> None:
    found = returned(probe, step, paid=False, role=role).finding(requirement, Verdict.PASS)
    assert len(found.evidence) == 3


@pytest.mark.parametrize(("requirement", "probe", "step", "role"), RETURNS)
def test_an_order_that_becomes_paid_fails(requirement: str, probe: str, step: str, role: str) -> None:
    found = returned(probe, step, paid=True, role=role).finding(requirement, Verdict.FAIL)
    assert found.actual == {"paid": True, "state": "paid", "charged": 0}


@pytest.mark.parametrize(("requirement", "probe", "step", "role"), RETURNS)
def test_an_error_page_is_no_accusation(requirement: str, probe: str, step: str, role: str) -> None:
    run = Written()
    with run.probe(probe):
        run.order("2", role)
        run.checkout("2", "p2")
        run.step(step)
        run.page("return", "2", status=403, body="<p>This payment cannot be confirmed.</p>")
        run.seen("2", paid=False)
    assert run.finding(requirement, Verdict.PASS)


@pytest.mark.parametrize(("requirement", "probe", "step", "role"), RETURNS)
def test_a_checkout_that_did_not_come_about_is_the_reason(requirement: str, probe: str, step: str, role: str) -> None:
    run = Written()
    with run.probe(probe):
        run.order("2", role)
        page = run.page("checkout", "2", status=500, body="")
        run.checkout("2", "", outcome="broken", page=page.n)
    found = run.finding(requirement, Verdict.NOT_EXERCISED)
    assert found.title == "order 2 could not be checked out: broken (HTTP 500)"
    assert len(found.evidence) == 2


@pytest.mark.parametrize(("requirement", "probe", "step", "role"), RETURNS)
def test_an_order_that_cannot_be_read_is_no_pass(requirement: str, probe: str, step: str, role: str) -> None:
    found = returned(probe, step, paid=None, role=role).finding(requirement, Verdict.NOT_EXERCISED)
    assert "could not be read" in found.title


def test_whoever_never_asks_is_taken_in_by_a_forgery_and_not_by_another_payment() -> None:
    run = returned("forged-return", "forged", paid=True, asked=False)
    returned("replayed-return", "replayed", paid=True, asked=False, role="unpaid", run=run)
    found = run.finding("verify.other-payment", Verdict.NOT_EXERCISED)
    assert found.because == "verify.forged-return"


def test_another_payment_that_is_remembered_as_paid_fails_though_the_gateway_is_not_asked_again() -> None:
    run = returned("forged-return", "forged", paid=False)
    with run.probe("replayed-return"):
        run.order("1", "paid")
        run.bought("1", "p1")
        run.order("4", "unpaid")
        run.create("p4", "4")
        run.ledger("opened", "p4", reference="4")
        run.checkout("4", "p4")
        run.step("replayed")
        run.page("return", "4")
        run.seen("4")
    assert run.finding("verify.other-payment", Verdict.FAIL)
