"""Ids that requirements had in earlier versions. Whoever wrote one down (``--only``, ``-k``, `payproof explain`, attestations,
the baseline, a saved run) goes on using it; reports show the id of today.
"""

from __future__ import annotations

from collections.abc import Mapping

FORMER: Mapping[str, str] = {"custom.order-id": "reference.order-id", "custom.distinct": "reference.distinct"}
"""Former id -> id of today."""
_GROUPS = {old.split(".")[0]: new.split(".")[0] for old, new in FORMER.items()}


def current(name: str) -> str:
    """The id of today for a requirement or a group of them; what never changed is given back as it is."""
    return FORMER.get(name) or _GROUPS.get(name, name)


def former(name: str) -> tuple[str, ...]:
    """What this requirement or this group was called before."""
    return tuple(old for old, new in (*FORMER.items(), *_GROUPS.items()) if new == name)
