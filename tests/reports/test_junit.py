"""The JUnit report, read by an XML parser."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from payproof.contracts import __version__
from payproof.contracts.model import Level, Outcome, Result, Verdict
from payproof.contracts.run import Run
from payproof.reports import WRITERS

SCHEMA = Path(__file__).parent / "schemas" / "junit.xsd"


@pytest.fixture
def root(result: Result, run: Run) -> ET.Element:
    return ET.fromstring(WRITERS["junit"].render(result, run))


def case(root: ET.Element, name: str) -> ET.Element:
    (found,) = [case for case in root.iter("testcase") if case.get("name") == name]
    return found


def test_there_is_a_suite_for_each_guideline_and_for_what_no_guideline_holds(root: ET.Element) -> None:
    names = [suite.get("name", "") for suite in root]
    assert [name.split()[0] for name in names] == ["payproof", *map(str, range(1, 17)), "G6"]
    assert names[3] == "3 verify-server-side"


def test_each_requirement_is_one_case(root: ET.Element, result: Result) -> None:
    names = [case.get("name") for case in root.iter("testcase")]
    assert names[0] == "verdict"
    assert sorted(map(str, names[1:])) == sorted(judgement.requirement for judgement in result.judgements)


@pytest.mark.parametrize(
    ("attribute", "tag"), [("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")]
)
def test_counts_agree_with_the_cases(root: ET.Element, attribute: str, tag: str) -> None:
    if attribute != "skipped":  # Jenkins' schema has none for the whole
        assert root.get(attribute) == str(len(list(root.iter(tag))))
    for suite in root:
        assert suite.get(attribute) == str(len(list(suite.iter(tag))))


def test_the_sample_has_three_failures_besides_the_verdict_and_one_error(root: ET.Element) -> None:
    assert {name: root.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "58",
        "failures": "4",
        "errors": "1",
    }


@pytest.mark.parametrize(
    ("outcome", "tag"),
    [("ready", None), ("not_ready", "failure"), ("not_scored", "error"), ("partial", "skipped")],
)
def test_the_outcome_is_a_case_of_its_own(result: Result, run: Run, outcome: str, tag: str | None) -> None:
    changed = dataclasses.replace(result, outcome=Outcome(outcome), diagnosis=("it never called the gateway",))
    verdict = case(ET.fromstring(WRITERS["junit"].render(changed, run)), "verdict")
    assert [child.tag for child in verdict if child.tag != "system-out"] == ([tag] if tag else [])
    if tag in ("failure", "error"):
        assert "verify.unreachable: not exercised." in (verdict[0].text or "")


def test_the_first_suite_says_what_repeats_the_run(root: ET.Element) -> None:
    found = {each.get("name"): each.get("value") for each in root[0].iter("property")}
    assert found == {
        "name": "my-shop", "outcome": "not_ready", "gateway": "quatapay", "profile": "2026.11", "target": "simulator",
        "seed": "4711", "payproof": __version__,
    }  # fmt: skip


def test_a_case_takes_the_time_of_the_probe_runs_that_it_was_judged_by(result: Result, run: Run) -> None:
    provoked = dataclasses.replace(run, provoked_by={"idempotency.double-submit": ("double-submit",)})
    root = ET.fromstring(WRITERS["junit"].render(result, provoked))
    # A journal entry each 0.013 s: begin, step, two calls and two charges, end.
    assert case(root, "idempotency.double-submit").get("time") == "0.078"
    assert case(root, "https.certificate-verified").get("time") == "0.000"
    (suite,) = [suite for suite in root if case(root, "idempotency.double-submit") in suite]
    assert suite.get("time") == "0.078"
    assert suite.get("timestamp") == "2026-11-23T09:54:00+00:00"
    assert (root.get("time"), root[0].get("timestamp")) == ("41.240", "2026-11-23T09:54:00+00:00")


def test_probe_runs_that_overlap_are_not_counted_twice(result: Result, run: Run) -> None:
    twin = dataclasses.replace(run.worlds[0], name="twin")
    provoked = {"idempotency.double-submit": ("double-submit",)}
    both = dataclasses.replace(run, worlds=(*run.worlds, twin), provoked_by=provoked)
    root = ET.fromstring(WRITERS["junit"].render(result, both))
    assert case(root, "idempotency.double-submit").get("time") == "0.078"


def test_jenkins_accepts_every_report(result: Result, not_scored: Result, empty: Result, run: Run) -> None:
    schema = xmlschema.XMLSchema(SCHEMA)
    for each in (result, not_scored, empty, dataclasses.replace(result, caveats=("token.cached: declare workers",))):
        schema.validate(WRITERS["junit"].render(each, run))


def test_the_schema_refuses_what_jenkins_refuses(result: Result, run: Run) -> None:
    schema, text = xmlschema.XMLSchema(SCHEMA), WRITERS["junit"].render(result, run)
    assert not schema.is_valid(text.replace("<testsuites ", '<testsuites skipped="1" '))
    assert not schema.is_valid(text.replace('time="41.240"', 'time="41 s"'))


def test_a_failure_names_expected_actual_and_evidence(root: ET.Element) -> None:
    failure = case(root, "idempotency.double-submit").find("failure")
    assert failure is not None
    assert failure.get("message") == "charged twice, 10,000.00 XAF, for one order of 5,000.00 XAF"
    text = failure.text or ""
    assert 'expected: {"charges": 1' in text
    assert 'actual: {"charges": 2' in text
    assert "evidence: main#" in text
    assert "payproof explain idempotency.double-submit" in text


@pytest.mark.parametrize(
    ("requirement", "words"),
    [
        (
            "verify.unreachable",
            "not exercised: no status check was ever made for this order (mend verify.status-checked first)",
        ),
        ("idempotency.lost-answer", "not applicable: this gateway has no idempotency key"),
        ("alerts.payment-error", "attested: vouched for by Ngozi A. on 2026-11-20, until 2027-02-20"),
        ("logs.no-access-token", "accepted for now: fixed in release 2.4"),
    ],
)
def test_what_is_not_judged_is_skipped_with_its_reason(root: ET.Element, requirement: str, words: str) -> None:
    skipped = case(root, requirement).find("skipped")
    assert skipped is not None
    assert skipped.get("message", "").startswith(words)


def test_a_warning_passes_and_says_why(root: ET.Element) -> None:
    warned = case(root, "timeout.drip")
    assert [child.tag for child in warned] == ["system-out"]
    assert "still reading after 60 s" in (warned[0].text or "")


def test_a_should_never_fails(result: Result, run: Run) -> None:
    failing = dataclasses.replace(result.judgements[0], level=Level.SHOULD, verdict=Verdict.FAIL)
    root = ET.fromstring(WRITERS["junit"].render(dataclasses.replace(result, judgements=(failing,)), run))
    assert root.get("failures") == "1"
    assert not list(case(root, failing.requirement).iter("failure"))


def test_hostile_text_stays_text(root: ET.Element) -> None:
    failure = case(root, "errors.friendly").find("failure")
    assert failure is not None
    assert "<script>alert('owned')</script>" in failure.get("message", "")
    assert not list(failure)


def test_a_requirement_of_no_item_is_not_lost(result: Result, run: Run) -> None:
    loose = dataclasses.replace(result, golive=(), guidelines=())
    root = ET.fromstring(WRITERS["junit"].render(loose, run))
    assert [(suite.get("name"), suite.get("tests")) for suite in root] == [("payproof", "1"), ("other", "57")]


def test_an_empty_result_is_a_valid_document(empty: Result) -> None:
    root = ET.fromstring(WRITERS["junit"].render(empty, Run(gateway="nobody")))
    assert (root.get("tests"), len(root)) == ("1", 1)
