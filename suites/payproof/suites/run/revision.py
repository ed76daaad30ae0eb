"""Which commit a run has tested, where the integration's folder lies in a git work tree."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

_PATIENCE = 10.0
"""Seconds; a work tree that takes longer is left out."""
QUIET = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-optional-locks")
"""No hook or monitor that the repository names is started, and nothing in it is written."""


@dataclass(frozen=True, slots=True)
class Revision:
    """``commit``: its whole id. ``dirty``: files that git knows were changed since, like `git describe --dirty` says."""

    commit: str
    dirty: bool


def revision(folder: Path) -> Revision | None:
    """The commit that is checked out there. None: no work tree, no commit yet, or no git on this machine."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    asked = ("git", "-C", str(folder), *QUIET, "status", "--porcelain=v2", "--branch", "--untracked-files=no")
    try:
        done = subprocess.run(
            asked,
            env=environment | {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    text = done.stdout.decode("utf-8", "replace")
    found = re.search(r"^# branch\.oid ([0-9a-f]{40,64})$", text, re.MULTILINE)
    if done.returncode or not found:
        return None
    return Revision(found[1], any(line and not line.startswith("#") for line in text.splitlines()))
