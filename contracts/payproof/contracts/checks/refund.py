"""Money that the merchant gives back: as much as was asked for, and once."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from payproof.contracts import money
from payproof.contracts.entries import Call, Delivery, OrderSeen, Page
from payproof.contracts.events import Refunded
from payproof.contracts.judging.deliveries import answer_of, untaken, where_declared
from payproof.contracts.judging.probe_runs import ProbeRun, ledger, probe_runs
from payproof.contracts.judging.requirements import Case, must, only_where
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Finding, Json
from payproof.contracts.run import RecordedWorld

_DECLARE = "[integration.refund]"


def _undeclared(case: Case) -> Finding:
    reason = f"it is not declared how the merchant gives money back: set {_DECLARE}, if this integration does"
    return case.not_applicable(reason, declare=_DECLARE)


_where_declared = only_where(lambda settings: settings.refunds, _undeclared)


def _asked(probe_run: ProbeRun) -> list[tuple[Call, Refunded]]:
    return [(call, call.event) for call in probe_run.calls("refund") if isinstance(call.event, Refunded)]


def _currency(probe_run: ProbeRun) -> str:
    """What the order's payment was asked for in, in capitals; empty where that is not told."""
    opened = [call.opened.currency for call in probe_run.calls("open") if call.event.payment]
    return (opened[-1] or "").upper() if opened else ""


def _amount(case: Case, event: Refunded, currency: str) -> Decimal | None:
    """What was asked to be given back; None: all that is left. Where a call names an amount and no currency, it is the payment's."""
    if event.amount is not None or event.spelled is None:
        return money.parse(event.amount)
    found, decimals = money.parse(event.spelled), case.profile.money.exponent(currency)
    return found if found is None or case.profile.money.spelling == "text" else found.scaleb(-decimals)


def _is_right(case: Case, event: Refunded, amount: Decimal | None, currency: str) -> bool:
    named = (event.currency or "").upper()
    return _amount(case, event, currency) == amount and named in ("", currency or named)


@must("refund.amount", needs="refund")
@_where_declared
def amount(case: Case) -> Iterator[Finding]:
    """The gateway is asked to give back what the merchant wants to give back.

    Why: a part becomes the whole where the amount is left out, and a hundred times the part where units are mistaken.

    Judged: a fifth of a paid order is given back; each refund call names that amount, and where it names a currency, the payment's.

    Fix: send the refund's own amount, in the gateway's units, and the currency that was paid.
    """
    for probe_run in probe_runs(case.run, "partial-refund"):
        wanted, asked = probe_run.step(StepName.REFUNDED), _asked(probe_run)
        if wanted is None or not asked:
            yield case.stuck(probe_run)
            continue
        right, paid_in = money.parse(wanted.facts["amount"]), _currency(probe_run)
        wrong = next((each for each in asked if not _is_right(case, each[1], right, paid_in)), None)
        call, event = wrong or asked[0]
        expected: dict[str, Json] = {"amount": wanted.facts["amount"]}
        asked_for = _amount(case, event, paid_in)
        actual: dict[str, Json] = {
            "amount": None if asked_for is None else case.profile.money.text(asked_for, event.currency or paid_in),
            "on the wire": event.spelled,
        }
        if event.currency and paid_in:
            expected["currency"], actual["currency"] = paid_in, event.currency
        title = f"the gateway was asked to give back {actual['amount'] or 'all that is left'} {event.currency or ''}".rstrip()
        say = case.passed if wrong is None else case.failed
        yield say(title, expected=expected, actual=actual, world=probe_run.world, seen=[wanted, call])


@must("refund.noticed", needs="refund")
@_where_declared
@where_declared
def noticed(case: Case) -> Iterator[Finding]:
    """What the gateway says was given back does not stay a paid order.

    Why: money is given back in the gateway's dashboard, too, or by its support; an order that goes on as paid is shipped all the same,
    or given back a second time.

    Judged: all of a paid order is given back at the gateway, which tells the shop by a notice. Within the time for a background job the
    order's state, its mark for a person, or anything else that its page says is another than before.

    Fix: subscribe to the gateway's notice of refunds, look the payment up, and note on its order what was given back.
    """
    for probe_run in probe_runs(case.run, "given-back-there"):
        order, world = probe_run.order(), probe_run.world
        mark, untold = probe_run.step(StepName.GIVEN_BACK), probe_run.step(StepName.NO_SUCH_NOTICE)
        earlier = [seen for seen in probe_run.before(StepName.GIVEN_BACK).of(OrderSeen) if seen.paid is not None]
        later = [seen for seen in probe_run.after(StepName.GIVEN_BACK).of(OrderSeen) if seen.paid is not None]
        told = list(probe_run.after(StepName.GIVEN_BACK).of(Delivery))
        if untold is not None:
            yield case.not_applicable(untold.text)
        elif mark is None or not earlier or not told:
            yield case.stuck(probe_run)
        elif not later:
            yield case.unread(world, order, *told[:1])
        else:
            before, after = earlier[-1], later[-1]
            changed = _shown(world, before) != _shown(world, after)
            title = f"order {order} is {after.state if changed else 'still paid'} once all of it was given back at the gateway"
            expected: dict[str, Json] = {"changed": True}
            actual: dict[str, Json] = {"before": before.state, "after": after.state, "notice": answer_of(told[-1])}
            seen = [before, mark, told[-1], after]
            if changed:
                yield case.passed(title, expected=expected, actual=actual, world=world, seen=seen)
            else:
                yield case.failed(
                    title, expected=expected, actual=actual, world=world, seen=seen, unless=untaken(case.run)
                )


def _shown(world: RecordedWorld, seen: OrderSeen) -> tuple[str, str, str]:
    """State, mark for a person, and the whole page of an order."""
    page = world.entry(seen.page)
    return seen.state, seen.flagged, page.response.body if isinstance(page, Page) and page.response else ""


@must("refund.once", needs="refund")
@_where_declared
def once(case: Case) -> Iterator[Finding]:
    """A refund whose answer was lost is not made twice.

    Why: the money may be on its way already, and nobody gets the second part back.

    Judged: the gateway gives money back and its answer is lost; the merchant asks for the same refund again, unless the program has done so
    by itself and was answered. The gateway's books show one refund. Saying that it is not known, and refusing the second request, is fine.

    Fix: note the refund and its idempotency key before the call, and send the same key until the outcome is known.
    """
    for probe_run in probe_runs(case.run, "lost-refund"):
        given, again = ledger(probe_run.world, probe_run.order(), "refunded"), probe_run.step(StepName.AGAIN)
        calls = [call for call, _ in _asked(probe_run)]
        if again is None or not given:
            yield case.stuck(probe_run)
        elif len(given) > 1:
            yield case.failed(
                f"{len(given)} refunds were made for one",
                expected={"refunds": 1}, actual={"refunds": len(given), "given back": [each.detail for each in given]},
                world=probe_run.world, seen=[again, *calls, *given],
            )  # fmt: skip
        else:
            yield case.passed(
                "given back once", actual={"refunds": 1}, world=probe_run.world, seen=[again, *calls, *given]
            )
