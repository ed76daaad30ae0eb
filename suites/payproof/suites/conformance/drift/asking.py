"""Tells the cases to the gateway, and stops where that is of no use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from payproof.contracts.comparing.catalogue import Catalogue, DriftCase
from payproof.contracts.model import PayproofError
from payproof.contracts.profile import Profile
from payproof.simulator.relay.rate_budget import BudgetSpent
from payproof.suites.conformance.drift.case_run import CaseRun
from payproof.suites.conformance.drift.endpoints import GatewaySide
from payproof.suites.conformance.drift.observe import Observation
from payproof.suites.conformance.drift.schedule import run_cases
from payproof.suites.conformance.remedies import remedy_of

_SILENT = 3
"""Cases in a row without an answer, after which nobody is asked any more."""


class DriftProgress(Protocol):
    """Shows what happens, for a person who waits."""

    def note(self, text: str) -> None: ...

    def case(self, case: DriftCase, left: int) -> None: ...


def counted(number: int) -> str:
    """``3 cases``"""
    return f"{number} case{'' if number == 1 else 's'}"


async def ask(
    runs: Sequence[CaseRun], side: GatewaySide, catalogue: Catalogue, profile: Profile, progress: DriftProgress
) -> dict[str, str]:
    """Ask all cases. Returns those that were not begun or not ended -> why.

    Raises:
        PayproofError: there is nothing to compare.
    """
    if not runs:
        raise PayproofError(
            "none of these cases can be asked here", place=side.where, remedy="see `payproof drift --list`"
        )
    if side.is_live:
        first = catalogue.cases[0]
        plain = next((run for run in runs if run.case is first), CaseRun(first, side, profile, catalogue, {}))
        await plain.go()
        _expect_ok(plain.looks[0] if plain.looks else None, plain.stopped, side, profile)
    left = await _run_cases(runs, progress)
    _refuse_nothing(runs, side, profile)
    silent = {run.case.id: run.stopped or "nothing was answered" for run in runs if not run.looks}
    return left | {case: why for case, why in silent.items() if case not in left}


def _expect_ok(look: Observation | None, stopped: str, side: GatewaySide, profile: Profile) -> None:
    """The plainest call first: where not even that works, nobody is asked a hundred times."""
    if look is None:
        raise PayproofError(
            f"nothing could be compared: {stopped or 'no answer'}", place=side.where,
            remedy="wait, or lower sandbox.rate" if "429" in stopped
            else "check sandbox.base_url, sandbox.ca, the network, and the proxy where there is one",
        )  # fmt: skip
    if look.answer != "ok":
        raise PayproofError(
            f"nothing could be compared: {look.label} is refused with {look.summary}", place=side.where,
            remedy=remedy_of(profile, look.operation, look.status, look.texts),
        )  # fmt: skip


class _Gone(Exception):
    """The gateway no longer answers."""


async def _run_cases(runs: Sequence[CaseRun], progress: DriftProgress) -> dict[str, str]:
    """What the budget does not reach, or nobody answers any more, is left."""
    silent = 0

    def ended(run: CaseRun, left: int) -> None:
        nonlocal silent
        progress.case(run.case, left)
        silent = silent + 1 if run.unanswered else 0
        if silent >= _SILENT:
            raise _Gone(run.stopped)

    def waiting(seconds: float, cases: int) -> None:
        if seconds >= 2:
            progress.note(f"{counted(cases)} waiting for the gateway's clock: {seconds:.0f} s")

    why = ""
    try:
        await run_cases(runs, ended=ended, waiting=waiting)
    except BudgetSpent as error:
        why = error.message
    except _Gone as gone:
        why = f"not asked any more after {_SILENT} cases in a row: {gone}"
    return {run.case.id: why for run in runs if not run.ended}


def _refuse_nothing(runs: Sequence[CaseRun], side: GatewaySide, profile: Profile) -> None:
    """When not one case got anywhere, the reason is the gateway's or the way to it."""
    looks = [look for run in runs for look in run.looks]
    stopped = [run for run in runs if run.stopped]
    if not looks or (any(run.looks for run in stopped) and not any(look.answer == "ok" for look in looks)):
        first = next((run.looks[0] for run in stopped if run.looks), None)
        _expect_ok(first, stopped[0].stopped if stopped else "", side, profile)
