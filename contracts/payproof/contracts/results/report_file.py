"""report.json, read back: the result as it was written, without the journal's entries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as validated

from payproof.contracts import bounded, files
from payproof.contracts.former_ids import current
from payproof.contracts.model import (
    Attestation,
    Finding,
    ItemResult,
    Json,
    Judgement,
    Level,
    Outcome,
    PayproofError,
    Pointer,
    Result,
    Verdict,
)

LARGEST = 256 << 20
"""Bytes of a report beyond which it is not read."""
_REMEDY = "give the report.json that `payproof run` wrote into its report folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report.json: what it says, and which payproof wrote it."""

    result: Result
    version: str


def _pointer(value: Any) -> Pointer:
    world, mark, number = str(value).rpartition("#")
    if not (mark and number.isascii() and number.isdecimal()):
        raise ValueError("it is no pointer, like main#13")
    return Pointer(world, int(number))


def _date(value: str) -> str:
    if value:
        date.fromisoformat(value)
    return value


def _dated(value: Attestation | None) -> Attestation | None:
    if value is not None:
        date.fromisoformat(value.until)
    return value


@validated(frozen=True, kw_only=True, config=ConfigDict(extra="ignore"))
class _Finding:
    check: str
    verdict: Verdict
    title: str
    expected: Json = None
    actual: Json = None
    evidence: tuple[Annotated[Pointer, BeforeValidator(_pointer)], ...] = ()
    because: str = ""
    declare: str = ""


@validated(frozen=True, kw_only=True, config=ConfigDict(extra="ignore"))
class _Judgement:
    requirement: str
    level: Level
    text: str
    verdict: Verdict
    findings: tuple[_Finding, ...]
    contradiction: str = ""
    attestation: Annotated[Attestation | None, AfterValidator(_dated)] = None
    baseline: str = ""
    accepted_until: Annotated[str, AfterValidator(_date)] = ""


@validated(frozen=True, kw_only=True, config=ConfigDict(extra="ignore"))
class _Report:
    payproof: Literal["report"]
    format: Literal[1]
    version: str
    outcome: Outcome
    reasons: tuple[str, ...]
    diagnosis: tuple[str, ...]
    golive: tuple[ItemResult, ...]
    guidelines: tuple[ItemResult, ...]
    requirements: tuple[_Judgement, ...]
    scope: tuple[str, ...]
    stale_baseline: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    expiring: tuple[str, ...] = ()
    facts: dict[str, Json] = field(default_factory=dict[str, Json])


_REPORT: TypeAdapter[_Report] = TypeAdapter(_Report)


def load(text: str, *, place: str = "the report") -> Report:
    """Read what the JSON report holds.

    Raises:
        PayproofError: it is no report, or not such as payproof writes.
    """
    try:
        raw = _REPORT.validate_python(bounded.parse(text))
        names = [current(each.requirement) for each in raw.requirements]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"requirements that stand twice: {', '.join(sorted(twice))[:200]}")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part)[:40] for part in first["loc"])
        raise _none(f"{where}: {first['msg'][:200]}" if where else first["msg"][:200], place) from None
    except ValueError as error:
        raise _none(str(error)[:200], place) from None
    return Report(result=_result(raw), version=raw.version)


def read(path: Path) -> Report:
    """``load`` from a file."""
    return load(files.read(path, says="cannot read the report", largest=LARGEST, remedy=_REMEDY), place=str(path))


def _none(why: str, place: str) -> PayproofError:
    return PayproofError(f"not a payproof report: {why}", place=place, remedy=_REMEDY)


def _result(raw: _Report) -> Result:
    return Result(
        outcome=raw.outcome,
        reasons=raw.reasons,
        diagnosis=raw.diagnosis,
        golive=raw.golive,
        guidelines=raw.guidelines,
        judgements=tuple(map(_judgement, raw.requirements)),
        scope=tuple(map(current, raw.scope)),
        stale_baseline=tuple(map(current, raw.stale_baseline)),
        caveats=raw.caveats,
        expiring=raw.expiring,
        facts=raw.facts,
    )


def _judgement(raw: _Judgement) -> Judgement:
    return Judgement(
        requirement=current(raw.requirement),
        level=raw.level,
        text=raw.text,
        verdict=raw.verdict,
        findings=tuple(
            Finding(
                check=found.check,
                verdict=found.verdict,
                title=found.title,
                expected=found.expected,
                actual=found.actual,
                evidence=found.evidence,
                because=found.because,
                declare=found.declare,
            )
            for found in raw.findings
        ),
        contradiction=raw.contradiction,
        attestation=raw.attestation,
        baseline=raw.baseline,
        accepted_until=raw.accepted_until,
    )
