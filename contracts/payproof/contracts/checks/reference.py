"""Which order a payment is for: the order's id in the create call."""

from __future__ import annotations

import re
from collections.abc import Iterator

from payproof.contracts.entries import Call, Checkout, Entry, Page
from payproof.contracts.judging.probe_runs import ever_paid, ledger, names_of, probe_runs
from payproof.contracts.judging.requirements import Case, must
from payproof.contracts.judging.steps import renamed
from payproof.contracts.model import Finding
from payproof.contracts.reading.naming import refers
from payproof.contracts.run import RecordedWorld, Run

_SHORTEST = 4
"""Characters of a number that tells one order from another, on pages that are full of numbers."""


def created(run: Run) -> Iterator[tuple[RecordedWorld, Checkout, Call]]:
    """(world, checkout, its create call): the one that opened the payment to which the customer was sent."""
    for world in run.worlds:
        calls = {call.event.payment: call for call in world.of(Call) if call.role == "open" and call.event.payment}
        for checkout in world.of(Checkout):
            if checkout.payment in calls:
                yield world, checkout, calls[checkout.payment]
    if not run.scored:
        # Control failed: a create call that the gateway refused says all the same what was asked for.
        for probe_run in probe_runs(run, "control"):
            refused = [call for call in probe_run.calls("open") if not call.event.payment]
            yield from (
                (probe_run.world, checkout, call) for checkout in probe_run.checkouts()[:1] for call in refused[:1]
            )


@must("reference.order-id", before_control=True)
def order_id(case: Case) -> Iterator[Finding]:
    """The order's id travels in the create call, as the payment's reference.

    Why: it is the only way to tell afterwards which order a payment was for.

    Judged: on every create call that led to a payment: the field contains the order's id, a prefix or suffix around it
    is fine, and so is a UUID without its dashes. An id of the integration's own making is read where the configuration says
    (checkout.order_id), and held only against the checkout that it was given to. An order that has a number for people beside its id
    may send that: the integration's own pages show it for this order and for no other. Where the gateway's guidance does not ask for
    it, an integration that keeps the payment's id instead is seen to know the order by it: the payment makes the order paid.

    Fix: send the order's id in the field that the gateway gives back unchanged in its answers.
    """
    if not case.run.settings.names_orders:
        yield from _own_ids(case)
        return
    good = unknown = numbered = 0
    unnamed: list[tuple[RecordedWorld, Checkout, Call]] = []
    for world, checkout, call in created(case.run):
        reference = call.opened.reference or ""
        if any(name in reference or refers(reference, name) for name in names_of(world, checkout.order)):
            good += 1
        elif not _its_own(world, checkout):
            unknown += 1
        elif _shown_as(world, checkout, reference):
            numbered += 1
        else:
            unnamed.append((world, checkout, call))
    for world, checkout, call in unnamed:
        if not case.profile.traits.asks_for_reference and (kept := _kept(world, checkout)):
            yield case.passed("the order is known by its payment's id", world=world, seen=[call, *kept])
            return
        # Where orders have a number, one whose page nobody could open has one too.
        if not numbered or _looked_at(world, checkout):
            yield case.failed(
                f"order {checkout.order} is not named in the create call",
                expected={"contains": checkout.order},
                actual={"reference": call.opened.reference},
                world=world,
                seen=[call, checkout],
            )
            return
    good += numbered
    if good:
        world, _, call = next(created(case.run))
        yield case.passed(
            f"{good} create calls name their order",
            actual={"reference": call.opened.reference},
            world=world,
            seen=[call],
        )
    elif unknown:
        yield case.not_exercised(
            f"the integration told the order's id of none of {unknown} checkouts: check checkout.order_id",
            declare="checkout.order_id",
        )


def _kept(world: RecordedWorld, checkout: Checkout) -> list[Entry]:
    """What shows that the integration knows which order this payment is for: money was taken, and the order is paid."""
    paid, taken = ever_paid(world, checkout.order), ledger(world, checkout.order, "charged")
    return [*taken[:1], paid] if paid is not None and taken else []


