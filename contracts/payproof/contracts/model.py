"""The values that travel from checks to reports: requirements, findings, verdicts.

A check yields findings; a finding states its facts as values (``expected``, ``actual``) and points at journal
entries, so that every report renders the same facts and a reader can follow them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from payproof.contracts.late_types import AnyJson

if TYPE_CHECKING:
    from pydantic import JsonValue

    Json: TypeAlias = JsonValue
else:
    Json = AnyJson


class PayproofError(Exception):
    """Something the user can mend: a wrong file, a command that does not start. Shown as one message, without a trace.

    ``remedy`` says what to do next; ``place`` names the file, key or address that is meant.
    """

    def __init__(self, message: str, *, place: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.remedy = remedy


class Level(StrEnum):
    """How much a requirement weighs: a broken *must* fails the run, a broken *should* warns."""

    MUST = "must"
    SHOULD = "should"


class Verdict(StrEnum):
    """What is said of a finding, a requirement, a checklist item."""

    PASS = "pass"
    FAIL = "fail"
    WARN = "warn"
    NOT_EXERCISED = "not_exercised"
    NOT_APPLICABLE = "not_applicable"
    ATTESTED = "attested"
    ERROR = "error"


@dataclass(frozen=True, slots=True, order=True)
class Pointer:
    """Where a fact was seen: a world's name and the number of an entry in its journal."""

    world: str
    entry: int

    def __str__(self) -> str:
        return f"{self.world}#{self.entry}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing a check has to say. ``title`` leads with the count or the money; the rest are values."""

    check: str
    verdict: Verdict
    title: str
    expected: Json = None
    actual: Json = None
    evidence: tuple[Pointer, ...] = ()
    because: str = ""
    """Id of the requirement whose failure kept this one from being judged. The judge fills it in."""
    causes: tuple[str, ...] = ()
    """What a check hands the judge: requirements whose failure would explain this finding, the likeliest first. The first
    that really failed in this run becomes ``because``; a failure that is explained so is ``not_exercised``."""
    unsettled: bool = False
    """For ``not_exercised``: something was seen that may be a failure, so what else went well does not make a pass."""
    declare: str = ""
    """The setting that would have let this be judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """What a person vouches for because no machine can see it."""

    item: str
    by: str
    on: str
    until: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A requirement with its verdict and everything that led to it."""

    requirement: str
    level: Level
    text: str
    verdict: Verdict
    findings: tuple[Finding, ...]
    contradiction: str = ""
    """Set when the gateway's advice and the gateway disagree: what was checked instead, and why."""
    attestation: Attestation | None = None
    baseline: str = ""
    """Reason from the baseline when the team accepts this failure for now."""
    accepted_until: str = ""
    """The last day (ISO 8601) on which the baseline accepts it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemResult:
    """A checklist item, rolled up from its requirements."""

    id: str
    title: str
    text: str
    verdict: Verdict
    requirements: tuple[str, ...]


class Outcome(StrEnum):
    """The answer to "can this integration go live?"."""

    READY = "ready"
    NOT_READY = "not_ready"
    NOT_SCORED = "not_scored"
    PARTIAL = "partial"
    """Only a selection was judged and nothing in it failed: no word about going live."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Everything a report needs, except the journals themselves."""

    outcome: Outcome
    reasons: tuple[str, ...]
    """One sentence each: what stands between this integration and going live."""
    diagnosis: tuple[str, ...]
    """For ``not_scored``: what went wrong in the control run, in plain words."""
    golive: tuple[ItemResult, ...]
    guidelines: tuple[ItemResult, ...]
    judgements: tuple[Judgement, ...]
    scope: tuple[str, ...]
    """Every requirement that a whole run of this profile judges."""
    stale_baseline: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    """One sentence for each must that was not judged because something is not declared: its id, and what to declare."""
    expiring: tuple[str, ...] = ()
    """One sentence for each attestation and baseline entry that this result leans on and that ends within thirty days."""
    facts: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """name, gateway, profile_version, target, seed, started, seconds, journal and configuration digests ..."""

    @property
    def by_id(self) -> dict[str, Judgement]:
        """Requirement -> what is made of it."""
        return {judgement.requirement: judgement for judgement in self.judgements}
