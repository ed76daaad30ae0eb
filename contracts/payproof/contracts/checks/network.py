"""The network fails in the middle of a call: what the customer sees of it, and how often the call is sent again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from payproof.contracts.checks.handling import MOST_ATTEMPTS, Trouble, crashed, judged, not_met, troubles, wrongly_paid
from payproof.contracts.entries import Call, Ledger
from payproof.contracts.judging.requirements import Case, must
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Finding, Json


@must("flow.network-error")
def network_error(case: Case) -> Iterator[Finding]:
    """When the gateway cannot be reached the customer gets a page for people, and no order is paid.

    Why: networks fail.

    Judged: at each call the connection is refused, closed without an answer, and reset, both before the gateway did what it was
    asked and after; a 5xx that nobody wrote for people, a crash, a hang, or a paid order is the defect.

    Fix: catch the HTTP library's errors around every call; answer with a page that says try again.
    """
    for trouble in troubles(case, "network-error"):
        yield judged(case, trouble, _REACHED, f"a page for people ({trouble.what})")


def _never_arrived(case: Case, trouble: Trouble) -> Finding | None:
    """It did not come to the call."""
    arrived = trouble.page is not None and (not trouble.verifies or trouble.probe_run.step(StepName.PAID) is not None)
    return None if arrived else case.stuck(trouble.probe_run, trouble.what)


def _not_called(case: Case, trouble: Trouble) -> Finding | None:
    """Nobody tried; who knocks at a closed port is not seen."""
    if trouble.hit or trouble.probe_run.params.get("how") == "refuse":
        return None
    authenticates = case.profile.role_of(trouble.operation) == "authenticate"
    return case.not_exercised(
        f"the gateway was not called while it could not be reached ({trouble.what})",
        because=("token.renewed",) if authenticates else ("verify.status-checked", "flow.success"),
        world=trouble.probe_run.world,
        seen=[trouble.probe_run.step(StepName.PAID), trouble.probe_run.step(StepName.TRIED), trouble.page],
    )


_REACHED = (_never_arrived, crashed, wrongly_paid, _not_called)


@must("idempotency.no-storm")
def no_storm(case: Case) -> Iterator[Finding]:
    """A lost connection does not set off a storm of create calls.

    Why: nobody knows whether a call whose connection was lost had its effect, so each repetition may open one more payment.

    Judged: create's connection is closed without an answer, and reset, before the payment is opened and after; more than five
    creates for one checkout is the defect. What an HTTP library sends again by itself, because it had used a kept connection
    that was lost, does not count; nor does another click of the customer.

    Fix: at most one repetition, after a pause; better none, and a page on which the customer can try again.
    """
    for trouble in troubles(case, "network-error"):
        if case.profile.role_of(trouble.operation) == "open" and trouble.probe_run.params.get("how") != "refuse":
            sent = len(trouble.hit)
            times = "once" if sent == 1 else f"{sent} times"
            yield judged(case, trouble, (not_met, _stormed), f"sent {times}: {trouble.what}", attempts=sent)


_AT_ONCE, _PAUSE = 0.2, 0.5
"""Seconds within which an HTTP library sends a call again by itself, and that an integration lets pass between two attempts."""


def _by_the_library(sent: list[Call]) -> int:
    """How many of these calls an HTTP library sends again by itself: one for each that was lost on a kept connection; and, where
    the integration pauses between its attempts, the same bytes once more at once (some do that on fresh connections, too). Such a
    library does it to every attempt, but for one that a busy machine may delay: short pauses that grow are the integration's own, and so
    are three calls without a pause."""
    pairs = list(pairwise(sorted(sent, key=lambda call: call.began)))
    gaps = [again.began - lost.ended for lost, again in pairs]
    same = [
        gap < _AT_ONCE and again.request.body == lost.request.body
        for gap, (lost, again) in zip(gaps, pairs, strict=True)
    ]
    twice = sum(soon and not (number and same[number - 1]) for number, soon in enumerate(same))
    paused = max(gaps, default=0.0) >= _PAUSE and not any(soon and sooner for soon, sooner in pairwise(same))
    each = paused and twice >= len(sent) // 2 - 1
    return max(sum(call.nth > 1 for call in sent), twice if each else 0)


def _stormed(case: Case, trouble: Trouble) -> Finding | None:
    sent = list(trouble.hit)
    if len(sent) - _by_the_library(sent) <= MOST_ATTEMPTS:
        return None
    opened = [entry for entry in trouble.disturbed.of(Ledger) if entry.event == "opened"]
    counted: dict[str, Json] = {"create calls": len(sent), "payments opened": len(opened)}
    return case.failed(
        f"{len(sent)} create calls and {len(opened)} payments opened for one checkout: {trouble.what}",
        expected={"create calls": f"at most {MOST_ATTEMPTS}"},
        actual=counted,
        world=trouble.probe_run.world,
        seen=[*sent[:8], trouble.page],
    )
