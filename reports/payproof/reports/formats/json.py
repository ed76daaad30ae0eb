"""The JSON report: everything of the result, and the journal entries that its evidence points at.

Its schema is ``report.schema.json`` in the package ``payproof.reports``.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from payproof.contracts import __version__
from payproof.contracts.model import Finding, ItemResult, Judgement, Pointer, Result
from payproof.contracts.run import Run
from payproof.reports import facts, measures, replay
from payproof.reports.registry import writer

FORMAT = 1


@writer("json", "report.json", usual=True)
def render(result: Result, run: Run) -> str:
    """UTF-8 JSON, indented, keys in a fixed order."""
    return facts.json_file(_cleaned(document(result, run)))


def document(result: Result, run: Run) -> dict[str, Any]:
    """The report as plain data."""
    return {
        "payproof": "report",
        "format": FORMAT,
        "version": __version__,
        "outcome": result.outcome.value,
        "summary": facts.sentence(result),
        "reasons": list(result.reasons),
        "diagnosis": list(result.diagnosis),
        "facts": dict(result.facts),
        "counts": {verdict.value: number for verdict, number in facts.counts(result.judgements).items()},
        "golive": [_item(item) for item in result.golive],
        "guidelines": [_item(item) for item in result.guidelines],
        "requirements": [_judgement(judgement) for judgement in result.judgements],
        "scope": list(result.scope),
        "not_judged": list(facts.unjudged(result)),
        "left_out": list(run.left_out),
        "stale_baseline": list(result.stale_baseline),
        "caveats": list(result.caveats),
        "expiring": list(result.expiring),
        "evidence": _evidence(result, run),
        **measures.document(result, run),
        **({"replay": replay.document(run)} if "cassette" in run.facts else {}),
    }


def _item(item: ItemResult) -> dict[str, Any]:
    return {**dataclasses.asdict(item), "verdict": item.verdict.value, "requirements": list(item.requirements)}


def _judgement(judgement: Judgement) -> dict[str, Any]:
    return {
        "requirement": judgement.requirement,
        "level": judgement.level.value,
        "text": judgement.text,
        "verdict": judgement.verdict.value,
        "findings": [_finding(finding) for finding in judgement.findings],
        "contradiction": judgement.contradiction,
        "attestation": dataclasses.asdict(judgement.attestation) if judgement.attestation else None,
        "baseline": judgement.baseline,
        "accepted_until": judgement.accepted_until,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "verdict": finding.verdict.value,
        "title": finding.title,
        "expected": finding.expected,
        "actual": finding.actual,
        "evidence": [str(pointer) for pointer in finding.evidence],
        "because": finding.because,
        "declare": finding.declare,
    }


def _evidence(result: Result, run: Run) -> dict[str, Any]:
    """Pointer -> entry. A pointer that no journal answers is left out."""
    used: dict[Pointer, None] = {
        pointer: None for found in result.judgements for finding in found.findings for pointer in finding.evidence
    }
    index = {Pointer(world.name, entry.n): entry for world in (*run.worlds, *run.given_up) for entry in world.entries}
    return {str(pointer): _entry(index[pointer]) for pointer in used if pointer in index}


def _entry(entry: Any) -> dict[str, Any]:
    return {"kind": entry.kind, **{key: value for key, value in dataclasses.asdict(entry).items() if key != "kind"}}


def _cleaned(value: Any) -> Any:
    """Lone surrogates are no Unicode text: no strict JSON reader takes them."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}  # pyright: ignore
    if isinstance(value, list | tuple):
        return [_cleaned(item) for item in value]  # pyright: ignore
    return value
