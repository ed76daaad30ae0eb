"""Whether a report says what this version of payproof judges of the same run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from payproof.contracts.judging.baseline import Accepted
from payproof.contracts.judging.judge import judge
from payproof.contracts.model import Attestation, Outcome, PayproofError, Result
from payproof.contracts.profile import Profile
from payproof.contracts.run import Run


def disagreements(report: Result, run: Run, profile: Profile) -> tuple[str, ...]:
    """Judge the run again, by the attestations and the baseline that the report tells of: one sentence for each verdict that is
    another one. Empty: the report is what this version judges.

    Raises:
        PayproofError: the run cannot be judged.
    """
    if (reported := report.facts.get("journal")) != (known := run.facts.get("journal")):
        return (
            f"they are of two runs: the journal is {_short(reported)} in the report, and {_short(known)} in the run",
        )
    attestations, baseline = tuple(_attestations(report)), tuple(_accepted(report))
    # All that the report leans on held when it was written, which was not always the same day in UTC.
    ends = (*(date.fromisoformat(each.until) for each in attestations), *(each.until for each in baseline))
    result = judge(run, profile, attestations=attestations, baseline=baseline, today=min((_day(run), *ends)))
    return (*_verdicts(report, result), *_outcome(report, result))


def _short(value: object) -> str:
    return str(value)[:19] if value else "unknown"


def _attestations(report: Result) -> Iterator[Attestation]:
    """Item by item as they counted: one for each requirement that was attested."""
    for judgement in report.judgements:
        if (vouched := judgement.attestation) is not None:
            yield Attestation(
                item=judgement.requirement, by=vouched.by, on=vouched.on, until=vouched.until, note=vouched.note
            )


def _accepted(report: Result) -> Iterator[Accepted]:
    for judgement in report.judgements:
        if judgement.baseline:
            until = date.fromisoformat(judgement.accepted_until) if judgement.accepted_until else date.max
            yield Accepted(check=judgement.requirement, reason=judgement.baseline, owner="", until=until)


def _day(run: Run) -> date:
    """The day of the run, in UTC."""
    try:
        return date.fromisoformat(str(run.facts.get("started"))[:10])
    except ValueError:
        raise PayproofError(
            "the run does not say when it was made, so it cannot be judged as of then",
            place="run.jsonl",
            remedy="give a run that `payproof run` wrote",
        ) from None


def _verdicts(report: Result, result: Result) -> Iterator[str]:
    reported = {judgement.requirement: judgement.verdict for judgement in report.judgements}
    known = {judgement.requirement: judgement.verdict for judgement in result.judgements}
    for id in dict.fromkeys((*known, *reported)):
        if reported.get(id) is not known.get(id):
            says, gives = reported.get(id, "nothing"), known.get(id, "nothing")
            yield f"{id}: the report says {says}, and its run is judged {gives}".replace("not_", "not ")


def _outcome(report: Result, result: Result) -> Iterator[str]:
    expected = result.outcome
    if report.stale_baseline and expected in (Outcome.READY, Outcome.PARTIAL):
        expected = (
            Outcome.NOT_READY
        )  # the entries that are stale do not stand in it in full, and cannot be judged again
    if report.outcome is not expected:
        yield f"the report says {report.outcome}, and its run is judged {expected}".replace("not_", "not ")
