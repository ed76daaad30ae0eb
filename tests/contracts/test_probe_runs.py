"""Journals are read by what one request of the customer caused, and by every name that an order has."""

from __future__ import annotations

from an_event import an_event

from payproof.contracts import entries as e
from payproof.contracts import journal as j
from payproof.contracts import run as r
from payproof.contracts.judging.attempts import attempts
from payproof.contracts.judging.probe_runs import confirmed, names_of, payments_of, probe_runs, with_final_names


def a_page(began: float, ended: float, purpose: str = "return") -> e.Page:
    return e.Page(
        began=began, ended=ended, where="integration", purpose=purpose, request=e.Request(method="GET", url="/")
    )


def a_call(began: float, operation: str = "status", **meaning: object) -> e.Call:
    event = an_event(operation=operation, payment="p1", **meaning)
    request = e.Request(method="GET", url="/")
    return e.Call(began=began, ended=began + 0.05, ending="answered", request=request, event=event, fault="status")


def a_run(*entries: e.Entry) -> r.Run:
    journal = j.Journal()
    for entry in (e.ProbeMark(event="begin", probe="x"), *entries, e.ProbeMark(event="end", probe="x")):
        journal.add(entry)
    return r.Run(gateway="quatapay", worlds=(r.RecordedWorld(name="main", entries=tuple(journal.entries)),))


def longest(*entries: e.Entry) -> int:
    (probe_run,) = probe_runs(a_run(*entries))
    return len(attempts(probe_run, probe_run.calls()))


def test_two_pages_that_each_verify_are_two_requests() -> None:
    first = (a_page(0, 1), a_call(0.1), a_call(0.3))
    second = (a_page(1.1, 2, "order"), a_call(1.2), a_call(1.4))
    assert longest(*first, *second) == 2


def test_slow_retries_while_one_customer_waits_are_one_request() -> None:
    assert longest(a_page(0, 20), *(a_call(2.0 * number) for number in range(8))) == 8


def test_background_checks_are_not_retries_of_each_other() -> None:
    assert longest(a_page(0, 0.1), *(a_call(1.0 + number) for number in range(8))) == 1


def test_a_storm_of_creates_is_seen_also_where_verification_runs_in_the_background() -> None:
    storm = [a_call(0.3 * number, "create") for number in range(9)]
    (probe_run,) = probe_runs(a_run(a_page(0, 5, "checkout"), *storm, a_call(60.0)))
    assert len(attempts(probe_run, probe_run.calls("open"))) == 9


def test_an_order_is_called_by_its_final_name_and_found_by_all_of_them() -> None:
    run = a_run(
        e.Step(text="order", name="order:main", facts={"order": "123"}),
        e.Checkout(order="123", amount="5.00", currency="XAF", outcome="redirected", payment="p1"),
        e.Step(text="renamed", name="renamed", facts={"ours": "123", "order": "TEA7"}),
        e.OrderSeen(order="TEA7", paid=True),
        e.Ledger(event="opened", payment="p2", reference="shop-TEA7"),
    )
    world = with_final_names(run.worlds[0])
    (probe_run,) = probe_runs(r.Run(gateway="quatapay", worlds=(world,)))
    assert probe_run.order() == "TEA7"
    assert names_of(world, "TEA7") == {"123", "TEA7"}
    assert payments_of(world, "TEA7") == ("p1", "p2")


def test_a_strange_wrapping_is_an_answer_and_another_payments_answer_is_none() -> None:
    checkout = e.Checkout(order="1", amount="5.00", currency="XAF", outcome="redirected", payment="p1")
    (true,) = probe_runs(a_run(checkout, a_call(0.0, paid=True, answered="p1")))
    (other,) = probe_runs(a_run(checkout, a_call(0.0, paid=True, answered="p9")))
    assert confirmed(true, "1")
    assert not confirmed(other, "1")


def test_a_short_id_within_a_longer_one_is_another_orders() -> None:
    journal = j.Journal()
    journal.add(e.Ledger(event="opened", payment="p12", reference="12"))
    journal.add(e.Ledger(event="opened", payment="p1", reference="ORDER-1"))
    journal.add(e.Ledger(event="opened", payment="p9", reference="20261128182801642"))
    world = r.RecordedWorld(name="main", entries=tuple(journal.entries))
    assert payments_of(world, "1") == ("p1",)
    assert payments_of(world, "182801642") == ("p9",)
