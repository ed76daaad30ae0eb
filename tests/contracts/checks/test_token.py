"""token.cached and token.no-stampede: the access token is kept, however many processes there are."""

from __future__ import annotations

import pytest

from payproof.contracts.model import Verdict

from .written import Written

CACHED, STAMPEDE = "token.cached", "token.no-stampede"


def _steady(*calls: int, processes: int | None = 1, workers: int | None = None) -> Written:
    """As many token calls as given while each payment is made."""
    run = Written(workers=workers)
    with run.probe("steady"):
        for number, asked in enumerate(calls):
            for _ in range(asked):
                run.token(f"<access-token-{number}>")
            run.bought(order=f"{number}", payment=f"p{number}")
        if processes is not None:
            run.step("processes", serving=processes)
    return run


# one process


def test_one_token_for_five_payments_passes() -> None:
    assert _steady(1, 0, 0, 0, 0).finding(CACHED, Verdict.PASS).evidence


def test_one_early_renewal_is_fine() -> None:
    assert _steady(1, 0, 0, 1, 0).finding(CACHED, Verdict.PASS)


def test_a_token_that_an_earlier_payment_fetched_passes() -> None:
    run = Written()
    run.token()
    with run.probe("steady"):
        for number in range(5):
            run.bought(order=f"{number}", payment=f"p{number}")
    assert run.finding(CACHED, Verdict.PASS)


def test_a_token_for_each_payment_fails() -> None:
    found = _steady(1, 1, 1, 1, 1).finding(CACHED, Verdict.FAIL)
    assert found.actual == {"token calls": 5, "payments": 5, "processes": 1}


def test_a_token_for_each_call_fails() -> None:
    assert _steady(2, 2, 2, 2, 2).finding(CACHED, Verdict.FAIL)


def test_a_token_for_every_second_payment_fails() -> None:
    assert _steady(1, 0, 1, 0, 1, processes=1).finding(CACHED, Verdict.FAIL)


# several processes, not declared


@pytest.mark.parametrize("processes", [2, 3, 5, 9])
def test_processes_that_keep_a_token_each_pass(processes: int) -> None:
    payments = 2 * processes + 3
    calls = [1] * processes + [0] * (payments - processes)
    assert _steady(*calls, processes=processes).finding(CACHED, Verdict.PASS)


def test_the_last_process_may_be_met_late() -> None:
    assert _steady(1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, processes=4).finding(CACHED, Verdict.PASS)


@pytest.mark.parametrize("processes", [2, 3, 5, 9])
def test_a_token_for_each_payment_fails_on_any_number_of_processes(processes: int) -> None:
    payments = 2 * processes + 3
    assert _steady(*[1] * payments, processes=processes).finding(CACHED, Verdict.FAIL)


def test_processes_that_nobody_counted_are_forgiven_when_the_calls_come_to_an_end() -> None:
    assert _steady(1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, processes=1).finding(CACHED, Verdict.PASS)


def test_more_processes_than_payments_cannot_be_judged() -> None:
    found = _steady(1, 1, 1, 1, 1, processes=6).finding(CACHED, Verdict.NOT_EXERCISED)
    assert found.declare == "integration.workers"


# several processes, declared


def test_what_is_declared_is_believed() -> None:
    four = (1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0)
    assert _steady(*four, processes=5, workers=4).finding(CACHED, Verdict.PASS)
    assert _steady(*four, processes=5, workers=1).finding(CACHED, Verdict.FAIL)


def test_a_token_for_each_payment_fails_whatever_is_declared() -> None:
    assert _steady(*[1] * 11, processes=5, workers=4).finding(CACHED, Verdict.FAIL)


# an integration that somebody else started: nobody counts its processes


def test_uncounted_processes_that_keep_a_token_each_pass() -> None:
    assert _steady(1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, processes=None).finding(CACHED, Verdict.PASS)


def test_uncounted_processes_that_keep_none_fail() -> None:
    assert _steady(*[1] * 13, processes=None).finding(CACHED, Verdict.FAIL)


def test_uncounted_processes_that_are_met_late_are_asked_to_be_declared() -> None:
    calls = (1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0)
    assert _steady(*calls, processes=None).finding(CACHED, Verdict.NOT_EXERCISED).declare == "integration.workers"


# reasons


def test_without_two_paid_orders_nothing_is_judged() -> None:
    run = Written()
    with run.probe("steady"):
        run.token()
        run.bought(paid=False)
    assert run.finding(CACHED, Verdict.NOT_EXERCISED).because == "flow.success"


