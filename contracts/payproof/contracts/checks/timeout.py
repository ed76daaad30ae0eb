"""What does not come is given up after the seconds that the gateway's guidance gives it, and ten per cent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from payproof.contracts.entries import Call, Connection, Page
from payproof.contracts.judging.probe_runs import ProbeRun, probe_runs
from payproof.contracts.judging.requirements import CAUSES, Case, must, should
from payproof.contracts.model import Finding, Json
from payproof.contracts.reading.onward import next_address, reloads_after


@dataclass(frozen=True, slots=True)
class _Wait:
    """A call, or an attempt to connect, that was left without an end. ``began``: on the run's clock."""

    entry: Call | Connection
    began: float
    seconds: float
    hung_up: bool
    """By the integration."""
    answered: bool = False


def _calls(probe_run: ProbeRun, operation: str, *faults: str) -> list[_Wait]:
    return [
        _Wait(call, call.began, call.seconds, call.ending == "hung_up", call.ending == "answered")
        for call in probe_run.calls(operation)
        if call.fault in faults
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Situation:
    """What one probe run held. ``limit``, ``grace``: seconds that one wait may take, and after which it is held against somebody;
    ``longest``: the same where the integration ended it by itself, and is late because the machine is, or rounds up; ``fails``: until
    then it is but warned."""

    probe_run: ProbeRun
    waits: list[_Wait]
    limit: float
    grace: float
    longest: float
    fails: float = 0.0
    what: str
    """For titles: ``the create call``."""
    missing: tuple[str, ...]
    """Requirements that are the likeliest cause where nothing was held."""


_ALIKE = 0.5
"""Seconds by which two waits with the same limit differ."""


_AT_ONCE = 0.1
"""Seconds by which the end of one try may be noted after the next one has begun."""


def _telling(waits: list[_Wait]) -> list[_Wait]:
    """Without those that ended with the fault, when another one was given up: had they been given longer, they would have been too."""
    patience = max((wait.seconds for wait in waits if wait.hung_up), default=0.0)
    return [wait for wait in waits if wait.hung_up or wait.answered or wait.seconds > patience + _ALIKE] or waits


def _given_up(case: Case, situation: _Situation) -> Finding:
    """Who ended the longest of these waits, and when. Several one after the other are several."""
    longest = max(_telling(situation.waits), key=lambda wait: wait.seconds, default=None)
    if longest is None:
        return case.stuck(situation.probe_run, situation.what, because=situation.missing)
    too_long = longest.seconds > (situation.longest if longest.hung_up else situation.grace)
    world, seconds, answered = situation.probe_run.world, round(longest.seconds, 1), _answered_after(situation, longest)
    actual: dict[str, Json] = {"seconds": seconds, "customer answered after seconds": answered}
    if too_long and answered is not None and answered <= situation.grace:
        return case.passed(
            f"the customer was answered after {answered:.1f} s, though {situation.what} stayed open for {seconds} s",
            actual=actual,
            world=world,
            seen=[longest.entry],
        )
    if too_long:
        return case.failed(
            f"{situation.what} was still open after {seconds} s",
            expected={"seconds": _allowed(situation)},
            actual={**actual, "hung up": longest.hung_up},
            world=world,
            seen=[longest.entry],
            warns=longest.hung_up and longest.seconds <= situation.fails,
        )
    if longest.hung_up:
        return case.passed(
            f"{situation.what} was given up after {seconds} s", actual=actual, world=world, seen=[longest.entry]
        )
    if _left_behind(situation, longest):
        return case.passed(
            f"the customer was answered after {answered:.1f} s, though {situation.what} was still open then",
            actual=actual,
            world=world,
            seen=[longest.entry],
        )
    how = "came to its end" if longest.answered else "was broken off"
    return case.not_exercised(
        f"{situation.what} {how} after {seconds} s, before the integration had its {situation.limit:g}",
        world=world,
        seen=[longest.entry, *situation.probe_run.exits()],
        unsettled=True,
    )


def _allowed(situation: _Situation) -> str:
    advised = f"at most {situation.limit:g} ({situation.grace:g} with grace)"
    return advised if situation.fails <= situation.longest else f"{advised}; from {situation.fails:g} on it fails"


def _never_called(case: Case, operation: str) -> tuple[str, ...]:
    if case.profile.verifies(operation):
        return ("verify.status-checked",)
    return ("token.renewed",) if case.profile.role_of(operation) == "authenticate" else CAUSES


def _left_behind(situation: _Situation, wait: _Wait) -> bool:
    """Whether this wait, which we broke off, was one that its integration did not care for any more: it began when another had been given
    up, and its customer had an answer. Some clients forget a socket when they try again."""
    ended = _answered_at(situation, wait)
    again = any(each.hung_up and each.began + each.seconds < wait.began + _AT_ONCE for each in situation.waits)
    return again and not wait.answered and ended is not None and ended < wait.began + wait.seconds


def _answered_after(situation: _Situation, wait: _Wait) -> float | None:
    """Seconds from the beginning of this wait until its customer had an answer."""
    ended = _answered_at(situation, wait)
    return None if ended is None else round(ended - wait.began, 1)


def _answered_at(situation: _Situation, wait: _Wait) -> float | None:
    """When the customer whose request led to this wait had an answer; None where nobody waited, or nobody got one. A checkout's page
    that loads itself again meanwhile is none."""
    waiting = [
        page
        for page in situation.probe_run.pages("checkout", "return", "reload")
        if page.began <= wait.began <= page.ended and page.response is not None
    ]
    answers = [answer for page in waiting if (answer := _answer(situation.probe_run, page)) is not None]
    return min((page.ended for page in answers), default=None)


def _answer(probe_run: ProbeRun, page: Page) -> Page | None:
    """The page at which a walk through a checkout ends that this one is on, this one elsewhere; None where the walk never ends."""
    while page.purpose == "checkout":
        reloads = reloads_after(page) is not None
        there = page.request.url if reloads else next_address(page)
        later = [
            each for each in probe_run.pages(page.purpose) if each.began >= page.ended and each.request.url == there
        ]
        if not there or not later:
            return None if reloads else page
        page = later[0]
    return page


@must("timeout.response")
def response(case: Case) -> Iterator[Finding]:
    """A call that is never answered is given up within the time that the guidance gives it (30 seconds on most gateways).

    Why: without a limit a slow gateway holds every worker of the shop.

    Judged: the gateway accepts and never answers, or sends the headers and then nothing, at each operation in turn; when the
    integration hangs up is measured at the socket. Hanging up earlier, several calls one after the other, a background retry
    are all fine; so is a customer who is answered in time while the socket stays open, which is reported. Where the guidance is no
    more than advice, waiting longer warns, and fails from the gateway's longest time on.

    Fix: set a total timeout of that long or less (30 seconds) on every call to the gateway; see that it does not end with the
    headers.
    """
    limits = case.profile.limits
    for probe_run in probe_runs(case.run, "stalled"):
        operation, sends = str(probe_run.params.get("operation")), probe_run.params.get("sends")
        yield _given_up(
            case,
            _Situation(
                probe_run=probe_run,
                waits=_calls(probe_run, operation, "never-answer", "stall"),
                limit=limits.call,
                grace=limits.grace,
                longest=limits.grace,
                fails=limits.call_fails,
                what=f"the {operation} call" + (f" that was answered with {sends} only" if sends else ""),
                missing=_never_called(case, operation),
            ),
        )


@must("timeout.connect")
def connect(case: Case) -> Iterator[Finding]:
    """A connection that is not accepted is given up within the time that the guidance gives it (30 seconds on most gateways).

    Why: as for answers; many HTTP libraries count connecting apart, and have no limit for it.

    Judged: the gateway's address takes no connection (its backlog is full); each attempt to connect is measured from its first
    packet until the integration gives it up. Several attempts, and a customer who is answered in time, are judged as for
    timeout.response. How long a connection is kept on which TLS never begins, or stops half-way, is reported.

    Fix: set a connect timeout, or a limit for the whole call that includes connecting.
    """
    for probe_run in probe_runs(case.run, "unconnected"):
        # Whoever said nothing did not want to begin TLS.
        silent = [each for each in probe_run.of(Connection) if each.event == "silent" and each.first_byte is not None]
        if silent:
            yield _without_tls(case, probe_run, silent)
        elif probe_run.params.get("how") not in ("silent", "tls-silence"):
            tried = [each for each in probe_run.of(Connection) if each.event == "unaccepted"]
            yield _given_up(case, _connecting(case, probe_run, tried, "an attempt to connect"))


def _connecting(case: Case, probe_run: ProbeRun, tried: list[Connection], what: str) -> _Situation:
    limits = case.profile.limits
    waits = [_Wait(each, each.began or each.at, each.seconds or 0, each.ended_by == "client") for each in tried]
    return _Situation(
        probe_run=probe_run, waits=waits, limit=limits.connect, grace=limits.connect_grace,
        longest=limits.connect_grace, fails=limits.connect_fails, what=what, missing=CAUSES,
    )  # fmt: skip


def _without_tls(case: Case, probe_run: ProbeRun, silent: list[Connection]) -> Finding:
    """Many a limit for connecting ends before TLS begins: that is reported, and whoever waits for ever fails at the answer."""
    halfway = probe_run.params.get("how") == "tls-silence"
    what = "a TLS handshake that stopped half-way" if halfway else "a connection on which TLS never began"
    situation = _connecting(case, probe_run, silent, what)
    longest = max(silent, key=lambda each: each.seconds or 0)
    if (longest.seconds or 0) <= situation.grace:
        return _given_up(case, situation)
    return case.passed(
        f"reported, and not judged here: {situation.what} was still open after {round(longest.seconds or 0, 1)} s",
        actual={"seconds": round(longest.seconds or 0, 1)},
        world=probe_run.world,
        seen=[longest],
    )


@should("timeout.drip")
def drip(case: Case) -> Iterator[Finding]:
    """An answer that trickles in is given up within a minute (or longer, where the guidance gives it longer).

    Why: a byte a second never trips a timeout between two reads.

    Judged: at each operation the answer comes one byte a second; a call that is still being read after that time, and one
    second more for a library that rounds up, is the defect (ten per cent more, where it ends by itself after all). Several
    calls, and a customer who is answered in time, are judged as for timeout.response.

    Fix: limit the whole call, not the pause between two reads.
    """
    limits = case.profile.limits
    for probe_run in probe_runs(case.run, "dripping"):
        operation = str(probe_run.params.get("operation"))
        yield _given_up(
            case,
            _Situation(
                probe_run=probe_run,
                waits=_calls(probe_run, operation, "drip"),
                limit=limits.whole,
                grace=limits.whole_grace,
                longest=limits.whole_longest,
                what=f"the {operation} call that was answered one byte a second",
                missing=_never_called(case, operation),
            ),
        )
