"""The registry of requirements: one decorated function each, in ``checks/GROUP.py``.

The function is the check; its docstring is the requirement: the first paragraph is the sentence that must hold, then
``Why:``, ``Judged:`` and ``Fix:`` paragraphs for `payproof explain`.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, wraps
from typing import TypeAlias

from payproof.contracts.entries import Entry
from payproof.contracts.former_ids import former
from payproof.contracts.judging.probe_runs import ProbeRun, looks, obstacle
from payproof.contracts.model import Finding, Json, Level, PayproofError, Pointer, Verdict
from payproof.contracts.profile import Profile, module, package_of
from payproof.contracts.run import RecordedWorld, Run, Settings

Check: TypeAlias = "Callable[[Case], Iterable[Finding]]"

CAUSES = ("flow.success", "token.renewed", "flow.recovers", "verify.status-checked")
"""What keeps most probe runs from getting anywhere, the likeliest first: a shop that does not sell, or does not any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    id: str
    level: Level
    text: str
    why: str
    judged: str
    fix: str
    check: Check
    needs: str
    """Trait of the profile without which this does not apply; empty: applies everywhere."""
    before_control: bool
    """Judged even when control ends in "not scored": one clean payment shows it."""

    @property
    def group(self) -> str:
        return self.id.split(".")[0]

    @property
    def formerly(self) -> tuple[str, ...]:
        """Its ids in earlier versions."""
        return former(self.id)


_FOUND: dict[str, Requirement] = {}


def must(id: str, *, needs: str = "", before_control: bool = False) -> Callable[[Check], Check]:
    """Register the check of a requirement whose failure fails the run. ``needs``, ``before_control``: see ``Requirement``."""
    return _register(id, Level.MUST, needs, before_control)


def should(id: str, *, needs: str = "", before_control: bool = False) -> Callable[[Check], Check]:
    """Register the check of a requirement whose failure warns. ``needs``, ``before_control``: see ``Requirement``."""
    return _register(id, Level.SHOULD, needs, before_control)


def only_where(declared: Callable[[Settings], bool], undeclared: Callable[[Case], Finding]) -> Callable[[Check], Check]:
    """For a check that judges only what is declared, and says ``undeclared`` where it is not."""

    def narrowed(check: Check) -> Check:
        @wraps(check)
        def judged(case: Case) -> Iterable[Finding]:
            return check(case) if declared(case.run.settings) else (undeclared(case),)

        return judged

    return narrowed


def _register(id: str, level: Level, needs: str, before_control: bool) -> Callable[[Check], Check]:
    def keep(check: Check) -> Check:
        if id in _FOUND:
            raise RuntimeError(f"two checks are named {id}")
        text, parts = _sections(inspect.getdoc(check) or "")
        _FOUND[id] = Requirement(
            id=id,
            level=level,
            text=text,
            check=check,
            needs=needs,
            before_control=before_control,
            why=parts.get("Why", ""),
            judged=parts.get("Judged", ""),
            fix=parts.get("Fix", ""),
        )
        return check

    return keep


def _sections(doc: str) -> tuple[str, dict[str, str]]:
    paragraphs = [" ".join(paragraph.split()) for paragraph in doc.split("\n\n")]
    parts = {m[1]: m[2] for paragraph in paragraphs if (m := re.match(r"(Why|Judged|Fix): (.*)", paragraph))}
    return paragraphs[0], parts


@cache
def requirements() -> Mapping[str, Requirement]:
    """All requirements of the core, by id."""
    import payproof.contracts.checks as folder

    for each in pkgutil.iter_modules(folder.__path__):
        importlib.import_module(f"{folder.__name__}.{each.name}")
    return _written_in(folder.__name__)


@cache
def _brought_by(gateway: str) -> Mapping[str, Requirement]:
    """What a gateway asks for that no other has: in the module or folder ``checks`` beside its profile."""
    place = f"{package_of(gateway)}.checks"
    return _written_in(place) if module(place) else {}


def _written_in(place: str) -> dict[str, Requirement]:
    return {id: each for id, each in _FOUND.items() if f"{each.check.__module__}.".startswith(f"{place}.")}


def known_as(id: str) -> Requirement | None:
    """The requirement of that id, the core's or a gateway's own; None for one of another version."""
    return requirements().get(id) or _FOUND.get(id)


