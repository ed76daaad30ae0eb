"""How an integration stood a call that went wrong: one ladder for every kind of trouble.

A crash comes first, then an order that is paid for nothing; what else a requirement asks (few attempts, some patience) it
judges itself when ``misstep`` finds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from payproof.contracts import pages
from payproof.contracts.entries import Call, Entry, OrderSeen, Page, Step
from payproof.contracts.events import VERIFICATION
from payproof.contracts.model import Finding, Json
from payproof.contracts.probe_runs import ProbeRun, confirmed, ledger, payments_of
from payproof.contracts.requirements import Case
from payproof.contracts.steps import StepName

BELIEVED = ("verify.forged-return", "verify.failed-return", "verify.status-checked")
"""What fails where a shop takes orders for paid that the gateway calls unpaid, or never asks."""


def status_of(page: Page | None) -> Json:
    return page.response.status if page and page.response else (page.problem if page else None)


def crash(probe_run: ProbeRun, until: StepName | None, *purposes: str) -> Entry | None:
    """The entry that shows a crash: the process ended (at any time of the story, a friendly page may come first), or the
    customer got a page that no person should see before the step ``until``, or at any time."""
    canaries = [str(step.facts["canary"]) for step in probe_run.of(Step) if step.facts.get("canary")]
    part = probe_run.before(until) if until else probe_run
    broken = (page for page in part.pages(*purposes) if pages.broken(page.response, canaries))
    return next(iter(probe_run.exits()), None) or next(broken, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A story in which one kind of call went wrong until a named step."""

    probe_run: ProbeRun
    operation: str
    until: StepName
    what: str
    """For titles: ``create answered with HTTP 500``."""
    verifies: bool
    """The call is one that tells how a payment stands."""
    hit: tuple[Call, ...] = ()
    """The calls that went wrong; none where not even a connection came about."""

    @property
    def told(self) -> ProbeRun:
        return self.probe_run.before(self.until)

    @property
    def order(self) -> str:
        return self.probe_run.order("unverified") or self.probe_run.order()

    @property
    def purpose(self) -> str:
        """What the customer was about when the call was made."""
        return "return" if self.verifies else "checkout"

    @property
    def page(self) -> Page | None:
        """What the customer was shown in the end."""
        return next(reversed(self.told.pages(self.purpose)), None)

    @property
    def paid(self) -> OrderSeen | None:
        return next((seen for seen in self.told.of(OrderSeen) if seen.order == self.order and seen.paid), None)


def misstep(case: Case, trouble: Trouble) -> Finding | None:
    """A crash, or an order that is paid for nothing."""
    crashed = crash(trouble.probe_run, trouble.until, trouble.purpose)
    if crashed is not None:
        return case.failed(
            f"the customer's request crashed: {trouble.what}",
            expected="a page for people",
            actual={"status": status_of(trouble.page)},
            world=trouble.probe_run.world,
            seen=[*trouble.hit[:1], crashed, trouble.page],
        )
    return None if trouble.paid is None else _wrongly_paid(case, trouble, trouble.paid)


def _wrongly_paid(case: Case, trouble: Trouble, paid: OrderSeen) -> Finding | None:
    """Paid without the gateway's word; a truthful word that it is paid, in whatever wrapping, makes it right."""
    probe_run, order, world = trouble.probe_run, trouble.order, trouble.probe_run.world
    if confirmed(trouble.told, order):
        return None
    if not trouble.verifies and ledger(world, order, "charged"):
        return None
    if trouble.verifies and not trouble.hit and not probe_run.calls(VERIFICATION):
        return case.not_exercised(
            "the gateway was never asked, in good times or bad",
            because=("verify.status-checked", "verify.forged-return"),
            world=world,
            seen=[trouble.page, paid],
        )
    denied = _denied(trouble, paid)
    return case.failed(
        f"the order is paid: {trouble.what}" + (", and an undisturbed check had said that it is not" if denied else ""),
        expected={"paid": False},
        actual={"paid": True, "state": paid.state},
        world=world,
        seen=[*trouble.hit[:2], denied, paid],
        # The shop believed nobody's broken answer: it does not read a good one.
        unless=BELIEVED if denied else (),
    )


def _denied(trouble: Trouble, paid: OrderSeen) -> Call | None:
    """The gateway's last word on the order before it was seen paid, where that was an undisturbed "unpaid"."""
    payments = payments_of(trouble.probe_run.world, trouble.order)
    asked = [call for call in trouble.told.calls(VERIFICATION) if call.event.payment in payments and call.n < paid.n]
    last = asked[-1] if asked else None
    return last if last is not None and not last.fault and last.event.ok and last.told.paid is False else None
