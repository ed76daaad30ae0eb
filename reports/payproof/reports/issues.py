"""What is to be mended, and where in a repository it is shown: for formats that annotate files.

The place is the line of the source that the scan found, else the configuration, which says what was tested.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from pathlib import PurePosixPath

from payproof.contracts.entries import SourceSeen
from payproof.contracts.model import Judgement, Outcome, Pointer, Result, Verdict
from payproof.contracts.run import Run
from payproof.reports import cases, facts
from payproof.reports.cases import OUTCOME, State

CONFIGURATION = "payproof.toml"


class Grade(IntEnum):
    """The lowest is the worst."""

    NOT_SCORED = 0
    FAILED = 1
    UNCLEAR = 2
    """It could not be judged."""
    OPEN = 3
    """A must that was not exercised, and keeps the integration from going live."""
    SHOULD = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """``name``: the requirement, or ``verdict``. ``message``: one line. ``path``: below the folder in which payproof was started,
    with slashes. ``line``: from 1. ``in_source``: the line is what is wrong. ``mark``: 64 hexadecimal digits, the same for the same
    failure in each run."""

    name: str
    grade: Grade
    message: str
    path: str
    line: int = 1
    in_source: bool = False
    mark: str
    judgement: Judgement | None = None


def issues(result: Result, run: Run) -> tuple[Issue, ...]:
    """The worst first. What the baseline accepts is not there."""
    graded = [(grade, each) for each in result.judgements if (grade := _grade(each, result)) is not None]
    graded.sort(key=lambda pair: pair[0])
    seen = {Pointer(world.name, entry.n): entry for world in run.worlds for entry in world.of(SourceSeen)}
    found = [issue for grade, each in graded for issue in _issues(each, grade, run, seen)]
    if result.outcome is Outcome.NOT_SCORED:
        path, message = _configuration(run), f"not scored: {facts.sentence(result)}"
        found.insert(
            0, Issue(name=OUTCOME, grade=Grade.NOT_SCORED, message=message, path=path, mark=_mark(OUTCOME, path))
        )
    return tuple(found)


def _grade(judgement: Judgement, result: Result) -> Grade | None:
    known = {State.FAILED: Grade.FAILED, State.ERROR: Grade.UNCLEAR}
    if grade := known.get(cases.state(judgement)):
        return grade
    blocks = any(reason.partition(":")[0] == judgement.requirement for reason in result.reasons)
    if judgement.verdict is Verdict.NOT_EXERCISED and blocks:
        return Grade.OPEN
    return Grade.SHOULD if cases.warned(judgement) else None


def _issues(judgement: Judgement, grade: Grade, run: Run, seen: Mapping[Pointer, SourceSeen]) -> Iterator[Issue]:
    """One for each line of the source that the failure points at, or else one."""
    name, count = judgement.requirement, dict[str, int]()
    for find in _finds(judgement, seen):
        path = str(_folder(run) / facts.line(find.path))
        count[path] = count.get(path, 0) + 1
        yield Issue(
            name=name,
            grade=grade,
            message=facts.line(find.what),
            path=path,
            line=max(find.line, 1),
            in_source=True,
            # Lines move; the first find of a file stays the first.
            mark=_mark(name, path, str(count[path])),
            judgement=judgement,
        )
    if not count:
        path, message = _configuration(run), facts.why(judgement)
        if judgement.verdict is Verdict.NOT_EXERCISED:
            message = f"{facts.WORDS[judgement.verdict]}: {message}"
        yield Issue(name=name, grade=grade, message=message, path=path, mark=_mark(name, path), judgement=judgement)


def _finds(judgement: Judgement, seen: Mapping[Pointer, SourceSeen]) -> Iterator[SourceSeen]:
    """What the scan of the source found. A file outside the configuration's folder has no name that a repository knows."""
    for finding in judgement.findings:
        for pointer in finding.evidence if finding.verdict is not Verdict.PASS else ():
            if (found := seen.get(pointer)) and found.what and _below(found.path):
                yield found


def _configuration(run: Run) -> str:
    return str(_folder(run) / CONFIGURATION)


def _folder(run: Run) -> PurePosixPath:
    folder = facts.line(str(run.facts.get("folder") or "."))
    return PurePosixPath(folder if _below(folder) else ".")


def _below(path: str) -> bool:
    """Whether a path stays below where it begins; a file from elsewhere may hold any."""
    parts = PurePosixPath(path)
    return not parts.is_absolute() and ".." not in parts.parts


def _mark(*parts: str) -> str:
    return sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()
