"""What an operation's plain request already meets at the gateway. It explains every other answer that says the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from payproof.suites.drift.looking import Look

Pair = tuple[Look, Look]


def refusals(steps: Iterable[Pair]) -> Mapping[str, Pair]:
    """Operation -> its plain step, where the simulator takes it and the gateway does not. The first step of an operation that
    goes well at the simulator is its plain one."""
    plain: dict[str, Pair] = {}
    for simulator, gateway in steps:
        if simulator.answer == "ok" and "status" in simulator.facts:
            plain.setdefault(gateway.operation, (simulator, gateway))
    return {operation: pair for operation, pair in plain.items() if pair[1].answer != "ok"}


def explained(look: Look, plain: Look) -> bool:
    """Whether the gateway says to a request what it says to the plain one as well, perhaps among other things."""
    if look.operation != plain.operation or look.answer == "ok":
        return False
    if plain.texts:
        return set(plain.texts) <= set(look.texts)
    return look.texts == plain.texts and look.facts.get("status") == plain.facts.get("status")
