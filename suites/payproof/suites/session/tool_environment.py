"""payproof in an environment that was made for it alone: its Python is not the one that the integration's command means."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def without_ours(path: str, environ: Mapping[str, str] = os.environ, prefix: str = sys.prefix) -> str:
    """A PATH without the folder that `uvx` puts first for the tool that it runs.

    An environment that a person has activated, or that holds the user's packages too, stays where it is.
    """
    first, _, rest = path.partition(os.pathsep)
    ours = Path(first) == Path(prefix) / "bin" and environ.get("VIRTUAL_ENV") != prefix
    return rest if ours and "UV" in environ and _made_by_uvx(prefix) else path


def _made_by_uvx(prefix: str) -> bool:
    """uvx makes environments that can be moved, in its cache; one that extends the user's own says so."""
    try:
        settings = (Path(prefix) / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return False
    return "relocatable = true" in settings and "extends-environment" not in settings
