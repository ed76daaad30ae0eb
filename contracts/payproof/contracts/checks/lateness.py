"""Flows in which time has a part: paid late, answered slowly, left alone."""

from __future__ import annotations

from collections.abc import Iterator

from payproof.contracts.checks.flow import page_of
from payproof.contracts.checks.handling import status_of
from payproof.contracts.entries import Call, Connection, Page
from payproof.contracts.events import VERIFYING
from payproof.contracts.judging.probe_runs import ProbeRun, final, ledger, probe_runs, sightings
from payproof.contracts.judging.requirements import Case, must, should
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Finding, Json


@must("flow.late-success")
def late_success(case: Case) -> Iterator[Finding]:
    """A customer who cancels or leaves, and then pays in another tab, ends with a paid order.

    Why: the money was taken.

    Judged: the hosted checkout is open in two tabs; after leaving in one the customer pays in the other and returns. The
    order must end paid, or visibly held for a person; also when the cancel page is loaded again after that.

    Fix: cancelled is not final: verify on every return. Paid is: a cancel URL that is opened later changes nothing.
    """
    for probe_run in probe_runs(case.run, "late-success"):
        order = probe_run.order()
        taken = ledger(probe_run.world, order, "charged")
        if probe_run.step(StepName.LATE) is None or not taken:
            yield case.stuck(probe_run, str(probe_run.params.get("left")).replace("-", " "))
            continue
        last = final(probe_run.world, order)
        flagged = next((seen for seen in sightings(probe_run.world, order) if seen.flagged), None)
        how = str(probe_run.params.get("left")).replace("-", " ")
        if last is not None and last.paid:
            yield case.passed(
                f"paid after all ({how})", world=probe_run.world, seen=[probe_run.step(StepName.LATE), *taken, last]
            )
        elif flagged is not None:
            yield case.passed(f"held for a person ({how})", world=probe_run.world, seen=[*taken, flagged])
        else:
            refused = [call for call in probe_run.calls(*VERIFYING) if call.response and call.response.status == 401]
            stale = probe_run.step(StepName.STALE)
            when = "after the cancel page was loaded again" if stale else f"({how} first)"
            yield case.failed(
                f"{taken[0].amount} {taken[0].currency} taken, and order {order} is {last.state if last else 'unreadable'} {when}",
                expected={"paid": True},
                actual={"paid": False, "state": last.state if last else None},
                world=probe_run.world,
                seen=[probe_run.step(StepName.LATE), *taken, *refused[-1:], stale, last],
                unless="token.renewed" if refused and case.profile.has("authenticate") else (),
            )


_GRACE = 0.5
"""Seconds: a limit of exactly as long ends a little before or after the answer, as the machine has it."""


@should("flow.slow-success")
def slow_success(case: Case) -> Iterator[Finding]:
    """A gateway that takes ten seconds to answer still ends in a paid order.

    Why: slow is not broken; giving up early loses sales.

    Judged: each answer takes ten seconds, or a third of the time that the guidance gives a call where that is less; the order must end paid.
    Giving up later than that is reported and not held against anybody.

    Fix: a timeout of 25 to 30 seconds, not of five.
    """
    slow = case.profile.limits.slow
    for probe_run in probe_runs(case.run, "slow"):
        delayed = _delayed(probe_run)
        if not delayed:
            yield case.stuck(probe_run)
            continue
        left = _left_waiting(probe_run, delayed)
        last = final(probe_run.world, probe_run.order())
        given_up = [call for call in delayed if call.ending == "hung_up"]
        waited = {call.n: _waited(probe_run, delayed, call) for call in given_up}
        hasty = [call for call in given_up if waited[call.n] < slow - _GRACE]
        waits: list[Json] = [round(seconds, 1) for seconds in waited.values()]
        if last is not None and last.paid:
            yield case.passed(
                f"paid, though each answer took {slow:g} s", world=probe_run.world, seen=[delayed[0], last]
            )
        elif given_up and not hasty:
            yield case.passed(
                f"given up after {waited[given_up[0].n]:.1f} s, longer than an answer took",
                actual={"paid": False, "given up after seconds": waits[:3]},
                world=probe_run.world,
                seen=[*given_up[:3], last],
            )
        elif not given_up and left and left[1] >= slow - _GRACE:
            yield case.passed(
                f"the customer was answered after {left[1]:.1f} s, longer than an answer took",
                actual={"paid": False, "given up after seconds": [round(left[1], 1)]},
                world=probe_run.world,
                seen=[left[0], last],
            )
        elif not hasty and not left and (late := _late_answer(probe_run, delayed, slow)):
            yield case.not_exercised(
                f"an answer that was to take {slow:g} s came {late:.1f} s after the client had connected: the machine was too slow",
                world=probe_run.world,
                seen=[*delayed[:3], last],
            )
        else:
            how = f"given up after {waited[hasty[0].n]:.1f} s" if hasty else "every answer was waited for"
            if not hasty and left:
                how = f"the customer was answered after {left[1]:.1f} s"
            yield case.failed(
                f"the order does not end paid when each answer takes {slow:g} s: {how}",
                expected={"paid": True},
                actual={"paid": False, "given up after seconds": waits[:3]},
                world=probe_run.world,
                seen=[*(hasty or delayed)[:3], last],
                unless=() if hasty else ("flow.success", "verify.status-checked"),
            )


