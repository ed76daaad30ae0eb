"""What the gateway says was paid, held against what the order costs."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from payproof.contracts import money
from payproof.contracts.checks.verify import checkout_of
from payproof.contracts.entries import Call, Checkout, Delivery, OrderSeen
from payproof.contracts.events import VERIFYING
from payproof.contracts.judging.deliveries import vouching
from payproof.contracts.judging.probe_runs import ProbeRun, final, looks, payments_of, probe_runs, sightings
from payproof.contracts.judging.requirements import Case, must
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Finding
from payproof.contracts.run import RecordedWorld


def _wrong_money(case: Case, field: str) -> Iterator[Finding]:
    """Judged on what went over the wire alone: an answer that the integration got, before the order was seen paid, that
    the payment is paid with too little, or in another currency."""
    for probe_run in probe_runs(case.run, "wrong-money", keep=lambda each: each.params.get("field") == field):
        mark, order, world = probe_run.step(StepName.TAMPERED), probe_run.order(), probe_run.world
        checkout = checkout_of(world, order)
        if mark is None or checkout is None:
            yield case.stuck(probe_run)
            continue
        payments = payments_of(world, order)
        paid = next((seen for seen in sightings(world, order) if seen.paid and not _held(seen)), None)
        answers = [
            call
            for call in world.of(Call)
            if call.role in VERIFYING
            and call.event.payment in payments
            and call.ending == "answered"
            and call.n > mark.n
            and (paid is None or call.n < paid.n)
        ]
        # Where the integration takes the money, it may look at the amount first, and take none.
        claims: list[Call | Delivery] = [
            call for call in answers if call.event.ok and (call.payment_status.paid or _agreed(case, call))
        ]
        if not answers:  # whoever never asks believes the notices
            notices = vouching(world, payments, paid.at if paid else inf)
            claims += [each for each in notices if each.n > mark.n and _value(each, field) is not None]
        lies = [each for each in claims if _says_less(each, checkout, field)]
        if not lies or len(lies) < len(claims):
            yield _no_lie(case, probe_run, checkout, field, answers, claims)
        elif paid is not None:
            yield _believed(case, world, checkout, field, lies, paid)
        else:
            last = final(world, order)
            yield case.passed(
                f"the order was {'held for a person' if last and last.flagged else 'not taken for paid'}",
                expected={"paid": False},
                actual={"state": last.state if last else None},
                world=world,
                seen=[mark, lies[-1], last],
            )


def _held(seen: OrderSeen) -> bool:
    """It waits for a person, and so do its goods."""
    return bool(seen.flagged) and not seen.effects


def _agreed(case: Case, call: Call) -> bool:
    return case.profile.has("settle") and call.payment_status.paid is False and call.payment_status.amount is not None


def _value(entry: Call | Delivery, field: str) -> str | None:
    """The ``amount`` or ``currency`` that an answer or a notice tells."""
    claim = entry if isinstance(entry, Delivery) else entry.payment_status
    return claim.currency if field == "currency" else claim.amount


def _says_less(entry: Call | Delivery, checkout: Checkout, field: str) -> bool:
    if field == "currency":
        currency = _value(entry, "currency") or ""
        return bool(currency) and currency.upper() != checkout.currency.upper()
    named, wanted = money.parse(_value(entry, "amount")), money.parse(checkout.amount)
    return named is not None and wanted is not None and named < wanted


def _believed(
    case: Case, world: RecordedWorld, checkout: Checkout, field: str, lies: list[Call | Delivery], paid: OrderSeen
) -> Finding:
    answered = _value(lies[-1], field) or ""
    shown = case.profile.money.show(answered, checkout.currency) if field == "amount" else answered
    return case.failed(
        f"order {checkout.order} of {case.profile.money.show(checkout.amount, checkout.currency)} is paid though the gateway says {shown}",
        expected={field: checkout.amount if field == "amount" else checkout.currency},
        actual={field: answered, "paid": True},
        world=world,
        seen=[lies[-1], paid],
    )


def _no_lie(
    case: Case, probe_run: ProbeRun, checkout: Checkout, field: str, answers: list[Call], claims: list[Call | Delivery]
) -> Finding:
    """Why nothing can be said: nobody asked, or what was answered was no lie about this order."""
    world, mark = probe_run.world, probe_run.step(StepName.TAMPERED)
    if not answers and not claims:
        return case.not_exercised(
            "the gateway was never asked",
            because=("verify.status-checked", "verify.forged-return", "flow.success"),
            world=world,
            seen=[mark, *looks(world, checkout.order)[-1:]],
        )
    if not claims:
        return case.not_exercised(
            "no answer said that the payment was paid", because="flow.success", world=world, seen=[mark, answers[-1]]
        )
    honest = next(each for each in reversed(claims) if not _says_less(each, checkout, field))
    value = _value(honest, field)
    words = f"told {'no' if value is None else ''} {field} {value or ''}".replace("  ", " ").strip()
    return case.not_exercised(
        f"the gateway's answer {words}, which is no lie about an order of {case.profile.money.show(checkout.amount, checkout.currency)}",
        because=f"{field}.sent",
        world=world,
        seen=[mark, honest],
    )


@must("verify.amount")
def amount(case: Case) -> Iterator[Finding]:
    """An order is not paid by a payment of a smaller amount.

    Why: the amount that was paid is the gateway's word, not the shop's wish.

    Judged: the gateway's answer, or where it is never asked its notice, says that much less was paid, or the same without its
    decimals; the order was seen paid after
    such an answer and no better one. Holding the order, and its goods, for a person is fine; more money than asked is accepted. Who has
    the gateway take discounts off, or add tax, is not judged: less may be right.

    Fix: compare the answer's amount with the order's before marking it paid.
    """
    opened = [call for world in case.run.worlds for call in world.of(Call) if call.role == "open"]
    if any(call.opened.varies for call in opened):
        yield case.not_applicable("the integration lets the gateway charge another amount: discounts, tax or postage")
    else:
        yield from _wrong_money(case, "amount")


@must("verify.currency")
def currency(case: Case) -> Iterator[Finding]:
    """An order is not paid by a payment in another currency.

    Why: the same number in another currency is another amount.

    Judged: the gateway's answer, or where it is never asked its notice, names another currency with the same number.

    Fix: compare the answer's currency with the order's before marking it paid.
    """
    yield from _wrong_money(case, "currency")
