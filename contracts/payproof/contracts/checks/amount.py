"""What create asks for: the order's amount, its currency."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from payproof.contracts import money
from payproof.contracts.checks.reference import created
from payproof.contracts.entries import Call, Checkout
from payproof.contracts.judging.probe_runs import probe_runs
from payproof.contracts.judging.requirements import Case, must
from payproof.contracts.model import Finding
from payproof.contracts.run import RecordedWorld, Run

LARGE = "large-amount"
"""The probe of an order that a shop may find too large."""


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


def _is_right(case: Case, checkout: Checkout, call: Call) -> bool | None:
    """None: nobody knows what the order costs."""
    wanted, sent, unit = expected_amount(case, checkout), money.parse(call.opened.amount), _unit(case, checkout)
    if wanted is None or sent is None:
        return None if wanted is None else False
    with_fee = bool(case.run.settings.fee)
    return sent == wanted or (with_fee and (sent == money.parse(checkout.amount) or abs(sent - wanted) <= unit))


def _large(run: Run) -> Iterator[tuple[RecordedWorld, Checkout, list[Call]]]:
    """(world, checkout, its create calls) where a large order led to no payment."""
    for probe_run in probe_runs(run, LARGE):
        calls = [call for call in probe_run.calls("open") if not call.fault]
        yield from ((probe_run.world, checkout, calls) for checkout in probe_run.checkouts() if not checkout.payment)


def _asked_for(run: Run) -> Iterator[tuple[RecordedWorld, Checkout, Call]]:
    """Create calls by which an amount is judged: what opened a payment, and what the gateway refused of a large order."""
    yield from created(run)
    for world, checkout, calls in _large(run):
        yield from ((world, checkout, call) for call in calls if call.event.problems)


def _breaks_at_it(case: Case) -> Iterator[Finding]:
    """A large order at which the shop crashes, though it sells in that currency."""
    for world, checkout, calls in _large(case.run):
        sells = any(each.payment and each.currency == checkout.currency for each in world.of(Checkout))
        if checkout.outcome == "broken" and sells and not any(call.event.problems for call in calls):
            yield case.failed(
                f"the shop broke at an order of {case.profile.money.show(checkout.amount, checkout.currency)}",
                expected={"checkout": "redirected, or refused with words"},
                actual={"checkout": checkout.outcome},
                world=world,
                seen=[checkout, *calls, world.entry(checkout.page)],
            )


def _sells_in_its_own(case: Case, checkout: Checkout, call: Call) -> bool:
    """A driver that says of no currency that the shop sells in it was asked for another than the gateway's usual one: perhaps there is
    no other."""
    sent = (call.opened.currency or "").upper()
    return not case.run.settings.names_currencies and sent == case.profile.default_currency != checkout.currency.upper()


def _refused_for_decimals(case: Case) -> Iterator[Finding]:
    """Calls that the gateway refused, not for who asked, and that had more decimals than it takes in their currency."""
    for world in case.run.worlds:
        refused = (call for call in world.of(Call) if call.role == "open" and call.event.problems and not call.fault)
        for call in (call for call in refused if call.response is None or call.response.status not in (401, 403)):
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
    declares are added. A call that the gateway refused must not have had more decimals than the gateway takes in that currency. One
    order costs five digits, where the customer's request tells the amount: a shop that says that it is too much is fine, one that
    breaks, or asks the gateway for something else, is not.

    Fix: send the order's amount as the gateway writes it in this currency, with its decimals and no others; never through binary
    floats or a format for people, and keep it where it has room.
    """
    if (refused := next(_refused_for_decimals(case), None) or next(_breaks_at_it(case), None)) is not None:
        yield refused
        return
    good: list[Call] = []
    unknown = 0
    for world, checkout, call in _asked_for(case.run):
        if _sells_in_its_own(case, checkout, call):
            continue
        right, spelled = _is_right(case, checkout, call), call.opened.amount or call.opened.spelled
        if right is None:
            unknown += 1
        elif not right:
            wanted = expected_amount(case, checkout)
            assert wanted is not None
            yield case.failed(
                f"{spelled} asked for an order of {case.profile.money.show(wanted, checkout.currency)}",
                expected={"amount": f"{wanted:f}"},
                actual={"amount": spelled},
                world=world,
                seen=[checkout, call],
            )
            return
        else:
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
