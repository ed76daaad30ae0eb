"""Two results held against each other."""

from __future__ import annotations

import pytest
from results import a_judgement, a_result

from payproof.contracts.model import Level, Outcome
from payproof.contracts.results.run_comparison import Change, Kind, RunComparison, compare_results


def one(old: str, new: str, **fields: str) -> tuple[Change, RunComparison]:
    found = compare_results(a_result(a_judgement("a.b", old, **fields)), a_result(a_judgement("a.b", new, **fields)))
    return found.changes[0], found


@pytest.mark.parametrize(
    ("old", "new", "kind", "worse"),
    [
        ("pass", "fail", "failing", True),
        ("not_exercised", "fail", "failing", True),
        ("error", "fail", "failing", True),
        ("pass", "error", "changed", True),
        ("error", "pass", "changed", False),
        ("fail", "pass", "mended", False),
        ("fail", "attested", "mended", False),
        ("fail", "not_exercised", "changed", False),
        ("pass", "not_exercised", "changed", True),
        ("attested", "not_exercised", "changed", True),
        ("pass", "attested", "changed", False),
        ("fail", "fail", "same", False),
        ("pass", "pass", "same", False),
    ],
)
def test_a_change_has_a_kind_and_is_worse_or_not(old: str, new: str, kind: Kind, worse: bool) -> None:
    change, found = one(old, new)
    assert (change.kind, change.worse, found.worse) == (kind, worse, worse)


def test_a_should_that_warns_now_is_worse_and_one_that_was_not_exercised_is_not() -> None:
    assert one("pass", "warn", level="should")[1].worse
    assert not one("pass", "not_exercised", level="should")[1].worse
    assert one("pass", "warn", level="should")[0].level is Level.SHOULD


def test_a_failure_that_is_accepted_is_told_and_is_not_worse_until_it_is_accepted_no_more() -> None:
    good, bad = a_judgement("a.b", "pass"), a_judgement("a.b", "fail")
    accepted = a_judgement("a.b", "fail", baseline="known (Ada, until 2026-12-01)")
    begun = compare_results(a_result(good), a_result(accepted))
    assert (begun.changes[0].kind, begun.worse) == ("failing", False)
    over = compare_results(a_result(accepted), a_result(bad))
    assert (over.changes[0].kind, over.worse) == ("changed", True)


def test_a_shortened_run_says_nothing_of_what_it_left_out() -> None:
    whole = a_result(a_judgement("a.b", "pass"), a_judgement("a.c", "pass"))
    short = a_result(a_judgement("a.c", "not_exercised"), outcome=Outcome.PARTIAL, reasons=(), scope=("a.b", "a.c"))
    for found in (compare_results(whole, short), compare_results(short, whole)):
        assert [change.kind for change in found.changes] == ["unjudged", "unjudged"]
        assert not found.worse


def test_a_run_that_was_not_scored_any_more_is_worse() -> None:
    good = a_result(a_judgement("a.b", "pass"))
    silent = a_result(a_judgement("a.b", "not_exercised"), outcome=Outcome.NOT_SCORED)
    found = compare_results(good, silent)
    assert (found.changes[0].kind, found.unscored, found.worse) == ("unjudged", True, True)
    assert not compare_results(silent, silent).worse


def test_requirements_that_only_one_checklist_has_are_named() -> None:
    old = a_result(a_judgement("gone.x", "fail"), a_judgement("a.b", "pass"))
    new = a_result(a_judgement("a.b", "pass"), a_judgement("fresh.y", "fail"), a_judgement("fresh.z", "pass"))
    found = compare_results(old, new)
    assert [change.requirement for change in found.of("removed")] == ["gone.x"]
    assert [(change.requirement, change.worse) for change in found.of("added")] == [
        ("fresh.y", True),
        ("fresh.z", False),
    ]


def test_facts_that_may_explain_a_change_are_told_and_the_time_is_none() -> None:
    good = a_judgement("a.b", "pass")
    old = a_result(good, facts={"seed": 1, "target": "simulator", "started": "2026-11-01T00:00:00Z", "commit": "abc"})
    new = a_result(good, facts={"seed": 2, "target": "simulator", "started": "2026-11-02T00:00:00Z"})
    found = compare_results(old, new)
    assert [(fact.name, fact.old, fact.new) for fact in found.facts] == [("seed", 1, 2), ("commit", "abc", None)]


def test_a_baseline_entry_that_is_stale_now_is_worse() -> None:
    good = a_judgement("a.b", "pass")
    found = compare_results(a_result(good), a_result(good, stale_baseline=("a.b",)))
    assert (found.stale, found.worse) == (("a.b",), True)
