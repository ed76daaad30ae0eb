"""Small results, as the judge would make them, for tests of what is decided on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payproof.contracts.model import Attestation, Finding, Judgement, Level, Outcome, Result, Verdict


def a_judgement(id: str, verdict: str, **fields: Any) -> Judgement:
    """``level``, ``title``, ``because``, ``declare``, and what else a judgement has."""
    told = Verdict(verdict)
    finding = Finding(
        check=id,
        verdict=told,
        title=fields.pop("title", f"{id} {verdict}"),
        because=fields.pop("because", ""),
        declare=fields.pop("declare", ""),
    )
    level = Level(fields.pop("level", "must"))
    return Judgement(requirement=id, level=level, text=f"{id}.", verdict=told, findings=(finding,), **fields)


def an_attestation(item: str, until: str, by: str = "Ada") -> Attestation:
    return Attestation(item=item, by=by, on="2026-11-01", until=until)


def a_result(*judgements: Judgement, **fields: Any) -> Result:
    """Its outcome and reasons follow from the judgements where they are not given."""
    blocking = [
        f"{found.requirement}: {found.findings[0].title}"
        for found in judgements
        if found.level is Level.MUST
        and not found.baseline
        and found.verdict in (Verdict.FAIL, Verdict.ERROR, Verdict.NOT_EXERCISED)
    ]
    known: Mapping[str, Any] = {
        "outcome": Outcome.NOT_READY if blocking else Outcome.READY,
        "reasons": tuple(blocking),
        "diagnosis": (),
        "golive": (),
        "guidelines": (),
        "scope": tuple(found.requirement for found in judgements),
        **fields,
    }
    return Result(judgements=judgements, **known)
