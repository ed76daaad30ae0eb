"""The baseline: known failures that a team accepts for now, and when an entry no longer holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from payproof.contracts.model import Attestation, Judgement, Verdict

SOON = timedelta(days=30)
"""How long before its end an attestation or a baseline entry is announced."""

_STILL_NEEDED = (Verdict.FAIL, Verdict.WARN, Verdict.NOT_EXERCISED, Verdict.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A baseline entry: a known failure that the team accepts for now."""

    check: str
    reason: str
    owner: str
    until: date
    place: str = ""
    """Where it stands: "payproof-baseline.toml, line 4"."""

    @property
    def summary(self) -> str:
        """Reason, owner and date as reports show them."""
        return f"{self.reason} ({self.owner}, until {self.until})"


def tolerated(entry: Accepted | None, verdict: Verdict, today: date) -> Accepted | None:
    """The entry, where it accepts this verdict today."""
    holds = entry is not None and entry.until >= today and verdict in (Verdict.FAIL, Verdict.WARN)
    return entry if holds else None


def stale(entries: Iterable[Accepted], by_id: Mapping[str, Judgement], today: date) -> dict[str, str]:
    """Requirement -> what is wrong with its entry and what to do, in one sentence. An entry is stale when its date is past, or
    when the requirement was judged and needs it no more."""
    found: dict[str, str] = {}
    for entry in entries:
        judgement = by_id.get(entry.check)
        where = f" in {entry.place}" if entry.place else ""
        if judgement is not None and judgement.verdict not in _STILL_NEEDED:
            why = {
                Verdict.PASS: "the requirement passes now",
                Verdict.NOT_APPLICABLE: "the requirement does not apply here",
            }.get(judgement.verdict, "the requirement is attested")
            found[entry.check] = f"its baseline entry{where} is stale: {why}; remove the entry"
        elif entry.until < today:
            found[entry.check] = (
                f"its baseline entry{where} is stale: it held until {entry.until} ({entry.owner}); "
                "mend the failure and remove the entry, or decide on a new date"
            )
    return found


def ending(judgements: Iterable[Judgement], today: date) -> Iterator[str]:
    """One sentence for each attestation and each accepted failure that ends within thirty days."""
    vouched: dict[Attestation, list[str]] = {}
    for judgement in judgements:
        if judgement.attestation is not None:
            vouched.setdefault(judgement.attestation, []).append(judgement.requirement)
        if judgement.baseline and judgement.accepted_until and _soon(judgement.accepted_until, today):
            yield f"{judgement.requirement}: the baseline accepts its failure until {judgement.accepted_until} only"
    for attestation, ids in vouched.items():
        if _soon(attestation.until, today):
            yield f"{', '.join(ids)}: the attestation of {attestation.by} ends on {attestation.until}"


def _soon(until: str, today: date) -> bool:
    return date.fromisoformat(until) <= today + SOON