def _its_own(world: RecordedWorld, checkout: Checkout) -> bool:
    """Whether ``checkout.order`` is the id that the integration gave to this very checkout. One that it told only later is,
    when the order has no other payment that it may have been told of."""
    if checkout.order_known:
        return True
    learned_later = any(own == checkout.order for _, own in renamed(world.entries))
    names = names_of(world, checkout.order)
    payments = {other.payment for other in world.of(Checkout) if other.order in names and other.payment}
    return learned_later and len(payments) == 1


def _word(reference: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9]){re.escape(reference)}(?![A-Za-z0-9])")


def _shown_as(world: RecordedWorld, checkout: Checkout, reference: str) -> bool:
    """Whether the integration's pages call this order by the reference, and no other order."""
    if len(reference) < _SHORTEST or not any(letter.isdigit() for letter in reference):
        return False
    word, names = _word(reference), names_of(world, checkout.order)
    longer = [name for name in names if reference in name]
    shown = {
        page.order in names
        for page in world.of(Page)
        if page.purpose in ("checkout", "order") and page.order and page.response
        if reference in page.response.body and word.search(_without(longer, page.response.body))
    }
    return shown == {True}


def _without(names: list[str], text: str) -> str:
    """The text without these ids, of which a part is no number for people."""
    for name in names:
        text = text.replace(name, "")
    return text


def _looked_at(world: RecordedWorld, checkout: Checkout) -> bool:
    names = names_of(world, checkout.order)
    looks = [page.response for page in world.of(Page) if page.purpose == "order" and page.order in names]
    return any(response and response.status < 400 for response in looks)


def _own_ids(case: Case) -> Iterator[Finding]:
    """Nobody told us the order's id: does the integration itself call the order so, in addresses or on pages?"""
    for world, checkout, call in created(case.run):
        reference = call.opened.reference or ""
        if not reference:
            yield case.failed(
                "the create call carries no order id at all",
                expected="an order id",
                actual=None,
                world=world,
                seen=[call],
            )
            return
        word = _word(reference)
        addresses = [call.opened.return_url or "", call.opened.cancel_url or ""]
        shown = [page for page in world.of(Page) if page.order == checkout.order and page.where == "integration"]
        page_with_it = next((page for page in shown if page.response and word.search(page.response.body)), None)
        if any(word.search(address) for address in addresses) or page_with_it is not None:
            yield case.passed(
                "the create call names the order as the shop itself does",
                actual={"reference": reference},
                world=world,
                seen=[call, page_with_it],
            )
            return
    yield case.not_exercised(
        "the integration makes its own order ids, and the configuration does not say where to read them: set checkout.order_id",
        declare="checkout.order_id",
    )


@must("reference.distinct", before_control=True)
def distinct(case: Case) -> Iterator[Finding]:
    """Two orders never share one reference.

    Why: with a shared reference a payment cannot be told to belong to one order.

    Judged: over all create calls of a world that belong to different orders.

    Fix: use the order's own unique id.
    """
    several = False
    for world in case.run.worlds:
        seen: dict[str, tuple[str, Call]] = {}
        for owner, checkout, call in created(case.run):
            reference = call.opened.reference
            if owner is not world or not reference:
                continue
            other, first = seen.setdefault(reference, (checkout.order, call))
            if checkout.order not in names_of(world, other) and case.run.settings.names_orders:
                yield case.failed(
                    f"orders {other} and {checkout.order} share one value",
                    expected={"distinct": True},
                    actual={"reference": reference, "orders": [other, checkout.order]},
                    world=world,
                    seen=[first, call],
                )
                return
        several |= len({order for order, _ in seen.values()}) > 1
    sent = any(call.opened.reference for _, _, call in created(case.run))
    if not sent and not case.profile.traits.asks_for_reference:
        yield case.not_applicable("the integration sends none, and this gateway does not ask for it")
    elif several:
        yield case.passed("every order has a value of its own", expected={"distinct": True}, actual={"distinct": True})
