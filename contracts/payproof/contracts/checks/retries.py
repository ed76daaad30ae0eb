"""Calls that are sent again: which, how soon and how often, where the gateway's guidance says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from payproof.contracts.checks.handling import Trouble, judged, not_met, troubles
from payproof.contracts.entries import Call
from payproof.contracts.judging.attempts import background
from payproof.contracts.judging.requirements import Case, must, should
from payproof.contracts.model import Finding, Json

_PROBES = ("error-answer", "unverified", "refused-check")
_WAITS = (408, 409, 425, 429)
"""Refusals that another try may meet otherwise."""


def _status(trouble: Trouble) -> int:
    first = trouble.hit[0].response if trouble.hit else None
    return first.status if first else 0


def _looks(trouble: Trouble) -> int:
    """How often one request of the customer may lead to the call without being a repetition: two parts of a program may look at a
    payment, and only one opens it."""
    return 2 if trouble.verifies else 1


def _named(call: Call) -> tuple[Json, ...]:
    """What tells the request from another one: all but its key."""
    if call.role != "open":
        return (call.event.payment,)
    opened = call.opened
    return (opened.reference, opened.spelled, opened.currency, opened.return_url, opened.cancel_url)


@must("errors.no-retry", needs="retries")
def no_retry(case: Case) -> Iterator[Finding]:
    """A request that the gateway refuses is not sent again as it is.

    Why: what is wrong with it is wrong the second time, and the customer waits for nothing.

    Judged: create, and the status check, are answered with the gateway's own refusals (4xx but for 408, 409, 425, 429, and for those that
    renewing an access token may mend); the same request again, by itself, while the customer waits for one answer, is the defect. A
    request that was changed is another one, and two looks at one payment are nobody's repetition.

    Fix: send again what was answered 5xx or 429, and nothing else.
    """
    renewed = (401, 403) if case.profile.has("authenticate") else (401,)
    for trouble in troubles(case, *_PROBES):
        if trouble.hit and (not 400 <= _status(trouble) < 500 or _status(trouble) in (*_WAITS, *renewed)):
            continue
        yield judged(case, trouble, (not_met, _repeated), f"sent once: {trouble.what}")


def _repeated(case: Case, trouble: Trouble) -> Finding | None:
    sent = trouble.attempts
    most = max(Counter(map(_named, sent)).values(), default=0)
    if most <= _looks(trouble):
        return None
    return case.failed(
        f"sent {most} times: {trouble.what}", expected={"attempts": 1}, actual={"attempts": most}, world=trouble.probe_run.world, seen=sent[:8]
    )  # fmt: skip


@should("errors.backoff", needs="retries")
def backoff(case: Case) -> Iterator[Finding]:
    """A call that the gateway fails to answer is sent again after a pause, and not for ever.

    Why: a gateway that is down comes back more slowly when everybody hammers it.

    Judged: create, and the status check, are answered 5xx for good; more attempts than the gateway's guidance allows, or one less than
    its first pause after the last, all for one request of the customer, is the defect. Not to try again at all is fine.

    Fix: wait before each repetition, longer each time, with some chance in it; give up after a few.
    """
    for trouble in troubles(case, *_PROBES):
        looks_around = trouble.verifies and background(trouble.probe_run.world)
        if not looks_around and (not trouble.hit or _status(trouble) >= 500):
            yield judged(case, trouble, (not_met, _hasty), f"{len(trouble.attempts)} attempt(s): {trouble.what}")


def _hasty(case: Case, trouble: Trouble) -> Finding | None:
    limits, sent = case.profile.limits, sorted(trouble.attempts, key=lambda call: call.began)
    gaps = [after.began - before.ended for before, after in pairwise(sent)]
    soon = [gap for gap in gaps if gap < limits.pause - _EARLY]
    if len(sent) <= limits.attempts and len(soon) < _looks(trouble):
        return None
    return case.failed(
        f"{len(sent)} attempts, the next one after {min(gaps):.2f} s at the soonest: {trouble.what}",
        expected={"attempts": f"at most {limits.attempts}", "seconds between": f"at least {limits.pause:g}"},
        actual={"attempts": len(sent), "seconds between": [round(gap, 2) for gap in gaps]},
        world=trouble.probe_run.world,
        seen=sent[:8],
    )


_EARLY = 0.1
"""Seconds by which a pause may be shorter, for a program that counts them from the beginning of its call."""
