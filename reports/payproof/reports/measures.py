"""What was measured, as plain data for the JSON report: values first, and beside each figure its words."""

from __future__ import annotations

import dataclasses
from typing import Any

from payproof.contracts.behaviour import Behaviour, behaviour
from payproof.contracts.model import Pointer, Result
from payproof.contracts.results.timeline import Lane, timeline
from payproof.contracts.run import Run
from payproof.reports import behaviour as words
from payproof.reports.coverage import CoverageMap, Square, coverage_map
from payproof.reports.timeline import title, waiting


def document(result: Result, run: Run) -> dict[str, Any]:
    """The keys ``behaviour``, ``coverage`` and ``timeline`` of the report."""
    found = timeline(run)
    return {
        "behaviour": _behaviour(behaviour(run)),
        "coverage": _coverage(coverage_map(result, run)),
        "timeline": {"seconds": round(found.seconds, 3), "worlds": [_lane(lane) for lane in found.lanes]},
    }


def _behaviour(found: Behaviour) -> dict[str, Any]:
    return {
        "operations": list(found.operations),
        "hang_up": [_figure(each, words.patience(each)) for each in found.patience],
        "failures": [_figure(each, words.failure(each)) for each in found.failures],
        "retry_after": [{**_figure(each, words.retry(each)), "obeyed": each.obeyed} for each in found.retry_after],
        "tls": {**_figure(found.tls, words.tls(found.tls)), "chosen": dict(found.tls.chosen)},
        "refusals": [_figure(each, words.refusal(each)) for each in found.refusals],
        "kept_alive": _figure(found.kept_alive, words.kept_alive(found.kept_alive)),
        "tokens": None if found.tokens is None else _figure(found.tokens, words.tokens(found.tokens)),
    }


def _figure(value: Any, figure: words.Figure) -> dict[str, Any]:
    """A measured value by its fields, and its words."""
    return {**_plain(dataclasses.asdict(value)), "evidence": _named(value.evidence), "text": figure.line}


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}  # pyright: ignore


def _named(evidence: tuple[Pointer, ...]) -> list[str]:
    return [str(pointer) for pointer in evidence]


def _coverage(found: CoverageMap) -> dict[str, Any]:
    return {
        "operations": list(found.operations),
        "cells": [_cell(each) for each in found.squares],
        "untried": list(found.untried),
    }


def _cell(square: Square) -> dict[str, Any]:
    cell = square.cell
    return {
        "operation": cell.operation,
        "fault": cell.fault,
        "phase": cell.phase,
        "verdict": square.verdict.value if square.verdict else None,
        "failed": list(square.failed),
        "text": square.text,
        "evidence": [str(each.pointer) for each in cell.exercises],
        "missed": cell.missed,
    }


def _lane(lane: Lane) -> dict[str, Any]:
    return {
        "world": lane.world,
        "began": round(lane.began, 3),
        "ended": round(lane.ended, 3),
        "spans": [
            {
                "kind": span.kind,
                "began": round(span.began, 3),
                "ended": round(span.ended, 3),
                "text": title(span),
                "evidence": str(span.pointer),
            }
            for span in lane.spans
        ],
        "waits": [
            {
                "began": round(wait.began, 3),
                "ended": round(wait.ended, 3),
                "text": waiting(wait),
                "evidence": str(wait.pointer),
            }
            for wait in lane.waits
        ],
    }
