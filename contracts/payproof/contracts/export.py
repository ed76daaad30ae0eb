"""Which requests a hand-over for manual testing holds: one for each operation that the integration used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from payproof.contracts.journal import Call, Run


def exportable(run: Run) -> Mapping[str, Call]:
    """Operation -> the call to show, in the order in which the integration first made them.

    The first call that the gateway answered with success, with no fault in play; where no call of an operation
    succeeded, the first that was answered, or else the first. Calls outside the profile's operations are left out.
    """
    best: dict[str, tuple[int, Call]] = {}
    for call in _calls(run):
        weight = _weight(call)
        operation = call.meaning.operation
        if operation not in best or weight > best[operation][0]:
            best[operation] = (weight, call)
    return {operation: call for operation, (_, call) in best.items()}


def _calls(run: Run) -> Iterator[Call]:
    return (call for world in run.worlds for call in world.of(Call) if call.meaning.operation)


def _weight(call: Call) -> int:
    answered = call.ending == "answered" and call.response is not None
    return 4 * (answered and call.meaning.ok) + 2 * answered + (not call.fault)
