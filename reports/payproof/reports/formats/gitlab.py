"""GitLab's code quality report: what is to be mended, beside the lines of a merge request. The JUnit report is GitLab's test
report as it stands."""

from __future__ import annotations

import json

from payproof.contracts.model import Result
from payproof.contracts.run import Run
from payproof.reports import values
from payproof.reports.issues import Grade, issues
from payproof.reports.registry import writer

_SEVERITY = {
    Grade.NOT_SCORED: "blocker",
    Grade.FAILED: "critical",
    Grade.UNCLEAR: "major",
    Grade.OPEN: "major",
    Grade.SHOULD: "minor",
}


@writer("gitlab", "gl-code-quality-report.json")
def render(result: Result, run: Run) -> str:
    """JSON: an array, the worst first."""
    found = [
        {
            "description": values.cut(f"{issue.name}: {issue.message}", 1_000),
            "check_name": issue.name,
            "fingerprint": issue.mark,
            "severity": _SEVERITY[issue.grade],
            "location": {"path": issue.path, "lines": {"begin": issue.line}},
        }
        for issue in issues(result, run)
    ]
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"
