"""Payments for which the customer has done their part, and which are decided later."""

from __future__ import annotations

import re
from collections.abc import Iterator

from payproof.contracts.checks.handling import BELIEVED, crash, status_of
from payproof.contracts.checks.idempotency import charged_once, where_told_apart
from payproof.contracts.entries import Delivery, OrderSeen
from payproof.contracts.judging.deliveries import undeclared, untaken
from payproof.contracts.judging.probe_runs import ProbeRun, ever_paid, final, ledger, probe_runs, sightings
from payproof.contracts.judging.requirements import Case, must
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Finding

_FAILED = re.compile(
    r"(payment|order)?[ _-]*(failed|failure|cancell?ed|declined|refused|rejected|expired|abandoned)", re.IGNORECASE
)
"""States that tell a customer to pay again."""


def _known_unpaid(probe_run: ProbeRun, seen: OrderSeen) -> bool:
    """Whether the gateway had told that the payment is not paid, in an answer or a notice, before the order was seen."""
    answered = any(status.paid is False and call.n < seen.n for call, status in probe_run.status_answers())
    return answered or any(each.paid is False and each.n < seen.n for each in probe_run.of(Delivery))


def _undecided_runs(case: Case, *, came: bool | None = None) -> Iterator[ProbeRun]:
    yield from probe_runs(case.run, "undecided", keep=lambda each: came is None or each.params.get("came") is came)


@must("flow.pending", needs="decides_later")
def pending(case: Case) -> Iterator[Finding]:
    """A payment that is not decided yet makes no paid order.

    Why: the customer is done, and the money may never come.

    Judged: the customer pays in a way that is decided later, and comes back; until it is decided, the gateway calls the payment
    unpaid, the order must not be paid, nor its goods counted, its state must be no word for failure ("failed", "cancelled", "declined"),
    and the customer gets a page for people.

    Fix: read the field that says whether the money is there, not the one that says that the customer is done; on the return,
    in notices and in jobs alike. What is neither paid nor refused has a state of its own.
    """
    for probe_run in _undecided_runs(case):
        mark, order = probe_run.step(StepName.PENDING), probe_run.order()
        if mark is None or not ledger(probe_run.world, order, "pending"):
            yield case.stuck(probe_run)
            continue
        undecided = probe_run.before(StepName.DECIDED)
        early = [seen for seen in sightings(probe_run.world, order) if seen in undecided.entries]
        wrong = next((seen for seen in early if seen.paid or seen.effects), None)
        if wrong is not None:
            how = "is paid" if wrong.paid else "is fulfilled"
            yield case.failed(
                f"order {order} {how}, and the gateway has no money for it yet",
                expected={"paid": False, "charged": 0},
                actual={"paid": wrong.paid, "effects": wrong.effects, "charged": 0},
                world=probe_run.world,
                seen=[mark, *[call for call, _ in undecided.status_answers()][-1:], wrong],
                # Who was told nothing of it believes what brings the customer back.
                unless=() if _known_unpaid(probe_run, wrong) else BELIEVED,
            )
        elif (lost := next((seen for seen in early if _FAILED.fullmatch(seen.state.strip())), None)) is not None:
            yield case.failed(
                f'order {order} is called "{lost.state.strip()}", and its payment is not decided yet',
                expected="a state that is neither paid nor failed",
                actual={"state": lost.state},
                world=probe_run.world,
                seen=[mark, lost],
            )
        elif (shown := crash(undecided, None, "return")) is not None:
            page = next(reversed(undecided.pages("return")), None)
            yield case.failed(
                "the customer got an error page when the payment was not decided yet",
                expected="a page for people",
                actual={"status": status_of(page)},
                world=probe_run.world,
                seen=[mark, shown],
            )
        elif not early:
            yield case.unread(probe_run.world, order, mark)
        else:
            yield case.passed("not paid before it is decided", world=probe_run.world, seen=[mark, early[-1]])


