"""Idempotency keys: one with each call that opens a payment, the same when it is repeated, another for another order."""

from __future__ import annotations

from collections.abc import Iterator

from payproof.contracts.entries import Call, Ledger
from payproof.contracts.judging.probe_runs import probe_runs
from payproof.contracts.judging.requirements import Case, must, should
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Finding, Json
from payproof.contracts.reading.naming import refers


@should("idempotency.key-sent", needs="idempotency")
def key_sent(case: Case) -> Iterator[Finding]:
    """Every call that opens a payment carries an idempotency key.

    Why: without one nobody can tell a repetition from another payment.

    Judged: on each such call of the whole run; no key, or one that is longer than the gateway takes, is the defect. A key that
    a client library makes by itself is one.

    Fix: send the gateway's idempotency header, with a key made of the order and the number of its payments.
    """
    assert case.profile.idempotency is not None, "the judge asks only gateways that have idempotency keys"
    header, longest = case.profile.idempotency.header, case.profile.idempotency.longest
    found = [(world, call) for world in case.run.worlds for call in world.of(Call) if call.role == "open"]
    for world, call in found:
        length = len(call.event.idempotency_key or "")
        if not 0 < length <= longest:
            yield case.failed(
                f"a call that opens a payment carries {f'a key of {length} characters' if length else 'no idempotency key'}",
                expected={header: f"1 to {longest} characters"},
                actual={header: f"{length} characters" if length else "absent"},
                world=world,
                seen=[call],
            )
            return
    if found:
        yield case.passed(f"{len(found)} calls, each with a key", world=found[0][0], seen=[found[0][1]])


@must("idempotency.new-key-per-order", needs="idempotency")
def new_key_per_order(case: Case) -> Iterator[Finding]:
    """No two orders share an idempotency key.

    Why: the gateway takes the second for a repetition of the first: it refuses it, or sends a customer to another's payment.

    Judged: on all calls of one world that open a payment; the same key with another order's reference, amount or currency is
    the defect.

    Fix: make the key of the order and the number of its payments.
    """
    keyed = 0
    for world in case.run.worlds:
        first: dict[str, Call] = {}
        for call in world.of(Call):
            key = call.event.idempotency_key
            if call.role != "open" or not key:
                continue
            keyed += 1
            other = first.setdefault(key, call)
            if _are_two(other, call):
                yield case.failed(
                    "two orders were sent with one idempotency key",
                    expected={"orders of one key": 1},
                    actual={"orders of one key": [_orders_named(other), _orders_named(call)]},
                    world=world,
                    seen=[other, call],
                )
                return
    if keyed:
        yield case.passed(f"{keyed} calls, no key for two orders", actual={"calls": keyed})


def _are_two(one: Call, other: Call) -> bool:
    """Whether two calls are about two orders, by what is known of both: where the gateway keeps the price, a call that was refused
    has none."""
    return any(a != b and None not in (a, b) for a, b in zip(_orders_named(one), _orders_named(other), strict=True))


def _orders_named(call: Call) -> list[Json]:
    """What tells the order of a call that opens a payment."""
    opened = call.opened
    return [opened.reference, opened.amount, opened.currency]


@must("idempotency.new-key-per-attempt", needs="idempotency")
def new_key_per_attempt(case: Case) -> Iterator[Finding]:
    """A customer whose payment has ended is not sent to it again.

    Why: a key that is used for ever is answered with the first payment for ever, and nobody can pay that any more.

    Judged: the payment is cancelled, or refused; the customer comes back, starts again and pays. Where the gateway takes no money then, a
    checkout that leads to the first payment is the defect, and so is one that fails because the gateway refuses the call. A gateway
    on which the first payment can still be paid, and a shop that has the customer order anew, are fine.

    Fix: give each payment of an order a key of its own, and ask how the last one stands before its address is used again.
    """
    for probe_run in probe_runs(case.run, "started-again", "started-again-refused"):
        mark, order, world = probe_run.step(StepName.AGAIN), probe_run.order(), probe_run.world
        second = next(iter(probe_run.checkouts("again")), None)
        if mark is None or second is None:
            yield case.stuck(probe_run)
            continue
        first, again = probe_run.checkouts()[0], probe_run.after(StepName.AGAIN)
        taken = [entry for entry in again.of(Ledger) if entry.event in ("approved", "charged", "pending")]
        refused = [call for call in again.calls("open") if call.response and 400 <= call.response.status < 500]
        if taken:
            yield case.passed("the customer could start again, and paid", world=world, seen=[mark, second, taken[0]])
        elif second.payment == first.payment != "":
            yield case.failed(
                f"the customer of order {order} is sent to the payment that was {mark.facts['ended']}",
                expected={"payment": "another one"}, actual={"payment": second.payment}, world=world, seen=[first, mark, second],
            )  # fmt: skip
        elif refused:
            yield case.failed(
                f"the customer of order {order} cannot start again: the gateway refuses the call",
                expected={"payment": "another one"}, actual={"answer": list(refused[0].event.texts)}, world=world,
                seen=[first, mark, refused[0], second],
            )  # fmt: skip
        elif second.payment:
            yield case.stuck(probe_run)
        else:
            yield case.not_applicable("the integration opens no second payment for an order whose first has ended")


@should("idempotency.lost-answer", needs="idempotency")
def lost_answer(case: Case) -> Iterator[Finding]:
    """A create call whose answer was lost is repeated with the same idempotency key.

    Why: the payment may exist already.

    Judged: create succeeds at the gateway but its answer is lost; the customer tries again. Another key, or a second
    payment, is the defect. A shop that makes another order of its own for each submission, or turns the customer away, is not judged.
    Where the gateway's keys stand for one call, only what the program repeats by itself is judged, before the customer tries again.

    Fix: derive the idempotency key from the order and the number of its payments.
    """
    assert case.profile.idempotency is not None, "the judge asks only gateways that have idempotency keys"
    of_calls = case.profile.idempotency.stands_for == "call"
    for whole in probe_runs(case.run, "lost-answer"):
        probe_run, mark = whole.before(StepName.AGAIN) if of_calls else whole, whole.step(StepName.AGAIN)
        # That an answer was lost is noted when the connection's end is seen, which may be after the customer's next click.
        calls = [call for call in whole.calls("open") if not of_calls or mark is None or call.began < mark.at]
        order = probe_run.order()
        keys = [call.event.idempotency_key for call in calls]
        references = {call.opened.reference or "" for call in calls}
        opened = [entry for entry in probe_run.of(Ledger) if entry.event == "opened"]
        if of_calls and len(keys) == 1:
            yield case.not_applicable("the integration repeats no such call by itself")
        elif len(keys) == 1 and any(each.outcome in ("refused", "elsewhere") for each in whole.checkouts("again")):
            yield case.not_applicable("the integration turns the customer away, and repeats no such call")
        elif len(keys) < 2:
            yield case.not_exercised("the create call was not repeated")
        elif len(references) > 1 and not all(refers(reference, order) for reference in references):
            yield case.not_applicable("the integration makes another order when the customer tries again")
        elif len(set(keys)) > 1 or len(opened) > 1:
            yield case.failed(
                "the repeated create call is another payment",
                expected={"keys": 1, "payments": 1},
                actual={"keys": len(set(keys)), "payments": len(opened)},
                world=probe_run.world,
                seen=calls,
            )
        else:
            yield case.passed("repeated with the same key", world=probe_run.world, seen=calls)
