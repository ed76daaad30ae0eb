"""Whether a command line of a page can work: the program's own parser reads it, the files and environments that it names exist.

Nothing is started here. ``wrong`` answers in words; an empty text is good.
"""

from __future__ import annotations

import ast
import configparser
import importlib.util
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import click
from doc_pages import ROOT

from payproof.contracts.comparing.catalogue import catalogue_of
from payproof.contracts.model import PayproofError
from payproof.contracts.profile import load
from payproof.reports.registry import WRITERS
from payproof.suites.commands import payproof
from payproof.suites.conformance.drift.comparison import chosen
from payproof.suites.run.selection import select

OURS = "payproof"
SHELL = {"cd", "export", "exit", "done", "fi", "echo", "mkdir", "set", ".", "source", "true", "rm", "unzip"}
FOREIGN = {"openssl": [["genpkey"], ["pkey"], ["pkeyutl"]], "git": [["clone"], ["ls-remote"]], "docker": [["build"]]}
"""Programs that are not ours to check, and what of them the pages may use."""
KEYWORDS = {"do", "then", "else", "if", "time", "!"}
SEPARATORS = {"&&", "||", "|", ";", "&", ";;"}
_ASSIGNED = re.compile(r"[A-Za-z_]\w*=")
_VARIABLE = re.compile(r"\$\{\{.*?\}\}|\$\{\w+\}|\$\w+")


def commands(text: str) -> Iterator[list[str]]:
    """The simple commands of a shell text, in words, without comments, redirections and what is assigned before them."""
    for line in whole_lines(text):
        words: list[str] = []
        tokens = iter([*_tokens(line), ";"])
        for token in tokens:
            if token in SEPARATORS:
                if words := _bare(words):
                    yield words
                words = []
            elif re.fullmatch(r"[<>]+&?", token):
                if words and words[-1] in ("1", "2"):
                    words.pop()
                next(tokens)
            else:
                words.append(token)


def whole_lines(text: str) -> Iterator[str]:
    """Lines with their continuations, and those that a quote is still open in."""
    waiting = ""
    for line in text.replace("\\\n", " ").splitlines():
        waiting = f"{waiting}\n{line}" if waiting else line
        try:
            _tokens(waiting)
        except ValueError:
            continue
        yield waiting
        waiting = ""
    assert not waiting, f"a quote is never closed: {waiting}"


def _tokens(line: str) -> list[str]:
    lexer = shlex.shlex(_VARIABLE.sub("1", line), posix=True, punctuation_chars=";<>|&")
    lexer.whitespace_split, lexer.commenters = True, "#"
    return list(lexer)


def _bare(words: Sequence[str]) -> list[str]:
    left = list(words)
    while left and (left[0] in KEYWORDS or _ASSIGNED.match(left[0])):
        left = left[1:]
    return [] if left[:1] == ["for"] else left


def wrong(words: Sequence[str], folder: Path) -> str:
    """What is wrong with a command of a page in this folder."""
    program, *rest = words
    program = program.rpartition("/")[2]
    if program in SHELL or rest[:1] in FOREIGN.get(program, []):
        return ""
    if check := PROGRAMS.get(program):
        return check(rest, folder)
    return f"nothing here knows how to check {program}: teach tests/lib/doc_commands.py, or mark the block <!-- not run: why -->"


def _payproof(words: Sequence[str], folder: Path) -> str:
    try:
        params = parsed(words)
        _selected(words[0], params)
    except click.exceptions.Exit:
        return ""
    except click.ClickException as error:
        return f"payproof {shlex.join(words)}: {error.format_message()}"
    except PayproofError as error:
        return f"payproof {shlex.join(words)}: {error.message}"
    return ""


def _selected(command: str, params: Mapping[str, Any]) -> None:
    """What it is asked to leave out everything else for exists."""
    if command == "run":
        select(load("quatapay").checklist, params["only"], params["expression"])
    elif command == "drift":
        chosen(catalogue_of(load("quatapay")), params["only"])


def parsed(words: Sequence[str]) -> Mapping[str, Any]:
    """What the command line's own parser makes of it.

    Raises:
        click.ClickException: a command or an option that does not exist.
        click.exceptions.Exit: it only asks for help or the version.
    """
    command: click.Command = payproof
    name, rest = OURS, list(words)
    while isinstance(command, click.Group):
        if not rest or rest[0].startswith("-"):
            command.make_context(name, rest)
        found = command.get_command(click.Context(command), rest[0])
        if found is None:
            raise click.UsageError(f"there is no command {rest[0]}")
        name, command = rest.pop(0), found
    return command.make_context(name, rest).params


def _pip(words: Sequence[str], folder: Path) -> str:
    if words[:1] != ["install"]:
        return f"pip {shlex.join(words)}: only install is known"
    return _first(map(_extras, words[1:]))


