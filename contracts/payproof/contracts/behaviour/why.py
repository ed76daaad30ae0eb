"""Why something was not measured."""

from __future__ import annotations

from collections.abc import Sequence

from payproof.contracts.entries import FaultSet
from payproof.contracts.run import Run


def missed(run: Run, what: str, faults: Sequence[str]) -> str:
    """Why these faults struck nothing of a kind, where their probes were performed."""
    tried = any(each.name in faults for world in run.worlds for each in world.of(FaultSet))
    return f"no {what} was made while it was tried" if tried else "no probe tried it"


def why_not(run: Run, requirement: str) -> str:
    """Why the probes of a requirement were not performed; empty where they were."""
    if not run.scored:
        return "the control payment failed, and nothing more was tried"
    if requirement in run.powerless:
        return run.powerless[requirement]
    cut = run.facts.get("cut")
    if isinstance(cut, dict) and requirement in cut:
        return "the run's time was up"
    probes = run.provoked_by.get(requirement, ())
    if probes and set(probes) <= set(run.left_out):
        return "left out by --quick" if run.facts.get("quick") else "left out of this run"
    return ""
