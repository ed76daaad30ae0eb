"""Which requests a hand-over for manual testing holds: one for each operation that the integration used."""

from __future__ import annotations

from collections.abc import Mapping

from payproof.contracts.entries import Call
from payproof.contracts.run import Run


def exportable(run: Run) -> Mapping[str, Call]:
    """Operation -> the call to show, in the order in which the integration first made them.

    The first call that the gateway answered with success, one without a fault in play before any other. An operation
    none of whose calls succeeded is left out: there is no request that is known to work.
    """
    calls = [call for world in run.worlds for call in world.of(Call) if call.event.operation]
    good = [call for call in calls if call.event.ok and call.response is not None]
    best: dict[str, Call] = {}
    for call in sorted(good, key=lambda call: bool(call.fault)):
        best.setdefault(call.event.operation, call)
    order = dict.fromkeys(call.event.operation for call in calls)
    return {operation: best[operation] for operation in order if operation in best}
