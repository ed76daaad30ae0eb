"""Which commit a run has tested."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from payproof.suites.run.revision import revision


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    done = subprocess.run(("git", "-C", str(folder), *who, *words), capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if not shutil.which("git"):
        pytest.skip("no git here")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    git(tmp_path, "init", "-q")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/app.py").write_text("pay()\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "a shop")
    return tmp_path


def test_a_commit_is_known_in_any_folder_of_its_tree_and_a_changed_file_makes_it_dirty(tree: Path) -> None:
    found = revision(tree / "shop")
    assert found is not None
    assert (found.commit, found.dirty) == (git(tree, "rev-parse", "HEAD"), False)
    (tree / "shop/shop.log").write_text("what a run leaves")
    assert revision(tree) == found
    (tree / "shop/app.py").write_text("pay_twice()\n")
    changed = revision(tree / "shop")
    assert changed is not None
    assert changed.dirty


def test_nothing_that_the_repository_names_is_started(tree: Path) -> None:
    (tree / "evil.sh").write_text(f"#!/bin/sh\ntouch {tree}/started\n")
    (tree / "evil.sh").chmod(0o755)
    git(tree, "config", "core.fsmonitor", str(tree / "evil.sh"))
    assert revision(tree) is not None
    assert not (tree / "started").exists()


def test_without_a_work_tree_a_commit_or_git_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plain").mkdir()
    if shutil.which("git"):
        (tmp_path / "empty").mkdir()
        git(tmp_path / "empty", "init", "-q")
        assert revision(tmp_path / "empty") is None
    assert revision(tmp_path / "nowhere") is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert revision(tmp_path / "plain") is None
