"""Once a trouble is over, payments go through again."""

from __future__ import annotations

from collections.abc import Iterator

from payproof.contracts.checks.flow import page_of
from payproof.contracts.checks.handling import status_of
from payproof.contracts.judging.probe_runs import ProbeRun, final, probe_runs
from payproof.contracts.judging.requirements import Case, must
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Finding, Verdict


@must("flow.recovers")
def recovers(case: Case) -> Iterator[Finding]:
    """After every fault the next clean payment goes through.

    Why: a broken answer must not poison a cache or open a circuit for good.

    Judged: at the end of every probe run with a fault another customer pays; one second of grace, and the wait that a Retry-After
    asked for; after errors in a row, and where customers are turned away without a call, over a minute, in which a circuit breaker that
    opened has its pause. A customer whose own payment was refused without a fault of the order, and who is still turned away three
    seconds later, without a call, is a warning.

    Fix: cache only complete, well-formed answers; let circuit breakers close again; free an order's lock whatever happens.
    """
    good, unsure = 0, False
    recovering = {probe_run.probe for probe_run in probe_runs(case.run) if probe_run.step(StepName.RECOVER)}
    for probe_run in probe_runs(case.run):
        after = probe_run.after(StepName.RECOVER)
        orders = list(dict.fromkeys(checkout.order for checkout in after.checkouts("recovery")))
        if probe_run.step(StepName.LEFT_ALONE) is not None and probe_run.probe in recovering:
            yield case.stuck(probe_run, _fault_of(probe_run))
        if probe_run.step(StepName.RECOVER) is None:
            continue
        if not orders:
            yield case.stuck(probe_run, _fault_of(probe_run))
            continue
        if any((last := final(probe_run.world, order)) is not None and last.paid for order in orders):
            good += 1
            yield from _turned_away(case, probe_run)
            continue
        found = _unsold(case, probe_run, orders[-1])
        if not found.unsettled or not unsure:
            yield found
        unsure |= found.unsettled
        if found.verdict is Verdict.FAIL and not found.causes:
            return
    if good:
        yield case.passed(f"after each of {good} faults the next payment went through", actual={"faults": good})


def _unsold(case: Case, probe_run: ProbeRun, order: str) -> Finding:
    """No customer's payment went through; ``order``: the last one's."""
    after, last = probe_run.after(StepName.RECOVER), final(probe_run.world, order)
    tries = after.checkouts("recovery")
    if _perhaps_open(after):
        return case.not_exercised(
            f"after {_fault_of(probe_run)} the customers were turned away, and the gateway was not asked, as with a circuit"
            " breaker that is open; nobody waited until it must close: a run without --quick does",
            world=probe_run.world,
            seen=[probe_run.step(StepName.RECOVER), *tries[-1:], last],
            unsettled=True,
        )
    creates = [call for call in after.calls("open") if not call.fault]
    unauthorized = bool(creates) and all(call.response and call.response.status == 401 for call in creates)
    return case.failed(
        f"no payment goes through after {_fault_of(probe_run)}",
        expected={"paid": True},
        actual={"paid": False, "attempts": len({each.order for each in tries})},
        world=probe_run.world,
        seen=[probe_run.step(StepName.RECOVER), *tries[:2], *after.calls()[:3], last],
        # The fault is over, and what the shop meets is the end of its access token.
        unless="token.renewed" if unauthorized and case.profile.has("authenticate") else (),
    )


_WAITED = 3
"""Attempts of which the last one came when a circuit breaker that opened had had its time."""


def _perhaps_open(after: ProbeRun) -> bool:
    """Whether a circuit breaker may be open still: customers get a page, no call is made, and nobody waited for it."""
    tries = after.checkouts("recovery")
    by_itself = all(each.outcome in ("refused", "elsewhere") for each in tries)
    return by_itself and len(tries) < _WAITED and not after.calls("authenticate", "open")


def _turned_away(case: Case, probe_run: ProbeRun) -> Iterator[Finding]:
    """Others can pay again, and whom the error met cannot."""
    after = probe_run.after(StepName.AGAIN)
    tries = after.checkouts("again")
    if tries and not after.calls("open") and all(each.outcome in ("refused", "broken", "no_answer") for each in tries):
        page = page_of(probe_run.world, tries[-1])
        yield case.failed(
            f"another customer can pay after {_fault_of(probe_run)}, and the one whom it met is turned away",
            expected={"checkout": "redirected"},
            actual={"checkout": tries[-1].outcome, "status": status_of(page), "attempts": len(tries)},
            world=probe_run.world,
            seen=[probe_run.step(StepName.AGAIN), *tries[-1:], page],
            warns=True,
        )


def _fault_of(probe_run: ProbeRun) -> str:
    params = probe_run.params
    fault = params.get("error") or params.get("fault") or params.get("how") or params.get("shows") or probe_run.probe
    return f"{params.get('operation', '')} {fault}".strip()
