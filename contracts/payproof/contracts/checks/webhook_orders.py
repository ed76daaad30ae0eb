"""Notices, as they change orders: each counts once, in whatever order and however late it comes, and none is needed twice."""

from __future__ import annotations

from collections.abc import Iterator

from payproof.contracts.entries import Delivery, OrderSeen
from payproof.contracts.judging.deliveries import answer_of, of_payments, untaken, where_declared
from payproof.contracts.judging.probe_runs import ProbeRun, final, ledger, payments_of, probe_runs, sightings
from payproof.contracts.judging.requirements import Case, must, only_where, should
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Finding, Json


def _sent(probe_run: ProbeRun, since: StepName = StepName.NOTICED) -> list[Delivery]:
    """The genuine deliveries about this probe run's order after a step."""
    payments = payments_of(probe_run.world, probe_run.order())
    after = probe_run.after(since)
    return [each for each in after.of(Delivery) if each.genuine and each.payment in payments]


def _fulfilled_once(case: Case, probe_run: ProbeRun, before: int, what: str) -> Finding:
    """Whether effects rose by one at most over ``before`` since the notices came."""
    world, order, sent = probe_run.world, probe_run.order(), _sent(probe_run)
    mark = probe_run.step(StepName.NOTICED)
    counted = [seen for seen in sightings(world, order) if seen.effects is not None and mark and seen.n > mark.n]
    if mark is None or not sent:
        return case.stuck(probe_run)
    if not counted:
        return case.unread(world, order, mark, what="fulfilments")
    most = max(counted, key=lambda seen: seen.effects or 0)
    effects = most.effects or 0
    facts: dict[str, Json] = {"effects": effects, "notices": len(sent)}
    if effects > max(before, 1):
        title = f"order {order} was fulfilled {effects} times for one payment: {what}"
        expected: dict[str, Json] = {"effects": max(before, 1)}
        return case.failed(title, expected=expected, actual=facts, world=world, seen=[*sent[:5], most])
    if not effects:
        return case.not_exercised(
            f"order {order} was never fulfilled",
            because=("webhook.before-return", "flow.success"),
            world=world,
            seen=[*sent[:2], most],
        )
    return case.passed(f"fulfilled once: {what}", actual=facts, world=world, seen=[*sent[:2], most])


_where_counted = only_where(lambda settings: settings.counts_effects, Case.uncounted)
_HOW = {
    "in-turn": "the same notice came again and again",
    "at-once": "the same notice came five times at once",
    "other-id": "its notice came again under other ids",
    "with-return": "its notice came while the customer came back",
}


@must("webhook.duplicate", needs="notices")
@where_declared
@_where_counted
def duplicate(case: Case) -> Iterator[Finding]:
    """However often a payment is told of, its order is fulfilled once.

    Why: a gateway repeats a notice whose answer it did not get, and sends some twice anyhow.

    Judged: the same notice comes several times in turn, five times at once, under other ids, and at the moment of the customer's
    return; the declared counter of fulfilments (order.effects) is never above one. Refusing a repetition is fine.

    Fix: keep the ids of notices that were worked on, and mark the order paid and fulfil it in one atomic step.
    """
    for probe_run in probe_runs(case.run, "repeated-notice"):
        yield _fulfilled_once(case, probe_run, 0, _HOW.get(str(probe_run.params.get("how")), "its notice was repeated"))


@must("webhook.replayed-old", needs="notices")
@where_declared
@_where_counted
def replayed_old(case: Case) -> Iterator[Finding]:
    """A notice that comes again hours later, after a restart, has no effect.

    Why: what is remembered in memory alone is forgotten with the process; and somebody may have kept the notice.

    Judged: six hours later by the gateway's clock, and after a restart of the integration, the same body comes once more, freshly
    signed; the counter of fulfilments does not rise. Refusing it is fine.

    Fix: keep what was worked on with the order, in the database.
    """
    for probe_run in probe_runs(case.run, "replayed-notice"):
        before = [
            seen
            for seen in probe_run.before(StepName.NOTICED).of(OrderSeen)
            if seen.order == probe_run.order() and seen.effects
        ]
        yield _fulfilled_once(
            case, probe_run, before[-1].effects or 0 if before else 0, "its old notice came once more"
        )


