"""How long a start is waited for: a busy machine's time is not the integration's."""

from __future__ import annotations

import time

import psutil
import pytest

from payproof.suites.session import process_family
from payproof.suites.session.start_limit import StartLimit


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_who_had_a_processor_all_the_time_gets_the_limit_and_no_more(clock: Clock) -> None:
    limit = StartLimit(30.0, clock, lambda: 0.0)
    assert limit.left == 30.0
    clock.now += 30.0
    assert limit.left <= 0
    assert str(limit) == "30 s"


def test_what_it_waited_for_a_processor_does_not_count(clock: Clock) -> None:
    limit = StartLimit(30.0, clock, lambda: (clock.now - 100.0) * 0.5)
    clock.now += 30.0
    assert limit.left == 15.0
    clock.now += 30.0
    assert limit.left <= 0
    assert str(limit) == "30 s and 30 s more for which this machine had no processor for it"


def test_even_a_machine_that_is_always_busy_comes_to_an_end(clock: Clock) -> None:
    limit = StartLimit(30.0, clock, lambda: clock.now)
    clock.now += 119.0
    assert limit.left == 1.0
    clock.now += 1.0
    assert limit.left <= 0


def test_what_we_were_late_ourselves_does_not_count(clock: Clock) -> None:
    limit = StartLimit(30.0, clock, lambda: 0.0)
    limit.was_late(4.0)
    limit.was_late(-3.0)
    assert limit.left == 34.0


def test_the_system_is_asked_for_how_long_a_process_waited() -> None:
    own = psutil.Process()
    assert 0 <= process_family.waited([own]) <= time.time() - own.create_time() + 1
