"""A call that is not answered is given up after the seconds that the gateway's guidance gives it, and ten per cent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from payproof.contracts.entries import Call
from payproof.contracts.model import Finding, Json
from payproof.contracts.probe_runs import ProbeRun, probe_runs
from payproof.contracts.requirements import CAUSES, Case, must, should


@dataclass(frozen=True, slots=True)
class _Held:
    """Calls of one kind that a story left without an end. ``grace``: seconds of one call that are held against somebody."""

    probe_run: ProbeRun
    operation: str
    faults: tuple[str, ...]
    limit: float
    grace: float
    what: str
    """For titles: ``the create call``."""

    @property
    def longest(self) -> Call | None:
        calls = [call for call in self.probe_run.calls(self.operation) if call.fault in self.faults]
        return max(calls, key=lambda call: call.seconds, default=None)


def _ended(case: Case, held: _Held) -> Finding:
    """Who ended the longest of these calls, and when. Several calls one after the other are several."""
    longest, world = held.longest, held.probe_run.world
    if longest is None:
        return case.stuck(held.probe_run, held.operation, because=_never_called(case, held.operation))
    seconds, answered = round(longest.seconds, 1), _answered_after(held.probe_run, longest)
    actual: dict[str, Json] = {"seconds": seconds, "customer answered after seconds": answered}
    if longest.seconds > held.grace and answered is not None and answered <= held.grace:
        return case.passed(
            f"the customer was answered after {answered:.1f} s, though {held.what} stayed open for {seconds} s",
            actual=actual,
            world=world,
            seen=[longest],
        )
    if longest.seconds > held.grace:
        return case.failed(
            f"{held.what} was still open after {seconds} s",
            expected={"seconds": f"at most {held.limit:g} ({held.grace:g} with grace)"},
            actual={**actual, "hung up": longest.ending == "hung_up"},
            world=world,
            seen=[longest],
        )
    if longest.ending == "hung_up":
        return case.passed(f"{held.what} was given up after {seconds} s", actual=actual, world=world, seen=[longest])
    how = "came to its end" if longest.ending == "answered" else "was broken off"
    return case.not_exercised(
        f"{held.what} {how} after {seconds} s, before the integration had its {held.limit:g}",
        world=world,
        seen=[longest, *held.probe_run.exits()],
        unsettled=True,
    )


def _never_called(case: Case, operation: str) -> tuple[str, ...]:
    if case.profile.verifies(operation):
        return ("verify.status-checked",)
    return ("token.renewed",) if case.profile.role_of(operation) == "authenticate" else CAUSES


def _answered_after(probe_run: ProbeRun, call: Call) -> float | None:
    """Seconds until the customer whose request made this call had an answer; None where nobody waited, or nobody got one."""
    waiting = [
        page
        for page in probe_run.pages("checkout", "return", "reload")
        if page.began <= call.began <= page.ended and page.response is not None
    ]
    return round(min(page.ended for page in waiting) - call.began, 1) if waiting else None


@must("timeout.response")
def response(case: Case) -> Iterator[Finding]:
    """A call that is never answered is given up within the time that the guidance gives it (30 seconds on most gateways).

    Why: without a limit a slow gateway holds every worker of the shop.

    Judged: the gateway accepts and never answers, or sends the headers and then nothing, at each operation in turn; when the
    integration hangs up is measured at the socket. Hanging up earlier, several calls one after the other, a background retry
    are all fine; so is a customer who is answered in time while the socket stays open, which is told.

    Fix: set a total timeout of that long or less (30 seconds) on every call to the gateway; see that it does not end with the
    headers.
    """
    limits = case.profile.limits
    for probe_run in probe_runs(case.run, "stalled"):
        operation = str(probe_run.params.get("operation"))
        what = f"the {operation} call"
        if probe_run.params.get("sends"):
            what += f", whose answer ended with its {probe_run.params['sends']},"
        yield _ended(case, _Held(probe_run, operation, ("never-answer", "stall"), limits.call, limits.grace, what))


@must("timeout.connect")
def connect(case: Case) -> Iterator[Finding]:
    """A connection that is not accepted is given up within 30 seconds.

    Why: as for answers.

    Judged: the gateway's address accepts no connection; one attempt may last 33 seconds.

    Fix: set a connect timeout.
    """
    yield from ()


@should("timeout.drip")
def drip(case: Case) -> Iterator[Finding]:
    """An answer that trickles in is given up within a minute.

    Why: a byte a second never trips a timeout between two reads.

    Judged: at each operation the answer comes one byte a second; one call that is still being read after 60 seconds, and one for
    a library that rounds up, is the defect.

    Fix: limit the whole call, not the pause between two reads.
    """
    limits = case.profile.limits
    for probe_run in probe_runs(case.run, "dripping"):
        operation = str(probe_run.params.get("operation"))
        yield _ended(
            case,
            _Held(
                probe_run,
                operation,
                ("drip",),
                limits.whole,
                limits.whole + 1,
                f"the {operation} call, one byte a second,",
            ),
        )
