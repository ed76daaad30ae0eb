"""When the gateway cannot be asked: a paid order is neither paid too early nor lost."""

from __future__ import annotations

from collections.abc import Iterator

from payproof.contracts.checks.handling import answer_of, kind_of, outage_of
from payproof.contracts.entries import Call, OrderSeen, Step
from payproof.contracts.events import VERIFICATION
from payproof.contracts.judging.probe_runs import ProbeRun, confirmed, looks, payments_of, probe_runs
from payproof.contracts.judging.requirements import Case, must
from payproof.contracts.judging.steps import StepName, number
from payproof.contracts.model import Finding
from payproof.contracts.run import RecordedWorld

_OF_ANY_CALL = ("stalled", "network-error", "rate-limited")
"""Probes that make trouble at each call in turn."""
_PROBES = ("unverified", "outage", "refused-check", *_OF_ANY_CALL)


@must("verify.unreachable")
def unreachable(case: Case) -> Iterator[Finding]:
    """While a payment cannot be verified its order is neither paid nor lost; it becomes paid once it can be verified.

    Why: marking it paid gives goods away; marking it failed loses a customer's money.

    Judged: after a real payment the status check fails in turn with 500, 429, no answer, prose, cut JSON, an oversized answer,
    another payment's answer, nothing at all, once for some seconds; the order must not be paid then. The check works again, the customer reloads,
    a background job has its time (order.within, else 60 s, when all probes have run): now the order must be paid, or held
    for a person.

    Fix: keep the order pending when the answer is not a success for exactly this payment, and verify again on reload or
    from a job.
    """
    for probe_run in probe_runs(case.run, *_PROBES):
        if probe_run.probe in _OF_ANY_CALL and not case.profile.verifies(str(probe_run.params.get("operation"))):
            continue
        if probe_run.step(StepName.PAID) is None or probe_run.step(StepName.MENDED) is None:
            yield case.stuck(probe_run, _what(probe_run))
        else:
            yield _unverified(case, probe_run)


def _what(probe_run: ProbeRun) -> str:
    if probe_run.probe == "rate-limited":
        return "answered with HTTP 429"
    return answer_of(probe_run.params) if kind_of(probe_run.params) else outage_of(probe_run.params)


def _unverified(case: Case, probe_run: ProbeRun) -> Finding:
    order, world, fault = probe_run.order("unverified"), probe_run.world, _what(probe_run)
    during, mended = probe_run.before(StepName.MENDED), probe_run.step(StepName.MENDED)
    hit = [
        call for call in during.calls(VERIFICATION) if call.fault and call.event.payment in payments_of(world, order)
    ]
    early = next((seen for seen in during.of(OrderSeen) if seen.order == order and seen.paid), None)
    if not hit and probe_run.params.get("how") != "refuse":  # Nobody sees who knocks at a closed port.
        return case.not_exercised(
            f"the gateway was not asked while it would have failed ({fault})",
            because=("verify.status-checked", "verify.forged-return"),
            world=world,
            seen=[probe_run.step(StepName.PAID), early, mended],
        )
    if early is not None and not confirmed(during, order):
        return case.failed(
            f"order {order} was marked paid while the status check failed ({fault})",
            expected={"paid": False},
            actual={"paid": True, "state": early.state},
            world=world,
            seen=[probe_run.step(StepName.PAID), *hit[:2], early],
            unless=() if probe_run.calls(VERIFICATION) else ("verify.status-checked", "verify.forged-return"),
        )
    return _afterwards(case, probe_run, hit)


def _afterwards(case: Case, probe_run: ProbeRun, hit: list[Call]) -> Finding:
    """The check works again: paid, held, lost, or not looked at for long enough to tell."""
    order, world, fault = probe_run.order("unverified"), probe_run.world, _what(probe_run)
    mended = probe_run.step(StepName.MENDED)
    assert mended is not None
    later = [seen for seen in looks(world, order) if seen.n > mended.n]
    paid = next((seen for seen in later if seen.paid), None)
    held = next((seen for seen in later if seen.flagged), None)
    if paid is not None:
        return case.passed(
            f"pending while the status check failed ({fault}), paid once it could be verified",
            world=world,
            seen=[*hit[:1], mended, paid],
        )
    if held is not None:
        return case.passed(
            f"held for a person after the status check failed ({fault})", world=world, seen=[*hit[:1], mended, held]
        )
    last = later[-1] if later else None
    promised, waited = number(mended, "promised"), _time_given(world, mended, last)
    if last is None or waited < promised - 0.5:
        return case.not_exercised(
            f"order {order} was not paid {waited:.0f} s after the status check worked again ({fault}),"
            f" and nobody looked for the {promised:.0f} s that a background job may take: a run without --quick does",
            world=world,
            seen=[*hit[:1], mended, last],
            unsettled=True,
        )
    return case.failed(
        f"order {order} was paid for and stays {last.state or 'unreadable'} after the status check works again ({fault})",
        expected={"paid": True, "within seconds": promised},
        actual={"paid": False, "state": last.state, "seconds": round(waited, 1)},
        world=world,
        seen=[*hit[:1], mended, last],
    )


def _time_given(world: RecordedWorld, mended: Step, last: OrderSeen | None) -> float:
    """Seconds that a background job had, with nothing going wrong any more, before the last look. Other probe runs of the same
    world break the same call: where there was a last wait, only that counts."""
    quiet = next((step for step in world.of(Step) if step.name == StepName.LAST_WAIT and step.n > mended.n), mended)
    return last.at - quiet.at if last is not None and last.n > quiet.n else 0.0
