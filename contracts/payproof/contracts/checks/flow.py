"""Every way a payment can go ends as it should."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from payproof.contracts import money
from payproof.contracts.checks.amount import LARGE, expected_amount
from payproof.contracts.checks.handling import crash, status_of
from payproof.contracts.entries import Call, Checkout, Ledger, OrderSeen, Page, Step
from payproof.contracts.judging.probe_runs import (
    ProbeRun,
    ever_paid,
    final,
    front_end_elsewhere,
    ledger,
    obstacle,
    probe_runs,
)
from payproof.contracts.judging.requirements import Case, must
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Finding
from payproof.contracts.reading import pages
from payproof.contracts.run import RecordedWorld


@must("flow.success")
def success(case: Case) -> Iterator[Finding]:
    """A customer who pays ends with a paid order and no error page.

    Why: it is what the shop is for.

    Judged: on the clean payments of the probes control, steady and large-amount; there, where the gateway took the
    money and the shop does not visibly hold the order for a person.

    Fix: follow the evidence: the last page that the customer saw, and the calls before it.
    """
    good = 0
    for probe_run in probe_runs(case.run, "control", "steady", LARGE):
        for checkout in probe_run.checkouts():
            taken = ledger(probe_run.world, checkout.order, "charged")
            if probe_run.probe == LARGE and not taken:
                continue  # it may be more than the shop, the payer or the gateway wants
            if not checkout.payment:
                page = page_of(probe_run.world, checkout)
                if checkout.outcome in ("refused", "elsewhere") and checkout.currency != case.profile.default_currency:
                    yield case.not_exercised(
                        f"it does not sell in {checkout.currency}, and says so",
                        world=probe_run.world,
                        seen=[checkout, page],
                    )
                    continue
                yield case.failed(
                    f"the customer could not start to pay order {checkout.order}",
                    expected={"checkout": "redirected"},
                    actual={"checkout": checkout.outcome, "status": status_of(page)},
                    world=probe_run.world,
                    seen=[checkout, page],
                )
                return
            last = final(probe_run.world, checkout.order)
            if probe_run.probe == LARGE and last is not None and (last.flagged or _held(case, taken[0], last)):
                continue  # somebody looks at it first
            errors = [
                page
                for page in probe_run.pages("return")
                if page.order == checkout.order
                and pages.shows_error(page)
                and not front_end_elsewhere(probe_run.world, page)
            ]
            if not taken:
                if agreed := ledger(probe_run.world, checkout.order, "approved"):
                    yield _not_taken(case, probe_run, checkout, agreed, last)
                    return
                why, seen = obstacle(probe_run)
                yield case.not_exercised(
                    f"the gateway took no money for order {checkout.order}: {why}",
                    world=probe_run.world,
                    seen=[checkout, *seen],
                )
                continue
            if last is None or not last.paid or errors:
                yield case.failed(
                    f"order {checkout.order} was paid for, and "
                    + ("the customer saw an error page" if errors else f"is {last.state if last else 'unreadable'}"),
                    expected={"paid": True, "error pages": 0},
                    actual={"paid": bool(last and last.paid), "error pages": len(errors)},
                    world=probe_run.world,
                    seen=[checkout, *taken, *errors[:1], last],
                    unless=_wrongly_asked(case, probe_run.world, checkout),
                )
                return
            good += 1
    if good:
        yield case.passed(f"{good} clean payments ended in paid orders", actual={"paid orders": good})


def _held(case: Case, taken: Ledger, last: OrderSeen) -> bool:
    """Whether a shop says of a large order, once its money is ``taken``, what it says of no order that nobody paid for."""
    others = [seen for world in case.run.worlds for seen in world.of(OrderSeen) if seen.paid is False]
    unpaid = [seen for seen in others if seen.order != last.order or seen.n < taken.n]
    before = any(seen.order == last.order for seen in unpaid)
    return last.paid is False and before and all(seen.state != last.state for seen in unpaid)


def _not_taken(
    case: Case, probe_run: ProbeRun, checkout: Checkout, agreed: list[Ledger], last: OrderSeen | None
) -> Finding:
    """The customer has agreed, and nobody took the money: on this gateway approving is not paying."""
    paid = bool(last and last.paid)
    state = "is paid all the same" if paid else f"is {last.state if last else 'unreadable'}"
    return case.failed(
        f"the customer agreed to pay order {checkout.order}, the integration never took the money, and the order {state}",
        expected={"charged": 1, "paid": True},
        actual={"charged": 0, "paid": paid},
        world=probe_run.world,
        seen=[checkout, *agreed[:1], last],
    )


def _wrongly_asked(case: Case, world: RecordedWorld, checkout: Checkout) -> str:
    """The requirement that create breaks by asking for another amount or currency than the order's."""
    call = next(
        (call for call in world.of(Call) if call.role == "open" and call.event.payment == checkout.payment),
        None,
    )
    wanted = expected_amount(case, checkout)
    if call is None:
        return ""
    if wanted is not None and money.parse(call.opened.amount) != wanted:
        return "amount.sent"
    return "currency.sent" if (call.opened.currency or "").upper() != checkout.currency.upper() else ""


