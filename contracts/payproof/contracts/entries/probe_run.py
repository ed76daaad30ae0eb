"""Entries about the run itself: probe runs, their steps, and where a replay departs from its recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from payproof.contracts.entries.entry import Entry
from payproof.contracts.model import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeMark(Entry):
    """Where one probe run begins and ends. ``params`` are the facts that checks need."""

    kind: Literal["story"] = "story"  # type: ignore[misc]
    event: Literal["begin", "end"]
    probe: str
    params: Mapping[str, Json] = field(default_factory=dict[str, Json])


BROKEN_OFF = "broken off"
"""Parameter of a probe run's end that came from outside, in the middle of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Entry):
    """One sentence of a probe run: what the customer or the gateway now does."""

    kind: Literal["step"] = "step"  # type: ignore[misc]
    text: str
    name: str = ""
    facts: Mapping[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayDifference(Entry):
    """Where a replay and its recording do not agree. It is said and never smoothed over: a replay is not the real thing.

    ``unexpected``: nothing like it was recorded, so it got no real answer. ``repeated``: asked more often than recorded, and
    answered again. ``missing``: recorded, and never asked. ``order``: asked later than what followed it in the recording.
    ``changed``: asked otherwise, ``name`` says what of it.
    """

    kind: Literal["difference"] = "difference"  # type: ignore[misc]
    what: Literal["unexpected", "repeated", "missing", "order", "changed"]
    story: str = ""
    operation: str = ""
    """As in ``Event``; ``page`` for a hosted page."""
    name: str = ""
    recorded: str = ""
    actual: str = ""
