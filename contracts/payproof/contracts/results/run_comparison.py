"""Two results of one integration, held against each other: what fails now, what was mended, what else is different.

Pure: it does not matter whether a result comes from a report.json or was judged from a journal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from payproof.contracts.model import Json, Judgement, Level, Outcome, Result, Verdict

Kind: TypeAlias = Literal["failing", "mended", "changed", "same", "unjudged", "added", "removed"]
"""``failing``: it fails and did not; ``mended``: the other way round; ``unjudged``: one of the two runs was shortened and says
nothing of it; ``added``, ``removed``: only one of the two checklists has it."""

_BROKEN = (Verdict.FAIL, Verdict.WARN)
_SETTLED = (Verdict.PASS, Verdict.ATTESTED, Verdict.NOT_APPLICABLE)
_FACTS = (
    "name", "gateway", "profile_version", "payproof", "target", "quick", "seed", "commit", "dirty", "configuration",
)  # fmt: skip
"""Facts of a run whose difference may explain another verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One requirement in both results; None: that result says nothing of it."""

    requirement: str
    kind: Kind
    old: Judgement | None
    new: Judgement | None
    worse: bool
    """It fails now and did not, or it stands in the way of going live now and did not."""

    @property
    def level(self) -> Level | None:
        known = self.new or self.old
        return known.level if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactChange:
    """A fact of the run that is not the same in both; None: that run does not tell it."""

    name: str
    old: Json
    new: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class RunComparison:
    """What is different between two results, in the order of the newer checklist."""

    old: Outcome
    new: Outcome
    changes: tuple[Change, ...]
    facts: tuple[FactChange, ...]
    stale: tuple[str, ...]
    """Baseline entries that are stale now and were not."""

    def of(self, *kinds: Kind) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.kind in kinds)

    @property
    def unscored(self) -> bool:
        """The newer run says nothing at all, and the older one did."""
        return self.new is Outcome.NOT_SCORED and self.old is not Outcome.NOT_SCORED

    @property
    def worse(self) -> bool:
        return self.unscored or bool(self.stale) or any(change.worse for change in self.changes)


def compare_results(old: Result, new: Result) -> RunComparison:
    """Hold an older and a newer result against each other."""
    before, now = old.by_id, new.by_id
    in_the_way = _reasons(new) - _reasons(old)
    listed_old, listed_new = {*old.scope, *before}, {*new.scope, *now}
    ids = dict.fromkeys((*new.scope, *now, *old.scope, *before))
    silent = Outcome.NOT_SCORED in (old.outcome, new.outcome)
    shortened = Outcome.PARTIAL in (old.outcome, new.outcome)
    changes: list[Change] = []
    for id in ids:
        was, is_ = before.get(id), now.get(id)
        if id not in listed_old or id not in listed_new:
            kind: Kind = "added" if id in listed_new else "removed"
        elif was is None or is_ is None or _quiet(was, is_, silent=silent, shortened=shortened):
            kind = "unjudged"
        else:
            kind = _kind(was, is_)
        changes.append(
            Change(requirement=id, kind=kind, old=was, new=is_, worse=_worse(kind, is_, in_the_way=id in in_the_way))
        )
    return RunComparison(
        old=old.outcome,
        new=new.outcome,
        changes=tuple(changes),
        facts=tuple(
            FactChange(name=name, old=old.facts.get(name), new=new.facts.get(name))
            for name in _FACTS
            if old.facts.get(name) != new.facts.get(name)
        ),
        stale=tuple(id for id in new.stale_baseline if id not in old.stale_baseline),
    )


def _quiet(was: Judgement, is_: Judgement, *, silent: bool, shortened: bool) -> bool:
    """Whether one of the two runs was never in a position to exercise this."""
    one_side = (was.verdict is Verdict.NOT_EXERCISED) != (is_.verdict is Verdict.NOT_EXERCISED)
    return one_side and (silent or shortened)


def _kind(was: Judgement, is_: Judgement) -> Kind:
    if is_.verdict in _BROKEN and was.verdict not in _BROKEN:
        return "failing"
    if was.verdict in _BROKEN and is_.verdict in _SETTLED:
        return "mended"
    same = was.verdict is is_.verdict and bool(was.baseline) == bool(is_.baseline)
    return "same" if same else "changed"


def _reasons(result: Result) -> set[str]:
    """The requirements that stand in the way of going live."""
    return {reason.partition(":")[0] for reason in result.reasons}


def _worse(kind: Kind, is_: Judgement | None, *, in_the_way: bool) -> bool:
    if kind == "failing":
        return is_ is not None and not is_.baseline
    return kind in ("changed", "added") and in_the_way
