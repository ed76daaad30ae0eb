"""The comparison for programs. Its schema is ``drift.schema.json`` in the package ``payproof.reports``."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from payproof.contracts import __version__
from payproof.contracts.comparing.drift import Drift
from payproof.reports.drift import wording
from payproof.reports.facts import clean

FORMAT = 1


def render(drift: Drift) -> str:
    """UTF-8 JSON, indented, keys in a fixed order."""
    return json.dumps(_cleaned(document(drift)), indent=2, ensure_ascii=False) + "\n"


def document(drift: Drift) -> dict[str, Any]:
    """The report as plain data."""
    banner, sentence = wording.verdict(drift)
    return {
        "payproof": "drift",
        "format": FORMAT,
        "version": __version__,
        "gateway": drift.gateway,
        "profile_version": drift.version,
        "target": drift.target,
        "where": drift.where,
        "observed": drift.observed,
        "drift": banner == "DRIFT",
        "summary": sentence,
        "cases": drift.cases,
        "facts": drift.facts,
        "fidelity": [{**dataclasses.asdict(each), "percent": each.percent} for each in drift.fidelity],
        "differences": [_listed(dataclasses.asdict(each)) for each in drift.differences],
        "proposals": list(drift.proposals),
        "not_compared": [dataclasses.asdict(each) for each in drift.left],
        "notes": list(drift.notes),
    }


def _listed(data: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in data.items()}  # pyright: ignore


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {key: _cleaned(item) for key, item in value.items()}  # pyright: ignore
    return [_cleaned(item) for item in value] if isinstance(value, list) else value  # pyright: ignore
