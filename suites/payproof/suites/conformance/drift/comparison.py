"""A whole comparison: every case asked of the simulator and of the gateway, then weighed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from payproof.contracts.comparing.catalogue import Catalogue, DriftCase, catalogue_of
from payproof.contracts.comparing.drift import Drift, Left
from payproof.contracts.model import PayproofError
from payproof.simulator.relay.rate_budget import RateBudget
from payproof.suites.config.gateway_tables import SandboxTable
from payproof.suites.config.models import Config
from payproof.suites.conformance.client import SandboxClient
from payproof.suites.conformance.drift.aggregate import AnsweredCase, weigh
from payproof.suites.conformance.drift.asking import DriftProgress, ask, counted
from payproof.suites.conformance.drift.attribute import Judge
from payproof.suites.conformance.drift.case_run import CaseRun
from payproof.suites.conformance.drift.contract_view import Terms
from payproof.suites.conformance.drift.endpoints import (
    PATIENCE,
    GatewaySide,
    RecordedEndpoint,
    SandboxEndpoint,
    Side,
    SimulatorEndpoint,
)
from payproof.suites.conformance.drift.recording import DriftRecorder, recorded
from payproof.suites.conformance.drift.schedule import run_cases
from payproof.suites.session.sandbox import address_of, sandbox_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftOptions:
    """``patience``: real seconds that may be waited for the gateway's clock. ``only``: ids of cases, or how they begin."""

    target: Literal["sandbox", "cassette"] = "sandbox"
    cassette: Path | None = None
    record: Path | None = None
    force: bool = False
    patience: float = 0.0
    only: tuple[str, ...] = ()


async def compare(config: Config, options: DriftOptions, progress: DriftProgress) -> Drift:
    """Ask both sides the catalogue and compare.

    Raises:
        PayproofError: nothing can be compared: no credentials, nobody there, no such case.
    """
    cases = chosen(catalogue_of(config.profile), options.only)
    if options.target == "cassette":
        return await _compared(config, cases, _recording(config, options, progress), options, progress)
    settings = sandbox_of(config, remedy=", or compare with a recording: --target cassette --cassette FILE")
    budget = RateBudget(settings.rate, settings.budget, note=progress.note)
    client = SandboxClient(address_of(config, settings), budget, patience=PATIENCE)
    recorder = DriftRecorder(config, options.record, force=options.force) if options.record else None
    on_exchange = recorder.take if recorder else None
    side = SandboxEndpoint(settings, client, config.profile, patience=options.patience, on_exchange=on_exchange)
    progress.note(estimate(cases, side, settings))
    try:
        found = await _compared(config, cases, side, options, progress)
    finally:
        await client.aclose()
    if recorder:
        progress.note(f"recorded: {recorder.write()}")
    return found


def _recording(config: Config, options: DriftOptions, progress: DriftProgress) -> RecordedEndpoint:
    if options.cassette is None:
        raise PayproofError("which recording?", place="--target cassette", remedy="name it with --cassette FILE")
    recording = recorded(options.cassette, config.profile)
    progress.note(f"the recording of {recording.where}, {recording.observed}: {len(recording.exchanges)} cases")
    return RecordedEndpoint(recording, config.profile, config.sandbox)


def chosen(catalogue: Catalogue, only: Sequence[str]) -> tuple[DriftCase, ...]:
    """The cases named, or whose ids begin so; all when none is.

    Raises:
        PayproofError: a name fits no case.
    """
    for name in only:
        if not any(case.id.startswith(name) for case in catalogue.cases):
            raise PayproofError(
                f'no case is called "{name}"', place="--only", remedy="payproof drift --list names them all"
            )
    return tuple(case for case in catalogue.cases if not only or case.id.startswith(tuple(only)))


def estimate(cases: Sequence[DriftCase], side: GatewaySide, settings: SandboxTable) -> str:
    """How many requests, how fast, and about how long."""
    possible = [case for case in cases if not _lacking(case, side)]
    requests = sum(case.requests for case in possible)
    wait = 0 if settings.clock else max((case.seconds for case in possible), default=0)
    seconds = max(requests - settings.rate, 0) * 60 / settings.rate + wait
    about = (
        f"about {seconds / 60:.0f} minutes" if seconds >= 90 else "about a minute" if seconds > 20 else "some seconds"
    )
    return (
        f"{counted(len(possible))}, {requests} API requests to {side.where} "
        f"(budget {settings.budget}, at most {settings.rate} a minute): {about}"
    )


def _lacking(case: DriftCase, *sides: Side) -> str:
    """Why a case cannot be asked of all of them; empty when it can."""
    return next((why for why in (case.needs, *(side.lacks(case) for side in sides)) if why), "")


async def _compared(
    config: Config, cases: Sequence[DriftCase], side: GatewaySide, options: DriftOptions, progress: DriftProgress
) -> Drift:
    began, profile = time.monotonic(), config.profile
    catalogue = catalogue_of(profile)
    ours = SimulatorEndpoint(profile, config.simulator.knobs)
    lacking = {case.id: why for case in cases if (why := _lacking(case, ours, side))}
    letters: tuple[dict[str, list[str]], dict[str, list[str]]] = {}, {}
    theirs = [CaseRun(case, side, profile, catalogue, letters[1]) for case in cases if case.id not in lacking]
    left = lacking | await ask(theirs, side, catalogue, profile, progress)
    begun = [each for each in theirs if each.looks]
    mine = [CaseRun(each.case, ours, profile, catalogue, letters[0]) for each in begun]
    await run_cases(mine, ended=lambda run, left: None, waiting=lambda seconds, cases: None)
    terms = Terms(profile, side.base_url)
    answered = [
        AnsweredCase(
            case=other.case, simulator=one.looks, gateway=other.looks,
            stopped={"simulator": one.stopped, "gateway": other.stopped},
        )
        for one, other in zip(mine, begun, strict=True)
    ]  # fmt: skip
    weighed = weigh(
        answered, Judge(profile, catalogue, ours.knobs), terms, letters, f"observed at {side.where} on {side.observed}"
    )
    return Drift(
        gateway=profile.name, title=profile.title, version=profile.version, target=options.target, where=side.where,
        observed=side.observed, cases=len(begun), differences=weighed.differences, fidelity=weighed.fidelity,
        left=(*(Left(case=case, reason=why) for case, why in left.items()), *weighed.left),
        facts={"seconds": round(time.monotonic() - began, 1), "contract": not terms.problem, **side.account},
        notes=(f"the contract was not compared: {terms.problem}",) if terms.problem else (),
    )  # fmt: skip