def page_of(world: RecordedWorld, checkout: Checkout) -> Page | None:
    return next((page for page in world.of(Page) if page.n == checkout.page), None)


def _ends_unpaid(
    case: Case,
    probe_run: ProbeRun,
    step: StepName,
    purposes: tuple[str, ...],
    what: str,
    *,
    blank_is_bad: bool,
    may_regret: bool = False,
) -> Iterator[Finding]:
    """``may_regret``: the gateway fails meanwhile, and a 5xx with words for people is one of the good answers."""
    mark, order = probe_run.step(step), probe_run.order()
    arrived = list(probe_run.after(step).pages(*purposes)) if mark else []
    paid = ever_paid(probe_run.world, order)
    no_way_back = _no_way_back(case, probe_run)
    if mark is None and no_way_back and step == StepName.CANCELLED:
        yield case.not_applicable("no cancel URL is given, so the hosted checkout has no way back")
        return
    if mark is None or not (arrived or no_way_back):
        yield case.stuck(probe_run)
        return
    if not arrived:
        yield _left_unpaid(case, probe_run, mark, paid, what)
        return
    crashed = crash(probe_run.after(step), None, *purposes)
    if paid is not None and not ledger(probe_run.world, order, "charged"):
        yield case.failed(
            f"order {order} is paid though {what}",
            expected={"paid": False},
            actual={"paid": True, "state": paid.state},
            world=probe_run.world,
            seen=[mark, arrived[0], paid],
        )
    elif crashed is not None or (last := arrived[-1].response) is None or (last.status >= 500 and not may_regret):
        yield case.failed(
            f"the customer got an error page when {what}",
            expected="a page for people",
            actual={"status": status_of(arrived[-1])},
            world=probe_run.world,
            seen=[mark, arrived[-1], crashed],
        )
    elif _nowhere(case, probe_run, arrived[-1]) and not (blank_is_bad and pages.blank(last)):
        yield case.failed(
            f"the shop has no page at the address that it gave for the way back, when {what}",
            expected="a page for people",
            actual={"status": status_of(arrived[-1])},
            world=probe_run.world,
            seen=[mark, arrived[-1]],
            warns=True,
        )
    elif blank_is_bad and pages.blank(last):
        yield case.failed(
            f"the customer got an empty page when {what}",
            expected="a page for people",
            actual={"status": status_of(arrived[-1]), "text": ""},
            world=probe_run.world,
            seen=[mark, arrived[-1]],
        )
    else:
        yield case.passed(
            f"unpaid, and a page for people, when {what}",
            actual={"status": status_of(arrived[-1])},
            world=probe_run.world,
            seen=[mark, arrived[-1]],
        )


NO_PAGE = (404, 405, 410)
"""Statuses that say that there is no such page."""
NOWHERE = "nowhere"
"""The customer opens an address that the shop certainly does not have."""


