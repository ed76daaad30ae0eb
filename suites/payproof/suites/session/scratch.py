"""A folder for a run, of which nothing is left, whatever an integration put into it."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_PATIENCE = 60.0
"""Seconds for one tool of the system."""


@contextmanager
def scratch(prefix: str) -> Generator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        yield folder
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    """Also what is deeper than a Python stack, and what nobody may write to."""
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        for tool in (("chmod", "-R", "u+rwx"), ("rm", "-rf")):
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run([*tool, str(folder)], capture_output=True, timeout=_PATIENCE, check=False)
