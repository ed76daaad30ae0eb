"""The requirements that can be judged by what the gateway alone has seen, judged while somebody clicks through a shop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from payproof.contracts.entries import Call, Entry
from payproof.contracts.judging import judge
from payproof.contracts.judging.requirements import requirements_of
from payproof.contracts.model import Judgement, Verdict
from payproof.contracts.profile import Profile
from payproof.contracts.run import RecordedWorld, Run, Settings
from payproof.simulator.inspector.recorded_worlds import WORLD, recorded_worlds

MOST = 2_000
"""Entries that are judged: the newest."""
_PAUSE, _LONGEST_PAUSE = 1.0, 5.0
"""Seconds between two judgements at least, and ten times as long as the last one took, up to so many: the gateway's answers come first."""

State: TypeAlias = Literal["pass", "fail", "warn", "open"]

AT_SIGHT: Mapping[str, str] = {
    "contract.request": "any call shows it",
    "credentials.from-environment": "any token call shows it",
    "https.api": "serve with --tls, and any call shows it",
    "https.return-url": "open a payment",
    "https.cancel-url": "open a payment",
}
"""Requirement that is judged on all that was seen -> what to do so that it is."""
IN_PROBE_RUNS: Mapping[str, str] = {
    "token.cached": "pay several orders one after the other",
    "token.retried-once": "arm unauthorized on the call that opens a payment, and check out",
    "timeout.response": "arm never-answer on a call, check out, and wait until the shop gives up",
    "timeout.drip": "arm drip on a call, check out, and wait until the shop gives up",
    "timeout.connect": "arm backlog, check out, and wait until the shop gives up",
    "https.certificate-verified": "serve with --tls, arm expired-certificate, and check out",
}
"""Requirement that is judged on the probe runs that the faults and payments amount to -> what to do so that it is."""
ONLY_BREACHES: Mapping[str, str] = {
    "credentials.not-served": "no credential in the addresses that customers are sent to; their pages are not seen from here",
}
"""Requirement of which the gateway sees a part only: a breach is shown, a pass never."""
_UNSURE = frozenset({"timeout.response", "timeout.drip", "timeout.connect"})
"""What fails here may pass in a run: a customer may have been answered in time, while the call stayed open."""
_PERHAPS = "; whether the customer was answered meanwhile is not seen from here"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementRow:
    """``evidence``: numbers of entries."""

    id: str
    level: str
    text: str
    state: State
    says: str
    evidence: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """``elsewhere``: how many requirements of the gateway only a run can judge."""

    rows: tuple[RequirementRow, ...]
    elsewhere: int

    def of(self, state: State) -> tuple[RequirementRow, ...]:
        return tuple(row for row in self.rows if row.state == state)


def what_is_known(*, secure: bool, workers: int | None = None) -> Settings:
    """For checks. ``secure``: the gateway offers HTTPS. ``workers``: processes that keep an access token each, where that is declared."""
    return Settings(secure=secure, secure_note="it was started without --tls", restarts=False, workers=workers)


def judged(entries: Sequence[Entry], profile: Profile, settings: Settings) -> Judged:
    """Judge what happened."""
    scope = [id for id, each in requirements_of(profile).items() if not each.needs or profile.has(each.needs)]
    calls = [entry for entry in entries if isinstance(entry, Call)]
    at_sight = _judgements(
        profile, settings, (RecordedWorld(name=WORLD, entries=tuple(entries)),), scope, {**AT_SIGHT, **ONLY_BREACHES}
    )
    in_probe_runs = _judgements(profile, settings, recorded_worlds(entries, profile), scope, IN_PROBE_RUNS)
    found = {each.requirement: each for each in (*at_sight, *in_probe_runs)}
    rows = tuple(_row(found[id], seen=bool(calls)) for id in scope if id in found)
    return Judged(rows, len(scope) - len(rows))


def _judgements(
    profile: Profile, settings: Settings, worlds: tuple[RecordedWorld, ...], scope: Sequence[str], of: Mapping[str, str]
) -> tuple[Judgement, ...]:
    selected = tuple(id for id in scope if id in of)
    run = Run(gateway=profile.name, settings=settings, worlds=worlds, selected=selected)
    return judge.judge(run, profile).judgements if selected else ()


def _row(judgement: Judgement, *, seen: bool) -> RequirementRow:
    id = judgement.requirement
    finding = next((each for each in judgement.findings if each.verdict is judgement.verdict), judgement.findings[0])
    state, says = _state(judgement.verdict), finding.title
    if state in ("pass", "open") and id in ONLY_BREACHES:
        state, says = "open", ONLY_BREACHES[id]
    elif state == "fail" and id in _UNSURE:
        state, says = "warn", says + _PERHAPS
    elif state == "open" and not finding.evidence and judgement.verdict is Verdict.NOT_EXERCISED:
        says = {**AT_SIGHT, **IN_PROBE_RUNS}.get(id, says) if id in IN_PROBE_RUNS or not seen else says
    evidence = tuple(dict.fromkeys(pointer.entry for pointer in finding.evidence))
    return RequirementRow(
        id=id, level=judgement.level, text=judgement.text, state=state, says=says, evidence=evidence[:4]
    )


def _state(verdict: Verdict) -> State:
    if verdict is Verdict.PASS:
        return "pass"
    if verdict in (Verdict.FAIL, Verdict.ERROR):
        return "fail"
    return "warn" if verdict is Verdict.WARN else "open"


class LiveJudge:
    """One judgement for all who look, made beside the event loop and not more often than the gateway can bear."""

    def __init__(self, profile: Profile, settings: Settings) -> None:
        self._profile, self._settings = profile, settings
        self._lock = asyncio.Lock()
        self._upto, self._next_at = -1, 0.0
        self._last = self._of_nothing = Judged((), 0)

    async def at(self, newest: int, entries: Sequence[Entry]) -> Judged:
        """What is known up to this entry, or a little before; never of what is forgotten."""
        if not entries:
            if not self._of_nothing.rows:
                self._of_nothing = await asyncio.to_thread(judged, (), self._profile, self._settings)
            return self._of_nothing
        if entries[0].n > self._upto:
            self._last, self._next_at = self._of_nothing, 0.0
        if self._upto == newest or self._lock.locked() or time.monotonic() < self._next_at:
            return self._last
        async with self._lock:
            began = time.monotonic()
            kept = tuple(entries[-MOST:])
            self._last = await asyncio.to_thread(judged, kept, self._profile, self._settings)
            ended = time.monotonic()
            self._upto, self._next_at = newest, ended + min(max(_PAUSE, 10 * (ended - began)), _LONGEST_PAUSE)
        return self._last
