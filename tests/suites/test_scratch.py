"""The folder of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from payproof.suites.session.scratch import scratch


def test_nothing_is_left_of_a_tree_that_is_deeper_than_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Path.cwd()
    with scratch("payproof-test-") as folder:
        monkeypatch.chdir(folder)
        for _ in range(1_500):
            Path("d").mkdir()
            monkeypatch.chdir("d")
        monkeypatch.chdir(here)
    assert not folder.exists()


def test_nothing_is_left_of_a_folder_that_may_not_be_written_to() -> None:
    with scratch("payproof-test-") as folder:
        (folder / "a/b").mkdir(parents=True)
        (folder / "a/b/c").write_text("x")
        (folder / "a/b").chmod(0)
        (folder / "a").chmod(0o500)
    assert not folder.exists()
