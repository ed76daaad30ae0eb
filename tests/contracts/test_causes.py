"""Causes are looked up among what failed in this run, never written into a check."""

from __future__ import annotations

from typing import Any

from payproof.contracts.judge import with_causes
from payproof.contracts.model import Finding, Verdict


def a_finding(check: str, verdict: Verdict, *causes: str, **more: Any) -> Finding:
    return Finding(check=check, verdict=verdict, title=f"{check} {verdict.value}", causes=causes, **more)


def resolved(*findings: Finding) -> dict[str, Finding]:
    return {id: found[0] for id, found in with_causes({f.check: (f,) for f in findings}).items()}


def test_a_cause_that_failed_is_named() -> None:
    found = resolved(a_finding("a", Verdict.NOT_EXERCISED, "b"), a_finding("b", Verdict.FAIL))
    assert found["a"].because == "b"


def test_a_cause_that_passed_is_not_named() -> None:
    found = resolved(a_finding("a", Verdict.NOT_EXERCISED, "b"), a_finding("b", Verdict.PASS))
    assert found["a"].because == ""
    assert found["a"].verdict is Verdict.NOT_EXERCISED


def test_the_first_of_the_candidates_that_failed_is_the_cause() -> None:
    found = resolved(
        a_finding("a", Verdict.NOT_EXERCISED, "b", "c", "d"),
        a_finding("b", Verdict.PASS),
        a_finding("c", Verdict.FAIL),
        a_finding("d", Verdict.FAIL),
    )
    assert found["a"].because == "c"


def test_a_failure_that_another_explains_is_none_of_its_own() -> None:
    found = resolved(a_finding("a", Verdict.FAIL, "b", expected=1, actual=2), a_finding("b", Verdict.FAIL))
    assert (found["a"].verdict, found["a"].because) == (Verdict.NOT_EXERCISED, "b")
    assert found["a"].actual == 2, "what was seen stays"


def test_a_failure_without_its_cause_is_a_failure_and_may_be_a_cause_itself() -> None:
    found = resolved(
        a_finding("a", Verdict.FAIL, "b"), a_finding("b", Verdict.PASS), a_finding("c", Verdict.NOT_EXERCISED, "a")
    )
    assert (found["a"].verdict, found["a"].because) == (Verdict.FAIL, "")
    assert found["c"].because == "a"


def test_two_failures_never_excuse_each_other() -> None:
    found = resolved(a_finding("a", Verdict.FAIL, "b"), a_finding("b", Verdict.FAIL, "a"))
    assert {finding.verdict for finding in found.values()} == {Verdict.FAIL}


def test_nothing_is_its_own_cause() -> None:
    found = with_causes({"a": (a_finding("a", Verdict.FAIL), a_finding("a", Verdict.NOT_EXERCISED, "a"))})
    assert [finding.because for finding in found["a"]] == ["", ""]
