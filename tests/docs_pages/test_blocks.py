"""Every block of code on every page is run or checked by a test; those that are not say why.

Here: what can be said of a block without starting anything. test_run.py runs what is cheap to run, test_shapes.py holds
configurations to the shops that they describe, docs/generate.py makes the excerpts of output.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from doc_commands import commands, parsed, wrong
from doc_pages import ROOT, Block, blocks, every_block

from payproof.suites import cli
from payproof.suites.config import make_config
from payproof.suites.config.loading import merge

CHECKED = {"sh", "toml", "yaml", "json", "python", "dockerfile"}
CURLS_ARE_RUN = {"README.md", "docs/simulator.md"}
"""By test_run.py, against a simulator."""
STARTS_NOTHING = {"list", "explain", "schema"}
"""Commands that start nothing, and are run as they stand."""

EXCUSES = {
    ("ARCHITECTURE.md", "a picture"),
    ("tests/sandbox/README.md", "how it is called, not a command"),
    ("benchmarks/clients/programs/README.md", "how each program is called, not a command"),
}

NO_COMMANDS = {"payproof held a create call back": "a message", "payproof run --only tok": "what the tab key completes"}
"""What looks like a command and is none -> what it is."""
INTEGRATION: dict[str, Any] = {
    "command": ["python", "app.py"],
    "checkout": {"path": "/checkout"},
    "order": {"path": "/orders/{order.id}", "status": "json:/status"},
}


def each(*languages: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", [pytest.param(it, id=it.place) for it in blocks(*languages)])


def test_every_block_is_fenced_and_names_its_language() -> None:
    assert [it.place for it in every_block() if not it.fenced or not it.language] == []


def test_every_block_is_checked_or_made_or_says_why_not() -> None:
    code = (ROOT / "benchmarks/clients/programs").rglob("*.*")
    programs = {
        line.strip()
        for file in code
        if "node_modules" not in file.parts
        for line in file.read_text(errors="replace").splitlines()
    }
    unchecked = [
        f"{it.place}: {it.language}"
        for it in blocks()
        if it.language not in CHECKED and not it.excerpt and not _part_of_a_program(it, programs)
    ]
    assert unchecked == [], "mark it <!-- not run: why -->, or make it: <!-- excerpt: NAME --> and docs/excerpts.py"


def _part_of_a_program(block: Block, programs: set[str]) -> bool:
    """The settings on docs/clients.md stand in the programs that were measured."""
    lines = [line.strip() for line in block.text.splitlines() if line.strip()]
    return block.page == "docs/clients.md" and all(any(known.startswith(line) for known in programs) for line in lines)


def test_the_blocks_that_no_test_runs_are_these() -> None:
    assert {(it.page, it.excuse) for it in every_block() if it.excuse} == EXCUSES


@each("sh")
def test_every_command_line_can_be_typed(block: Block) -> None:
    assert _problems(block.text, block) == []


def _problems(text: str, block: Block) -> list[str]:
    found = (
        wrong(words, block.folder) for words in commands(text) if words[0] != "curl" or block.page not in CURLS_ARE_RUN
    )
    return [problem for problem in found if problem]


def test_what_only_tells_something_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "examples/express-shop")
    inline = {
        words
        for page in {it.page for it in every_block()}
        for words in re.findall(r"`payproof ([^`]+)`", (ROOT / page).read_text())
    }
    lines = [
        line for it in blocks("sh") for words in commands(it.text) if words[0] == "payproof" for line in [words[1:]]
    ]
    lines += [words.split() for words in inline]
    harmless = [
        line
        for line in lines
        if line[:1] and (line[0] in STARTS_NOTHING or line in (["--version"], ["drift", "--list"]))
    ]
    harmless = [line for line in harmless if not any(word.isupper() or word in (">", "…") for word in line[1:])]
    assert len(harmless) > 5
    for line in harmless:
        assert cli.run(line) == 0, f"payproof {' '.join(line)}\n{capsys.readouterr().err}"


@each("toml")
def test_every_configuration_is_taken(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tomllib.loads(block.text)
    data = data.get("tool", {}).get("payproof", data)
    own = data.get("integration", {})
    base = {key: value for key, value in INTEGRATION.items() if key != "command" or "url" not in own}
    names = set(re.findall(r"\$\{(\w+)\}", block.text))
    environ = {
        name: "https://sandbox.example/pay/sandbox/api/v1" if "URL" in name else "a-value-of-16-letters"
        for name in names
    }
    config = make_config(merge({"integration": base}, data), folder=tmp_path, place=block.place, environ=environ)
    assert config.profile


@each("yaml")
def test_every_pipeline_can_be_read_and_its_commands_typed(block: Block) -> None:
    read = yaml.safe_load(block.text)
    assert read
    assert [problem for script in _scripts(read) for problem in _problems(script, block)] == []


def _scripts(node: Any) -> Iterator[str]:
    """Shell texts of a workflow: `run:` in GitHub's words, `script:` in GitLab's."""
    if isinstance(node, list):
        for inner in node:  # pyright: ignore[reportUnknownVariableType]
            yield from _scripts(inner)
    elif isinstance(node, dict):
        for name, inner in node.items():  # pyright: ignore[reportUnknownVariableType]
            if name == "run" and isinstance(inner, str):
                yield inner
            elif name in ("script", "before_script", "after_script"):
                yield from inner if isinstance(inner, list) else [str(inner)]  # pyright: ignore[reportUnknownArgumentType]
            else:
                yield from _scripts(inner)


def test_every_use_of_our_own_action_and_hook_names_what_they_have() -> None:
    for block in blocks("yaml"):
        for step in _tables(yaml.safe_load(block.text)):
            if re.search(r"/payproof@", str(step.get("uses"))):
                assert set(step["with"]) <= set(yaml.safe_load((ROOT / "action.yml").read_text())["inputs"]), (
                    block.place
                )
            if str(step.get("id")).startswith("payproof-"):
                hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
                assert step["id"] in {hook["id"] for hook in hooks}, block.place


def _tables(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():  # pyright: ignore
        yield from _tables(inner)


def test_every_image_is_made_of_instructions_and_commands() -> None:
    for block in blocks("dockerfile"):
        for instruction, rest in re.findall(r"^(\w+) (.+)$", block.text.replace("\\\n", " "), re.MULTILINE):
            assert instruction in ("FROM", "USER", "RUN", "COPY", "WORKDIR", "ENV", "CMD"), block.place
            assert instruction != "RUN" or _problems(rest, block) == []


def test_the_examples_of_a_contract_stand_in_it() -> None:
    block = next(it for it in blocks("yaml") if it.page == "docs/drift.md")
    contract = ROOT / "contracts/payproof/contracts/gateways/quatapay/openapi.yaml"
    known = {line.strip() for line in contract.read_text().splitlines()}
    assert set(block.text.splitlines()) <= known


def test_every_json_can_be_read() -> None:
    for block in blocks("json"):
        assert json.loads(block.text) is not None, block.place


@each("python")
def test_every_python_block_compiles_and_its_imports_exist(block: Block) -> None:
    text = (
        block.text
        if not _inside_a_function(block.text)
        else f"def it():\n{re.sub('^', '    ', block.text, flags=re.MULTILINE)}"
    )
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            for name in node.names:
                importlib.import_module(name.name)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.module.startswith("shop"):
            module = importlib.import_module(node.module)
            assert [name.name for name in node.names if not hasattr(module, name.name)] == [], block.place


def _inside_a_function(text: str) -> bool:
    try:
        compile(text, "block", "exec")
    except SyntaxError:
        return True
    return False


def test_a_command_that_does_not_exist_is_found(tmp_path: Path) -> None:
    for line in (
        "payproof rum",
        "payproof run --onyl token",
        "payproof run --only token.casched",
        "payproof run -k 'token and'",
        "FOO=1 payproof explore --seconds soon && true",
        "pip install 'payproof[suite]'",
        "tox -e simulater",
        "tox -e simulator -- --confg x",
        "tox -e demo2",
        "pytest --payproof-konfig x",
        "python nowhere.py",
        "docker run --rm payproof rum",
        "openssl x509",
        "make it",
    ):
        assert [problem for words in commands(line) if (problem := wrong(words, tmp_path))], line


def test_a_shell_text_is_cut_into_its_commands() -> None:
    text = 'A=1 payproof run \\\n  --only token  # a comment\nfor x in *; do payproof replay "$x" || exit 1; done\ncat a >> "$B" | sh b 2>&1'
    assert list(commands(text)) == [
        ["payproof", "run", "--only", "token"],
        ["payproof", "replay", "1"],
        ["exit", "1"],
        ["done"],
        ["cat", "a"],
        ["sh", "b"],
    ]
    assert parsed(["run", "--quick"])["quick"] is True


@pytest.mark.parametrize("page", sorted({it.page for it in every_block()}))
def test_every_command_within_a_text_exists(page: str) -> None:
    spans = re.findall(r"(?<!`)`(payproof [^`\n]+|tox -e [^`\n]+)`(?!`)", (ROOT / page).read_text())
    plain = (re.sub(r"\b[A-Z][A-Z_]+\b|…|\.\.\.", "1", span).replace("|", " ") for span in spans)
    found = (wrong(words, ROOT) for span in plain if span not in NO_COMMANDS for words in commands(span))
    assert [
        problem for problem in found if problem and not re.search(r"Missing argument|requires an argument", problem)
    ] == []
