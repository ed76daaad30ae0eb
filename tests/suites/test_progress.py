"""What shows while a run works."""

from __future__ import annotations

import io

from rich.console import Console

from payproof.suites.session.progress import LiveTable, Plain, SilentProgress, progress


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_where_nobody_watches_there_is_a_line_for_each_world_that_ends() -> None:
    lines: list[str] = []
    clock = Clock()
    plain = Plain(lines.append, clock=clock)
    plain.world_started("main")
    plain.probe_started("main", "double-submit")
    clock.now = 2.5
    plain.world_finished("main")
    plain.close()
    assert lines == ["[  2.5 s] main: done after 2.5 s"]


def test_after_ten_seconds_of_silence_it_says_that_it_works() -> None:
    lines: list[str] = []
    clock = Clock()
    plain = Plain(lines.append, clock=clock)
    plain.world_started("main")
    plain.probe_started("main", "stalled")
    clock.now = 9.9
    plain.beat()
    assert lines == []
    clock.now = 10.0
    plain.beat()
    plain.beat()
    plain.close()
    assert lines == ["[ 10.0 s] still working: main (stalled)"]


def test_a_terminal_gets_a_table_that_is_gone_at_the_end() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    table = progress(console)
    assert isinstance(table, LiveTable)
    for number in range(12):
        table.world_started(f"world-{number}")
        table.probe_started(f"world-{number}", "slow")
    with console.capture() as capture:
        console.print(table.render())
    table.close()
    shown = capture.get()
    assert "world-0" in shown
    assert "slow" in shown
    assert "and 4 more" in shown
    assert "12 running, 0 done" in shown


def test_quiet_is_silent_and_a_pipe_gets_lines() -> None:
    assert isinstance(progress(Console(file=io.StringIO()), quiet=True), SilentProgress)
    piped = progress(Console(file=io.StringIO()))
    piped.close()
    assert isinstance(piped, Plain)
