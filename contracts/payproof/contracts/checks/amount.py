"""What create asks for: the order's amount, its currency."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from payproof.contracts import money
from payproof.contracts.checks.reference import created
from payproof.contracts.entries import Call, Checkout
from payproof.contracts.judging.requirements import Case, must
from payproof.contracts.model import Finding


def expected_amount(case: Case, checkout: Checkout) -> Decimal | None:
    """What create should ask for: the order's amount and the declared fee."""
    amount = money.parse(checkout.amount)
    settings = case.run.settings
    if amount is None or not settings.sets_amount:
        return None
    fee = settings.fee
    if fee.endswith("%"):
        amount += amount * Decimal(fee[:-1]) / 100
    elif fee:
        amount += Decimal(fee)
    return amount.quantize(_unit(case, checkout))


def _unit(case: Case, checkout: Checkout) -> Decimal:
    """The smallest difference between two amounts on the wire."""
    return Decimal(1).scaleb(-case.profile.money.decimals(checkout.currency))


def _sells_in_its_own(case: Case, checkout: Checkout, call: Call) -> bool:
    """A driver that says of no currency that the shop sells in it was asked for another than the gateway's usual one: perhaps there is
    no other."""
    sent = (call.opened.currency or "").upper()
    return not case.run.settings.names_currencies and sent == case.profile.default_currency != checkout.currency.upper()


def _refused_for_decimals(case: Case) -> Iterator[Finding]:
    """Calls that the gateway refused, and that had more decimals than it takes in their currency."""
    for world in case.run.worlds:
        for call in (call for call in world.of(Call) if call.role == "open" and call.event.problems and not call.fault):
            spelled, currency = call.opened.spelled or "", call.opened.currency or ""
            most = case.profile.money.decimals(currency)
            if len(spelled.partition(".")[2]) > most:
                yield case.failed(
                    f"{spelled} {currency} was asked for, and refused: the gateway takes {most or 'no'} decimals in {currency}",
                    expected={"decimals": most},
                    actual={"amount": spelled, "answer": list(call.event.texts)},
                    world=world,
                    seen=[call],
                )


@must("amount.sent", before_control=True)
def amount(case: Case) -> Iterator[Finding]:
    """The create call asks for the order's amount.

    Why: a rounded or shifted amount charges the customer wrongly.

    Judged: on orders of several amounts, with decimals where the currency has them; fees that the configuration
    declares are added. A call that the gateway refused must not have had more decimals than the gateway takes in that currency.

    Fix: send the order's amount as the gateway writes it in this currency, with its decimals and no others; never through binary
    floats.
    """
    if (refused := next(_refused_for_decimals(case), None)) is not None:
        yield refused
        return
    good: list[Call] = []
    unknown = 0
    for world, checkout, call in created(case.run):
        if _sells_in_its_own(case, checkout, call):
            continue
        wanted, sent = expected_amount(case, checkout), money.parse(call.opened.amount)
        if wanted is None:
            unknown += 1
            continue
        exact = (wanted, money.parse(checkout.amount)) if case.run.settings.fee else (wanted,)
        if sent is None or (
            sent not in exact and abs(sent - wanted) > (_unit(case, checkout) if case.run.settings.fee else 0)
        ):
            yield case.failed(
                f"{call.opened.amount} asked for an order of {case.profile.money.show(wanted, checkout.currency)}",
                expected={"amount": f"{wanted:f}"},
                actual={"amount": call.opened.amount},
                world=world,
                seen=[checkout, call],
            )
            return
        good.append(call)
    if good:
        world = next(world for world in case.run.worlds if good[0] in world.entries)
        amounts = sorted({call.opened.amount or "" for call in good})
        yield case.passed(
            f"{len(good)} create calls ask for their order's amount",
            actual={"amounts": list(amounts)},
            world=world,
            seen=good[:1],
        )
    elif unknown:
        yield case.not_exercised(
            "the price is the integration's own: set checkout.amount to what the customer's cart costs",
            declare="checkout.amount",
        )


@must("currency.sent", before_control=True)
def currency(case: Case) -> Iterator[Finding]:
    """The create call asks for the order's currency.

    Why: 5,000 of another currency is another price.

    Judged: on orders in every currency that the configuration names, else the gateway's default and one with decimals.

    Fix: send the order's own currency.
    """
    good: list[str] = []
    doubtful: Finding | None = None
    for world, checkout, call in created(case.run):
        sent = call.opened.currency or ""
        if _sells_in_its_own(case, checkout, call):
            doubtful = case.not_exercised(
                f"{sent} asked for an order in {checkout.currency}: say in checkout.currencies what the integration sells in",
                declare="checkout.currencies",
                world=world,
                seen=[checkout, call],
            )
            continue
        if sent.upper() != checkout.currency.upper() and case.run.settings.sets_currency:
            yield case.failed(
                f"{sent or 'no currency'} asked for an order in {checkout.currency}",
                expected={"currency": checkout.currency},
                actual={"currency": call.opened.currency},
                world=world,
                seen=[checkout, call],
            )
            return
        good.append(sent)
    if doubtful is not None:
        yield doubtful
    elif good:
        yield case.passed(
            f"{len(good)} create calls ask for their order's currency", actual={"currencies": [*sorted(set(good))]}
        )
