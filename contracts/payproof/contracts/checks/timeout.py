"""A call that is not answered is given up after the seconds that the gateway's guidance gives it, and ten per cent."""

from __future__ import annotations

from collections.abc import Iterator

from payproof.contracts.entries import Call
from payproof.contracts.model import Finding, Json
from payproof.contracts.probe_runs import ProbeRun, probe_runs
from payproof.contracts.requirements import CAUSES, Case, must, should


@must("timeout.response")
def response(case: Case) -> Iterator[Finding]:
    """A call that is never answered is given up within the time that the guidance gives it (30 seconds on most gateways).

    Why: without a limit a slow gateway holds every worker of the shop.

    Judged: the gateway accepts and never answers, at each operation in turn; when the integration hangs up is measured at
    the socket. Hanging up earlier, several calls one after the other, a background retry are all fine; so is a customer who
    is answered in time while the socket stays open, which is told.

    Fix: set a total timeout of that long or less (30 seconds) on every call to the gateway.
    """
    limits = case.profile.limits
    for probe_run in probe_runs(case.run, "stalled"):
        operation = str(probe_run.params.get("operation"))
        held = [call for call in probe_run.calls(operation) if call.fault == "never-answer"]
        longest = max(held, key=lambda call: call.seconds, default=None)
        if longest is None:
            yield case.stuck(probe_run, operation, because=_never_called(case, operation))
            continue
        seconds, answered = round(longest.seconds, 1), _answered_after(probe_run, longest)
        actual: dict[str, Json] = {"seconds": seconds, "customer answered after seconds": answered}
        if longest.seconds > limits.grace and answered is not None and answered <= limits.grace:
            yield case.passed(
                f"the customer was answered after {answered:.1f} s, though the {operation} call stayed open for {seconds} s",
                actual=actual,
                world=probe_run.world,
                seen=[longest],
            )
        elif longest.seconds > limits.grace:
            yield case.failed(
                f"the {operation} call was still open after {seconds} s",
                expected={"seconds": f"at most {limits.call:g} ({limits.grace:g} with grace)"},
                actual={**actual, "hung up": longest.ending == "hung_up"},
                world=probe_run.world,
                seen=[longest],
            )
        elif longest.ending == "hung_up":
            yield case.passed(
                f"the {operation} call was given up after {seconds} s",
                actual=actual,
                world=probe_run.world,
                seen=[longest],
            )
        else:
            yield case.not_exercised(
                f"the {operation} call was broken off after {seconds} s, before the integration had its {limits.call:g}",
                world=probe_run.world,
                seen=[longest, *probe_run.exits()],
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

    Judged: the answer comes one byte a second; still reading after 60 seconds is the defect.

    Fix: limit the whole call, not the pause between two reads.
    """
    yield from ()
