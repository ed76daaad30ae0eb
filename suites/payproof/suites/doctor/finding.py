"""One thing that the doctor looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

State: TypeAlias = Literal["ok", "note", "problem"]


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """``note``: in the way of some runs only. ``remedy``: what to do, empty only where all is well."""

    area: Literal["payproof", "system", "ports", "runtimes", "browser", "configuration"]
    name: str
    state: State
    detail: str
    remedy: str = ""
