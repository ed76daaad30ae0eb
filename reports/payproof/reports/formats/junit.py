"""The JUnit report: a suite for each checklist item, a case for each requirement.

A should never fails its case; what was not exercised, does not apply or is vouched for is skipped, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET

from payproof.contracts.model import Judgement, Level, Result, Verdict
from payproof.contracts.run import Run
from payproof.reports import facts, values
from payproof.reports.registry import writer

_SKIPPED = (Verdict.NOT_EXERCISED, Verdict.NOT_APPLICABLE, Verdict.ATTESTED)
_VALUE_LIMIT = 2_000


@writer("junit", "junit.xml")
def render(result: Result, run: Run) -> str:
    """XML 1.0; the counts of each suite and of the whole agree with the cases."""
    suites = [_suite(_name(row), judgements, result) for row, judgements in facts.groups(result)]
    root = ET.Element("testsuites", {"name": f"payproof: {facts.name_of(result)}", **_counts(suites)})
    root.extend(suites)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _name(row: facts.Row | None) -> str:
    return f"{row.number} {row.item.id}" if row else "other"


def _suite(name: str, judgements: Sequence[Judgement], result: Result) -> ET.Element:
    known = {judgement.requirement for judgement in judgements}
    caveats = [caveat for caveat in result.caveats if caveat.partition(":")[0] in known]
    cases = [_case(name, judgement) for judgement in judgements]
    count = {tag: str(sum(case.find(tag[:-1]) is not None for case in cases)) for tag in ("failures", "errors")}
    skipped = str(sum(case.find("skipped") is not None for case in cases))
    suite = ET.Element("testsuite", {"name": name, "tests": str(len(cases)), **count, "skipped": skipped, "time": "0"})
    if caveats:
        properties = ET.SubElement(suite, "properties")
        for caveat in caveats:
            ET.SubElement(properties, "property", {"name": "caveat", "value": facts.line(caveat)})
    suite.extend(cases)
    return suite


def _counts(suites: Sequence[ET.Element]) -> dict[str, str]:
    return {
        name: str(sum(int(suite.get(name, "0")) for suite in suites))
        for name in ("tests", "failures", "errors", "skipped")
    }


def _case(suite: str, judgement: Judgement) -> ET.Element:
    case = ET.Element(
        "testcase", {"classname": f"payproof.{suite.split(' ')[-1]}", "name": judgement.requirement, "time": "0"}
    )
    why = facts.reason(judgement) or facts.WORDS[judgement.verdict]
    failed = judgement.verdict is Verdict.FAIL
    if judgement.verdict in _SKIPPED:
        ET.SubElement(case, "skipped", {"message": f"{facts.WORDS[judgement.verdict]}: {why}"})
    elif failed and judgement.baseline:
        ET.SubElement(case, "skipped", {"message": f"accepted for now: {facts.line(judgement.baseline)} ({why})"})
    elif failed and judgement.level is Level.MUST:
        _add(case, "failure", judgement, why)
    elif judgement.verdict is Verdict.ERROR:
        _add(case, "error", judgement, why)
    elif failed or judgement.verdict is Verdict.WARN:
        ET.SubElement(case, "system-out").text = "\n".join(_told(judgement))
    return case


def _add(case: ET.Element, tag: str, judgement: Judgement, why: str) -> None:
    found = ET.SubElement(case, tag, {"type": judgement.level.value, "message": why})
    found.text = "\n".join(_told(judgement))


def _told(judgement: Judgement) -> Iterator[str]:
    yield facts.clean(judgement.text)
    for finding in facts.probe_run(judgement):
        yield f"{finding.verdict.value}: {facts.clean(finding.title)}"
        if finding.expected is not None or finding.actual is not None:
            yield f"  expected: {values.one_line(finding.expected, _VALUE_LIMIT)}"
            yield f"  actual: {values.one_line(finding.actual, _VALUE_LIMIT)}"
        if finding.evidence:
            yield f"  evidence: {values.pointers(finding.evidence, limit=20)}"
        if finding.because:
            yield f"  because of {finding.because}"
    if judgement.contradiction:
        yield f"advice and gateway disagree: {facts.clean(judgement.contradiction)}"
    yield f"next: payproof explain {judgement.requirement}"
