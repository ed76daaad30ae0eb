"""Guideline 10: a call that is not answered is given up after 30 seconds."""

from __future__ import annotations

from collections.abc import Iterator

from payproof.contracts.model import Finding
from payproof.contracts.requirements import Case, must, should
from payproof.contracts.stories import tellings

LIMIT = 33.0
"""Seconds: 30 and ten per cent (checklist, guideline 10)."""


@must("timeout.response")
def response(case: Case) -> Iterator[Finding]:
    """A call that is never answered is given up within 30 seconds.

    Why: without a limit a slow gateway holds every worker of the shop.

    Judged: the gateway accepts and never answers, at each operation in turn; when the integration hangs up is measured at
    the socket. Hanging up earlier, several calls one after the other, a background retry are all fine.

    Fix: set a total timeout of 30 seconds or less on every call to the gateway.
    """
    for telling in tellings(case.run, "stalled"):
        operation = str(telling.params.get("operation"))
        held = [call for call in telling.calls(operation) if call.fault == "never-answer"]
        longest = max(held, key=lambda call: call.seconds, default=None)
        if longest is None:
            yield case.not_exercised(
                f"no {operation} call was made", because="verify.status-checked" if operation == "status" else ""
            )
        elif longest.seconds > LIMIT:
            yield case.failed(
                f"the {operation} call was still open after {longest.seconds:.1f} s",
                expected={"seconds": "at most 30 (33 with grace)"},
                actual={"seconds": round(longest.seconds, 1), "hung up": longest.ending == "hung_up"},
                world=telling.world,
                seen=[longest],
            )
        elif longest.ending == "hung_up":
            yield case.passed(
                f"the {operation} call was given up after {longest.seconds:.1f} s",
                actual={"seconds": round(longest.seconds, 1)},
                world=telling.world,
                seen=[longest],
            )


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
