"""Reading deliveries of notices off journals, and the steps by which the probes that send them mark what they do."""

from __future__ import annotations

from collections.abc import Iterator

from payproof.contracts.entries import Delivery
from payproof.contracts.judging.requirements import Case, only_where
from payproof.contracts.model import Finding
from payproof.contracts.run import RecordedWorld, Run

DECLARE = "[integration.webhook] path"
"""Setting without which nobody can tell how an integration takes notices."""


def undeclared(case: Case) -> Finding:
    """What is said of notices where it is not declared where they arrive."""
    if case.profile.notices is None:
        return case.not_applicable("this gateway has no notices")
    reason = f"it is not declared where notices arrive: set {DECLARE}"
    if case.profile.notices.required:
        return case.not_exercised(f"{reason}; this gateway's guidance asks for it", declare=DECLARE)
    return case.not_applicable(f"{reason}, if this integration takes them", declare=DECLARE)


where_declared = only_where(lambda settings: settings.notices, undeclared)
"""For a check that judges how notices are taken."""


def taken(run: Run) -> tuple[RecordedWorld, Delivery] | None:
    """A genuine notice that was answered with success; None where there is none in the whole run."""
    found = ((world, each) for world in run.worlds for each in world.of(Delivery) if each.plain and each.accepted)
    return next(found, None)


def untaken(run: Run) -> tuple[str, ...]:
    """The requirements whose failure explains what else goes wrong where every genuine notice of a run was refused; none where one was
    taken, or none was sent."""
    sent = any(each.plain for world in run.worlds for each in world.of(Delivery))
    return ("webhook.before-return", "webhook.raw-body") if sent and taken(run) is None else ()


def vouching(world: RecordedWorld, payments: tuple[str, ...], before: float) -> list[Delivery]:
    """Genuine notices, answered with success, that told before this moment that one of these payments was paid."""
    return [
        each
        for each in of_payments(world, payments)
        if each.genuine and each.paid and each.accepted and each.began < before
    ]


def of_payments(world: RecordedWorld, payments: tuple[str, ...]) -> Iterator[Delivery]:
    """The deliveries about these payments."""
    return (each for each in world.of(Delivery) if each.payment in payments)


def answer_of(delivery: Delivery) -> str:
    """How a delivery was answered, in a few words."""
    return f"HTTP {delivery.response.status}" if delivery.response else delivery.problem or "no answer"