def _must_be_paid(
    case: Case, probe_run: ProbeRun, what: str, *, or_flagged: bool, unless: tuple[str, ...], good: str
) -> Finding:
    """The gateway took money; then the order is paid at the end of it all (or visibly held)."""
    world, order = probe_run.world, probe_run.order()
    last = final(world, order)
    if last is None:
        return case.unread(world, order)
    seen = [*_sent(probe_run)[-2:], *ledger(world, order, "charged")[:1], last]
    if last.paid or (or_flagged and last.flagged):
        title = good if last.paid else f"the order is held for a person: {what}"
        return case.passed(title, actual={"state": last.state}, world=world, seen=seen)
    return case.failed(
        f"order {order} is not paid: {what}",
        expected={"paid": True}, actual={"paid": False, "state": last.state}, world=world, seen=seen, unless=unless,
    )  # fmt: skip


_DISORDER = {
    "end-after-success": "that it had come to nothing was told after its success",
    "end-before-success": "that it came to nothing was told before its success",
    "end-of-another-payment": "the end of an earlier payment was told after the success of a later one",
}


@must("webhook.out-of-order", needs="notices")
@where_declared
def out_of_order(case: Case) -> Iterator[Finding]:
    """A paid order stays paid, in whatever order its notices come.

    Why: gateways do not promise an order; a first attempt's failure can arrive after the second one's success.

    Judged: that a payment came to nothing is told after it succeeded, before, or of an earlier payment of the same order; the
    customer paid and came back. Where a payment may be decided later, that it was not decided is told after its money came. At the
    end the order is paid, or visibly held for a person.

    Fix: never take an order back from paid because of a notice; ask the gateway how this payment stands now.
    """
    for probe_run in probe_runs(case.run, "disordered-notices", "pending-told-last"):
        if (no_notice := probe_run.step(StepName.NO_SUCH_NOTICE)) is not None:
            yield case.not_applicable(no_notice.text)
        elif (
            probe_run.step(StepName.NOTICED) is None
            or not _sent(probe_run)
            or not ledger(probe_run.world, probe_run.order(), "charged")
        ):
            yield case.stuck(probe_run)
        else:
            what = _DISORDER.get(
                str(probe_run.params.get("order")), "that it was not decided was told after its success"
            )
            yield _must_be_paid(
                case, probe_run, what, or_flagged=True, unless=("flow.success", "flow.pending-success", *untaken(case.run)),
                good=f"the order is paid: {what}",
            )  # fmt: skip


def _seen_before_the_return(probe_run: ProbeRun) -> list[OrderSeen]:
    """The looks that could be read before the customer, who had been gone, came back."""
    looked = probe_run.before(StepName.RETURNED).of(OrderSeen)
    return [seen for seen in looked if seen.order == probe_run.order() and seen.paid is not None]


@must("webhook.before-return", needs="notices")
@where_declared
def before_return(case: Case) -> Iterator[Finding]:
    """An order becomes paid by the notice, also when the customer never comes back.

    Why: customers close the tab once they have paid.

    Judged: the customer pays and does not come back; the gateway tells of it, and twice more by its schedule if that is not
    answered with success. Then the order is paid, by the notice or by a job of the shop's own. On gateways where the integration
    takes the money and did not, nothing is lost; then the order must be paid once the customer comes back.

    Fix: on a notice, ask the gateway (or believe its signature), mark the order paid, then answer 2xx; anything else until then.
    """
    for probe_run in probe_runs(case.run, "first-the-notice"):
        order, world = probe_run.order(), probe_run.world
        sent = _sent(probe_run.before(StepName.RETURNED))
        if not sent:
            yield case.stuck(probe_run)
            continue
        gone = _seen_before_the_return(probe_run)
        taken = [entry for entry in ledger(world, order, "charged") if not gone or entry.n < gone[-1].n]
        what = f"the gateway told {len(sent)} time(s) of its payment, and the customer was not back yet ({answer_of(sent[-1])})"
        paid = next((seen for seen in gone if seen.paid), None)
        if not gone:
            yield case.not_exercised(f"the state of order {order} could not be read", world=world, seen=[*sent[:1]])
        elif paid is not None:
            yield case.passed(
                "paid by the notice, before the customer came back",
                actual={"state": paid.state}, world=world, seen=[sent[-1], paid],
            )  # fmt: skip
        elif taken or not case.profile.traits.settles:
            yield case.failed(
                f"order {order} is not paid: {what}",
                expected={"paid": True}, actual={"paid": False, "state": gone[-1].state, "notices": len(sent)},
                world=world, seen=[*sent[-2:], *taken[:1], gone[-1]], unless=("flow.success",),
            )  # fmt: skip
        else:
            good = "paid once the customer came back; until then the integration had taken no money"
            yield _must_be_paid(case, probe_run, what, or_flagged=False, unless=("flow.success",), good=good)


