"""Small results, as the judge would make them, for tests of what is decided on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from an_event import an_event

from payproof.contracts import entries as e
from payproof.contracts.journal import Journal
from payproof.contracts.model import Attestation, Finding, Judgement, Level, Outcome, Result, Verdict
from payproof.contracts.run import RecordedWorld, Run


def a_run(*, return_url: str = "https://shop.example/return", **facts: Any) -> Run:
    """One paid order, with what a run says of itself; it is not ready, as nothing was provoked."""
    journal = Journal(clock=lambda: 1.0)
    journal.add(e.ProbeMark(event="begin", probe="control", params={"round": 1}))
    journal.add(
        e.Call(
            began=0.1,
            ended=0.2,
            ending="answered",
            request=e.Request(method="POST", url="https://x/pay/sandbox/api/v1/payment/create", body="{}"),
            response=e.Response(status=200, body="{}", size=2),
            event=an_event(
                operation="create",
                ok=True,
                payment="p",
                amount="5.00",
                currency="XAF",
                reference="1",
                return_url=return_url,
            ),
        )
    )
    journal.add(e.Checkout(order="1", amount="5.00", currency="XAF", outcome="redirected", payment="p"))
    journal.add(e.OrderSeen(order="1", state="paid", paid=True, effects=1))
    journal.add(e.ProbeMark(event="end", probe="control"))
    known: dict[str, Any] = {
        "name": "shop",
        "gateway": "quatapay",
        "target": "simulator",
        "seed": 3,
        "started": "2026-11-28T10:00:00Z",
    }
    world = RecordedWorld(name="main", entries=tuple(journal.entries))
    return Run(gateway="quatapay", worlds=(world,), facts={**known, "journal": "sha256:0f5c3a", **facts})


def a_judgement(id: str, verdict: str, **fields: Any) -> Judgement:
    """``level``, ``title``, ``because``, ``declare``, and what else a judgement has."""
    given = Verdict(verdict)
    finding = Finding(
        check=id,
        verdict=given,
        title=fields.pop("title", f"{id} {verdict}"),
        because=fields.pop("because", ""),
        declare=fields.pop("declare", ""),
    )
    level = Level(fields.pop("level", "must"))
    return Judgement(requirement=id, level=level, text=f"{id}.", verdict=given, findings=(finding,), **fields)


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