def _nowhere(case: Case, probe_run: ProbeRun, page: Page) -> bool:
    """Whether there is no such page: a program says so in its own words, or the shop says of it what it says of any address that it
    does not have. What else a shop says is for people. Where who paid comes back to no page either, a front end that the run does
    not start has both."""
    if page.response is None or page.response.status not in NO_PAGE or front_end_elsewhere(probe_run.world, page):
        return False
    if not any(_is_shown(each) for world in case.run.worlds for each in world.of(Page) if each.purpose == "return"):
        return False
    said = _said(page)
    return not pages.for_people(page.response) or any(_said(each) == said for each in probe_run.pages(NOWHERE))


def _is_shown(page: Page) -> bool:
    return page.response is not None and 200 <= page.response.status < 300 and pages.is_html(page.response)


def _said(page: Page) -> tuple[int, str]:
    """A page without the words of its own address, which many quote."""
    if page.response is None:
        return 0, ""
    text = pages.visible_text(page.response)
    for part in sorted(urlsplit(page.request.url).path.split("/"), key=len, reverse=True):
        text = text.replace(part, "") if part else text
    return page.response.status, " ".join(text.replace("/", " ").split())


def _no_way_back(case: Case, probe_run: ProbeRun) -> bool:
    """Whether the gateway lets nobody go back from its page, because it was not told where to."""
    opened = [call.opened for call in probe_run.calls("open") if call.event.payment]
    return case.profile.traits.cancel_url_optional and bool(opened) and not any(each.cancel_url for each in opened)


def _left_unpaid(case: Case, probe_run: ProbeRun, mark: Step, paid: OrderSeen | None, what: str) -> Finding:
    """The customer stayed on the gateway's page: the order alone says how it was taken."""
    title = (
        f"order {probe_run.order()} is {'paid' if paid else 'unpaid'}, and the customer was not sent back, when {what}"
    )
    world, seen = probe_run.world, [mark, paid or final(probe_run.world, probe_run.order())]
    if paid is None:
        return case.passed(title, expected={"paid": False}, world=world, seen=seen)
    return case.failed(title, expected={"paid": False}, actual={"paid": True}, world=world, seen=seen)


@must("flow.cancelled")
def cancelled(case: Case) -> Iterator[Finding]:
    """A customer who cancels ends with an unpaid order and a page that is no error.

    Why: cancelling is ordinary.

    Judged: the customer cancels at the hosted checkout; the order is never paid, and the cancel page is no 5xx (a 404 that
    the shop gives any address that it does not have warns); once more while the
    gateway answers status checks with an error, and then a 5xx with words for people is no defect. Where the shop gave no cancel URL,
    and need not, it is the order's page.

    Fix: handle the cancel URL without expecting what a success brings along, and a status check that fails there as on the return.
    """
    for probe_run in probe_runs(case.run, "cancelled", "cancelled-in-trouble"):
        trouble = probe_run.probe == "cancelled-in-trouble"
        mark = probe_run.step(StepName.CANCELLED)
        purposes, what = ("cancel",), "the customer cancelled"
        if mark and mark.facts.get("no_way_back"):
            purposes, what = ("order",), f"{what} and the gateway had been told no way back"
        what += " and the gateway answered status checks with an error" if trouble else ""
        yield from _ends_unpaid(
            case, probe_run, StepName.CANCELLED, purposes, what, blank_is_bad=False, may_regret=trouble
        )


@must("flow.failed")
def failed(case: Case) -> Iterator[Finding]:
    """A refused payment ends with an unpaid order and a page that says something.

    Why: a refusal is ordinary, and a refused customer comes back with other parameters than a success has.

    Judged: the gateway refuses, and the customer comes back as it lets them, to the return URL, or from the gateway's own page to
    the cancel URL; the order is never paid, and the page is neither 5xx nor empty.

    Fix: expect there what the gateway says of a failure, which is not what it says of a success.
    """
    for probe_run in probe_runs(case.run, "refused"):
        yield from _ends_unpaid(
            case,
            probe_run,
            StepName.REFUSED,
            ("return", "cancel"),
            "the gateway refused the payment",
            blank_is_bad=True,
        )
