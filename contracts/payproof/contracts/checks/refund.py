"""Money that the merchant gives back: as much as was asked for, and once."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from payproof.contracts import money
from payproof.contracts.entries import Call
from payproof.contracts.events import Refunded
from payproof.contracts.judging.probe_runs import ProbeRun, ledger, probe_runs
from payproof.contracts.judging.requirements import Case, must, only_where
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Finding, Json

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


def _is_right(event: Refunded, amount: Decimal | None, currency: str) -> bool:
    named = (event.currency or "").upper()
    return money.parse(event.amount) == amount and named in ("", currency or named)


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
        wrong = next((each for each in asked if not _is_right(each[1], right, paid_in)), None)
        call, event = wrong or asked[0]
        expected: dict[str, Json] = {"amount": wanted.facts["amount"]}
        actual: dict[str, Json] = {"amount": event.amount, "on the wire": event.spelled}
        if event.currency and paid_in:
            expected["currency"], actual["currency"] = paid_in, event.currency
        title = (
            f"the gateway was asked to give back {event.amount or 'all that is left'} {event.currency or ''}".rstrip()
        )
        say = case.passed if wrong is None else case.failed
        yield say(title, expected=expected, actual=actual, world=probe_run.world, seen=[wanted, call])


@must("refund.once", needs="refund")
@_where_declared
def once(case: Case) -> Iterator[Finding]:
    """A refund whose answer was lost is not made twice.

    Why: the money may be on its way already, and nobody gets the second part back.

    Judged: the gateway gives money back and its answer is lost; the merchant asks for the same refund again. The gateway's books show
    one refund. Saying that it is not known, and refusing the second request, is fine.

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
