"""What all journal entries have.

Times (``at``, ``began``, ``ended``) are seconds since the run began.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    kind: ClassVar[str]
    n: int = 0
    at: float = 0.0


E = TypeVar("E", bound=Entry)
