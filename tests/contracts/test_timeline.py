"""Where a run's time went, read off journals."""

from __future__ import annotations

import pytest

from payproof.contracts import run as runs
from payproof.contracts.entries import Process
from payproof.contracts.results.timeline import Lane, timeline
from payproof.contracts.run import Run

from .checks.written import Written


def a_run() -> Run:
    written = Written()
    written.add(Process(event="started"))
    written.passes(0.9)
    written.add(Process(event="ready"))
    with written.probe("control"):
        written.token()
    written.passes(2.0)
    with written.probe("stalled", operation="create"):
        written.create(status=None, seconds=28.0, ending="hung_up", fault="never-answer")
        written.page("checkout", began=written.now - 28.1, status=502)
        written.passes(3.0)
        written.seen(paid=False)
    written.world("stray")
    written.step("nothing was started here")
    return written.run()


@pytest.fixture
def lane() -> Lane:
    (found,) = timeline(a_run()).lanes
    return found


def test_a_world_is_launch_control_probe_runs_and_what_lies_between(lane: Lane) -> None:
    assert [span.kind for span in lane.spans if span.seconds > 0.15] == ["launch", "control", "idle", "story"]
    assert lane.seconds("launch") == pytest.approx(1.0)
    assert lane.seconds("story") == pytest.approx(31.6, abs=0.3)
    assert next(span for span in lane.spans if span.kind == "story").params == "operation=create"


def test_its_spans_follow_each_other_without_a_gap(lane: Lane) -> None:
    ends = [(before.ended, after.began) for before, after in zip(lane.spans, lane.spans[1:], strict=False)]
    assert all(ended == began for ended, began in ends)


def test_a_wait_names_the_call_that_was_open_and_a_pause_names_nothing(lane: Lane) -> None:
    held, pause = lane.waits
    assert (held.open, held.fault, round(held.seconds)) == ("create", "never-answer", 28)
    assert (pause.open, round(pause.seconds)) == ("", 3)
    call = a_run().entry(held.pointer)
    assert call is not None
    assert call.kind == "call"


def test_waiting_for_the_shops_own_page_is_told_apart() -> None:
    written = Written()
    with written.probe("steady"):
        written.page("return", seconds=6.0)
    ((wait,),) = [lane.waits for lane in timeline(written.run()).lanes]
    assert wait.open == "page"


def test_a_world_in_which_nothing_was_performed_has_no_lane_and_an_empty_run_no_time() -> None:
    assert [lane.world for lane in timeline(a_run()).lanes] == ["main"]
    empty = timeline(Run(gateway="quatapay"))
    assert (empty.seconds, empty.lanes, empty.longest) == (0.0, (), None)


def test_the_longest_wait_of_all_worlds_is_found() -> None:
    found = timeline(a_run()).longest
    assert found is not None
    assert found[1].open == "create"


def test_a_saved_run_has_the_same_timeline() -> None:
    run = a_run()
    assert timeline(runs.load(runs.dump(run))) == timeline(run)


def test_a_probe_run_that_was_broken_off_lasts_until_the_last_entry() -> None:
    written = Written()
    written.add(Process(event="started"))
    written.add(Process(event="ready"))
    begin = written.probe("steady")
    begin.__enter__()
    written.token()
    written.passes(5.0)
    written.token()
    (lane,) = timeline(written.run()).lanes
    assert lane.spans[-1].kind == "story"
    assert lane.spans[-1].ended == pytest.approx(written.now)
