"""From what two sides answered to the findings of a comparison: merged, attributed, weighed. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from payproof.contracts.comparing.catalogue import Catalogue, DriftCase
from payproof.contracts.comparing.comparison import shown
from payproof.contracts.comparing.drift import DriftDifference, Fidelity, Left, Touched
from payproof.suites.conformance.drift import alphabets as letters
from payproof.suites.conformance.drift.attribute import Agreed, Blame, Judge, combined, unsaid
from payproof.suites.conformance.drift.comparing import (
    DifferenceTally,
    Raw,
    Step,
    differences,
    explained,
    labels_of,
    refusals,
    steps,
)
from payproof.suites.conformance.drift.contract_view import Terms, place_of
from payproof.suites.conformance.drift.observe import Observation


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredCase:
    """One case as both sides answered it; ``stopped``: why a side did not come to its end."""

    case: DriftCase
    simulator: Sequence[Observation]
    gateway: Sequence[Observation]
    stopped: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    differences: tuple[DriftDifference, ...]
    fidelity: tuple[Fidelity, ...]
    left: tuple[Left, ...]


def weigh(
    answered: Iterable[AnsweredCase], judge: Judge, terms: Terms, ids: tuple[Mapping[str, list[str]], Mapping[str, list[str]]], stamp: str
) -> Weighed:  # fmt: skip
    """``ids``: every id that the simulator and the gateway gave, by kind. ``stamp``: where and when it was observed."""
    answered, tally, catalogue = list(answered), DifferenceTally(), judge.catalogue
    asked = [(each.case, step) for each in answered for step in steps(each.simulator, each.gateway)]
    found = [*_compared(asked, judge, terms, stamp, tally), *_letters(ids, _given(asked, catalogue), catalogue, tally)]
    order = list(catalogue.operations)
    merged = sorted(_merged(found), key=lambda each: order.index(each.operation) if each.operation in order else 99)
    fidelity = tuple(
        Fidelity(operation=name, title=title, compared=tally.of(name)[0], agreed=tally.of(name)[1])
        for name, title in catalogue.operations.items()
    )
    left = tuple(Left(case=each.case.id, reason=reason) for each in answered for reason in _unfinished(each))
    return Weighed(differences=tuple(merged), fidelity=fidelity, left=left)


def _compared(
    asked: Sequence[tuple[DriftCase, Step]], judge: Judge, terms: Terms, stamp: str, tally: DifferenceTally
) -> Iterator[DriftDifference]:
    plain = refusals((step for _, step in asked), labels_of(judge.catalogue))
    agreed, open_ = Agreed(judge), list[tuple[Raw, DriftCase]]()
    for case, (simulator, gateway) in asked:
        raws = list(differences(simulator, gateway, tally))
        first = plain.get(gateway.operation)
        if first is not None and explained(gateway, first[1]):
            yield _as_plain(first, gateway, judge, terms, case)
            continue
        open_ += [(raw, case) for raw in raws]
        if not any(raw.is_whole for raw in raws):
            agreed.note(simulator, gateway, case)
        yield from _outside(simulator, gateway, judge, terms, case)
    yield from _blamed(open_, judge, agreed, terms, stamp)


def _given(asked: Iterable[tuple[DriftCase, Step]], catalogue: Catalogue) -> Mapping[str, str]:
    """Kind of id -> the operation that gives it first."""
    given: dict[str, str] = {}
    for _, (_, gateway) in asked:
        for path in gateway.facts.keys() & catalogue.ids.keys():
            given.setdefault(catalogue.ids[path], gateway.operation)
    return given


def _as_plain(pair: Step, look: Observation, judge: Judge, terms: Terms, case: DriftCase) -> DriftDifference:
    """What the plain request meets, seen once more: one difference, and no fact of the profile's that it would prove."""
    raw = Raw(path="answer", simulator=pair[0], gateway=pair[1])
    found = _difference(raw, Blame(fact=judge.place(raw)), terms, "", case)
    return replace(found, labels=tuple(dict.fromkeys((found.what, look.label))))


def _blamed(
    raws: Iterable[tuple[Raw, DriftCase]], judge: Judge, agreed: Agreed, terms: Terms, stamp: str
) -> Iterator[DriftDifference]:
    """Each difference on its fact; what another step contradicts proposes nothing."""
    known = list(raws)
    blames = [judge.blame(raw, case) for raw, case in known]
    fair = [
        unsaid(blame, judge.place(raw)) if agreed.contradict(blame, raw) else blame
        for (raw, _), blame in zip(known, blames, strict=True)
    ]
    for (raw, case), blame in zip(known, combined(fair, judge.knobs), strict=True):
        yield _difference(raw, blame, terms, stamp, case)