def _extras(word: str) -> str:
    known = _project()["project"]["optional-dependencies"]
    asked = re.fullmatch(r"payproof(?:\[([\w,-]+)\])?(?:[=<>~!]=?.*)?", word)
    unknown = set(asked[1].split(",")) - set(known) if asked and asked[1] else set[str]()
    return f"{word}: there is no extra {', '.join(unknown)}" if unknown else ""


def _first(problems: Iterable[str]) -> str:
    return next((problem for problem in problems if problem), "")


@cache
def _project() -> dict[str, dict[str, dict[str, object]]]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def _tox(words: Sequence[str], folder: Path) -> str:
    own, _, passed = " ".join(words).partition("--") if "--" in words else (" ".join(words), "", "")
    options = own.split()
    names = options[options.index("-e") + 1].split(",") if "-e" in options else []
    ini = configparser.ConfigParser(interpolation=None)
    ini.read(ROOT / "tox.ini")
    for name in names:
        section = "testenv" if re.fullmatch(r"py\d*", name) else f"testenv:{name}"
        if not ini.has_section(section):
            return f"tox.ini has no environment {name}"
        runs = ini.get(section, "commands").strip().splitlines()[-1]
        if passed.strip() and "{posargs" not in runs:
            return f"tox -e {name} takes no arguments"
        if passed.strip() and runs.startswith(OURS):
            return _payproof(shlex.split(re.sub(r"\{posargs.*\}", passed, runs))[1:], folder)
    return ""


def _pytest(words: Sequence[str], folder: Path) -> str:
    for word in words:
        if word.startswith("--") and word.partition("=")[0] not in pytest_options():
            return f"pytest knows no option {word}"
    if "--pyargs" in words and not importlib.util.find_spec(words[words.index("--pyargs") + 1]):
        return f"there is nothing to test of that name: {shlex.join(words)}"
    return ""


@cache
def pytest_options() -> frozenset[str]:
    """Every long option, those of the installed plugins too."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--help"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return frozenset(re.findall(r"--[a-z][\w-]*", done.stdout))


def _python(words: Sequence[str], folder: Path) -> str:
    match list(words):
        case ["-m", "pip", *rest]:
            return _pip(rest, folder)
        case ["-m", "venv" | "http.server", *_]:
            return ""
        case ["-m", "pytest", *rest]:
            return _pytest(rest, folder)
        case ["-c", text, *_]:
            ast.parse(text)
            return ""
        case [file, *_]:
            return _file(file, folder)
        case _:
            return "python without a program"


def _script(words: Sequence[str], folder: Path) -> str:
    """node, php: a file, after options."""
    if words[:1] == ["-S"]:
        words = words[2:]
    return _file(next(iter(words), ""), folder)


def _file(name: str, folder: Path) -> str:
    if name in {f"payproof-report/{writer.filename}" for writer in WRITERS.values()}:
        return ""
    return "" if name and any((place / name).is_file() for place in (folder, ROOT)) else f"there is no file {name}"


def _cat(words: Sequence[str], folder: Path) -> str:
    return _first(_file(word, folder) for word in words)


def _npm(words: Sequence[str], folder: Path) -> str:
    return "" if (folder / "package.json").is_file() else f"npm {shlex.join(words)}: no package.json beside the page"


def _docker(words: Sequence[str], folder: Path) -> str:
    """docker run OPTIONS payproof ARGUMENTS: the image's entry point is the command line."""
    return _payproof(words[words.index(OURS) + 1 :], folder) if OURS in words else "which image?"


def _pipx(words: Sequence[str], folder: Path) -> str:
    """pipx install PACKAGE, pipx run PACKAGE ARGUMENTS; uvx and uv tool likewise."""
    match list(words):
        case ["install" | "inject", *packages]:
            return _first(map(_extras, packages))
        case ["run" | "tool", *rest]:
            return _pipx(rest, folder)
        case ["--from", package, *rest]:
            return _extras(package) or wrong(rest, folder)
        case [package, *rest]:
            return _extras(package) or (_payproof(rest, folder) if package.startswith(OURS) else "")
        case _:
            return "a package is missing"


PROGRAMS: Mapping[str, Callable[[Sequence[str], Path], str]] = {
    "payproof": _payproof,
    "pip": _pip,
    "pipx": _pipx,
    "uvx": _pipx,
    "tox": _tox,
    "pytest": _pytest,
    "python": _python,
    "node": _script,
    "php": _script,
    "sh": _script,
    "cat": _cat,
    "npm": _npm,
    "docker": _docker,
    "apt-get": lambda words, _: "" if words[0] in ("install", "update") else "apt-get installs or updates",
}
