"""Verdicts do not depend on load: the careful shops of every language, and a sample of the planted mistakes, are judged once
on a quiet machine and then in rounds with four busy processes beside them.

`tox -e steady`, or PAYPROOF_STEADY=FOLDER pytest -s tests/test_steady.py. PAYPROOF_STEADY_ROUNDS says how many busy rounds
(3). Every difference is printed, and the verdicts of all rounds are written to the folder. What cannot be judged under load may
be not exercised with a reason: that is listed. Any other difference fails, and so does an accusation that only load makes.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Result, Verdict
from payproof.suites.config import make_config
from payproof.suites.run.plan import Options
from payproof.suites.run.runner import perform

ROOT = Path(__file__).parents[1]
EXAMPLES, STYLES = ROOT / "examples", ROOT / "tests" / "integrations"
FOLDER = os.environ.get("PAYPROOF_STEADY", "")
ROUNDS = int(os.environ.get("PAYPROOF_STEADY_ROUNDS") or 3)
BUSY = 4
BAD = (Verdict.FAIL, Verdict.WARN, Verdict.ERROR)
BARE = "the situation did not arise"
"""Says that there is no verdict, and not why."""

PROGRAMS = {
    "flask-shop": ("app.py", "defects.py"),
    "express-shop": ("app.js", "defects.js"),
    "php-shop": ("index.php", "defects.php"),
}
SAMPLE = {
    "flask-shop": ("no-double-submit-guard", "never-renews", "ships-on-every-return", "token-per-call"),
    "express-shop": ("race-on-return", "crash-on-not-json", "ignores-retry-after"),
    "php-shop": ("double-post", "optimistic-on-cut-json"),
    "go-prefork": ("process-lock", "stale-order"),
    "python-queue": ("drops-the-job", "guard-only", "tight-loop"),
    "node-behind-proxy": ("keeps-pages", "asks-the-app-again"),
}
"""Mistakes that are found by what happens at the same moment, or within some time: load could hide them, or make them up."""

Style = Callable[..., dict[str, Any]]
whole = pytest.mark.skipif(not FOLDER, reason="takes half an hour of a whole machine: tox -e steady")


@dataclass(frozen=True, slots=True)
class Round:
    """What one run found: each requirement's verdict, and the reasons of those that were not judged."""

    verdicts: Mapping[str, Verdict]
    reasons: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """A requirement whose verdicts are not the same in all rounds; the quiet one is the first."""

    shop: str
    requirement: str
    verdicts: tuple[Verdict, ...]
    excused: bool
    reason: str

    def __str__(self) -> str:
        verdicts = " ".join(f"{verdict.value:13}" for verdict in self.verdicts)
        return f"{self.shop:42} {self.requirement:28} {verdicts} {'listed: ' + self.reason if self.excused else 'DEPENDS ON LOAD'}"


def differences(shop: str, rounds: Sequence[Round]) -> list[Difference]:
    """Where the busy rounds say another thing than the quiet one, which comes first."""
    found: list[Difference] = []
    for requirement in sorted({id for each in rounds for id in each.verdicts}):
        verdicts = tuple(each.verdicts.get(requirement, Verdict.NOT_EXERCISED) for each in rounds)
        if len(set(verdicts)) == 1:
            continue
        unjudged = [each for each, verdict in zip(rounds, verdicts, strict=True) if verdict is Verdict.NOT_EXERCISED]
        reason = next((text for each in unjudged if (text := each.reasons.get(requirement))), "")
        judged = set(verdicts) - {Verdict.NOT_EXERCISED}
        explained = all(each.reasons.get(requirement) for each in unjudged)
        accused = verdicts[0] not in BAD and any(verdict in BAD for verdict in verdicts)
        found.append(Difference(shop, requirement, verdicts, len(judged) == 1 and explained and not accused, reason))
    return found


def _round(result: Result) -> Round:
    reasons = {
        judgement.requirement: "; ".join(
            dict.fromkeys(
                each.title
                for each in judgement.findings
                if each.verdict is Verdict.NOT_EXERCISED and each.title != BARE
            )
        )
        for judgement in result.judgements
    }
    return Round({judgement.requirement: judgement.verdict for judgement in result.judgements}, reasons)


@contextmanager
def _busy(processes: int) -> Generator[None]:
    """Processes that do nothing as hard as they can. Each ends by itself when we are gone."""
    spin = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    sum(range(1_000_000))"
    with ExitStack() as running:
        for _ in range(processes):
            burner = subprocess.Popen([sys.executable, "-c", spin])
            running.callback(burner.wait)
            running.callback(burner.kill)
        yield


def _tables(shop: str, defect: str, style: Style) -> tuple[Path, dict[str, Any]]:
    if shop not in PROGRAMS:
        return STYLES / shop, style(shop, defect=defect)
    folder = EXAMPLES / shop
    found = tomllib.loads((folder / "payproof.toml").read_text())
    integration = found["integration"]
    if shutil.which(integration["command"][0]) is None:
        pytest.skip(f"{integration['command'][0]} is not installed")
    if shop == "express-shop" and not (folder / "node_modules").is_dir():
        pytest.skip("run `npm ci` in examples/express-shop first")
    if defect:
        careful, careless = PROGRAMS[shop]
        integration["command"] = [careless if word == careful else word for word in integration["command"]]
        integration["env"]["SHOP_DEFECT"] = defect
        integration["order"].setdefault("within", 1)
    return folder, found


