"""Every endpoint can be tried by hand."""

from __future__ import annotations

from collections.abc import Iterator

from payproof.contracts.entries import Call
from payproof.contracts.judging.requirements import Case, should
from payproof.contracts.model import Finding, Json
from payproof.contracts.results.export import exportable


@should("manual.exported")
def exported(case: Case) -> Iterator[Finding]:
    """Every operation that the integration uses can be tried by hand, with the requests that come with the report.

    Why: when something fails in production, somebody must be able to ask the gateway by hand.

    Judged: the export (cURL, .http, Postman collection) holds a request for every operation that the integration used. A
    call to a path that the profile does not have cannot be exported.

    Fix: use the gateway's documented paths.
    """
    calls = [(world, call) for world in case.run.worlds for call in world.of(Call)]
    used = {call.event.operation for _, call in calls if call.event.operation}
    strange = [(world, call) for world, call in calls if not call.event.operation]
    covered = set(exportable(case.run))
    wanted: list[Json] = [*sorted(used)]
    held: list[Json] = [*sorted(covered)]
    if strange:
        world, call = strange[0]
        yield case.failed(
            f"{len(strange)} call(s) to a path that the gateway does not have",
            expected={"operations": wanted},
            actual={"path": f"{call.request.method} {call.request.url.split('?')[0]}"},
            world=world,
            seen=[call],
        )
    elif used - covered:
        yield case.failed(
            "some operations could not be exported: none of their calls succeeded",
            expected={"operations": wanted},
            actual={"operations": held},
        )
    elif used:
        yield case.passed(
            f"the export holds {', '.join(sorted(covered))}",
            expected={"operations": wanted},
            actual={"operations": held},
        )