@must("webhook.late", needs="notices")
@where_declared
def late(case: Case) -> Iterator[Finding]:
    """A notice that comes after the order was given up is not lost.

    Why: the money was taken; nobody else will tell.

    Judged: the customer cancels in one tab and pays in another, or pays and walks away until the payment's time is over; then
    the notice comes. The order becomes paid, or is visibly held for a person. An integration that takes the money itself may
    also leave it.

    Fix: book a success also for an order that was cancelled or has expired, or flag it for a refund.
    """
    for probe_run in probe_runs(case.run, "late-notice"):
        world, sent, taken = probe_run.world, _sent(probe_run), ledger(probe_run.world, probe_run.order(), "charged")
        if not sent or not (taken or case.profile.traits.settles):
            yield case.stuck(probe_run)
        elif not taken:
            yield case.passed("the money of the late payment was not taken", world=world, seen=sent[:1])
        else:
            what = "the gateway took the money, and told of it late"
            yield _must_be_paid(
                case, probe_run, what, or_flagged=True, unless=("webhook.before-return", "flow.late-success", "flow.success"),
                good=f"the order is paid: {what}",
            )  # fmt: skip


@should("webhook.lost", needs="notices")
@where_declared
def lost(case: Case) -> Iterator[Finding]:
    """An order becomes paid when the customer comes back, also when no notice ever arrives.

    Why: notices get lost: a firewall, a deployment, an expired certificate.

    Judged: no notice is delivered; the customer pays and comes back; the order is paid, or visibly held, within a minute.

    Fix: ask the gateway on the return too, or from a job.
    """
    for probe_run in probe_runs(case.run, "lost-notice"):
        order, world = probe_run.order(), probe_run.world
        came = list(of_payments(world, payments_of(world, order)))
        mark = probe_run.step(StepName.NOTICED)
        if mark is None or not probe_run.pages("return"):
            yield case.stuck(probe_run)
        elif came:
            yield case.not_exercised("a notice arrived after all", world=world, seen=came[:1])
        else:
            what = "the customer paid and came back, and no notice arrived"
            yield _must_be_paid(
                case, probe_run, what, or_flagged=True, unless=("flow.success",), good=f"the order is paid: {what}"
            )


@must("webhook.not-swallowed", needs="notices")
@where_declared
def not_swallowed(case: Case) -> Iterator[Finding]:
    """A notice that cannot be worked on now is not answered with success and forgotten.

    Why: 2xx tells the gateway that it need not come again.

    Judged: the gateway's API answers 503 while its notice arrives; then it works, and by its schedule the gateway repeats what
    was not answered 2xx. The order becomes paid, in the time that the shop's own jobs may take too, or is visibly held. Not
    answering 2xx, a queue of its own, and a job that asks are all fine. On gateways where the integration takes the money the
    customer comes back at last, and that is soon enough for a shop that leaves the taking to the return; not for one whose
    orders a notice alone makes paid when the gateway is well.

    Fix: answer 503 when the gateway cannot be asked, or keep the notice until it can.
    """
    for probe_run in probe_runs(case.run, "notice-in-an-outage"):
        during = _sent(probe_run.before(StepName.WELL_AGAIN))
        if not during or probe_run.step(StepName.WELL_AGAIN) is None:
            yield case.stuck(probe_run)
            continue
        what = f"its notice, which came while the gateway's API was down, was answered {answer_of(during[0])}"
        if (seen := _forgotten(case, probe_run, during)) is not None:
            yield case.failed(
                f"order {probe_run.order()} was not paid until the customer came back: {what}, and forgotten",
                expected={"paid": True}, actual={"paid": False, "state": seen.state}, world=probe_run.world,
                seen=[*during[:2], seen, probe_run.step(StepName.RETURNED)], unless=("flow.success",),
            )  # fmt: skip
            continue
        # Whom the return does not lead to the money either has more amiss than that notices are not taken.
        alone = () if probe_run.step(StepName.RETURNED) else ("webhook.before-return",)
        yield _must_be_paid(
            case, probe_run, what, or_flagged=True, unless=(*alone, "flow.success"),
            good=f"the order is paid, though {what}",
        )  # fmt: skip


def _forgotten(case: Case, probe_run: ProbeRun, during: list[Delivery]) -> OrderSeen | None:
    """The last look before the customer's return, when every notice was answered with success and nothing came of it, in a run in
    which a notice alone made an order paid; None otherwise."""
    gone = _seen_before_the_return(probe_run)
    kept = not all(each.accepted for each in during) or not gone or gone[-1].paid or gone[-1].flagged
    if kept or probe_run.step(StepName.RETURNED) is None:
        return None
    others = [each for each in probe_runs(case.run, "first-the-notice") if _sent(each.before(StepName.RETURNED))]
    return gone[-1] if any(seen.paid for each in others for seen in _seen_before_the_return(each)) else None
