"""SARIF 2.1.0 for code scanning: a rule for each requirement that was judged, a result for each thing to mend."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Any
from urllib.parse import quote

from payproof.contracts import __version__
from payproof.contracts.judging.requirements import known_as
from payproof.contracts.model import Judgement, Level, Outcome, Result
from payproof.contracts.run import Run
from payproof.reports import cases, facts, values
from payproof.reports.cases import OUTCOME
from payproof.reports.formats.markdown import escape
from payproof.reports.issues import Grade, Issue, issues
from payproof.reports.registry import writer

MOST = 5_000
"""Results that GitHub shows of a run."""
_TEXT, _VALUE = 2_000, 300
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"


@writer("sarif", "payproof.sarif")
def render(result: Result, run: Run) -> str:
    """JSON with one run. What the baseline accepts is no result: GitHub would show it as open."""
    found = issues(result, run)
    rules = list(_rules(result))
    number = {rule["id"]: place for place, rule in enumerate(rules)}
    log = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "payproof", "semanticVersion": __version__, "rules": rules}},
                "automationDetails": {"id": f"payproof/{facts.fact(result, 'target', 'unknown')}/"},
                "invocations": [_invocation(result, len(found) - MOST)],
                "results": [_result(issue, number[issue.name]) for issue in found[:MOST]],
                "columnKind": "unicodeCodePoints",
                "properties": cases.properties(result, run),
            }
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rules(result: Result) -> Iterator[dict[str, Any]]:
    yield _rule(OUTCOME, "The run is scored: one clean payment ends in a paid order.", ("payproof",), Level.MUST)
    for judgement in result.judgements:
        group, level = judgement.requirement.partition(".")[0], judgement.level
        rule = _rule(judgement.requirement, facts.line(judgement.text), ("payproof", group, level.value), level)
        yield rule | _help(judgement)


def _rule(name: str, text: str, tags: Sequence[str], level: Level) -> dict[str, Any]:
    """``tags``: ten at most are shown."""
    weight = "error" if level is Level.MUST else "warning"
    return {
        "id": name,
        "shortDescription": {"text": values.cut(text, 1_000)},
        "fullDescription": {"text": values.cut(text, 1_000)},
        "help": {"text": f"payproof explain {name}"},
        "defaultConfiguration": {"level": weight},
        "properties": {"tags": list(tags), "precision": "very-high", "problem.severity": weight},
    }


def _help(judgement: Judgement) -> dict[str, Any]:
    """What stands beside an alert: why, how it is judged, how to mend it. Empty for a requirement of another version."""
    if (found := known_as(judgement.requirement)) is None:
        return {}
    parts = [
        (title, text) for title, text in (("Why", found.why), ("Judged", found.judged), ("Fix", found.fix)) if text
    ]
    last = f"payproof explain {found.id}"
    return {
        "help": {
            "text": "\n\n".join((*(f"{title}: {text}" for title, text in parts), last)),
            "markdown": "\n\n".join((*(f"**{title}**: {escape(text)}" for title, text in parts), f"`{last}`")),
        }
    }


def _result(issue: Issue, rule: int) -> dict[str, Any]:
    return {
        "ruleId": issue.name,
        "ruleIndex": rule,
        "level": "warning" if issue.grade is Grade.SHOULD else "error",
        "message": {"text": "\n".join(_message(issue))},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(issue.path)},
                    "region": {"startLine": issue.line},
                }
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": f"{issue.mark[:16]}:1"},
    }


def _message(issue: Issue) -> Iterator[str]:
    yield values.cut(issue.message, _TEXT)
    finding = facts.lead(issue.judgement) if issue.judgement and not issue.in_source else None
    if finding is None:
        return
    if finding.expected is not None or finding.actual is not None:
        yield f"Expected: {values.one_line(finding.expected, _VALUE)}"
        yield f"Actual: {values.one_line(finding.actual, _VALUE)}"
    if finding.evidence:
        yield f"Evidence in run.jsonl: {values.pointers(finding.evidence, limit=8)}"


def _invocation(result: Result, left_out: int) -> dict[str, Any]:
    """``left_out``: results more than are shown; 0 or less where all are."""
    notes = [("error", text) for text in result.diagnosis if result.outcome is Outcome.NOT_SCORED]
    notes += [("warning", f"{left_out} more results are left out, see the other reports")] if left_out > 0 else []
    times = (
        ("startTimeUtc", cases.started(result)),
        ("endTimeUtc", cases.started(result, cases.duration(result))),
    )
    return {
        "executionSuccessful": result.outcome is not Outcome.NOT_SCORED,
        **{name: at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for name, at in times if at},
        "toolExecutionNotifications": [
            {"level": level, "message": {"text": values.cut(facts.line(text), _TEXT)}} for level, text in notes
        ],
    }


def _uri(path: str) -> str:
    """A relative reference: no letter of a file's name is read as something else."""
    return quote(path, safe="/")
