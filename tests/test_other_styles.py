"""Careful integrations in styles that the examples do not have get no finding."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from payproof.contracts.judge import judge
from payproof.contracts.model import Outcome, Verdict
from payproof.suites.config import make_config
from payproof.suites.plan import Options
from payproof.suites.runner import perform

HERE = Path(__file__).parent / "integrations"


def _needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


def _built(style: str, tmp_path: Path) -> dict[str, Any]:
    """The configuration of an integration, compiled where its language asks for it."""
    table = tomllib.loads((HERE / style / "payproof.toml").read_text())
    integration = table["integration"]
    if style.startswith("go-"):
        _needs("go")
        subprocess.run(["go", "build", "-o", str(tmp_path / "shop"), "."], cwd=HERE / style, check=True)
        integration["command"] = [str(tmp_path / "shop")]
    elif style.startswith("java-"):
        _needs("javac")
        sources = sorted(map(str, (HERE / style).glob("*.java")))
        subprocess.run(["javac", "-d", str(tmp_path), *sources], check=True)
        integration["command"] = ["java", "-cp", str(tmp_path), "Shop"]
    else:
        _needs(integration["command"][0])
    return table


@pytest.mark.parametrize("style", sorted(path.name for path in HERE.iterdir() if path.is_dir()))
def test_a_careful_integration_of_another_style_gets_no_finding(style: str, tmp_path: Path) -> None:
    table = _built(style, tmp_path)
    config = make_config(table, folder=HERE / style, place=f"{style}/payproof.toml", environ={})
    result = judge(asyncio.run(perform(config, Options(quick=True, seed=9))), config.profile)
    bad = (Verdict.FAIL, Verdict.WARN, Verdict.ERROR)
    found = {
        j.requirement: [f.title for f in j.findings if f.verdict in bad] for j in result.judgements if j.verdict in bad
    }
    assert not found
    assert result.outcome is Outcome.PARTIAL, result.diagnosis or result.reasons
