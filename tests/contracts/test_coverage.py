"""What was tried: faults, calls and phases, read off journals."""

from __future__ import annotations

import pytest

from payproof.contracts.coverage import Cell, Coverage, Phase, coverage
from payproof.contracts.entries import Connection

from .checks.written import Written

CALLS = ("token", "create", "status")


@pytest.fixture
def told() -> Written:
    return Written()


def the_cell(told: Written, operation: str, fault: str, phase: Phase = "before") -> Cell:
    found = of(told).cell(operation, fault, phase)
    assert found is not None
    return found


def of(told: Written) -> Coverage:
    return coverage(told.run(), CALLS)


def test_a_call_that_met_a_fault_fills_a_cell_with_what_its_customer_had(told: Written) -> None:
    with told.probe("error-answer", operation="create"):
        order = told.order()
        told.armed("status", "create", id=1)
        call = told.create(order=order, status=500, fault="status")
        told.page("checkout", order=order, began=call.began, status=502)
        told.cleared("status", "create", fired=1)
        told.seen(order, paid=False)
    (exercise,) = the_cell(told, "create", "status").exercises
    assert (exercise.probe, exercise.hits, exercise.pointer.entry) == ("error-answer", (call.n,), call.n)
    assert (exercise.shown, exercise.status, exercise.paid) == ("page", 502, False)
    assert exercise.waited == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize(
    ("fault", "after", "phase"), [("dropped", False, "before"), ("dropped", True, "after"), ("cut", False, "after")]
)
def test_the_phase_is_the_faults_own_or_as_it_was_armed(told: Written, fault: str, after: bool, phase: Phase) -> None:
    with told.probe("network-error"):
        told.armed(fault, "create", id=1, **({"after_effect": True} if after else {}))
        told.create(status=None, ending="cut", fault=fault)
    assert len(the_cell(told, "create", fault, phase).exercises) == 1


def test_each_probe_run_is_an_exercise_of_its_own(told: Written) -> None:
    for _ in range(2):
        with told.probe("error-answer"):
            told.create(status=500, fault="status")
            told.create(status=500, fault="status")
    assert [len(each.hits) for each in the_cell(told, "create", "status").exercises] == [2, 2]


def test_a_call_that_ends_after_its_story_belongs_to_it(told: Written) -> None:
    with told.probe("stalled"):
        told.passes(1.0)
        began = told.now
    told.now = began
    held = told.create(status=None, seconds=28.0, ending="hung_up", fault="never-answer")
    (exercise,) = the_cell(told, "create", "never-answer").exercises
    assert exercise.hits == (held.n,)
    assert exercise.last == held.n


def test_a_fault_that_no_call_met_is_a_cell_without_an_exercise(told: Written) -> None:
    with told.probe("unverified"):
        told.armed("not-json", "status", id=1)
        told.cleared("not-json", "status", fired=0)
    cell = the_cell(told, "status", "not-json")
    assert (cell.exercises, cell.missed) == ((), 1)


@pytest.mark.parametrize(
    ("body", "status", "shown"),
    [("Traceback (most recent call last):", 500, "broken"), ("<p>Please try again</p>", 503, "page")],
)
def test_a_crash_is_told_from_a_page_for_people(told: Written, body: str, status: int, shown: str) -> None:
    with told.probe("error-answer"):
        call = told.create(status=500, fault="status")
        told.page("checkout", began=call.began, status=status, body=body)
    assert the_cell(told, "create", "status").exercises[0].shown == shown


def test_no_answer_and_nobody_waiting_are_told_apart(told: Written) -> None:
    with told.probe("error-answer"):
        call = told.create(status=500, fault="status")
        told.page("checkout", began=call.began, status=None, problem="timed out")
        told.passes(5.0)
        told.status(status=500, fault="status")
    assert the_cell(told, "create", "status").exercises[0].shown == "no answer"
    assert the_cell(told, "status", "status").exercises[0].waited is None


def test_what_happens_before_a_call_is_read_is_a_phase_of_its_own(told: Written) -> None:
    with told.probe("false-certificate"):
        told.add(Connection(event="handshake_failed", fault="wrong-host", ended_by="client"))
        told.create(fault="expired-certificate")
    with told.probe("network-error", operation="create"):
        armed = told.armed("refuse", id=1)
        told.page("checkout", status=502)
        told.cleared("refuse", fired=0)
    with told.probe("unknown-certificate"):
        told.add(Connection(event="handshake_failed", ended_by="client"))
    cells = of(told).cells
    assert set(cells) == {
        ("", "wrong-host", "connection"),
        ("", "expired-certificate", "connection"),
        ("create", "refuse", "connection"),
        ("", "unknown-authority", "connection"),
    }
    (refused,) = cells["create", "refuse", "connection"].exercises
    assert (refused.hits, refused.status) == ((armed.n,), 502)


def test_what_the_run_knew_and_never_tried_is_listed(told: Written) -> None:
    told.run_fields["facts"] = {"faults": {"cut": "It is cut", "drip": "", "status": "Any HTTP status"}}
    with told.probe("error-answer"):
        told.create(status=500, fault="status")
    assert of(told).untried == ("cut", "drip")
    assert of(told).about["status"] == "Any HTTP status"


def test_calls_outside_the_usual_ones_come_last(told: Written) -> None:
    with told.probe("error-answer"):
        told.call("status", status=500, fault="status", payment="p1")
        told.create(status=500, fault="status")
    assert coverage(told.run(), ("create",)).operations == ("create", "status")
