"""The calls that one request of the customer caused, and those that others caused meanwhile."""

from __future__ import annotations

from collections.abc import Iterable

from payproof.contracts.entries import Call, Checkout, Ledger, Page
from payproof.contracts.events import VERIFYING
from payproof.contracts.judging.probe_runs import ProbeRun, ledger, status_answers
from payproof.contracts.run import RecordedWorld


def background(world: RecordedWorld) -> bool:
    """Whether this integration asks the gateway while no customer waits: background verification."""
    pages = [page for page in world.of(Page) if page.where == "integration"]
    return any(
        call.role in VERIFYING and not any(page.began <= call.began <= page.ended + 0.05 for page in pages)
        for call in world.of(Call)
    )


def bursts(calls: list[Call], *, pause: float = 1.0) -> list[list[Call]]:
    """Calls in groups that follow each other without a pause: one original request and its retries."""
    groups: list[list[Call]] = []
    for call in sorted(calls, key=lambda call: call.began):
        if groups and call.began - max(other.ended for other in groups[-1]) < pause:
            groups[-1].append(call)
        else:
            groups.append([call])
    return groups


def waited_for(pages: Iterable[Page], call: Call) -> bool:
    """Whether a call was sent while one of these pages was waited for."""
    return any(page.began <= call.began <= page.ended for page in pages)


def attempts(probe_run: ProbeRun, calls: list[Call]) -> list[Call]:
    """The longest series of calls that one original request caused.

    While a customer waits, everything that is sent for that request counts, however slowly; where the integration also
    re-checks in the background, only status checks that follow each other without a pause are known to be one request's,
    and of the calls for an access token only those that are more than its re-checks may want.
    """
    if not calls:
        return []
    if background(probe_run.world) and any(call.role in VERIFYING for call in calls):
        groups = bursts(calls, pause=0.2)
    else:
        groups = [[call for call in calls if waited_for((page,), call)] for page in probe_run.pages()]
        groups += bursts([call for call in calls if not any(call in group for group in groups)])
    worst = max(groups, key=len, default=calls[:0])
    if all(call.role == "authenticate" for call in worst):
        worst = worst[min(elsewhere(probe_run.world, worst), len(worst) - 1) :]
    return worst


def elsewhere(world: RecordedWorld, calls: list[Call]) -> int:
    """How many of these calls for an access token may be for others than the customer who waits. Nothing in such a call says for whom;
    each payment that is re-checked in the background and that the integration was not yet told is paid may want one, every second, and
    so may each order whose payment is opened in the background and could not be opened yet."""
    if not calls:
        return 0
    began, ended = calls[0].began, calls[-1].began
    wanting = len(_unverified(world, began)) if background(world) else 0
    wanting += len(_unopened(world, began)) if _opens_in_background(world) else 0
    return wanting * (1 + int(ended - began))


def _unverified(world: RecordedWorld, by: float) -> set[str]:
    told = {status.payment for call, status in status_answers(world.entries) if status.paid and call.ended <= by}
    return {entry.payment for entry in world.of(Ledger) if entry.event == "opened" and entry.at <= by} - told


def _unopened(world: RecordedWorld, by: float) -> set[str]:
    """The orders whose customers had been given up by then, without a payment."""
    tried = {checkout.order for checkout in world.of(Checkout) if not checkout.payment and checkout.at <= by}
    return {order for order in tried if not any(entry.at <= by for entry in ledger(world, order, "opened"))}


def _opens_in_background(world: RecordedWorld) -> bool:
    """Whether this integration opens payments while no customer waits for a page."""
    pages = [page for page in world.of(Page) if page.where == "integration"]
    return any(call.role == "open" and not waited_for(pages, call) for call in world.of(Call))
