"""An answer against the contract: status, media type, headers, and every field and text of the body."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from payproof.contracts.contract.document import Node, resolved
from payproof.contracts.contract.fields import essence
from payproof.contracts.contract.operations import OperationMatch
from payproof.contracts.contract.problems import MISSING, ContractProblem, at, quoted
from payproof.contracts.entries import BODY_LIMIT, Response, header
from payproof.contracts.model import Json

if TYPE_CHECKING:
    from payproof.contracts.contract import Contract


def answers_to(contract: Contract, match: OperationMatch) -> Node:
    """Status -> the answer that the contract has for it; for other paths and methods the framework's own."""
    if match.operation is not None:
        return cast(Node, match.operation.node["responses"])
    return cast(Node, contract.document.get("x-other-method" if match.methods else "x-other-path", {}))


def problems(contract: Contract, match: OperationMatch, response: Response) -> Iterator[ContractProblem]:
    """Everything in which the answer differs."""
    answers = answers_to(contract, match)
    raw = answers.get(str(response.status))
    if raw is None:
        where: Node = match.operation.node if match.operation else contract.document
        yield at(where, "status", {"one of": [int(status) for status in answers]}, response.status)
        return
    answer = resolved(contract.document, cast(Node, raw))
    yield from _headers(contract, answer, response)
    kinds = cast("dict[str, Node]", answer.get("content", {}))
    kind = essence(header(response.headers, "content-type"))
    if kind not in kinds:
        yield at(answer, "header content-type", {"one of": list(kinds)}, kind or MISSING)
    media = kinds.get(kind) or kinds.get("application/json")
    if media is not None and len(response.body) < BODY_LIMIT:
        yield from _body(contract, media, response, text=kind in kinds and not kind.endswith("json"))


def _headers(contract: Contract, answer: Node, response: Response) -> Iterator[ContractProblem]:
    for name, raw in cast("dict[str, Node]", answer.get("headers", {})).items():
        known = resolved(contract.document, raw)
        place, value = f"header {name.lower()}", header(response.headers, name, MISSING)
        if value == MISSING:
            if known.get("required"):
                yield at(known, place, str(known["description"]), MISSING)
            continue
        typed: Json = int(value) if known["schema"].get("type") == "integer" and value.strip().isdigit() else value
        for problem in contract.check(known["schema"], typed, place):
            yield at(known, place, problem.expected, value)


def _body(contract: Contract, media: Node, response: Response, *, text: bool) -> Iterator[ContractProblem]:
    schema: Node = media["schema"]
    if text:
        yield from contract.check(schema, response.body, "body")
        return
    try:
        found: Any = json.loads(response.body)
    except (ValueError, RecursionError):
        yield at({}, "body", "JSON", quoted(response.body))
        return
    yield from contract.check(schema, found, "body")
