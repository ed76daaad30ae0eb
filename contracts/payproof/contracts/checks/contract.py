"""What an integration sends, held against the gateway's contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from payproof.contracts.contract import Contract, ContractProblem, contract_of
from payproof.contracts.entries import Call
from payproof.contracts.judging.requirements import Case, should
from payproof.contracts.model import Finding, Json, PayproofError
from payproof.contracts.run import RecordedWorld

_MOST = 12
"""Findings that one run is given; a client that gets every field wrong is given one for each field."""


@dataclass(slots=True)
class _Wrong:
    """One problem and the calls that have it."""

    problem: ContractProblem
    word: str
    world: RecordedWorld
    calls: list[Call] = field(default_factory=list[Call])
    """Those of ``world``."""
    count: int = 0
    """In all worlds."""


@should("contract.request", before_control=True)
def request(case: Case) -> Iterator[Finding]:
    """Every call to the gateway is as the gateway's contract says: method, path, headers, and each field.

    Why: servers of one family differ in what they take besides. What one forgives (a third decimal, a lower-case currency,
    a number for a text) the next one refuses, on the day of an update, with a customer waiting.

    Judged: on every call of every world against the profile's OpenAPI document; what the contract leaves open is no fault:
    form or JSON, further fields, a slash at the end of a path, a missing Accept header, empty optional fields. Values that
    stand for a secret are not measured. A call to an address that the contract does not have is reported only when it is
    nearly one that it has.

    Fix: send the field as the finding says, where it says; `expected` is the contract's own rule with its source.
    """
    try:
        contract = contract_of(case.profile)
    except PayproofError:
        yield case.not_applicable("this gateway has no contract here")
        return
    judged = [(world, call) for world in case.run.worlds for call in world.of(Call)]
    wrong, seen = _sorted(contract, judged)
    for found in sorted(wrong.values(), key=lambda found: -found.count)[:_MOST]:
        yield _finding(case, found, seen)
    if wrong or not seen:
        return
    elsewhere = sorted({_where(call) for _, call in judged if not contract.match(call.request).word})
    actual: dict[str, Json] = {"calls": dict(seen)}
    if elsewhere:
        actual["calls to addresses outside the contract"] = [*elsewhere]
    world, first = next((world, call) for world, call in judged if contract.match(call.request).operation)
    yield case.passed(f"{sum(seen.values())} calls are as the contract says", actual=actual, world=world, seen=[first])


def _sorted(
    contract: Contract, judged: list[tuple[RecordedWorld, Call]]
) -> tuple[dict[tuple[str, str, str], _Wrong], dict[str, int]]:
    """Problems by operation, place and expectation; and how many calls of each operation were looked at."""
    wrong: dict[tuple[str, str, str], _Wrong] = {}
    seen: dict[str, int] = {}
    for world, call in judged:
        match = contract.match(call.request)
        if not match.word or _unfinished(call):
            continue
        seen[match.word] = seen.get(match.word, 0) + 1
        for problem in contract.request_problems(call.request):
            key = (match.word, problem.place, json.dumps(problem.expected, sort_keys=True))
            found = wrong.setdefault(key, _Wrong(problem, match.word, world))
            found.count += 1
            if world is found.world:
                found.calls.append(call)
    return wrong, seen


def _unfinished(call: Call) -> bool:
    """The client hung up: nobody knows whether its request had come to its end."""
    return call.ending != "answered" and call.response is None


def _finding(case: Case, found: _Wrong, seen: dict[str, int]) -> Finding:
    problem = found.problem
    shown = _shown(problem.actual)
    known = f"{problem.weight}: {problem.source}" if problem.source else ""
    expected: dict[str, Json] = {problem.place: problem.expected}
    return case.failed(
        f"{found.count} of {seen[found.word]} {found.word} calls: {problem.place} is {shown}",
        expected=expected | ({"known from": known} if known else {}),
        actual={problem.place: problem.actual},
        world=found.world,
        seen=found.calls[:3],
    )


def _shown(value: Json) -> str:
    """A text stands as it is, but in quotes where it would read like a number, or another value that is no text."""
    try:
        if isinstance(value, str):
            json.loads(value)
        return json.dumps(value)
    except (ValueError, RecursionError):
        return str(value)


def _where(call: Call) -> str:
    return f"{call.request.method} {call.request.url.partition('?')[0].partition('://')[2].partition('/')[2]}"
