"""Guideline 3: after the return, ask the gateway; the redirect proves nothing."""

from __future__ import annotations

from collections.abc import Iterator

from payproof.contracts import money
from payproof.contracts.entries import Call, Checkout, Entry, OrderSeen, Page
from payproof.contracts.model import Finding
from payproof.contracts.requirements import Case, must
from payproof.contracts.run import World
from payproof.contracts.stories import Telling, confirmed, ever_paid, ledger, payments_of, tellings


@must("verify.status-checked")
def status_checked(case: Case) -> Iterator[Finding]:
    """No order is marked paid unless the gateway answered a server-side status check of its payment.

    Why: the redirect is unsigned; whoever believes it gives goods away.

    Judged: on every order that was seen paid: since its create call, a status check of one of its payments was answered.
    A check from a background job counts.

    Fix: on the return (or from a job) ask the gateway's status route for the payment that you stored, and mark the order
    paid by its answer only.
    """
    good = 0
    sample: tuple[World, list[Entry]] | None = None
    for world in case.run.worlds:
        answered = [
            call
            for call in world.of(Call)
            if call.meaning.operation in ("status", "capture")
            and call.ending == "answered"
            and call.response is not None
        ]
        for order in dict.fromkeys(seen.order for seen in world.of(OrderSeen)):
            paid = ever_paid(world, order)
            payments = payments_of(world, order)
            if paid is None or not payments or not ledger(world, order, "charged"):
                continue
            checks = [call for call in answered if call.meaning.payment in payments and call.n < paid.n]
            if not checks and not _asked_since(world, order, answered, paid):
                yield case.failed(
                    f"order {order} is paid though the gateway was never asked about its payment",
                    expected={"status checks answered": "at least 1"},
                    actual={"status checks answered": 0, "order": paid.state},
                    world=world,
                    seen=[_checkout(world, order), paid],
                )
                return
            good += 1
            sample = sample or (world, [*checks[:1], paid])
    if good and sample:
        yield case.passed(f"{good} paid orders, each verified by a status check", world=sample[0], seen=sample[1])


def _asked_since(world: World, order: str, answered: list[Call], paid: OrderSeen) -> bool:
    """A status call that names no payment we know, or the order's own reference, but was made for this order."""
    since = _checkout(world, order)
    return any(
        since is not None and since.n < call.n < paid.n and (order in call.request.url or order in call.request.body)
        for call in answered
    )


def _checkout(world: World, order: str) -> Checkout | None:
    return next((checkout for checkout in world.of(Checkout) if checkout.order == order), None)


def _never_paid(case: Case, found: list[Telling], step: str, what: str) -> Iterator[Finding]:
    """In each telling, the order must never become paid after the named step."""
    for telling in found:
        told = telling.step(step)
        if told is None:
            continue
        order = telling.order("unpaid") or telling.order()
        arrived = [
            page
            for page in telling.of(Page)
            if page.n > told.n and page.where == "integration" and page.response is not None
        ]
        if not arrived:
            continue
        if ledger(telling.world, order, "charged"):
            continue
        paid = ever_paid(telling.world, order)
        if paid is not None:
            yield case.failed(
                f"order {order} is paid, and the gateway took no money for it: {what}",
                expected={"paid": False, "charged": 0},
                actual={"paid": True, "state": paid.state, "charged": 0},
                world=telling.world,
                seen=[told, arrived[0], paid],
            )
        elif any(seen.order == order and seen.paid is False for seen in telling.world.of(OrderSeen)):
            last = [seen for seen in telling.world.of(OrderSeen) if seen.order == order][-1]
            yield case.passed(
                f"the order stayed unpaid: {what}",
                expected={"paid": False},
                actual={"state": last.state},
                world=telling.world,
                seen=[told, arrived[0], last],
            )


@must("verify.forged-return")
def forged_return(case: Case) -> Iterator[Finding]:
    """A forged success return of an unpaid payment does not make an order paid.

    Why: anybody can type the success query into the address bar.

    Judged: the customer opens the return URL with a perfect success query without having paid; the order is never paid
    afterwards.

    Fix: ignore the outcome in the query; ask the gateway, and read its answer's paid state, not its HTTP status.
    """
    yield from _never_paid(case, tellings(case.run, "forged-return"), "forged", "the return was forged")


@must("verify.failed-return")
def failed_return(case: Case) -> Iterator[Finding]:
    """A return that says the payment failed does not make an order paid.

    Why: the gateway sends refused customers to the same return URL; reaching it means nothing.

    Judged: the gateway refuses the payment and redirects to return_url with its failure query; the order is never paid.

    Fix: reaching return_url is not success; ask the gateway.
    """
    yield from _never_paid(case, tellings(case.run, "refused"), "refused", "the gateway had refused it")


@must("verify.other-payment")
def other_payment(case: Case) -> Iterator[Finding]:
    """Another order's payment does not make an order paid.

    Why: pay once, and replay that return on every other order.

    Judged: the return parameters of a paid order are replayed on the return URL of an unpaid order of the same amount
    and currency, word for word and with the other's own reference put in; the second is never paid.

    Fix: ask for the payment that you stored for this order, or compare the answer's reference with the order's id.
    """
    yield from _never_paid(case, tellings(case.run, "replayed-return"), "replayed", "it was another order's payment")


