"""Recipes: for which language, for which requirement, and that each of them is a program."""

from __future__ import annotations

import ast
import shutil
import subprocess
import tomllib
from importlib import resources
from typing import Any

import pytest

from payproof.contracts.entries import Call, Entry, Process, Request
from payproof.contracts.judging.requirements import requirements
from payproof.contracts.run import RecordedWorld, Run
from payproof.reports.recipes import LANGUAGES, language, recipe


def run(*entries: Entry) -> Run:
    return Run(gateway="quatapay", worlds=(RecordedWorld(name="main", entries=entries),))


def texts(spoken: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads(
        resources.files("payproof.reports.recipes").joinpath(f"{spoken}.toml").read_text()
    )["recipe"]
    return found


@pytest.mark.parametrize(
    ("command", "spoken"),
    [
        ("python app.py", "python"), ("/usr/bin/python3.12 -m flask run", "python"), ("gunicorn app:app", "python"),
        ("node server.mjs", "node"), ("npm start", "node"), ("php -S 127.0.0.1:1 index.php", "php"),
        ("java -jar shop.jar", "java"), ("./gradlew bootRun", "java"), ("go run .", "go"), ("bundle exec rails s", "ruby"),
        ("./shop", ""),
    ],
)  # fmt: skip
def test_the_command_tells_the_language(command: str, spoken: str) -> None:
    assert language(run(Process(event="started", detail=command))) == spoken


def test_a_compiled_shop_is_known_by_what_its_calls_say_and_an_unknown_one_gets_no_recipe() -> None:
    started = Process(event="started", detail="./shop")
    request = Request(method="GET", url="https://h/", headers=(("User-Agent", "Go-http-client/1.1"),))
    assert language(run(started, Call(began=0, ended=1, ending="answered", request=request))) == "go"
    assert recipe("token.cached", language(run(started))) is None


def test_a_recipe_for_the_requirement_wins_over_one_for_its_group() -> None:
    own, group = recipe("verify.unreachable", "python"), recipe("verify.amount", "python")
    assert own
    assert group
    assert (own.language, group.language) == ("Python", "Python")
    assert own.code != group.code
    assert recipe("alerts.payment-error", "python") is None


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_recipes_are_for_what_payproof_judges_each_once(spoken: str) -> None:
    known = {*requirements(), *(each.group for each in requirements().values())}
    named = [name for each in texts(spoken) for name in each["for"]]
    assert set(named) <= known
    assert len(named) == len(set(named))


def test_python_recipes_are_python() -> None:
    for each in texts("python"):
        ast.parse(each["code"])


_CHECKS = {
    "node": ("node", ["--check", "-"], "async () => {{\n{}\n}};"),
    "php": ("php", ["-l"], "<?php\n{}"),
    "ruby": ("ruby", ["-c"], "def recipe\n{}\nend"),
}


@pytest.mark.parametrize("spoken", _CHECKS)
def test_recipes_of_other_languages_have_their_grammar(spoken: str) -> None:
    program, arguments, frame = _CHECKS[spoken]
    if not shutil.which(program):
        pytest.skip(f"needs {program}")
    for each in texts(spoken):
        code = (
            frame.format(each["code"]) if "def " not in each["code"] and "= ENV" not in each["code"] else each["code"]
        )
        done = subprocess.run([program, *arguments], input=code, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{each['for']}: {done.stderr}{done.stdout}"
