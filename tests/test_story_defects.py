"""Mistakes that take a long story: `payproof explore` finds each of them, no probe of `payproof run` finds any, and the
careful shops survive five hundred stories.

All of it takes three quarters of an hour: `tox -e stories`, or PAYPROOF_STORIES=FOLDER pytest -s tests/test_story_defects.py.
Seconds and stories until each mistake was suspected are printed, and written to the folder. One of them is found in
every test run (tests/suites/test_explorer.py).
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Verdict
from payproof.suites.config import Config, make_config
from payproof.suites.explorer.explorer_session import opened
from payproof.suites.explorer.playing import RuleTally
from payproof.suites.explorer.search import Search, SearchLimits
from payproof.suites.explorer.story import sentences
from payproof.suites.run.plan import Options
from payproof.suites.run.runner import perform

ROOT = Path(__file__).parents[1]
EXAMPLES, STYLES = ROOT / "examples", ROOT / "tests" / "integrations"
SHOPS = {
    "flask-shop": ("python", "app.py", "story_defects.py"),
    "express-shop": ("node", "app.js", "story-defects.js"),
    "php-shop": ("php", "index.php", ""),
}
BAD = (Verdict.FAIL, Verdict.WARN, Verdict.ERROR)
FOLDER = os.environ.get("PAYPROOF_STORIES", "")
SEED = 1

whole = pytest.mark.skipif(not FOLDER, reason="takes three quarters of an hour: tox -e stories")


def _defects() -> list[Any]:
    rows: list[Any] = []
    for shop, (_, _, careless) in SHOPS.items():
        if careless:
            table = tomllib.loads((EXAMPLES / shop / "story-defects.toml").read_text())["defects"]
            rows += [pytest.param(shop, name, row, id=f"{shop}-{name}") for name, row in table.items()]
    return rows


def _config(folder: Path, file: str = "payproof.toml", *, defect: str = "") -> Config:
    table = tomllib.loads((folder / file).read_text())
    program = table["integration"]["command"][0]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    if folder.name == "express-shop" and not (folder / "node_modules").is_dir():
        pytest.skip("run `npm ci` in examples/express-shop first")
    if defect:
        _, careful, careless = SHOPS[folder.name]
        command = table["integration"]["command"]
        table["integration"]["command"] = [careless if word == careful else word for word in command]
        table["integration"]["env"]["SHOP_DEFECT"] = defect
    return make_config(table, folder=folder, place=f"{folder.name}/{file}", environ={})


def _explored(config: Config, limits: SearchLimits, seed: int = SEED) -> RuleTally:
    async def work() -> RuleTally:
        async with opened(config, seed) as stage:
            return await Search(stage, limits, lambda tally, news: None).run()

    return asyncio.run(work())


def _publish(name: str, tally: RuleTally) -> None:
    found = [
        {
            "rule": each.rule,
            "seconds": round(each.after, 1),
            "stories": each.stories,
            "told": sentences(each.played.story),
        }
        for each in tally.found
    ]
    rate = round(tally.stories / tally.playing, 1) if tally.playing else 0.0
    truths = {truth.value: count for truth, count in tally.truths.items()}
    facts = {
        "stories": tally.stories,
        "stories a second": rate,
        "charged": tally.charges,
        "money": truths,
        "found": found,
    }
    Path(FOLDER).mkdir(parents=True, exist_ok=True)
    Path(FOLDER, f"{name}.json").write_text(json.dumps(facts, indent=2, ensure_ascii=False))
    line = ", ".join(f"{each['rule']} after {each['seconds']} s, {each['stories']} stories" for each in found)
    sys.stderr.write(f"\n{name}: {line or 'nothing broken'}; {rate} stories a second, {truths}\n")


@whole
@pytest.mark.parametrize(("shop", "name", "row"), _defects())
def test_the_explorer_finds_what_takes_a_long_story(shop: str, name: str, row: dict[str, Any]) -> None:
    tally = _explored(_config(EXAMPLES / shop, defect=name), SearchLimits(stories=500, first=True))
    _publish(f"{shop}--{name}", tally)
    assert tally.found
    rules = {ruling.rule for each in tally.found for ruling in each.played.broken}
    assert rules & {row["rule"], *row["also"]}


@whole
@pytest.mark.parametrize(("shop", "name", "row"), _defects())
def test_no_probe_finds_it(shop: str, name: str, row: dict[str, Any]) -> None:
    config = _config(EXAMPLES / shop, defect=name)
    result = judge(asyncio.run(perform(config, Options(quick=True, seed=7))), config.profile)
    found = {
        judgement.requirement: [finding.title for finding in judgement.findings if finding.verdict in BAD]
        for judgement in result.judgements
        if judgement.verdict in BAD and not judgement.requirement.startswith("credentials.not-in")
    }
    assert not found


CAREFUL = [
    *((EXAMPLES / shop, file) for shop in SHOPS for file in ("payproof.toml", "payproof.qrpay.toml")),
    *((folder, "payproof.toml") for folder in sorted(STYLES.iterdir()) if folder.is_dir()),
]


@whole
@pytest.mark.parametrize(
    ("folder", "file"), CAREFUL, ids=lambda value: value.name if isinstance(value, Path) else value
)
def test_careful_shops_survive_five_hundred_stories(folder: Path, file: str) -> None:
    if folder.name.startswith(("go-", "java-")):
        pytest.skip("is compiled by tests/test_other_styles.py")
    tally = _explored(_config(folder, file), SearchLimits(stories=500), seed=77)
    _publish(f"{folder.name}--{file}", tally)
    assert not tally.found, [sentences(each.played.story) for each in tally.found]
    assert tally.charges > 100


def test_two_shops_have_some_and_each_names_a_rule() -> None:
    from payproof.suites.explorer.oracle import RULES

    rows = [(row.values[0], row.values[2]) for row in _defects()]
    assert {shop for shop, _ in rows} == {"flask-shop", "express-shop"}
    assert {rule for _, row in rows for rule in (row["rule"], *row["also"])} <= set(RULES)
