"""Careful integrations in styles that the examples do not have get no finding; where mistakes are planted in them, each is
found by its check, and no unrelated check says a word (see tests/test_kill_matrix.py).

`tox -e matrix` plays all mistakes, the usual run the first one of each style.
"""

from __future__ import annotations

import asyncio
import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from payproof.contracts.judging.judge import judge
from payproof.contracts.judging.requirements import requirements
from payproof.contracts.model import Outcome, Result, Verdict
from payproof.suites.config import make_config
from payproof.suites.probes import probes
from payproof.suites.run.plan import Options
from payproof.suites.run.runner import perform

HERE = Path(__file__).parent / "integrations"
STYLES = sorted(path.name for path in HERE.iterdir() if path.is_dir())
BAD = (Verdict.FAIL, Verdict.WARN, Verdict.ERROR)
WHOLE = "PAYPROOF_MATRIX" in os.environ

Style = Callable[..., dict[str, Any]]


def _defects() -> dict[str, dict[str, Any]]:
    return {
        style: tomllib.loads((HERE / style / "defects.toml").read_text())["defects"]
        for style in STYLES
        if (HERE / style / "defects.toml").is_file()
    }


def _rows() -> list[Any]:
    return [
        pytest.param(style, name, row, id=f"{style}-{name}")
        for style, table in _defects().items()
        for name, row in list(table.items())[: None if WHOLE else 1]
    ]


def _waits(requirement: str) -> bool:
    """Only probes that hold a call for half a minute can find it."""
    found = [probe for probe in probes().values() if requirement in probe.requirements]
    return all(probe.stalls for probe in found)


def _judged(style: str, tables: dict[str, Any], options: Options) -> Result:
    config = make_config(tables, folder=HERE / style, place=f"{style}/payproof.toml", environ={})
    return judge(asyncio.run(perform(config, options)), config.profile)


def _found(result: Result) -> dict[str, list[str]]:
    return {
        judgement.requirement: [finding.title for finding in judgement.findings if finding.verdict in BAD]
        for judgement in result.judgements
        if judgement.verdict in BAD
    }


def _unjudged(result: Result, requirement: str) -> bool:
    return any(
        finding.verdict in (Verdict.NOT_EXERCISED, Verdict.ERROR)
        for judgement in result.judgements
        if judgement.requirement == requirement
        for finding in judgement.findings
    )


@pytest.mark.parametrize("name", STYLES)
def test_a_careful_integration_of_another_style_gets_no_finding(name: str, style: Style) -> None:
    result = _judged(name, style(name), Options(quick=True, seed=9))
    assert not _found(result)
    assert result.outcome is Outcome.PARTIAL, result.diagnosis or result.reasons


@pytest.mark.parametrize(("name", "defect", "row"), _rows())
def test_a_mistake_in_another_style_is_found_by_its_check_and_by_no_unrelated_one(
    name: str, defect: str, row: dict[str, Any], style: Style
) -> None:
    waits = _waits(row["requirement"])
    only = () if WHOLE and not waits else (row["requirement"],)
    tables, options = style(name, defect=defect), Options(only=only, quick=not waits, seed=11)
    result = _judged(name, tables, options)
    if _unjudged(result, row["requirement"]):  # on a machine with too much to do; payproof says so, and accuses nobody
        result = _judged(name, tables, options)
    found = _found(result)
    assert row["requirement"] in found, f"not found; what was found: {found}"
    assert set(found) <= {row["requirement"], *row["also"]}, found


def test_a_status_check_that_only_a_job_makes_meets_its_429(style: Style) -> None:
    """Seconds after the customer had an answer, and beside the job's looks at other orders."""
    result = _judged("go-background", style("go-background"), Options(only=("errors.rate-limit",), seed=9))
    assert not _found(result)
    assert not _unjudged(result, "errors.rate-limit")


def test_the_mistakes_of_a_style_are_for_different_requirements_that_exist() -> None:
    for name, table in _defects().items():
        asked = [row["requirement"] for row in table.values()]
        assert len(set(asked)) == len(asked), f"{name}: two mistakes for one requirement"
        assert {*asked, *(id for row in table.values() for id in row["also"])} <= set(requirements())