def _difference(raw: Raw, blame: Blame, terms: Terms, stamp: str, case: DriftCase) -> DriftDifference:
    simulator, gateway = raw.in_words
    fact = terms.fact(raw, blame.fact) if blame.fact.name.startswith("openapi") else blame.fact
    joint = "" if blame.change.startswith(".") else ": "
    return DriftDifference(
        kind=blame.kind, operation=raw.gateway.operation, what=raw.gateway.label, path=raw.path,
        contract=terms.says(raw), simulator=simulator, gateway=gateway, fact=fact,
        change=blame.change,
        proposal=f"{fact.name}{joint}{blame.change} ({stamp})" if blame.change else "",
        cases=(case.id,), labels=(raw.gateway.label,),
    )  # fmt: skip


def _outside(
    simulator: Observation, gateway: Observation, judge: Judge, terms: Terms, case: DriftCase
) -> Iterator[DriftDifference]:
    """What simulator and gateway both do, and the contract does not have; what the configuration has set is no news."""
    for problem in terms.both(simulator, gateway):
        if problem.place in {place_of(path) for path in judge.configured}:
            continue
        operation = judge.catalogue.operations.get(gateway.operation, gateway.operation)
        yield DriftDifference(
            kind="difference", operation=gateway.operation, what=gateway.label, path=problem.place,
            contract=shown(problem.expected), simulator=shown(problem.actual), gateway=shown(problem.actual),
            fact=Touched(name=f"openapi {operation} {problem.place}", provenance=problem.weight,
                         source=problem.source),
            cases=(case.id,), labels=(gateway.label,),
        )  # fmt: skip


def _unfinished(answered: AnsweredCase) -> Iterator[str]:
    """Why the rest of a case was not compared; nothing when both sides stopped at the same place for the same reason, which was seen."""
    whys = set(answered.stopped.values())
    if len(whys) == 1:
        (why,) = whys
        if why and not (answered.gateway and answered.gateway[-1].answer == why):
            yield f"only in part: {why}"
        return
    for side, why in answered.stopped.items():
        if why:
            yield f"only in part: {why} (at the {side})"


def _letters(
    ids: tuple[Mapping[str, list[str]], Mapping[str, list[str]]], given: Mapping[str, str], catalogue: Catalogue, tally: DifferenceTally
) -> Iterator[DriftDifference]:  # fmt: skip
    """Differences of alphabet. ``given``: kind of id -> the operation that gives it."""
    ours, theirs = ids
    for kind in dict.fromkeys(catalogue.ids.values()):
        found = letters.compared(ours.get(kind, ()), theirs.get(kind, ()))
        if found is None:
            continue
        path = next(path for path, each in catalogue.ids.items() if each == kind)
        operation = given.get(kind, next(iter(catalogue.operations)))
        sorts, simulator, gateway = found
        tally.note(operation, f"letters of {kind} ids", path, agrees=simulator == gateway)
        if simulator != gateway:
            yield DriftDifference(
                kind="difference", operation=operation, what=f"letters of every {kind} id", path=path,
                contract="", simulator=simulator, gateway=gateway,
                labels=(f"letters of every {kind} id",),
                fact=Touched(name=f"openapi {path}", note=f"compared: {', '.join(sorts)}"),
            )  # fmt: skip


def _merged(found: Iterable[DriftDifference]) -> Iterator[DriftDifference]:
    """The same difference at many steps is one."""
    groups: dict[tuple[str, ...], DriftDifference] = {}
    for each in found:
        key = (each.kind, each.operation, each.fact.name, each.proposal, *_sameness(each))
        known = groups.get(key)
        if known is None:
            groups[key] = each
            continue
        groups[key] = replace(
            known,
            cases=tuple(dict.fromkeys((*known.cases, *each.cases))),
            labels=tuple(dict.fromkeys((*known.labels, *each.labels))),
        )
    yield from groups.values()


def _sameness(each: DriftDifference) -> tuple[str, str, str]:
    """Values count, except where their types already differ, or one is not there."""
    kinds = _type(each.simulator), _type(each.gateway)
    if each.path in ("answer", "status", "body", "page", "asked") or kinds[0] == kinds[1]:
        return each.path, each.simulator, each.gateway
    return each.path, *kinds


def _type(text: str) -> str:
    try:
        kind = type(json.loads(text)).__name__
    except ValueError:
        return text
    return "number" if kind in ("int", "float") else kind