@must("flow.pending-success", needs="decides_later")
def pending_success(case: Case) -> Iterator[Finding]:
    """A payment whose money comes later ends in a paid order, without the customer.

    Why: the money was taken, and the customer has long gone.

    Judged: the money of a pending payment comes; the gateway tells of it where notices are taken; the order must end paid, or
    visibly held for a person. An integration that takes no notices is not asked to know of it.

    Fix: take the notice that tells of it, or ask again from a job.
    """
    for probe_run in _undecided_runs(case, came=True):
        mark, order = probe_run.step(StepName.DECIDED), probe_run.order()
        taken = ledger(probe_run.world, order, "charged")
        if mark is None or not taken:
            yield case.stuck(probe_run)
            continue
        last = final(probe_run.world, order)
        if last is not None and (last.paid or last.flagged):
            how = "paid" if last.paid else "held for a person"
            yield case.passed(f"{how} when the money came", world=probe_run.world, seen=[mark, *taken, last])
        elif not case.run.settings.notices:
            yield undeclared(case)  # who is told nothing, and has no job that asks, cannot know
        else:
            yield case.failed(
                f"the money came, and order {order} is {last.state if last else 'unreadable'}",
                expected={"paid": True},
                actual={"paid": False, "state": last.state if last else None},
                world=probe_run.world,
                seen=[mark, *taken, last],
                unless=("webhook.raw-body", *untaken(case.run)),
            )


@must("flow.pending-failure", needs="decides_later")
def pending_failure(case: Case) -> Iterator[Finding]:
    """A payment whose money never comes leaves an unpaid order, which can be paid again.

    Why: debits are returned, and the customer still wants the goods.

    Judged: the money of a pending payment does not come; the order is never paid by it, and the customer's next payment goes through: of
    the same order, or of the one that the integration makes for another try.

    Fix: let go of a payment that failed later as of one that was refused at once.
    """
    for probe_run in _undecided_runs(case, came=False):
        mark, order = probe_run.step(StepName.DECIDED), probe_run.order()
        if mark is None:
            yield case.stuck(probe_run)
            continue
        again = probe_run.after(StepName.AGAIN)
        world, paid = probe_run.world, ever_paid(probe_run.world, order)
        another = (ever_paid(world, each.order) for each in again.checkouts() if ledger(world, each.order, "charged"))
        if paid is not None and not ledger(world, order, "charged"):
            yield case.failed(
                f"order {order} is paid, and its money never came",
                expected={"paid": False, "charged": 0},
                actual={"paid": True, "state": paid.state, "charged": 0},
                world=probe_run.world,
                seen=[mark, paid],
                unless=("flow.pending", *BELIEVED),
            )
        elif (paid := paid or next(filter(None, another), None)) is None:
            yield case.failed(
                f"order {order} cannot be paid any more, after its money did not come",
                expected={"paid": True},
                actual={"paid": False},
                world=probe_run.world,
                seen=[mark, *again.checkouts(), final(probe_run.world, order)],
                unless=untaken(case.run),
            )
        else:
            yield case.passed("unpaid, and then paid by another payment", world=probe_run.world, seen=[mark, paid])


@must("flow.pending-again", needs="decides_later")
@where_told_apart
def pending_again(case: Case) -> Iterator[Finding]:
    """Starting again while a payment is not decided yet does not charge twice unseen.

    Why: nothing has arrived yet, so the customer thinks that it went wrong; then both payments do.

    Judged: the customer pays in a way that is decided later, comes back, starts again, and pays if they are asked to; then the money of the
    first payment comes. Charged twice is the defect, unless the shop visibly flags it after the last charge (order.flagged, or an alert that
    names the order). Sending the customer to the order's page is fine.

    Fix: keep an order whose payment is under way from being paid again; flag a second success for a refund.
    """
    for probe_run in probe_runs(case.run, "undecided-again"):
        if probe_run.step(StepName.PENDING) is None or probe_run.step(StepName.DECIDED) is None:
            yield case.stuck(probe_run)
        else:
            yield from charged_once(case, probe_run, may_flag=True)
