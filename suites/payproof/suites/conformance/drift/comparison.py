"""A whole comparison: every case told to the simulator and to the gateway, then weighed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import urlsplit

from payproof.contracts.catalogue import Catalogue, DriftCase, catalogue_of
from payproof.contracts.drift import Drift, Left
from payproof.contracts.model import Json, PayproofError
from payproof.contracts.profile import Profile
from payproof.simulator.relay.rate_budget import BudgetSpent, RateBudget
from payproof.suites.config.models import Config, SandboxTable
from payproof.suites.conformance.client import SandboxClient
from payproof.suites.conformance.drift.aggregate import WeighedDifference, weigh
from payproof.suites.conformance.drift.attribute import Judge
from payproof.suites.conformance.drift.case_run import CaseRun
from payproof.suites.conformance.drift.contract_view import Terms
from payproof.suites.conformance.drift.endpoints import (
    PATIENCE,
    RecordedEndpoint,
    SandboxEndpoint,
    Side,
    SimulatorEndpoint,
)
from payproof.suites.conformance.drift.recording import DriftRecorder, recorded
from payproof.suites.conformance.drift.schedule import tell
from payproof.suites.conformance.remedies import remedy_of
from payproof.suites.session.sandbox import address_of, sandbox_of

_SILENT = 3
"""Cases in a row without an answer, after which nobody is asked any more."""


class DriftProgress(Protocol):
    """Told what happens, for a person who waits."""

    def note(self, text: str) -> None: ...

    def case(self, case: DriftCase, left: int) -> None: ...


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
    """Tell the catalogue to both sides and compare.

    Raises:
        PayproofError: nothing can be compared: no credentials, nobody there, no such case.
    """
    profile = config.profile
    catalogue = catalogue_of(profile)
    cases = chosen(catalogue, options.only)
    if options.target == "cassette":
        if options.cassette is None:
            raise PayproofError("which recording?", place="--target cassette", remedy="name it with --cassette FILE")
        recording = recorded(options.cassette, profile)
        replay = RecordedEndpoint(recording.exchanges, recording.base_url, profile, config.sandbox)
        progress.note(f"the recording of {recording.where}, {recording.observed}: {len(recording.exchanges)} cases")
        return await _compared(
            config, catalogue, cases, replay, options, progress, where=recording.where, observed=recording.observed
        )
    settings = sandbox_of(config, remedy=", or compare with a recording: --target cassette --cassette FILE")
    budget = RateBudget(settings.rate, settings.budget, note=progress.note)
    client = SandboxClient(address_of(config, settings), budget, patience=PATIENCE)
    recorder = DriftRecorder(profile, settings, options.record, force=options.force) if options.record else None
    on_exchange = recorder.take if recorder else None
    side = SandboxEndpoint(settings, client, profile, patience=options.patience, on_exchange=on_exchange)
    progress.note(estimate(cases, side, settings))
    try:
        found = await _compared(
            config, catalogue, cases, side, options, progress,
            where=urlsplit(side.base_url).netloc, observed=date.today().isoformat(),
        )  # fmt: skip
    finally:
        await client.aclose()
    if recorder:
        progress.note(f"recorded: {recorder.write()}")
    return found


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


def estimate(cases: Sequence[DriftCase], side: Side, settings: SandboxTable) -> str:
    """How many requests, how fast, and about how long."""
    told = [case for case in cases if not _lacking(case, side)]
    requests = sum(case.requests for case in told)
    wait = 0 if settings.clock else max((case.seconds for case in told), default=0)
    seconds = max(requests - settings.rate, 0) * 60 / settings.rate + wait
    about = (
        f"about {seconds / 60:.0f} minutes" if seconds >= 90 else "about a minute" if seconds > 20 else "some seconds"
    )
    return (
        f"{_cases(len(told))}, {requests} API requests to {urlsplit(side.base_url).netloc} "
        f"(budget {settings.budget}, at most {settings.rate} a minute): {about}"
    )


def _cases(number: int) -> str:
    return f"{number} case{'' if number == 1 else 's'}"


def _lacking(case: DriftCase, *sides: Side) -> str:
    """Why a case cannot be told to all of them; empty when it can."""
    return next((why for why in (case.needs, *(side.lacks(case) for side in sides)) if why), "")


async def _compared(
    config: Config, catalogue: Catalogue, cases: Sequence[DriftCase], side: SandboxEndpoint | RecordedEndpoint, options: DriftOptions,
    progress: DriftProgress, *, where: str, observed: str,
) -> Drift:  # fmt: skip
    began = time.monotonic()
    profile = config.profile
    ours = SimulatorEndpoint(profile, config.simulator.knobs)
    left = [Left(case=case.id, reason=why) for case in cases if (why := _lacking(case, ours, side))]
    able = [case for case in cases if case.id not in {each.case for each in left}]
    letters: tuple[dict[str, list[str]], dict[str, list[str]]] = {}, {}
    theirs = [CaseRun(case, side, profile, catalogue, letters[1]) for case in able]
    if isinstance(side, SandboxEndpoint) and theirs:
        asked = next((each for each in theirs if each.case is catalogue.cases[0]), None)
        await _try(asked or CaseRun(catalogue.cases[0], side, profile, catalogue, {}), profile, where)
    left += await _tell(theirs, progress)
    _refuse_nothing(theirs, profile, where)
    begun = [each for each in theirs if each.looks]
    told_of = {each.case for each in left}
    left += [
        Left(case=each.case.id, reason=each.stopped or "nothing was answered")
        for each in theirs if not each.looks and each.case.id not in told_of
    ]  # fmt: skip
    mine = [CaseRun(each.case, ours, profile, catalogue, letters[0]) for each in begun]
    await tell(mine, told=lambda case, left: None, waiting=lambda seconds, cases: None)
    terms = Terms(profile, side.base_url)
    told = [_told(one, other) for one, other in zip(mine, begun, strict=True)]
    judge = Judge(profile, catalogue, ours.knobs)
    weighed = weigh(told, judge, terms, letters, f"observed at {where} on {observed}")
    return Drift(
        gateway=profile.name, title=profile.title, version=profile.version, target=options.target, where=where,
        observed=observed, cases=len(begun), differences=weighed.differences, fidelity=weighed.fidelity,
        left=(*left, *weighed.left), facts=_facts(side, time.monotonic() - began, terms),
        notes=(f"the contract was not compared: {terms.problem}",) if terms.problem else (),
    )  # fmt: skip


async def _try(plainest: CaseRun, profile: Profile, where: str) -> None:
    """The plainest call first: where not even that works, nobody is asked a hundred times.

    Raises:
        PayproofError: it does not work.
    """
    await plainest.go()
    look = plainest.looks[0] if plainest.looks else None
    if look is None:
        raise PayproofError(
            f"nothing could be compared: {plainest.stopped or 'no answer'}", place=where,
            remedy="wait, or lower sandbox.rate" if "429" in plainest.stopped
            else "check sandbox.base_url, sandbox.ca, the network, and the proxy where there is one",
        )  # fmt: skip
    if look.answer != "ok":
        raise PayproofError(
            f"nothing could be compared: {look.label} is refused with {look.summary}", place=where,
            remedy=remedy_of(profile, look.operation, look.status, look.texts),
        )  # fmt: skip


class _Gone(Exception):
    """The gateway no longer answers."""


async def _tell(tellings: list[CaseRun], progress: DriftProgress) -> list[Left]:
    """Tell them all; what the budget does not reach, or nobody answers any more, is left."""
    silent = 0

    def told(case: DriftCase, left: int) -> None:
        nonlocal silent
        progress.case(case, left)
        ended = next(each for each in tellings if each.case is case)
        silent = silent + 1 if ended.unanswered else 0
        if silent >= _SILENT:
            raise _Gone(ended.stopped)

    def waiting(seconds: float, cases: int) -> None:
        if seconds >= 2:
            progress.note(f"{_cases(cases)} waiting for the gateway's clock: {seconds:.0f} s")

    try:
        await tell(tellings, told=told, waiting=waiting)
    except BudgetSpent as error:
        return [Left(case=each.case.id, reason=error.message) for each in tellings if not each.ended]
    except _Gone as gone:
        why = f"not asked any more after {_SILENT} cases in a row: {gone}"
        return [Left(case=each.case.id, reason=why) for each in tellings if not each.ended]
    return []


def _told(simulator: CaseRun, gateway: CaseRun) -> WeighedDifference:
    return WeighedDifference(
        case=gateway.case, simulator=simulator.looks, gateway=gateway.looks,
        stopped={"simulator": simulator.stopped, "gateway": gateway.stopped},
    )  # fmt: skip


def _refuse_nothing(tellings: Sequence[CaseRun], profile: Profile, where: str) -> None:
    """When not one case got anywhere, the reason is the gateway's or the way to it.

    Raises:
        PayproofError: there is nothing to compare.
    """
    if not tellings:
        raise PayproofError("none of these cases can be told here", place=where, remedy="see `payproof drift --list`")
    stopped = [each for each in tellings if each.stopped]
    if not any(each.looks for each in tellings):
        why = stopped[0].stopped if stopped else "no answer"
        raise PayproofError(
            f"nothing could be compared: {why}",
            place=where,
            remedy="check sandbox.base_url, sandbox.ca and the network",
        )
    first = next((each.looks[0] for each in stopped if each.looks), None)
    if first is not None and not any(look.answer == "ok" for each in tellings for look in each.looks):
        raise PayproofError(
            f"nothing could be compared: {first.label} is refused with {first.summary}",
            place=where,
            remedy=remedy_of(profile, first.operation, first.status, first.texts),
        )


def _facts(side: SandboxEndpoint | RecordedEndpoint, seconds: float, terms: Terms) -> dict[str, Json]:
    facts: dict[str, Json] = {"seconds": round(seconds, 1), "contract": not terms.problem}
    if isinstance(side, SandboxEndpoint):
        manners = side.client.budget
        facts |= {"requests": manners.sent, "budget": manners.budget, "rate": manners.rate, "busiest": manners.busiest}
    return facts
