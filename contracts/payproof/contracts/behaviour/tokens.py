"""How many access tokens the integration asks for while nothing goes wrong."""

from __future__ import annotations

from dataclasses import dataclass

from payproof.contracts.behaviour.why import why_not
from payproof.contracts.entries import Call
from payproof.contracts.judging.probe_runs import probe_runs
from payproof.contracts.model import Pointer
from payproof.contracts.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUse:
    """Token calls of one instance from its start until several undisturbed payments had been made, and how many payments were
    opened in that time. ``unmeasured``: why it is not known; empty where it is."""

    calls: int = 0
    payments: int = 0
    unmeasured: str = ""
    evidence: tuple[Pointer, ...] = ()


def token_use(run: Run) -> TokenUse:
    steady = next(iter(probe_runs(run, "steady")), None)
    if steady is None:
        return TokenUse(unmeasured=why_not(run, "token.cached") or "no series of payments was made")
    before = [call for call in steady.world.of(Call) if call.n <= steady.entries[-1].n]
    asked = [call for call in before if call.role == "authenticate"]
    opened = [call for call in before if call.role == "open" and call.event.ok]
    return TokenUse(calls=len(asked), payments=len(opened), evidence=steady.world.point(*(asked or opened)[:3]))
