"""What the contract suite tells: values for the command, the pytest items and whoever reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PHASES = ("examples", "coverage", "fuzzing", "stateful")
OWN = (
    "is_as_the_contract_says",
    "answers_as_in_the_example",
    "keeps_the_envelope",
    "repeats_no_credential",
    "changes_nothing_when_read",
    "refuses_what_it_must",
    "takes_what_it_must",
    "asks_for_the_token",
    "answers",
    "keeps_merchants_apart",
)
APART = "keeps_merchants_apart"
"""Tried where there is a second merchant."""
BUILT_IN = (
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
)
"""Of schemathesis' own checks, those that follow from the document alone. What must be refused and what must be taken is
judged by rules of ours, because servers take more than the document asks clients to send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRule:
    """A rule that the server broke. ``curl`` repeats the first request that showed it; ``before``: the requests that it builds on.
    Secrets are placeholders. ``count``: how often it was seen."""

    check: str
    operation: str
    phase: str
    message: str
    curl: str
    before: tuple[str, ...] = ()
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """How an operation was answered: HTTP status -> how often. ``needs_payer``: it works only once a customer has agreed to pay, and the
    suite has none."""

    operation: str
    statuses: Mapping[int, int]
    needs_payer: bool = False

    @property
    def requests(self) -> int:
        return sum(self.statuses.values())

    @property
    def succeeded(self) -> bool:
        """Whether the server did at least once what the operation is for."""
        return any(200 <= status < 300 for status in self.statuses)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteResult:
    """One run of the suite. ``notes``: what it could not do, in words."""

    gateway: str
    server: str
    seed: int
    requests: int
    budget: int
    seconds: float
    covered: tuple[Covered, ...]
    failures: tuple[BrokenRule, ...]
    notes: tuple[str, ...] = ()
    untried: Mapping[str, str] = field(default_factory=dict[str, str])
    """Check -> why nothing was tried for it."""

    @property
    def complete(self) -> bool:
        """Every operation that works without a customer was seen to work; else the run proves nothing, even without a failure."""
        return bool(self.covered) and not self.unseen

    @property
    def unseen(self) -> tuple[str, ...]:
        """Operations that should have been seen to work, and were not."""
        return tuple(each.operation for each in self.covered if not (each.succeeded or each.needs_payer))
