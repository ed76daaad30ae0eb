"""Causes are looked up among what failed in this run, never written into a check."""

from __future__ import annotations

from typing import Any

from payproof.contracts import entries as e
from payproof.contracts.judging.causes import with_causes
from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Finding, Verdict
from payproof.contracts.run import dump, load

from .checks.written import Written


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


def test_a_failure_whose_other_causes_held_explains_those_that_it_caused() -> None:
    found = resolved(a_finding("a", Verdict.FAIL, "b"), a_finding("b", Verdict.FAIL, "c"), a_finding("c", Verdict.PASS))
    assert (found["a"].verdict, found["a"].because) == (Verdict.NOT_EXERCISED, "b")
    assert found["b"].verdict is Verdict.FAIL


def test_two_failures_never_excuse_each_other() -> None:
    found = resolved(a_finding("a", Verdict.FAIL, "b"), a_finding("b", Verdict.FAIL, "a"))
    assert {finding.verdict for finding in found.values()} == {Verdict.FAIL}


def test_nothing_is_its_own_cause() -> None:
    found = with_causes({"a": (a_finding("a", Verdict.FAIL), a_finding("a", Verdict.NOT_EXERCISED, "a"))})
    assert [finding.because for finding in found["a"]] == ["", ""]


# -- why nothing was judged --------------------------------------------------------------------------------------------


def written(**fields: Any) -> Written:
    run = Written()
    run.run_fields = {"provoked_by": {"errors.friendly": ("paid-order",)}, **fields}
    return run


def test_a_probe_run_whose_purchase_failed_is_the_reason_with_its_checkout_and_page() -> None:
    run = written()
    with run.probe("paid-order"):
        run.order("1")
        page = run.page("checkout", "1", status=502)
        checkout = run.checkout("1", "", page=page.n)
    found = run.finding("errors.friendly", Verdict.NOT_EXERCISED)
    assert "in the run of paid-order, order 1 could not be checked out: refused (HTTP 502)" in found.title
    assert [pointer.entry for pointer in found.evidence] == [checkout.n, page.n]


def test_a_probe_run_that_broke_off_says_what_broke() -> None:
    run = written()
    run.add(e.ProbeMark(event="begin", probe="paid-order"))
    end = run.add(e.ProbeMark(event="end", probe="paid-order", params={"error": "the hosted page has no form"}))
    found = run.finding("errors.friendly", Verdict.NOT_EXERCISED)
    assert "the probe run broke off: the hosted page has no form" in found.title
    assert [pointer.entry for pointer in found.evidence] == [end.n]


def test_an_integration_that_had_ended_is_the_reason() -> None:
    run = written()
    with run.probe("paid-order"):
        run.exited(3)
    assert "had ended (exit code 3)" in run.finding("errors.friendly", Verdict.NOT_EXERCISED).title


def test_a_probe_that_was_not_run_says_so_and_whether_it_was_left_out() -> None:
    found = written(left_out=("paid-order",)).finding("errors.friendly", Verdict.NOT_EXERCISED)
    assert found.title == (
        "the situation did not arise: there was no probe run of paid-order, left out of this run: paid-order"
    )


def test_a_probe_run_in_which_nothing_went_wrong_tells_how_far_it_went() -> None:
    run = written()
    with run.probe("paid-order"):
        run.bought("1", "p1")
        run.step("again", "the paid order is checked out again")
    found = run.finding("errors.friendly", Verdict.NOT_EXERCISED)
    assert 'it went no further than "the paid order is checked out again"' in found.title


def test_what_led_to_a_requirement_is_saved_with_the_run() -> None:
    assert load(dump(written().run())).provoked_by == {"errors.friendly": ("paid-order",)}


def test_what_a_defect_kept_from_arising_is_no_pass() -> None:
    run = Written()
    with run.probe("control"):
        run.order("1")
        run.bought("1", "p1", verified=False)
    for number, asked in ((2, True), (3, False)):
        with run.probe("wrong-money", field="amount"):
            run.order(str(number))
            run.create(f"p{number}", str(number))
            run.checkout(str(number), f"p{number}")
            run.step("tampered")
            if asked:
                run.status(f"p{number}", amount="1.00")
            run.seen(str(number), paid=not asked)
    found = run.finding("verify.amount", Verdict.NOT_EXERCISED)
    assert found.because == "verify.status-checked"
    assert not any(reason.startswith("verify.amount") for reason in judge(run.run(), run.profile).reasons)
