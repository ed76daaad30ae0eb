"""A run: what checks see of it, and how it stands on disk."""

from payproof.contracts.run.lines import digest, drop_line, dump, entry_line, head_line
from payproof.contracts.run.reading import load, read
from payproof.contracts.run.values import Power, RecordedWorld, Run, Settings

__all__ = [
    "Power",
    "RecordedWorld",
    "Run",
    "Settings",
    "digest",
    "drop_line",
    "dump",
    "entry_line",
    "head_line",
    "load",
    "read",
]
