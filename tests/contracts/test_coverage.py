"""What was tried: faults, calls and phases, read off journals."""

from __future__ import annotations

import pytest

from payproof.contracts.entries import Connection
from payproof.contracts.results.coverage import Cell, Coverage, Phase, coverage

from .checks.written import Written

CALLS = ("token", "create", "status")


@pytest.fixture
def written() -> Written:
    return Written()


def the_cell(written: Written, operation: str, fault: str, phase: Phase = "before") -> Cell:
    found = of(written).cell(operation, fault, phase)
    assert found is not None
    return found


def of(written: Written) -> Coverage:
    return coverage(written.run(), CALLS)


def test_a_call_that_met_a_fault_fills_a_cell_with_what_its_customer_had(written: Written) -> None:
    with written.probe("error-answer", operation="create"):
        order = written.order()
        written.armed("status", "create", id=1)
        call = written.create(order=order, status=500, fault="status")
        written.page("checkout", order=order, began=call.began, status=502)
        written.cleared("status", "create", fired=1)
        written.seen(order, paid=False)
    (exercise,) = the_cell(written, "create", "status").exercises
    assert (exercise.probe, exercise.hits, exercise.pointer.entry) == ("error-answer", (call.n,), call.n)
    assert (exercise.shown, exercise.status, exercise.paid) == ("page", 502, False)
    assert exercise.waited == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize(
    ("fault", "after", "phase"), [("dropped", False, "before"), ("dropped", True, "after"), ("cut", False, "after")]
)
def test_the_phase_is_the_faults_own_or_as_it_was_armed(
    written: Written, fault: str, after: bool, phase: Phase
) -> None:
    with written.probe("network-error"):
        written.armed(fault, "create", id=1, **({"after_effect": True} if after else {}))
        written.create(status=None, ending="cut", fault=fault)
    assert len(the_cell(written, "create", fault, phase).exercises) == 1


def test_each_probe_run_is_an_exercise_of_its_own(written: Written) -> None:
    for _ in range(2):
        with written.probe("error-answer"):
            written.create(status=500, fault="status")
            written.create(status=500, fault="status")
    assert [len(each.hits) for each in the_cell(written, "create", "status").exercises] == [2, 2]


def test_a_call_that_ends_after_its_probe_run_belongs_to_it(written: Written) -> None:
    with written.probe("stalled"):
        written.passes(1.0)
        began = written.now
    written.now = began
    held = written.create(status=None, seconds=28.0, ending="hung_up", fault="never-answer")
    (exercise,) = the_cell(written, "create", "never-answer").exercises
    assert exercise.hits == (held.n,)
    assert exercise.last == held.n


def test_a_fault_that_no_call_met_is_a_cell_without_an_exercise(written: Written) -> None:
    with written.probe("unverified"):
        written.armed("not-json", "status", id=1)
        written.cleared("not-json", "status", fired=0)
    cell = the_cell(written, "status", "not-json")
    assert (cell.exercises, cell.missed) == ((), 1)


@pytest.mark.parametrize(
    ("body", "status", "shown"),
    [("Traceback (most recent call last):", 500, "broken"), ("<p>Please try again</p>", 503, "page")],
)
def test_a_crash_is_told_from_a_page_for_people(written: Written, body: str, status: int, shown: str) -> None:
    with written.probe("error-answer"):
        call = written.create(status=500, fault="status")
        written.page("checkout", began=call.began, status=status, body=body)
    assert the_cell(written, "create", "status").exercises[0].shown == shown


def test_no_answer_and_nobody_waiting_are_told_apart(written: Written) -> None:
    with written.probe("error-answer"):
        call = written.create(status=500, fault="status")
        written.page("checkout", began=call.began, status=None, problem="timed out")
        written.passes(5.0)
        written.status(status=500, fault="status")
    assert the_cell(written, "create", "status").exercises[0].shown == "no answer"
    assert the_cell(written, "status", "status").exercises[0].waited is None


def test_what_happens_before_a_call_is_read_is_a_phase_of_its_own(written: Written) -> None:
    with written.probe("false-certificate"):
        written.add(Connection(event="handshake_failed", fault="wrong-host", ended_by="client"))
        written.create(fault="expired-certificate")
    with written.probe("network-error", operation="create"):
        armed = written.armed("refuse", id=1)
        written.page("checkout", status=502)
        written.cleared("refuse", fired=0)
    with written.probe("unknown-certificate"):
        written.create()
        written.step("distrust")
        written.add(Connection(event="handshake_failed", ended_by="client"))
    cells = of(written).cells
    assert set(cells) == {
        ("", "wrong-host", "connection"),
        ("", "expired-certificate", "connection"),
        ("create", "refuse", "connection"),
        ("", "unknown-authority", "connection"),
    }
    (refused,) = cells["create", "refuse", "connection"].exercises
    assert (refused.hits, refused.status) == ((armed.n,), 502)


def test_what_the_run_knew_and_never_tried_is_listed(written: Written) -> None:
    written.run_fields["facts"] = {"faults": {"cut": "It is cut", "drip": "", "status": "Any HTTP status"}}
    with written.probe("error-answer"):
        written.create(status=500, fault="status")
    assert of(written).untried == ("cut", "drip")
    assert of(written).about["status"] == "Any HTTP status"


def test_calls_outside_the_usual_ones_come_last(written: Written) -> None:
    with written.probe("error-answer"):
        written.call("status", status=500, fault="status", payment="p1")
        written.create(status=500, fault="status")
    assert coverage(written.run(), ("create",)).operations == ("create", "status")
