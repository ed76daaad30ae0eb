"""After the return, ask the gateway; the redirect proves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from payproof.contracts import money
from payproof.contracts.deliveries import vouching
from payproof.contracts.entries import Call, Checkout, Delivery, Entry, OrderSeen, Step
from payproof.contracts.events import VERIFYING
from payproof.contracts.model import Finding
from payproof.contracts.probe_runs import (
    ProbeRun,
    ever_paid,
    final,
    ledger,
    looks,
    payments_of,
    probe_runs,
    sightings,
)
from payproof.contracts.requirements import Case, must
from payproof.contracts.run import RecordedWorld
from payproof.contracts.steps import StepName


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
                    f"order {order} is paid though the gateway was never asked about its payment",
                    expected={"status checks answered": "at least 1"},
                    actual={"status checks answered": 0, "order": paid.state},
                    world=world,
                    seen=[_checkout(world, order), paid],
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
    since = _checkout(world, order)
    return any(
        since is not None and since.n < call.n < paid.n and (order in call.request.url or order in call.request.body)
        for call in answered
    )


def _checkout(world: RecordedWorld, order: str) -> Checkout | None:
    return next((checkout for checkout in world.of(Checkout) if checkout.order == order), None)


def _never_paid(
    case: Case, found: list[ProbeRun], step: StepName, what: str, *, unless_asked: tuple[str, ...] = ()
) -> Iterator[Finding]:
    """In each probe run, the order must never become paid after the named step. ``unless_asked``: causes that explain a paid
    order for which the gateway was not asked after the step."""
    for probe_run in found:
        told, world = probe_run.step(step), probe_run.world
        order = probe_run.order("unpaid") or probe_run.order()
        arrived = next((page for page in probe_run.after(step).pages() if page.response is not None), None)
        paid, taken = ever_paid(world, order), ledger(world, order, "charged")
        last = final(world, order)
        if told is None or arrived is None or taken:
            yield case.stuck(probe_run)
        elif paid is not None:
            yield case.failed(
                f"order {order} is paid, and the gateway took no money for it: {what}",
                expected={"paid": False, "charged": 0},
                actual={"paid": True, "state": paid.state, "charged": 0},
                world=world,
                seen=[told, arrived, paid],
                unless=() if _asked_after(probe_run, told, paid) else unless_asked,
            )
        elif last is None:
            yield case.unread(world, order, told)
        else:
            yield case.passed(
                f"the order stayed unpaid: {what}",
                expected={"paid": False},
                actual={"state": last.state},
                world=world,
                seen=[told, arrived, last],
            )


def _asked_after(probe_run: ProbeRun, told: Step, paid: OrderSeen) -> bool:
    """The gateway was asked for one of this story's payments, or while the customer came back, before the order was paid."""
    payments = {checkout.payment for checkout in probe_run.checkouts() if checkout.payment}
    pages = [page for page in probe_run.pages() if page.n > told.n]
    return any(
        call.event.payment in payments or any(page.began <= call.began <= page.ended for page in pages)
        for call in probe_run.world.of(Call)
        if call.role in VERIFYING and told.n < call.n < paid.n
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

    Judged: the gateway refuses the payment and redirects to return_url with its failure query; the order is never paid.

    Fix: reaching return_url is not success; ask the gateway.
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


def _wrong_money(case: Case, field: str) -> Iterator[Finding]:
    """Judged on what was said on the wire alone: an answer that the integration got, before the order was seen paid, that
    the payment is paid with too little, or in another currency."""
    for probe_run in probe_runs(case.run, "wrong-money", keep=lambda told: told.params.get("field") == field):
        told, order, world = probe_run.step(StepName.TAMPERED), probe_run.order(), probe_run.world
        checkout = _checkout(world, order)
        if told is None or checkout is None:
            yield case.stuck(probe_run)
            continue
        payments = payments_of(world, order)
        paid = next((seen for seen in sightings(world, order) if seen.paid and not seen.flagged), None)
        answers = [
            call
            for call in world.of(Call)
            if call.role in VERIFYING
            and call.event.payment in payments
            and call.ending == "answered"
            and call.n > told.n
            and (paid is None or call.n < paid.n)
        ]
        # Where the integration takes the money, it may look at the amount first, and take none.
        said: list[Call | Delivery] = [
            call for call in answers if call.event.ok and (call.told.paid or _agreed(case, call))
        ]
        if not answers:  # whoever never asks believes the notices
            heard = vouching(world, payments, paid.at if paid else inf)
            said += [each for each in heard if each.n > told.n and _told(each, field) is not None]
        lies = [each for each in said if _says_less(each, checkout, field)]
        if not lies or len(lies) < len(said):
            yield _not_told(case, probe_run, checkout, field, answers, said)
        elif paid is not None:
            yield _believed(case, world, checkout, field, lies, paid)
        else:
            last = final(world, order)
            yield case.passed(
                f"the order was {'held for a person' if last and last.flagged else 'not taken for paid'}",
                expected={"paid": False},
                actual={"state": last.state if last else None},
                world=world,
                seen=[told, lies[-1], last],
            )


def _agreed(case: Case, call: Call) -> bool:
    return case.profile.has("settle") and call.told.paid is False and call.told.amount is not None


def _told(entry: Call | Delivery, field: str) -> str | None:
    """The ``amount`` or ``currency`` that an answer or a notice tells."""
    said = entry if isinstance(entry, Delivery) else entry.told
    return said.currency if field == "currency" else said.amount


def _says_less(entry: Call | Delivery, checkout: Checkout, field: str) -> bool:
    if field == "currency":
        currency = _told(entry, "currency") or ""
        return bool(currency) and currency.upper() != checkout.currency.upper()
    said, wanted = money.parse(_told(entry, "amount")), money.parse(checkout.amount)
    return said is not None and wanted is not None and said < wanted


def _believed(
    case: Case, world: RecordedWorld, checkout: Checkout, field: str, lies: list[Call | Delivery], paid: OrderSeen
) -> Finding:
    answered = _told(lies[-1], field) or ""
    shown = case.profile.money.show(answered, checkout.currency) if field == "amount" else answered
    return case.failed(
        f"order {checkout.order} of {case.profile.money.show(checkout.amount, checkout.currency)} is paid though the gateway says {shown}",
        expected={field: checkout.amount if field == "amount" else checkout.currency},
        actual={field: answered, "paid": True},
        world=world,
        seen=[lies[-1], paid],
    )


def _not_told(
    case: Case, probe_run: ProbeRun, checkout: Checkout, field: str, answers: list[Call], said: list[Call | Delivery]
) -> Finding:
    """Why nothing can be said: nobody asked, or what was answered was no lie about this order."""
    world, told = probe_run.world, probe_run.step(StepName.TAMPERED)
    if not answers and not said:
        return case.not_exercised(
            "the gateway was never asked",
            because=("verify.status-checked", "verify.forged-return", "flow.success"),
            world=world,
            seen=[told, *looks(world, checkout.order)[-1:]],
        )
    if not said:
        return case.not_exercised(
            "no answer said that the payment was paid", because="flow.success", world=world, seen=[told, answers[-1]]
        )
    honest = next(each for each in reversed(said) if not _says_less(each, checkout, field))
    value = _told(honest, field)
    words = f"told {'no' if value is None else ''} {field} {value or ''}".replace("  ", " ").strip()
    return case.not_exercised(
        f"the gateway's answer {words}, which is no lie about an order of {case.profile.money.show(checkout.amount, checkout.currency)}",
        because=f"{field}.sent",
        world=world,
        seen=[told, honest],
    )


@must("verify.amount")
def amount(case: Case) -> Iterator[Finding]:
    """An order is not paid by a payment of a smaller amount.

    Why: the amount that was paid is the gateway's word, not the shop's wish.

    Judged: the gateway's answer, or where it is never asked its notice, says that much less was paid, or the same without its
    decimals; the order was seen paid after
    such an answer and no better one. Holding the order for a person is fine; more money than asked is accepted.

    Fix: compare the answer's amount with the order's before marking it paid.
    """
    yield from _wrong_money(case, "amount")


@must("verify.currency")
def currency(case: Case) -> Iterator[Finding]:
    """An order is not paid by a payment in another currency.

    Why: the same number in another currency is another amount.

    Judged: the gateway's answer, or where it is never asked its notice, names another currency with the same number.

    Fix: compare the answer's currency with the order's before marking it paid.
    """
    yield from _wrong_money(case, "currency")
