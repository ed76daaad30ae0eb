"""The JUnit report, as Jenkins' own schema asks for it: a suite for each checklist item, a case for each requirement."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree as ET

from payproof.contracts.model import Result
from payproof.contracts.run import Run
from payproof.reports import cases, facts
from payproof.reports.cases import CaseResult, State, Suite
from payproof.reports.registry import writer

_TAGS = {State.FAILED: "failure", State.ERROR: "error"}


@writer("junit", "junit.xml", usual=True)
def render(result: Result, run: Run) -> str:
    """XML 1.0; the counts of each suite and of the whole agree with the cases. Times are seconds."""
    suites = cases.suites(result, run)
    root = ET.Element(
        "testsuites",
        {
            "name": f"payproof: {facts.name_of(result)}",
            "tests": str(sum(len(suite.cases) for suite in suites)),
            **{f"{_TAGS[state]}s": str(sum(suite.count(state) for suite in suites)) for state in _TAGS},
            "time": f"{cases.duration(result):.3f}",
        },
    )
    root.extend(_suite(suite, result) for suite in suites)
    _properties(root[0], cases.properties(result, run).items())
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(suite: Suite, result: Result) -> ET.Element:
    began = cases.started(result, suite.began or 0.0)
    found = ET.Element(
        "testsuite",
        {
            "name": suite.name,
            "tests": str(len(suite.cases)),
            **{f"{_TAGS[state]}s": str(suite.count(state)) for state in _TAGS},
            "skipped": str(suite.count(State.SKIPPED)),
            "time": f"{suite.seconds:.3f}",
            **({"timestamp": began.isoformat(timespec="seconds")} if began else {}),
        },
    )
    if suite.caveats:
        _properties(found, [("caveat", caveat) for caveat in suite.caveats])
    found.extend(_case(suite.name, case) for case in suite.cases)
    return found


def _properties(suite: ET.Element, pairs: Iterable[tuple[str, str]]) -> None:
    found = ET.Element("properties")
    for name, value in pairs:
        ET.SubElement(found, "property", {"name": name, "value": value})
    suite.insert(0, found)


def _case(suite: str, case: CaseResult) -> ET.Element:
    # The suite of the outcome is named like the whole.
    classname = "payproof" if suite == "payproof" else f"payproof.{suite.split(' ')[-1]}"
    found = ET.Element("testcase", {"classname": classname, "name": case.name, "time": f"{case.seconds:.3f}"})
    if case.state is State.SKIPPED:
        ET.SubElement(found, "skipped", {"message": case.message})
    elif case.state in _TAGS:
        detail = ET.SubElement(found, _TAGS[case.state], {"type": case.level or case.verdict, "message": case.message})
        detail.text = "\n".join(case.text)
    elif case.text:
        ET.SubElement(found, "system-out").text = "\n".join(case.text)
    return found
