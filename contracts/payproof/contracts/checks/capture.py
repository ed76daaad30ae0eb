"""Gateways where approving is not paying: the integration takes the money, and sometimes there is none to take."""

from __future__ import annotations

from collections.abc import Iterator

from payproof.contracts.checks.handling import crash, status_of
from payproof.contracts.checks.idempotency import OF_ITS_OWN, charged_once
from payproof.contracts.entries import Delivery, OrderSeen
from payproof.contracts.judging.deliveries import answer_of, where_declared
from payproof.contracts.judging.probe_runs import ProbeRun, final, ledger, probe_runs
from payproof.contracts.judging.requirements import Case, must, should
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Finding


def _unpaid_for(probe_run: ProbeRun) -> OrderSeen | None:
    """The first look at the order that found it paid before the gateway had taken anything."""
    order = probe_run.order()
    taken = ledger(probe_run.world, order, "charged")
    looks = (seen for seen in probe_run.of(OrderSeen) if seen.order == order and seen.paid)
    return next((seen for seen in looks if not taken or seen.n < taken[0].n), None)


def _believed(case: Case, probe_run: ProbeRun, seen: OrderSeen, what: str, step: StepName) -> Finding:
    return case.failed(
        f"order {seen.order} is paid though {what}",
        expected={"paid": False, "charged": 0},
        actual={"paid": True, "state": seen.state, "charged": 0},
        world=probe_run.world,
        seen=[probe_run.step(step), *[call for call, _ in probe_run.status_answers()][-1:], seen],
        unless=("verify.forged-return", "flow.success"),
    )


@must("capture.declined", needs="settle")
def declined(case: Case) -> Iterator[Finding]:
    """A customer whose money could not be taken has no paid order, and can pay in another way.

    Why: cards are declined every day; the customer has another one, and still wants the goods.

    Judged: the customer agrees and comes back, and the capture is declined: by an error answer, or by an answer of success whose
    capture did not come about. The order is not paid. Then the customer starts again and pays with money that is there: the order
    is paid. The same payment or a new one are both fine.

    Fix: read what the capture came to, not that it was answered; send the customer back to the gateway, or open another payment.
    """
    for probe_run in probe_runs(case.run, "declined-capture"):
        order, world = probe_run.order(), probe_run.world
        tried = ledger(world, order, "declined")
        again = probe_run.after(StepName.AGAIN)
        if (early := _unpaid_for(probe_run)) is not None:
            yield _believed(case, probe_run, early, "its money could not be taken", StepName.REFUSED)
        elif not tried or probe_run.step(StepName.AGAIN) is None:
            yield case.stuck(probe_run)
        elif (last := final(world, order)) is None:
            yield case.unread(world, order, tried[0])
        elif not last.paid:
            yield case.failed(
                f"order {order} cannot be paid any more once its capture was declined",
                expected={"paid": True},
                actual={"paid": False, "state": last.state, "checkouts": [each.outcome for each in again.checkouts()]},
                world=world,
                seen=[*tried[:1], *again.checkouts(), *again.pages("checkout", "return")[-1:], last],
                unless=("flow.success",),
            )
        else:
            yield case.passed(
                "unpaid after a declined capture, and paid with other money", world=world, seen=[tried[0], last]
            )


@must("capture.expired", needs="settle")
def expired(case: Case) -> Iterator[Finding]:
    """A customer who comes back too late for the capture gets a page for people, and no paid order.

    Why: an approval does not last for ever; then the gateway knows nothing of it, and a program that expects a payment falls over.

    Judged: the customer agrees, and comes back when the payment's life at the gateway is over. The page is no error of a program,
    and the order is not paid unless the gateway took its money.

    Fix: treat a payment that the gateway does not know any more as one that ended; offer to start again.
    """
    for probe_run in probe_runs(case.run, "late-return"):
        mark, order, world = probe_run.step(StepName.EXPIRED), probe_run.order(), probe_run.world
        page = next(reversed(probe_run.after(StepName.EXPIRED).pages("return")), None)
        last = final(world, order)
        if (early := _unpaid_for(probe_run)) is not None:
            yield _believed(case, probe_run, early, "the approval had expired", StepName.EXPIRED)
        elif mark is None or page is None:
            yield case.stuck(probe_run)
        elif (shown := crash(probe_run.after(StepName.EXPIRED), None, "return")) is not None:
            yield case.failed(
                "the customer came back after the approval had expired, and got an error page",
                expected="a page for people",
                actual={"status": status_of(page)},
                world=world,
                seen=[mark, shown],
            )
        elif last is None:
            yield case.unread(world, order, mark)
        else:
            yield case.passed(
                "a page for people, and the order is not paid" if not last.paid else "paid, and its money was taken",
                actual={"state": last.state}, world=world, seen=[mark, page, last],
            )  # fmt: skip


@must("capture.once", needs="settle")
def once(case: Case) -> Iterator[Finding]:
    """Money that was taken is not taken again because the capture's answer was lost.

    Why: to the program it looks as if nothing had happened, and to the customer as if they had to pay; a second payment is a second
    charge.

    Judged: the customer comes back, the money is taken, and the answer of the capture is lost; before any notice arrives the customer
    starts again, and pays if they are asked to. Charged twice is the defect, unless the shop visibly flags it after the last charge
    (order.flagged, or an alert that names the order).

    Fix: a capture without an answer may have come about: ask how the payment stands, or send the same idempotency key again, before
    another payment is opened.
    """
    if not case.run.settings.addresses_orders:
        yield case.not_applicable(OF_ITS_OWN)
    for probe_run in probe_runs(case.run, "lost-capture"):
        again, taken = probe_run.step(StepName.AGAIN), ledger(probe_run.world, probe_run.order(), "charged")
        lost = {call.event.payment for call in probe_run.calls("settle") if call.fault}
        if again is None or not taken or taken[0].n > again.n or taken[0].payment not in lost:
            yield case.stuck(probe_run)
        else:
            yield from charged_once(case, probe_run, may_flag=True)


@should("capture.without-return", needs="settle")
@where_declared
def without_return(case: Case) -> Iterator[Finding]:
    """Money that the customer agreed to pay is taken also when they never come back.

    Why: customers close the tab once they have agreed; an approval that nobody uses is void after some hours, and the sale is lost.

    Judged: the customer agrees and does not come back; the gateway tells of it by a notice, and tells again by its schedule. Before
    the customer comes back at last, the money is taken.

    Fix: capture when the gateway tells of the approval, or from a job that looks after open payments.
    """
    for probe_run in probe_runs(case.run, "first-the-notice"):
        order, world = probe_run.order(), probe_run.world
        gone = probe_run.before(StepName.RETURNED)
        sent = [each for each in gone.of(Delivery) if not each.forged]
        back = probe_run.step(StepName.RETURNED)
        if not sent or back is None:
            yield case.stuck(probe_run)
            continue
        taken = [entry for entry in ledger(world, order, "charged") if entry.n < back.n]
        if taken:
            yield case.passed("captured without the customer", world=world, seen=[sent[0], taken[0]])
        else:
            yield case.failed(
                f"the customer agreed to pay order {order} and did not come back, and the money was not taken (its notice was "
                f"answered {answer_of(sent[-1])})",
                expected={"charged": 1},
                actual={"charged": 0},
                world=world,
                seen=[sent[-1], *list(gone.of(OrderSeen))[-1:]],
                unless=("flow.success",),
            )
