"""The Common Test Report Format: the same cases as JUnit, as JSON."""

from __future__ import annotations

import json
from typing import Any

from payproof.contracts import __version__
from payproof.contracts.model import Result
from payproof.contracts.run import Run
from payproof.reports import cases, facts
from payproof.reports.cases import CaseResult, State
from payproof.reports.registry import writer

_STATUS = {State.PASSED: "passed", State.FAILED: "failed", State.ERROR: "failed", State.SKIPPED: "skipped"}


@writer("ctrf", "ctrf.json")
def render(result: Result, run: Run) -> str:
    """JSON; times are milliseconds, since 1970 or as a duration. A run that does not say when it began began in 1970."""
    suites = cases.suites(result, run)
    tests = [_test(suite.name, case, result) for suite in suites for case in suite.cases]
    end = cases.started(result, cases.duration(result))
    document = {
        "reportFormat": "CTRF",
        "specVersion": "0.0.0",
        "generatedBy": "payproof",
        **({"timestamp": end.isoformat()} if end else {}),
        "results": {
            "tool": {"name": "payproof", "version": __version__},
            "summary": {
                "tests": len(tests),
                **{
                    status: sum(test["status"] == status for test in tests)
                    for status in ("passed", "failed", "skipped")
                },
                "pending": 0,
                "other": 0,
                "suites": len(suites),
                "start": _since_1970(result, 0.0),
                "stop": _since_1970(result, cases.duration(result)),
            },
            "tests": tests,
            "environment": {
                "appName": facts.name_of(result),
                "testEnvironment": facts.fact(result, "target", "unknown"),
                "extra": cases.properties(result, run),
            },
        },
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _test(suite: str, case: CaseResult, result: Result) -> dict[str, Any]:
    test: dict[str, Any] = {
        "name": case.name,
        "status": _STATUS[case.state],
        "rawStatus": case.verdict,
        "duration": round(case.seconds * 1_000),
        "suite": [suite],
        "type": "contract",
    }
    if case.began is not None and case.ended is not None:
        test |= {"start": _since_1970(result, case.began), "stop": _since_1970(result, case.ended)}
    if case.level:
        test["tags"] = [case.level]
    if case.text or case.state is not State.PASSED:
        test["message"] = case.message
    if case.text and case.state is not State.SKIPPED:
        test["trace"] = "\n".join(case.text)
    return test


def _since_1970(result: Result, after: float) -> int:
    at = cases.started(result, after)
    return round((at.timestamp() if at else after) * 1_000)
