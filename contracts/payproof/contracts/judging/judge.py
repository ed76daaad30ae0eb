"""From journals to the result: run every check, weigh its findings, roll them up into the checklist.

Pure: the same run gives the same result, live, from a saved journal, or from one written by hand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date

from payproof.contracts.checklist import Item
from payproof.contracts.former_ids import current
from payproof.contracts.judging.baseline import Accepted, ending, stale, tolerated
from payproof.contracts.judging.causes import cut_short, why_not, with_causes
from payproof.contracts.judging.probe_runs import with_final_names
from payproof.contracts.judging.requirements import Case, Requirement, requirements_of
from payproof.contracts.model import (
    Attestation,
    Finding,
    ItemResult,
    Judgement,
    Level,
    Outcome,
    PayproofError,
    Result,
    Verdict,
)
from payproof.contracts.profile import Profile
from payproof.contracts.run import Run

_WEIGHT = (
    Verdict.FAIL,
    Verdict.ERROR,
    Verdict.WARN,
    Verdict.NOT_EXERCISED,
    Verdict.ATTESTED,
    Verdict.PASS,
    Verdict.NOT_APPLICABLE,
)

_NEEDS = {
    "authenticate": "access tokens",
    "idempotency": "idempotency keys",
    "notices": "notices",
    "settle": "capture",
    "refund": "refunds",
    "retries": "guidance on sending calls again",
    "decides_later": "payments that are decided later",
    "request_id": "ids of calls in its answers",
    "return_template": "template for the return address",
    "version_header": "versions of its API that a call could name",
    "returns_after_failure": "return of customers whose payment was refused",
}
"""What a gateway lacks, in words."""


def judge(
    run: Run,
    profile: Profile,
    *,
    attestations: Iterable[Attestation] = (),
    baseline: Iterable[Accepted] = (),
    today: date | None = None,
) -> Result:
    """Judge a run.

    Raises:
        PayproofError: the run was made for another gateway, or names a requirement that does not exist.
    """
    if run.gateway != profile.name:
        raise PayproofError(
            f"the run was made for {run.gateway}, not for {profile.name}", remedy="give its own gateway"
        )
    known = requirements_of(profile)
    attestations = [replace(each, item=current(each.item)) for each in attestations]
    baseline = [replace(entry, check=current(entry.check)) for entry in baseline]
    scope = tuple(known)
    if unknown := set(run.selected) - set(scope):
        raise PayproofError(f"no such requirement: {', '.join(sorted(unknown))}", remedy="payproof list checks")
    today = today or date.today()
    run = replace(run, worlds=tuple(with_final_names(world) for world in run.worlds))
    attested = _by_requirement(profile, attestations, today)
    accepted = {entry.check: entry for entry in baseline}
    chosen = [known[id] for id in scope if not run.selected or id in run.selected]
    found = with_causes({req.id: tuple(_findings(run, profile, req)) for req in chosen})
    judgements = tuple(
        _judge_one(profile, req, found, attested.get(req.id), accepted.get(req.id), today) for req in chosen
    )
    by_id = {judgement.requirement: judgement for judgement in judgements}
    outdated = stale(accepted.values(), by_id, today)
    reasons = _reasons(
        {id: judgement for id, judgement in by_id.items() if _counts(run, judgement)},
        by_id,
        outdated,
    )
    return Result(
        outcome=_outcome(run, reasons),
        reasons=reasons,
        diagnosis=(*run.diagnosis, *(_failures(judgements) if run.cut is not None else ())),
        golive=tuple(_roll_up(item, profile, by_id) for item in profile.checklist.golive),
        guidelines=tuple(_roll_up(item, profile, by_id) for item in profile.checklist.guidelines),
        judgements=judgements,
        scope=scope,
        stale_baseline=tuple(outdated),
        caveats=_caveats(judgements) if run.scored else (),
        expiring=tuple(ending(judgements, today)) if run.scored else (),
        facts=run.facts,
    )


def _judge_one(
    profile: Profile,
    req: Requirement,
    found: Mapping[str, tuple[Finding, ...]],
    attestation: Attestation | None,
    entry: Accepted | None,
    today: date,
) -> Judgement:
    findings = tuple(replace(finding, causes=()) for finding in found[req.id])
    verdict = _weigh(findings, {id for id, known in found.items() if any(f.verdict is Verdict.FAIL for f in known)})
    if verdict is Verdict.NOT_EXERCISED and attestation is not None:
        if date.fromisoformat(attestation.until) >= today:
            verdict = Verdict.ATTESTED
        else:
            findings = (_no_longer_attested(req.id, attestation), *findings)
    accepts = tolerated(entry, verdict, today)
    return Judgement(
        requirement=req.id,
        level=req.level,
        text=req.text,
        verdict=verdict,
        findings=findings,
        contradiction=profile.contradictions.get(req.id, ""),
        attestation=attestation if verdict is Verdict.ATTESTED else None,
        baseline=accepts.summary if accepts else "",
        accepted_until=str(accepts.until) if accepts else "",
    )


def _no_longer_attested(id: str, attestation: Attestation) -> Finding:
    return Finding(
        check=id,
        verdict=Verdict.NOT_EXERCISED,
        title=f"the attestation of {attestation.by} for {attestation.item} ended on {attestation.until}: look again, and set a new date",
    )


def _findings(run: Run, profile: Profile, req: Requirement) -> list[Finding]:
    case = Case(run=run, profile=profile, requirement=req)
    if req.needs and not profile.has(req.needs):
        return [case.not_applicable(f"this gateway has no {_NEEDS.get(req.needs, req.needs)}")]
    if not run.scored and run.cut is None and not req.before_control:
        return [case.not_exercised("control ended without a score, so nothing else was tried")]
    try:
        found = list(req.check(case))
    except Exception as error:
        return [
            Finding(
                check=req.id, verdict=Verdict.ERROR, title=f"the check itself broke: {type(error).__name__}: {error}"
            )
        ]
    broken = run.facts.get("errors")
    if (
        isinstance(broken, dict)
        and req.id in broken
        and not any(f.verdict in (Verdict.FAIL, Verdict.WARN) for f in found)
    ):
        found.append(Finding(check=req.id, verdict=Verdict.ERROR, title=f"a probe broke: {broken[req.id]}"))
    if found and (cut := cut_short(run, req.id)):
        found.append(case.not_exercised(cut))
    return found or [why_not(case)]


def _weigh(findings: Iterable[Finding], failed: Collection[str]) -> Verdict:
    found = {finding.verdict for finding in findings}
    held_up = any(finding.unsettled or finding.because in failed for finding in findings)
    if Verdict.PASS in found and Verdict.NOT_EXERCISED in found and not held_up:
        # Some of the situations arose and all of those went well; the findings tell which did not arise, and why. Where a
        # defect kept some from arising, nobody knows how they would have gone.
        found.discard(Verdict.NOT_EXERCISED)
    return next(verdict for verdict in _WEIGHT if verdict in found)


def _by_requirement(profile: Profile, attestations: Iterable[Attestation], today: date) -> Mapping[str, Attestation]:
    """The attestation of each requirement: the first that still holds, else the one that held longest."""
    found: dict[str, Attestation] = {}
    items = {item.id: item for item in (*profile.checklist.golive, *profile.checklist.guidelines)}
    given = tuple(attestations)
    holding = [each for each in given if date.fromisoformat(each.until) >= today]
    ended = sorted((each for each in given if each not in holding), key=lambda each: each.until, reverse=True)
    for attestation in (*holding, *ended):
        item = items.get(attestation.item)
        for id in profile.checklist.requirements_of(item) if item else (attestation.item,):
            found.setdefault(id, attestation)
    return found


def stands_in_the_way(judgement: Judgement, by_id: Mapping[str, Judgement]) -> bool:
    """Whether this alone keeps the integration from going live. What could not be judged because another requirement
    failed does not count a second time."""
    if judgement.verdict is Verdict.ERROR:
        return True
    if judgement.level is not Level.MUST or judgement.baseline:
        return False
    if judgement.verdict is Verdict.FAIL:
        return True
    explained = any(
        finding.because in by_id and by_id[finding.because].verdict is Verdict.FAIL for finding in judgement.findings
    ) and not any(finding.unsettled for finding in judgement.findings)
    return judgement.verdict is Verdict.NOT_EXERCISED and not explained


def _counts(run: Run, judgement: Judgement) -> bool:
    """A failure is a reason. What was not judged is none where the target cannot do it, and in a shortened run, which says
    nothing of going live; of what somebody asked for by name it is one."""
    shortened = bool(run.skipped) and not run.selected
    left_out = shortened or judgement.requirement in {*run.skipped, *run.powerless}
    return not left_out or judgement.verdict is not Verdict.NOT_EXERCISED


def _reasons(
    counted: Mapping[str, Judgement], by_id: Mapping[str, Judgement], outdated: Mapping[str, str]
) -> tuple[str, ...]:
    reasons: list[str] = []
    for judgement in counted.values():
        if stands_in_the_way(judgement, by_id):
            finding = next((f for f in judgement.findings if f.verdict is judgement.verdict), judgement.findings[0])
            reasons.append(f"{judgement.requirement}: {finding.title}")
    return (*reasons, *(f"{id}: {why}" for id, why in outdated.items()))


def _caveats(judgements: Iterable[Judgement]) -> tuple[str, ...]:
    """The musts that nobody judged because the configuration does not say something."""
    found: dict[str, str] = {}
    for judgement in judgements:
        if judgement.level is Level.MUST and judgement.verdict in (Verdict.NOT_APPLICABLE, Verdict.NOT_EXERCISED):
            missing = dict.fromkeys(finding.declare for finding in judgement.findings if finding.declare)
            if missing:
                found[judgement.requirement] = ", ".join(missing)
    return tuple(f"{id}: declare {missing}" for id, missing in found.items())


def _failures(judgements: Iterable[Judgement]) -> Iterator[str]:
    """What had failed before a run was broken off."""
    for judgement in judgements:
        if judgement.verdict is Verdict.FAIL and not judgement.baseline:
            finding = next(f for f in judgement.findings if f.verdict is Verdict.FAIL)
            yield f"{judgement.requirement}: {finding.title}"


def _outcome(run: Run, reasons: tuple[str, ...]) -> Outcome:
    if not run.scored or run.cut is not None:
        return Outcome.NOT_SCORED
    if reasons:
        return Outcome.NOT_READY
    return Outcome.PARTIAL if run.selected or run.skipped or run.powerless else Outcome.READY


def _roll_up(item: Item, profile: Profile, by_id: Mapping[str, Judgement]) -> ItemResult:
    ids = profile.checklist.requirements_of(item)
    judged = [by_id[id] for id in ids if id in by_id]
    verdicts = [_as_seen(judgement) for judgement in judged]
    return ItemResult(
        id=item.id,
        title=f"{item.number} {item.title}",
        text=item.text,
        requirements=ids,
        verdict=next((verdict for verdict in _WEIGHT if verdict in verdicts), Verdict.NOT_EXERCISED),
    )


def _as_seen(judgement: Judgement) -> Verdict:
    """A requirement's verdict as it counts for its item: an open *should* does not keep an item from passing."""
    if judgement.baseline:
        return Verdict.WARN
    if judgement.verdict is Verdict.NOT_EXERCISED and judgement.level is Level.SHOULD:
        return Verdict.NOT_APPLICABLE
    return judgement.verdict
