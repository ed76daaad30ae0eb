"""After the return, ask the gateway; the redirect proves nothing."""

from __future__ import annotations

from collections.abc import Iterator

from payproof.contracts.entries import Call, Checkout, Entry, OrderSeen, Step
from payproof.contracts.events import VERIFYING
from payproof.contracts.judging.attempts import waited_for
from payproof.contracts.judging.deliveries import vouching
from payproof.contracts.judging.probe_runs import ProbeRun, ever_paid, final, ledger, payments_of, probe_runs
from payproof.contracts.judging.requirements import Case, must
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Finding
from payproof.contracts.run import RecordedWorld


@must("verify.status-checked")
def status_checked(case: Case) -> Iterator[Finding]:
    """No order is marked paid unless the gateway answered a server-side status check of its payment.

    Why: the redirect is unsigned; whoever believes it gives goods away.

    Judged: on every order that was seen paid: since its create call, a status check of one of its payments was answered.
    A check from a background job counts, and so does a genuine notice that was answered with success.

    Fix: on the return (or from a job) ask the gateway's status route for the payment that you stored, and mark the order
    paid by its answer only.
    """
    good = 0
    sample: tuple[RecordedWorld, list[Entry]] | None = None
    for world in case.run.worlds:
        answered = [
            call
            for call in world.of(Call)
            if call.role in VERIFYING and call.ending == "answered" and call.response is not None
        ]
        for order in dict.fromkeys(seen.order for seen in world.of(OrderSeen)):
            paid = ever_paid(world, order)
            payments = payments_of(world, order)
            if paid is None or not payments or not ledger(world, order, "charged"):
                continue
            checks: list[Entry] = [call for call in answered if call.event.payment in payments and call.n < paid.n]
            checks += vouching(world, payments, paid.at)
            if not checks and not _asked_since(world, order, answered, paid):
                yield case.failed(
                    f"order {order} is paid though the gateway answered no status check of its payment",
                    expected={"status checks answered": "at least 1"},
                    actual={"status checks answered": 0, "order": paid.state},
                    world=world,
                    seen=[checkout_of(world, order), paid],
                    unless=("verify.forged-return", "flow.pending") if ledger(world, order, "pending") else (),
                )
                return
            good += 1
            sample = sample or (world, [*checks[:1], paid])
    if good and sample:
        yield case.passed(f"{good} paid orders, each verified by a status check", world=sample[0], seen=sample[1])
    else:
        yield case.not_exercised(
            "no order was seen paid after the gateway had taken money for it", because="flow.success"
        )


def _asked_since(world: RecordedWorld, order: str, answered: list[Call], paid: OrderSeen) -> bool:
    """A status call that names no payment we know, or the order's own reference, but was made for this order."""
    since = checkout_of(world, order)
    return any(
        since is not None and since.n < call.n < paid.n and (order in call.request.url or order in call.request.body)
        for call in answered
    )


def checkout_of(world: RecordedWorld, order: str) -> Checkout | None:
    return next((checkout for checkout in world.of(Checkout) if checkout.order == order), None)


def _never_paid(
    case: Case, found: list[ProbeRun], step: StepName, what: str, *, unless_asked: tuple[str, ...] = ()
) -> Iterator[Finding]:
    """In each probe run, the order must never become paid after the named step. ``unless_asked``: causes that explain a paid
    order for which the gateway was not asked after the step."""
    for probe_run in found:
        mark, world = probe_run.step(step), probe_run.world
        order = probe_run.order("unpaid") or probe_run.order()
        arrived = next((page for page in probe_run.after(step).pages() if page.response is not None), None)
        paid, taken = ever_paid(world, order), ledger(world, order, "charged")
        last = final(world, order)
        if mark is None or arrived is None or taken:
            yield case.stuck(probe_run)
        elif paid is not None:
            yield case.failed(
                f"order {order} is paid, and the gateway took no money for it: {what}",
                expected={"paid": False, "charged": 0},
                actual={"paid": True, "state": paid.state, "charged": 0},
                world=world,
                seen=[mark, arrived, paid],
                unless=() if _asked_after(probe_run, mark, paid) else unless_asked,
            )
        elif last is None:
            yield case.unread(world, order, mark)
        else:
            yield case.passed(
                f"the order stayed unpaid: {what}",
                expected={"paid": False},
                actual={"state": last.state},
                world=world,
                seen=[mark, arrived, last],
            )


def _asked_after(probe_run: ProbeRun, mark: Step, paid: OrderSeen) -> bool:
    """The gateway was asked for one of this probe run's payments, or while the customer came back, before the order was paid."""
    payments = {checkout.payment for checkout in probe_run.checkouts() if checkout.payment}
    pages = [page for page in probe_run.pages() if page.n > mark.n]
    return any(
        call.event.payment in payments or waited_for(pages, call)
        for call in probe_run.world.of(Call)
        if call.role in VERIFYING and mark.n < call.n < paid.n
    )


@must("verify.forged-return")
def forged_return(case: Case) -> Iterator[Finding]:
    """A forged success return of an unpaid payment does not make an order paid.

    Why: anybody can type the success query into the address bar.

    Judged: the customer opens the return URL with a perfect success query without having paid; the order is never paid
    afterwards.

    Fix: ignore the outcome in the query; ask the gateway, and read its answer's paid state, not its HTTP status.
    """
    yield from _never_paid(case, probe_runs(case.run, "forged-return"), StepName.FORGED, "the return was forged")


@must("verify.failed-return", needs="returns_after_failure")
def failed_return(case: Case) -> Iterator[Finding]:
    """A return that says the payment failed does not make an order paid.

    Why: the gateway sends refused customers to the same return URL; reaching it means nothing.

    Judged: the gateway refuses the payment and redirects to the return URL with its failure query; the order is never paid.

    Fix: reaching the return URL is not success; ask the gateway.
    """
    yield from _never_paid(case, probe_runs(case.run, "refused"), StepName.REFUSED, "the gateway had refused it")


@must("verify.other-payment")
def other_payment(case: Case) -> Iterator[Finding]:
    """Another order's payment does not make an order paid.

    Why: pay once, and replay that return on every other order.

    Judged: the return parameters of a paid order are replayed on the return URL of an unpaid order of the same amount
    and currency, word for word and with the other's own reference put in; the second is never paid.

    Fix: ask for the payment that you stored for this order, or compare the answer's reference with the order's id.
    """
    found = probe_runs(case.run, "replayed-return")
    # Whoever never asks is not taken in by another's payment, but by a forged return like any other.
    unasked = ("verify.forged-return", "verify.status-checked")
    yield from _never_paid(case, found, StepName.REPLAYED, "it was another order's payment", unless_asked=unasked)