def test_an_integration_that_never_asked_for_a_token_is_not_judged() -> None:
    found = _steady(0, 0, 0, 0, 0).finding(CACHED, Verdict.NOT_EXERCISED)
    assert "ever asked for" in found.title


def _payments_on(gateway: str, *bearers: str) -> Written:
    run = Written(gateway)
    with run.probe("steady"):
        for number, bearer in enumerate(bearers):
            run.create(f"p{number}", order=f"{number}", bearer=bearer)
            run.checkout(f"{number}", f"p{number}")
    return run


def test_where_the_token_is_the_payment_each_order_needs_its_own() -> None:
    assert _payments_on("qrpay", "<access-token-1>", "<access-token-2>").finding(CACHED, Verdict.PASS)
    found = _payments_on("qrpay", "<access-token-1>", "<access-token-1>").finding(CACHED, Verdict.FAIL)
    assert found.actual == {"orders": ["0", "1"], "token": "<access-token-1>"}


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_token_that_was_a_payment_is_shared_also_when_the_gateway_refuses_the_second_order(status: int) -> None:
    """The first order was paid by then: had it not been, the second would have overwritten it."""
    run = _payments_on("qrpay", "<access-token-1>")
    run.create(None, order="1", bearer="<access-token-1>", status=status)
    found = run.finding(CACHED, Verdict.FAIL)
    assert found.actual == {"orders": ["0", "1"], "token": "<access-token-1>"}


def test_a_token_whose_create_call_came_to_nothing_may_serve_the_next_order() -> None:
    run = Written("qrpay")
    with run.probe("steady"):
        run.create(None, order="0", bearer="<access-token-1>", status=500)
        run.create("p1", order="1", bearer="<access-token-1>")
        run.checkout("1", "p1")
    assert run.finding(CACHED, Verdict.PASS)


# no-stampede


def _crowd(
    calls: int,
    *,
    customers: int = 10,
    through: int | None = None,
    processes: int | None = 1,
    workers: int | None = None,
    gateway: str = "quatapay",
) -> Written:
    run = Written(gateway, workers=workers)
    with run.probe("stampede"):
        run.step("crowd")
        for number in range(calls):
            run.token(f"<access-token-{number}>")
        for number in range(customers):
            went = number < (customers if through is None else through)
            run.checkout(f"{number}", f"p{number}" if went else "", purpose="crowd")
        if processes is not None:
            run.step("processes", serving=processes)
    return run


def test_one_call_for_ten_customers_passes() -> None:
    assert _crowd(1).finding(STAMPEDE, Verdict.PASS).evidence


def test_a_call_for_each_customer_warns() -> None:
    found = _crowd(10).finding(STAMPEDE, Verdict.WARN)
    assert found.actual == {"token calls": 10, "processes": 1}


@pytest.mark.parametrize("processes", [2, 4, 5])
def test_undeclared_processes_may_call_once_each(processes: int) -> None:
    crowd = max(10, 3 * processes + 1)
    assert _crowd(processes, customers=crowd, processes=processes).finding(STAMPEDE, Verdict.PASS)
    assert _crowd(crowd, customers=crowd, processes=processes).finding(STAMPEDE, Verdict.WARN)


def test_the_most_processes_of_any_world_count() -> None:
    run = _crowd(4, processes=1)
    run.world("other")
    run.step("processes", serving=5)
    assert run.finding(STAMPEDE, Verdict.PASS)


def test_declared_workers_are_believed() -> None:
    assert _crowd(5, processes=5, workers=2).finding(STAMPEDE, Verdict.WARN)
    assert _crowd(4, processes=5, workers=2).finding(STAMPEDE, Verdict.PASS)


def test_some_calls_of_uncounted_processes_are_not_judged() -> None:
    found = _crowd(5, customers=16, processes=None).finding(STAMPEDE, Verdict.NOT_EXERCISED)
    assert found.declare == "integration.workers"
    assert _crowd(16, customers=16, processes=None).finding(STAMPEDE, Verdict.WARN)


def test_a_crowd_that_did_not_get_through_is_not_judged() -> None:
    assert _crowd(10, through=4).finding(STAMPEDE, Verdict.NOT_EXERCISED)
    assert "token.renewed" in _crowd(10, through=4).causes(STAMPEDE)


def test_a_crowd_without_a_token_call_shows_nothing() -> None:
    assert _crowd(0).finding(STAMPEDE, Verdict.NOT_EXERCISED)


def test_a_stampede_is_the_advice_where_the_token_is_the_payment() -> None:
    assert _crowd(10, gateway="qrpay").judged(STAMPEDE).verdict is Verdict.NOT_APPLICABLE