def requirements_of(profile: Profile) -> Mapping[str, Requirement]:
    """Those of the gateway's checklist, in its order, each with its level there.

    Raises:
        PayproofError: the checklist names one that does not exist.
    """
    known, checklist = {**requirements(), **_brought_by(profile.name)}, profile.checklist
    named = (*checklist.all_requirements(), *checklist.levels)
    if unknown := [id for id in named if id not in known]:
        raise PayproofError(
            f"the checklist of {profile.title} names {unknown[0]}, and there is no such requirement",
            place=f'gateway "{profile.name}"',
            remedy="payproof list checks names those that there are",
        )
    levels = checklist.levels
    return {id: replace(known[id], level=levels.get(id, known[id].level)) for id in checklist.all_requirements()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a check is handed: the run, the gateway's profile, and words for what it finds."""

    run: Run
    profile: Profile
    requirement: Requirement

    def failed(
        self,
        title: str,
        *,
        expected: Json,
        actual: Json,
        world: RecordedWorld | None = None,
        seen: Iterable[Entry | None] = (),
        unless: str | tuple[str, ...] = (),
        warns: bool = False,
    ) -> Finding:
        """The requirement is broken: fails for a must, warns for a should. ``unless`` names requirements whose failure in
        this run would be the true cause; then nothing is held against this one. ``warns``: it is not that bad, and warns for a must."""
        verdict = Verdict.FAIL if self.requirement.level is Level.MUST and not warns else Verdict.WARN
        return self._say(verdict, title, world, seen, expected=expected, actual=actual, causes=unless)

    def passed(
        self,
        title: str,
        *,
        expected: Json = None,
        actual: Json = None,
        world: RecordedWorld | None = None,
        seen: Iterable[Entry | None] = (),
    ) -> Finding:
        return self._say(Verdict.PASS, title, world, seen, expected=expected, actual=actual)

    def not_exercised(
        self,
        reason: str,
        *,
        because: str | tuple[str, ...] = (),
        world: RecordedWorld | None = None,
        seen: Iterable[Entry | None] = (),
        unsettled: bool = False,
        declare: str = "",
    ) -> Finding:
        """The situation did not arise. ``because`` names requirements whose failure may be the cause, the likeliest first:
        the judge keeps the first that failed in this run. ``unsettled``, ``declare``: see
        ``Finding``."""
        return self._say(
            Verdict.NOT_EXERCISED, reason, world, seen, causes=because, unsettled=unsettled, declare=declare
        )

    def stuck(self, probe_run: ProbeRun, what: str = "", *, because: str | tuple[str, ...] = CAUSES) -> Finding:
        """A probe run that never came to what this requirement judges: why not, with the entries that show it. ``what``: which
        of its probe runs, where there are several."""
        why, seen = obstacle(probe_run)
        reason = f"{what}: {why}" if what else why
        return self.not_exercised(reason, because=because, world=probe_run.world, seen=seen)

    def unread(self, world: RecordedWorld, order: str, *seen: Entry | None, what: str = "state") -> Finding:
        """What the merchant believes of the order could not be read; with the last look at it."""
        found = [*seen, *looks(world, order)[-1:]]
        return self.not_exercised(f"the {what} of order {order} could not be read", world=world, seen=found)

    def uncounted(self) -> Finding:
        """Nobody can tell how often an order was fulfilled."""
        return self.not_applicable(
            "no counter of fulfilments is declared: set order.effects to judge this", declare="order.effects"
        )

    def not_applicable(self, reason: str, *, declare: str = "") -> Finding:
        """There is no such thing here. ``declare``: the setting without which nobody can tell; a must is then a caveat."""
        return self._say(Verdict.NOT_APPLICABLE, reason, None, (), declare=declare)

    def _say(
        self,
        verdict: Verdict,
        title: str,
        world: RecordedWorld | None,
        seen: Iterable[Entry | None],
        *,
        expected: Json = None,
        actual: Json = None,
        causes: str | tuple[str, ...] = (),
        unsettled: bool = False,
        declare: str = "",
    ) -> Finding:
        evidence: tuple[Pointer, ...] = world.point(*seen) if world else ()
        return Finding(
            check=self.requirement.id,
            verdict=verdict,
            title=title,
            expected=expected,
            actual=actual,
            evidence=tuple(dict.fromkeys(evidence)),
            causes=tuple(cause for cause in ((causes,) if isinstance(causes, str) else causes) if cause),
            unsettled=unsettled,
            declare=declare,
        )
