"""The pages and excerpts that are made by docs/generate.py are up to date; the other pages: tests/docs_pages."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

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
