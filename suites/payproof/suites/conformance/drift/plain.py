"""What an operation's plain request already meets at the gateway. It explains every other answer that says the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from payproof.contracts.catalogue import CaseRequest, Catalogue
from payproof.suites.conformance.drift.observe import Observation

Pair = tuple[Observation, Observation]


def labels_of(catalogue: Catalogue) -> Mapping[str, str]:
    """Operation -> label of its plain request: the one that most cases are made of."""
    asked = Counter(
        (each.operation, each.label) for case in catalogue.cases for each in case.steps if isinstance(each, CaseRequest)
    )
    found: dict[str, str] = {}
    for (operation, label), _ in asked.most_common():
        found.setdefault(operation, label)
    return found


def refusals(steps: Iterable[Pair], labels: Mapping[str, str]) -> Mapping[str, Pair]:
    """Operation -> its plain step, where the simulator takes it and the gateway does not."""
    plain: dict[str, Pair] = {}
    for simulator, gateway in steps:
        if simulator.answer == "ok" and gateway.label == labels.get(gateway.operation):
            plain.setdefault(gateway.operation, (simulator, gateway))
    return {operation: pair for operation, pair in plain.items() if pair[1].answer != "ok"}


def explained(look: Observation, plain: Observation) -> bool:
    """Whether the gateway says to a request what it says to the plain one as well, perhaps among other things."""
    if look.operation != plain.operation or look.answer == "ok":
        return False
    if plain.texts:
        return set(plain.texts) <= set(look.texts)
    return look.texts == plain.texts and look.facts.get("status") == plain.facts.get("status")