def _delayed(probe_run: ProbeRun) -> list[Call]:
    """The slow calls that were begun in this probe run; one that was left open is journaled when it ends, perhaps after the probe run."""
    first, last = probe_run.entries[0].at, probe_run.entries[-1].at
    return [call for call in probe_run.world.of(Call) if call.fault and first <= call.began <= last]


_TOO_LATE = 1.0
"""Seconds that an answer may come later than it was meant to, before that is the machine's doing."""


def _late_answer(probe_run: ProbeRun, delayed: list[Call], slow: float) -> float:
    """Seconds from a fresh connection to the end of its slow call, where that is longer than it was meant to be; else 0. A client's limit
    begins with the connection, and may have passed while the answer was written."""
    for call in delayed:
        # Connections are journaled when they are over, one after the other: a fresh one's only call ends with it.
        born = [
            each.began
            for each in probe_run.world.of(Connection)
            if each.calls == 1
            and each.began is not None
            and each.began <= call.began <= each.began + (each.seconds or 0.0)
        ]
        if call.nth == 1 and born and (late := call.ended - max(born)) >= slow + _TOO_LATE:
            return late
    return 0.0


def _left_waiting(probe_run: ProbeRun, delayed: list[Call]) -> tuple[Page, float] | None:
    """A page that was answered while a call of its request was still open, and how long after the first of its calls: a limit
    that the shop sets itself, and not at the socket."""
    for page in probe_run.pages("checkout", "return"):
        own = [call for call in delayed if page.began <= call.began <= page.ended]
        if page.response and any(call.ended > page.ended for call in own):
            return page, page.ended - min(call.began for call in own)
    return None


def _waited(probe_run: ProbeRun, delayed: list[Call], given_up: Call) -> float:
    """Seconds between the first slow call of a customer's request and the moment when this one was given up: a limit for
    the whole request is as good as one for each call."""
    pages = [page for page in probe_run.pages() if page.began <= given_up.began <= page.ended]
    same = [call.began for call in delayed for page in pages if page.began <= call.began <= given_up.began]
    return given_up.ended - min(same, default=given_up.began)


@should("flow.abandoned")
def abandoned(case: Case) -> Iterator[Finding]:
    """An abandoned payment leaves the order unpaid, and the customer can start again.

    Why: people come back.

    Judged: the payment expires at the gateway; the order must not be paid, and a new checkout must not be turned away for
    good. "Being opened" (409, 503) is fine, and so is the old address: the integration's own clock has not moved.

    Fix: ask the old payment's state before reusing it; open a new one when it has expired.
    """
    for probe_run in probe_runs(case.run, "abandoned"):
        if probe_run.step(StepName.EXPIRED) is None:
            yield case.stuck(probe_run)
            continue
        order = probe_run.order()
        again = probe_run.checkouts("again")
        paid = next((seen for seen in sightings(probe_run.world, order) if seen.paid), None)
        page = page_of(probe_run.world, again[0]) if again else None
        status = page.response.status if page and page.response else 0
        if paid is not None and not ledger(probe_run.world, order, "charged"):
            yield case.failed(
                "the abandoned order is paid",
                expected={"paid": False},
                actual={"paid": True},
                world=probe_run.world,
                seen=[probe_run.step(StepName.EXPIRED), paid],
            )
        elif not again:
            yield case.stuck(probe_run)
        elif again[0].payment and again[0].payment == probe_run.checkouts()[0].payment:
            yield case.not_exercised(
                "the old payment was offered again, as is right by the integration's own clock",
                world=probe_run.world,
                seen=again,
            )
        elif again[0].payment:
            yield case.passed(
                "unpaid, and the customer could start again",
                world=probe_run.world,
                seen=[probe_run.step(StepName.EXPIRED), *again],
            )
        elif status in (409, 423, 425, 429, 503) or again[0].outcome == "elsewhere":
            yield case.not_exercised(
                "the customer was asked to wait, as is right by the integration's own clock",
                world=probe_run.world,
                seen=again,
            )
        else:
            yield case.failed(
                "the customer cannot start again after the payment expired",
                expected={"checkout": "redirected"},
                actual={"checkout": again[0].outcome, "status": status_of(page)},
                world=probe_run.world,
                seen=[probe_run.step(StepName.EXPIRED), *again, page],
                # The same jump of the clock ended the access token.
                unless="token.renewed" if _unauthorized(probe_run) else (),
            )


def _unauthorized(probe_run: ProbeRun) -> bool:
    return any(
        call.response and call.response.status == 401 for call in probe_run.after(StepName.EXPIRED).calls("open")
    )
