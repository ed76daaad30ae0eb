"""Going back, retrying and double clicks neither charge nor deliver twice."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from payproof.contracts import money
from payproof.contracts.entries import Checkout, Ledger, OrderSeen, Page
from payproof.contracts.judging import alarms
from payproof.contracts.judging.probe_runs import ProbeRun, final, probe_runs
from payproof.contracts.judging.requirements import Case, must, only_where
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Finding, Json
from payproof.contracts.reading.naming import refers
from payproof.contracts.reading.pages import broken

OF_ITS_OWN = "the integration makes its own order for each checkout; a paid one cannot be asked for again"


def _untold(case: Case) -> Finding:
    return case.not_applicable(
        "nothing in the checkout request names the order or a session, so two requests are two orders: use {order.id} or checkout.before",
        declare="checkout.before, or {order.id} in the checkout request",
    )


where_told_apart = only_where(lambda settings: settings.tells_orders_apart, _untold)


def charges(probe_run: ProbeRun) -> list[Ledger]:
    """What the gateway took in this probe run, for the payments that its checkouts led to."""
    payments = {checkout.payment for checkout in probe_run.checkouts() if checkout.payment}
    return [entry for entry in probe_run.of(Ledger) if entry.event == "charged" and entry.payment in payments]


def _twice(case: Case, taken: list[Ledger], checkout: Checkout) -> str:
    total = sum((money.parse(entry.amount) or Decimal(0) for entry in taken), Decimal(0))
    times = {2: "twice", 3: "three times"}.get(len(taken), f"{len(taken)} times")
    in_all, asked = (case.profile.money.show(amount, checkout.currency) for amount in (total, checkout.amount))
    return f"charged {times}, {in_all}, for one order of {asked}"


def charged_once(case: Case, probe_run: ProbeRun, *, may_flag: bool) -> Iterator[Finding]:
    """Whether one order was charged once, though its checkout was asked for twice. ``may_flag``: a second charge that the shop shows to
    a person is none of its mistakes."""
    checkouts = probe_run.checkouts()
    taken = charges(probe_run)
    if len(checkouts) < 2 or not any(checkout.payment for checkout in checkouts):
        yield case.not_exercised("no payment could be started", because="flow.success")
        return
    opened = len({checkout.payment for checkout in checkouts if checkout.payment})
    facts: dict[str, Json] = {"payments opened": opened, "charged": len(taken)}
    if len(taken) > 1:
        raised = alarms.raised(
            probe_run.world,
            (checkout.order for checkout in checkouts),
            case.run.settings.alert_channel,
            after=taken[-1].n,
        )
        flag = next(raised, None) if may_flag else None
        if flag is not None:
            yield case.passed(
                f"{_twice(case, taken, checkouts[0])}; the shop flagged it for a person",
                actual=facts,
                world=probe_run.world,
                seen=[*taken, flag],
            )
            return
        orders: list[Json] = list(dict.fromkeys(checkout.order for checkout in checkouts))
        yield case.failed(
            _twice(case, taken, checkouts[0]),
            expected={"charged": 1},
            actual={**facts, "amounts": [entry.amount for entry in taken], "orders": orders},
            world=probe_run.world,
            seen=[*checkouts[:2], *taken],
        )
    elif (crash := _crashed_checkout(probe_run, "double", "again")) is not None:
        yield _crash(
            case, probe_run, "the customer who asked a second time was shown a page of a crashed program", crash
        )
    elif taken:
        yield case.passed(
            "charged once", expected={"charged": 1}, actual=facts, world=probe_run.world, seen=[*checkouts[:2], *taken]
        )
    else:
        yield case.not_exercised("the customer could pay at neither checkout", world=probe_run.world, seen=checkouts)


def _crashed_checkout(probe_run: ProbeRun, *purposes: str) -> Page | None:
    """The page of a checkout beside the first that a program wrote when it broke, and nobody for people."""
    ends = {checkout.page for checkout in probe_run.checkouts() if checkout.purpose in purposes}
    return next(
        (page for page in probe_run.of(Page) if page.n in ends and page.response and broken(page.response)), None
    )


def _crash(case: Case, probe_run: ProbeRun, what: str, page: Page) -> Finding:
    assert page.response
    return case.failed(
        f"{what} (HTTP {page.response.status})",
        expected="a page for people",
        actual={"status": page.response.status},
        world=probe_run.world,
        seen=[page],
    )


@must("idempotency.double-submit")
@where_told_apart
def double_submit(case: Case) -> Iterator[Finding]:
    """A double click on pay charges the customer once.

    Why: two requests at the same moment both find the order unpaid.

    Judged: one order's checkout is posted twice at once; the customer then pays whatever can be paid. The gateway's
    books say how often money was taken. The same payment twice, or a refusal of the second request, is fine; an error page
    that nobody wrote for people is not.

    Fix: let one request at a time open a payment for an order (a lock, a unique row); give the second the same payment.
    """
    for probe_run in probe_runs(case.run, "double-submit"):
        yield from charged_once(case, probe_run, may_flag=False)


@must("idempotency.back-and-retry")
@where_told_apart
def back_and_retry(case: Case) -> Iterator[Finding]:
    """Going back from the hosted checkout and starting again does not charge twice unseen.

    Why: customers do it all the time, with both tabs open.

    Judged: the customer starts again and pays in both tabs. Charged twice is the defect, unless the shop visibly flags it
    after the last charge (order.flagged, or an alert that names the order).

    Fix: reuse the order's open payment; flag a second success for a refund.
    """
    for probe_run in probe_runs(case.run, "back-and-retry"):
        yield from charged_once(case, probe_run, may_flag=True)


@must("idempotency.paid-order")
def paid_order(case: Case) -> Iterator[Finding]:
    """The checkout of an order that is already paid opens no new payment.

    Why: the customer would pay again.

    Judged: the paid order's checkout is submitted once more; a new payment in the gateway's books is the defect, and so is
    a crash. A redirect to the order's page, or 409, is fine. Where the request does not name the order, because a session
    does, only a payment with the paid one's own reference is for the same order; with another one it is a new order's.

    Fix: look at the order's state before opening a payment.
    """
    played = probe_runs(case.run, "paid-order")
    if not played and not case.run.settings.addresses_orders:
        yield case.not_applicable(OF_ITS_OWN)
    for probe_run in played:
        mark = probe_run.step(StepName.AGAIN)
        if mark is None:
            yield case.not_exercised("the order was never paid", because="flow.success")
            continue
        after = probe_run.after(StepName.AGAIN)
        again = after.checkouts("again")
        order = probe_run.order()
        opened = [entry for entry in after.of(Ledger) if entry.event == "opened"]
        mine = [entry for entry in opened if refers(entry.reference, order)]
        if case.run.settings.addresses_orders:
            mine += [
                entry for entry in opened if entry not in mine and entry.payment in {each.payment for each in again}
            ]
        if mine:
            yield case.failed(
                f"a new payment was opened for the paid order {order}",
                expected={"payments opened": 0},
                actual={"payments opened": len(mine)},
                world=probe_run.world,
                seen=[mark, *again, *mine],
            )
        elif (crash := _crashed_checkout(after, "again")) is not None:
            yield _crash(case, probe_run, "the checkout of the paid order crashed", crash)
        elif opened and not case.run.settings.addresses_orders:
            yield case.not_applicable(OF_ITS_OWN)
        elif again:
            yield case.passed(
                "no new payment for a paid order",
                actual={"checkout": again[0].outcome},
                world=probe_run.world,
                seen=[mark, *again],
            )


def _crashed_return(probe_run: ProbeRun) -> Page | None:
    """A return that crashed though the same address was answered to somebody: coming again is what broke it."""
    shown = [page for page in probe_run.pages("return", "reload") if page.response is not None]
    crashed = [page for page in shown if broken(page.response)]
    return crashed[0] if crashed and len(crashed) < len(shown) else None


@must("idempotency.return-twice")
def return_twice(case: Case) -> Iterator[Finding]:
    """Opening the return URL again, or six times at once, fulfils the order once.

    Why: customers reload, browsers prefetch; goods must not be sent twice.

    Judged: the declared counter of fulfilments (order.effects) rises by one at most; the order's state does not change
    again; no return crashes while another one of them is answered.

    Fix: mark the order paid and fulfil it in one atomic step that only the first caller wins.
    """
    for probe_run in probe_runs(case.run, "return-twice"):
        order = probe_run.order()
        seen = [entry for entry in probe_run.of(OrderSeen) if entry.order == order and entry.paid is not None]
        if not probe_run.pages("return") or not seen or not any(entry.paid for entry in seen):
            yield case.not_exercised("the order was never paid", because="flow.success")
            continue
        clients = probe_run.params.get("clients", 1)
        states = [entry.state for entry in seen[next(i for i, entry in enumerate(seen) if entry.paid) :]]
        last = final(probe_run.world, order)
        if last is not None and not last.paid:
            yield case.failed(
                f"the paid order changed its state again ({' → '.join([*states, last.state])})",
                expected={"states": 1},
                actual={"states": [*states, last.state]},
                world=probe_run.world,
                seen=[*seen, last],
            )
            continue
        if (crash := _crashed_return(probe_run)) is not None:
            yield _crash(case, probe_run, f"a return crashed when {clients} client(s) opened it, then once more", crash)
            continue
        counted = [entry for entry in seen if entry.effects is not None]
        before = next((entry.effects for entry in counted if not entry.paid), 0) or 0
        if not counted:
            yield case.uncounted()
            continue
        rise = max(entry.effects or 0 for entry in (*counted, *([last] if last else []))) - before
        if rise > 1:
            yield case.failed(
                f"fulfilled {rise} times for one payment, its return opened by {clients} client(s)",
                expected={"effects": 1},
                actual={"effects": rise},
                world=probe_run.world,
                seen=[probe_run.step(StepName.RETURNS), *counted],
            )
        else:
            yield case.passed(
                f"fulfilled {rise} time(s), its return opened by {clients} client(s)",
                actual={"effects": rise},
                world=probe_run.world,
                seen=counted,
            )