def _wrong_money(case: Case, field: str) -> Iterator[Finding]:
    for telling in tellings(case.run, "wrong-money", keep=lambda told: told.params.get("field") == field):
        told = telling.step("tampered")
        if told is None:
            continue
        order = telling.order()
        checkout = _checkout(telling.world, order)
        payments = payments_of(telling.world, order)
        calls = [
            call
            for call in telling.world.of(Call)
            if call.meaning.operation == "status" and call.meaning.payment in payments
        ]
        paid = ever_paid(telling.world, order)
        answered = str(told.facts.get("answered", ""))
        wanted = {"amount": checkout.amount if checkout else "", "currency": checkout.currency if checkout else ""}
        if paid is not None and not calls:
            yield case.not_exercised(
                "the gateway was never asked", because="verify.status-checked", world=telling.world, seen=[paid]
            )
        elif paid is not None:
            shown = money.show(answered, wanted["currency"]) if field == "amount" else answered
            yield case.failed(
                f"order {order} of {money.show(wanted['amount'], wanted['currency'])} is paid though the gateway says {shown}",
                expected={field: wanted[field]},
                actual={field: answered, "paid": True},
                world=telling.world,
                seen=[told, *calls[-1:], paid],
            )
        elif calls:
            last = [seen for seen in telling.world.of(OrderSeen) if seen.order == order][-1]
            yield case.passed(
                "the order was not taken for paid",
                expected={"paid": False},
                actual={"state": last.state},
                world=telling.world,
                seen=[told, calls[-1], last],
            )


@must("verify.amount")
def amount(case: Case) -> Iterator[Finding]:
    """An order is not paid by a payment of a smaller amount.

    Why: the amount that was paid is the gateway's word, not the shop's wish.

    Judged: the status answer says that much less was paid, or the same without its decimals. Holding the order for a person is fine; more
    money than asked is accepted.

    Fix: compare the answer's amount with the order's before marking it paid.
    """
    yield from _wrong_money(case, "amount")


@must("verify.currency")
def currency(case: Case) -> Iterator[Finding]:
    """An order is not paid by a payment in another currency.

    Why: the same number in another currency is another amount.

    Judged: the status answer names another currency with the same number.

    Fix: compare the answer's currency with the order's before marking it paid.
    """
    yield from _wrong_money(case, "currency")


@must("verify.unreachable")
def unreachable(case: Case) -> Iterator[Finding]:
    """While a payment cannot be verified its order is neither paid nor lost; it becomes paid once it can be verified.

    Why: marking it paid gives goods away; marking it failed loses a customer's money.

    Judged: after a real payment the status check fails in turn with 500, no answer, prose, cut JSON, an oversized answer,
    another payment's answer, nothing at all; the order must not be paid then. The check works again, the customer reloads,
    a background job has its time (order.within, else 60 s): now the order must be paid.

    Fix: keep the order pending when the answer is not a success for exactly this payment, and verify again on reload or
    from a job.
    """
    for telling in tellings(case.run, "unverified", "stalled", "refused-check"):
        if telling.step("paid") is None or not telling.order("unverified"):
            continue
        yield from _unverified(case, telling)


def _unverified(case: Case, telling: Telling) -> Iterator[Finding]:
    order, world = telling.order("unverified"), telling.world
    fault = str(telling.params.get("error") or telling.params.get("fault") or "no answer")
    during, mended = telling.before("mended"), telling.step("mended")
    hit = [call for call in during.calls("status") if call.fault and call.meaning.payment in payments_of(world, order)]
    early = next((seen for seen in during.of(OrderSeen) if seen.order == order and seen.paid), None)
    good = confirmed(during, order)
    if early is not None and not hit and not good:
        yield case.not_exercised(
            "the gateway was never asked", because="verify.status-checked", world=world, seen=[early]
        )
        return
    if not hit or mended is None:
        yield case.not_exercised(
            f"the gateway was not asked while it would have failed ({fault})", world=world, seen=[mended]
        )
        return
    if early is not None and not good:
        yield case.failed(
            f"order {order} was marked paid while the status check failed ({fault})",
            expected={"paid": False},
            actual={"paid": True, "state": early.state},
            world=world,
            seen=[*hit[:2], early],
        )
        return
    later = [seen for seen in world.of(OrderSeen) if seen.order == order and seen.n > mended.n]
    paid = next((seen for seen in later if seen.paid), None)
    waited, promised = float(str(mended.facts.get("waits", 0))), float(str(mended.facts.get("promised", 0)))
    if paid is not None:
        yield case.passed(
            f"pending while {fault}, paid once it could be verified", world=world, seen=[hit[0], mended, paid]
        )
    elif later and any(seen.flagged for seen in later):
        yield case.passed(f"held for a person after {fault}", world=world, seen=[hit[0], mended, later[-1]])
    elif later and waited >= promised:
        yield case.failed(
            f"order {order} was paid for and stays {later[-1].state or 'unreadable'} after the status check works again ({fault})",
            expected={"paid": True, "within seconds": promised},
            actual={"paid": False, "state": later[-1].state},
            world=world,
            seen=[hit[0], mended, later[-1]],
        )
