"""The kill matrix: every planted defect is found by the check that names it, and no unrelated check says a word.

A row is one example shop with one defect (examples/*/defects.toml). ``also`` lists what the same mistake necessarily
breaks besides. The careful shops get no finding at all, on either profile.

`tox -e matrix` runs every probe against every defect and publishes what was found; it takes half an hour. The usual run has one
defect for each requirement, with the probes of that requirement; and of the careful shops' six runs, three leave the long waits out.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from payproof.contracts.judging.judge import judge
from payproof.contracts.judging.requirements import requirements
from payproof.contracts.model import Judgement, Outcome, Result, Verdict
from payproof.contracts.profile import load
from payproof.suites.config import make_config
from payproof.suites.probes import Probe, probes
from payproof.suites.run.plan import Options
from payproof.suites.run.runner import perform

EXAMPLES = Path(__file__).parents[1] / "examples"
SHOPS = {
    "flask-shop": ("python", "app.py", "defects.py"),
    "express-shop": ("node", "app.js", "defects.js"),
    "php-shop": ("php", "index.php", "defects.php"),
}
BAD = (Verdict.FAIL, Verdict.WARN, Verdict.ERROR)
WHOLE = "PAYPROOF_MATRIX" in os.environ


def _probes_of(requirement: str) -> list[Probe]:
    return [probe for probe in probes().values() if requirement in probe.requirements]


# What only the probes that wait for half a minute can find.
SLOW = {id for id in requirements() if _probes_of(id) and all(probe.stalls for probe in _probes_of(id))}


def _missing(shop: str) -> str:
    program = SHOPS[shop][0]
    if shutil.which(program) is None:
        return f"{program} is not installed"
    if shop == "express-shop" and not (EXAMPLES / shop / "node_modules").is_dir():
        return "run `npm ci` in examples/express-shop first"
    return ""


def _defects() -> list[Any]:
    rows: list[Any] = []
    for shop in SHOPS:
        table = tomllib.loads((EXAMPLES / shop / "defects.toml").read_text())["defects"]
        rows += [pytest.param(shop, name, row, id=f"{shop}-{name}") for name, row in table.items()]
    return rows


def _played() -> list[Any]:
    one_each = {row.values[2]["requirement"]: row for row in _defects()}
    return _defects() if WHOLE else list(one_each.values())


def _tables(shop: str, file: str = "payproof.toml") -> dict[str, Any]:
    if reason := _missing(shop):
        pytest.skip(reason)
    return tomllib.loads((EXAMPLES / shop / file).read_text())


def _judged(shop: str, tables: dict[str, Any], options: Options) -> Result:
    config = make_config(tables, folder=EXAMPLES / shop, place=f"{shop}/payproof.toml", environ={})
    return judge(asyncio.run(perform(config, options)), config.profile)


def _broken(shop: str, name: str, row: dict[str, Any]) -> dict[str, Any]:
    if "config" in row:
        return _tables(shop, row["config"])
    tables = _tables(shop)
    _, careful, careless = SHOPS[shop]
    integration = tables["integration"]
    integration["command"] = [careless if word == careful else word for word in integration["command"]]
    integration["env"]["SHOP_DEFECT"] = name
    integration["order"].setdefault("within", 1)
    return tables


def _found(result: Result) -> dict[str, Judgement]:
    return {judgement.requirement: judgement for judgement in result.judgements if judgement.verdict in BAD}


def _publish(shop: str, name: str, found: dict[str, Judgement]) -> None:
    if folder := os.environ.get("PAYPROOF_MATRIX"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        rows = {id: judgement.verdict.value for id, judgement in found.items()}
        Path(folder, f"{shop}--{name}.json").write_text(json.dumps(rows))


@pytest.mark.parametrize(("shop", "name", "row"), _played())
def test_defect_is_found_by_its_check_and_by_no_unrelated_one(shop: str, name: str, row: dict[str, Any]) -> None:
    tables = _broken(shop, name, row)
    found: dict[str, Judgement] = {}
    if WHOLE:
        found |= _found(_judged(shop, tables, Options(quick=True, seed=11)))
    if not WHOLE or row["requirement"] in SLOW:
        only, quick = (row["requirement"],), row["requirement"] not in SLOW
        found |= _found(_judged(shop, tables, Options(only=only, quick=quick, seed=11)))
    _publish(shop, name, found)
    titles = {id: next(f.title for f in judgement.findings if f.verdict in BAD) for id, judgement in found.items()}
    assert row["requirement"] in found, f"not found; what was found: {titles}"
    unrelated = set(found) - {row["requirement"], *row["also"]}
    assert not unrelated, {id: titles[id] for id in unrelated}


@pytest.mark.parametrize("shop", SHOPS)
@pytest.mark.parametrize("file", ["payproof.toml", "payproof.qrpay.toml"])
def test_careful_shop_is_ready_and_gets_no_finding_at_all(shop: str, file: str) -> None:
    quick = not WHOLE and "qrpay" in file
    result = _judged(shop, _tables(shop, file), Options(quick=quick, seed=12))
    found = _found(result)
    _publish(shop, f"careful ({file})", found)
    assert not found, {id: [finding.title for finding in judgement.findings] for id, judgement in found.items()}
    assert result.outcome is (Outcome.PARTIAL if quick else Outcome.READY), result.reasons or result.diagnosis


def test_every_requirement_that_this_version_judges_has_a_planted_defect() -> None:
    planted = {row.values[2]["requirement"] for row in _defects()}
    gateways = [load(gateway) for gateway in ("quatapay", "qrpay")]
    nowhere = {id for id, r in requirements().items() if r.needs and not any(each.has(r.needs) for each in gateways)}
    assert set(requirements()) - planted - nowhere == set()


def test_every_defect_names_requirements_that_exist() -> None:
    assert {id for row in _defects() for id in (row.values[2]["requirement"], *row.values[2]["also"])} <= set(
        requirements()
    )
