"""The JUnit report, read by an XML parser."""

from __future__ import annotations

import dataclasses
from xml.etree import ElementTree as ET

import pytest

from payproof.contracts.model import Level, Result, Verdict
from payproof.contracts.run import Run
from payproof.reports import WRITERS


@pytest.fixture
def root(result: Result, run: Run) -> ET.Element:
    return ET.fromstring(WRITERS["junit"].render(result, run))


def case(root: ET.Element, name: str) -> ET.Element:
    (found,) = [case for case in root.iter("testcase") if case.get("name") == name]
    return found


def test_there_is_a_suite_for_each_guideline_and_for_what_no_guideline_holds(root: ET.Element) -> None:
    names = [suite.get("name", "") for suite in root]
    assert [name.split()[0] for name in names] == [*map(str, range(1, 17)), "G6"]
    assert names[2] == "3 verify-server-side"


def test_each_requirement_is_one_case(root: ET.Element, result: Result) -> None:
    names = [case.get("name") for case in root.iter("testcase")]
    assert sorted(map(str, names)) == sorted(judgement.requirement for judgement in result.judgements)


@pytest.mark.parametrize(
    ("attribute", "tag"), [("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")]
)
def test_counts_agree_with_the_cases(root: ET.Element, attribute: str, tag: str) -> None:
    assert root.get(attribute) == str(len(list(root.iter(tag))))
    for suite in root:
        assert suite.get(attribute) == str(len(list(suite.iter(tag))))


def test_the_sample_has_three_failures_and_one_error(root: ET.Element) -> None:
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "57",
        "failures": "3",
        "errors": "1",
        "skipped": "6",
    }


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
    assert root.get("failures") == "0"


def test_hostile_text_stays_text(root: ET.Element) -> None:
    failure = case(root, "errors.friendly").find("failure")
    assert failure is not None
    assert "<script>alert('owned')</script>" in failure.get("message", "")
    assert not list(failure)


def test_a_requirement_of_no_item_is_not_lost(result: Result, run: Run) -> None:
    loose = dataclasses.replace(result, golive=(), guidelines=())
    root = ET.fromstring(WRITERS["junit"].render(loose, run))
    assert [(suite.get("name"), suite.get("tests")) for suite in root] == [("other", "57")]


def test_an_empty_result_is_a_valid_document(empty: Result) -> None:
    root = ET.fromstring(WRITERS["junit"].render(empty, Run(gateway="nobody")))
    assert (root.get("tests"), len(root)) == ("0", 0)
