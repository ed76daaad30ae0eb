"""Why a requirement was not judged: the requirement that really failed, and what the journals show."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from payproof.contracts.judging.probe_runs import hindrance, probe_runs
from payproof.contracts.judging.requirements import CAUSES, Case
from payproof.contracts.model import Finding, Verdict
from payproof.contracts.run import Run

_BROKEN = (Verdict.FAIL, Verdict.WARN)


def with_causes(found: Mapping[str, tuple[Finding, ...]]) -> dict[str, tuple[Finding, ...]]:
    """The findings of all requirements, each with the cause that really failed in this run, if one did.

    A failure that another requirement explains is none of its own; it explains nothing either, so that two requirements
    cannot excuse each other. One whose possible causes all held is its own.
    """
    failing = {id for id, findings in found.items() if any(f.verdict in _BROKEN for f in findings)}
    own = {id for id, findings in found.items() if any(_is_own(f, failing) for f in findings)}
    settled = {id: tuple(_explained(f, own) for f in findings) for id, findings in found.items()}
    broken = {id for id, findings in settled.items() if any(f.verdict in _BROKEN for f in findings)}
    return {id: tuple(_explained(f, broken) for f in findings) for id, findings in settled.items()}


def _is_own(finding: Finding, failing: Collection[str]) -> bool:
    return finding.verdict in _BROKEN and not any(id in failing and id != finding.check for id in finding.causes)


def _explained(finding: Finding, failed: Collection[str]) -> Finding:
    cause = next((id for id in finding.causes if id in failed and id != finding.check), "")
    if cause:
        return replace(finding, verdict=Verdict.NOT_EXERCISED, because=cause, causes=())
    return replace(finding, causes=()) if finding.verdict in _BROKEN else finding


def cut_short(run: Run, requirement: str) -> str:
    """Which probe of this requirement was left out because the run's time was up; empty: none."""
    cut = run.facts.get("cut")
    return str(cut.get(requirement, "")) if isinstance(cut, dict) else ""


def why_not(case: Case) -> Finding:
    """Why a check found nothing to say: the likeliest reason that the journals show, and where."""
    run, id = case.run, case.requirement.id
    if id in run.powerless:
        return case.not_exercised(f"not possible here: {run.powerless[id]}")
    if cut := cut_short(run, id):
        return case.not_exercised(cut)
    if id in run.skipped:
        return case.not_exercised("left out of this shortened run")
    names = run.provoked_by.get(id, ())
    found = probe_runs(run, *names) if names else []
    for probe_run in found:
        if (why := hindrance(probe_run)) is not None:
            return case.not_exercised(
                f"the situation did not arise: in the run of {probe_run.probe}, {why[0]}",
                because=CAUSES,
                world=probe_run.world,
                seen=why[1],
            )
    if found:
        return case.stuck(found[-1], f"the situation did not arise in the run of {found[-1].probe}")
    if names:
        left = [name for name in names if name in run.left_out]
        why_left = f", left out of this run: {', '.join(left)}" if left else ""
        return case.not_exercised(
            f"the situation did not arise: there was no probe run of {', '.join(names)}{why_left}"
        )
    return case.not_exercised("the situation did not arise: no probe provokes it")
