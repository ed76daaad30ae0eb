"""The pages that are made from the registries are up to date, and every command of the README exists."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from payproof.suites import cli

ROOT = Path(__file__).parents[1]


def test_generated_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs/generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_published_kill_matrix_has_every_defect() -> None:
    text = (ROOT / "docs/kill-matrix.md").read_text()
    for file in ROOT.glob("examples/*/defects.toml"):
        for name, row in tomllib.loads(file.read_text())["defects"].items():
            assert f"| `{name}` | {row['mistake']} |" in text
    assert "not run" not in text


def test_every_link_of_the_pages_leads_somewhere() -> None:
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*/README.md")):
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_command_that_the_pages_name_exists() -> None:
    known = {"run", "init", "list", "explain", "check", "report", "serve", "selftest", "schema"}
    known |= {"record", "cassettes", "contract", "drift", "explore", "replay", "doctor", "lint"}
    for page in (ROOT / "README.md", *ROOT.glob("docs/*.md")):
        blocks = "\n".join(re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL))
        for name in re.findall(r"^payproof ([a-z]+)", blocks, re.MULTILINE):
            assert name in known, f"{page.name}: payproof {name}"
    assert cli.run(["--version"]) == 0