def _compared(label: str, folder: Path, tables: dict[str, Any], options: Options) -> list[Round]:
    """Judged on a quiet machine, then in each busy round; printed and written."""
    config = make_config(tables, folder=folder, place=f"{folder.name}/payproof.toml", environ={})
    rounds: list[Round] = []
    seconds: list[float] = []
    for number in range(ROUNDS + 1):
        with _busy(BUSY if number else 0):
            began = time.monotonic()
            result = judge(asyncio.run(perform(config, options)), config.profile)
            seconds.append(round(time.monotonic() - began, 1))
        assert not result.diagnosis, f"round {number}: {result.diagnosis}"
        rounds.append(_round(result))
    different = differences(label, rounds)
    took = " ".join(f"{each:g}" for each in seconds)
    print(f"\n{label}: {took} s (quiet, then busy); {len(different)} difference(s)", *different, sep="\n  ")
    verdicts = {id: [str(each.verdicts.get(id, "")) for each in rounds] for id in rounds[0].verdicts}
    reasons = {each.requirement: each.reason for each in different}
    Path(FOLDER).mkdir(parents=True, exist_ok=True)
    Path(FOLDER, f"{label}.json").write_text(json.dumps({"seconds": seconds, "verdicts": verdicts, "reasons": reasons}))
    return rounds


def _steady(label: str, rounds: Sequence[Round]) -> None:
    unsteady = [each for each in differences(label, rounds) if not each.excused]
    assert not unsteady, "\n".join(
        ["shop, requirement, verdicts by round (the first one is quiet):", *map(str, unsteady)]
    )


CAREFUL = (*PROGRAMS, *sorted(path.name for path in STYLES.iterdir() if path.is_dir()))


@whole
@pytest.mark.parametrize("shop", CAREFUL)
def test_a_careful_shop_is_judged_alike_on_a_busy_machine(shop: str, style: Style) -> None:
    rounds = _compared(f"{shop} (careful)", *_tables(shop, "", style), Options(quick=True, seed=21))
    found = [{id for id, verdict in each.verdicts.items() if verdict in BAD} for each in rounds]
    assert not any(found), found
    _steady(f"{shop} (careful)", rounds)


@whole
def test_a_whole_run_is_judged_alike_on_a_busy_machine(style: Style) -> None:
    rounds = _compared("flask-shop (careful, whole run)", *_tables("flask-shop", "", style), Options(seed=21))
    found = [{id for id, verdict in each.verdicts.items() if verdict in BAD} for each in rounds]
    assert not any(found), found
    _steady("flask-shop (careful, whole run)", rounds)


@whole
@pytest.mark.parametrize(("shop", "defect"), [(shop, name) for shop, names in SAMPLE.items() for name in names])
def test_a_mistake_is_judged_alike_on_a_busy_machine(shop: str, defect: str, style: Style) -> None:
    folder, tables = _tables(shop, defect, style)
    row = tomllib.loads((folder / "defects.toml").read_text())["defects"][defect]
    rounds = _compared(f"{shop}, {defect}", folder, tables, Options(only=(row["requirement"],), quick=True, seed=21))
    assert rounds[0].verdicts[row["requirement"]] in BAD, "the quiet round does not find it"
    _steady(f"{shop}, {defect}", rounds)


# What counts as a difference.


def _a_round(verdict: Verdict, reason: str = "") -> Round:
    return Round({"a.b": verdict}, {"a.b": reason})


def test_equal_rounds_are_no_difference() -> None:
    assert not differences("shop", [_a_round(Verdict.PASS), _a_round(Verdict.PASS)])


def test_what_load_made_untellable_is_listed_when_it_says_why() -> None:
    [found] = differences("shop", [_a_round(Verdict.PASS), _a_round(Verdict.NOT_EXERCISED, "the machine was too slow")])
    assert found.excused
    assert "the machine was too slow" in str(found)


def test_what_load_made_untellable_without_a_reason_depends_on_load() -> None:
    [found] = differences("shop", [_a_round(Verdict.PASS), _a_round(Verdict.NOT_EXERCISED)])
    assert not found.excused


@pytest.mark.parametrize("quiet", [Verdict.PASS, Verdict.NOT_EXERCISED, Verdict.NOT_APPLICABLE])
@pytest.mark.parametrize("busy", [Verdict.FAIL, Verdict.WARN])
def test_an_accusation_that_only_load_makes_is_never_excused(quiet: Verdict, busy: Verdict) -> None:
    [found] = differences(
        "shop", [_a_round(quiet, "no time"), _a_round(busy), _a_round(Verdict.NOT_EXERCISED, "no time")]
    )
    assert not found.excused


def test_a_mistake_that_load_hides_depends_on_load() -> None:
    [found] = differences("shop", [_a_round(Verdict.FAIL), _a_round(Verdict.PASS)])
    assert not found.excused
    assert "DEPENDS ON LOAD" in str(found)


def test_the_busy_processes_are_gone_afterwards() -> None:
    started: list[Any] = []
    make: Any = subprocess.Popen

    def noted(command: list[str]) -> Any:
        started.append(make(command))
        return started[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "Popen", noted)
        with suppress(KeyboardInterrupt), _busy(2):
            raise KeyboardInterrupt
    assert [process.returncode for process in started] == [-9, -9]


def test_every_sampled_mistake_is_planted() -> None:
    for shop, names in SAMPLE.items():
        folder = (EXAMPLES if shop in PROGRAMS else STYLES) / shop
        assert set(names) <= set(tomllib.loads((folder / "defects.toml").read_text())["defects"])
