"""What Quay asks for and no other gateway does."""

from __future__ import annotations

from collections.abc import Iterator

from payproof.contracts.judging.probe_runs import probe_runs
from payproof.contracts.judging.requirements import Case, should
from payproof.contracts.model import Finding


@should("quay.small-orders")
def small_orders(case: Case) -> Iterator[Finding]:
    """An order of a cent can be paid.

    Why: Quay rounds nothing.

    Judged: a customer orders something for a cent.

    Fix: take the amount as it is.
    """
    for probe_run in probe_runs(case.run, "for-a-cent"):
        for checkout in probe_run.checkouts():
            say = case.passed if checkout.payment else case.failed
            yield say(f"the checkout {checkout.outcome}", expected={"payment": True}, actual={"payment": bool(checkout.payment)},
                      world=probe_run.world, seen=[checkout])  # fmt: skip
