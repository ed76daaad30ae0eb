"""An answer against the contract: status, media type, headers, and every field and text of the body."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from payproof.contracts.comparing.fields import media_type
from payproof.contracts.contract.api import ApiContract
from payproof.contracts.contract.document import Node, resolved
from payproof.contracts.contract.operations import OperationMatch
from payproof.contracts.contract.problems import MISSING, ContractProblem, at, quoted
from payproof.contracts.entries import BODY_LIMIT, Response, header
from payproof.contracts.model import Json


def answers_to(api: ApiContract, match: OperationMatch) -> Node:
    """Status -> the answer that the contract has for it; for other paths and methods the framework's own."""
    if match.operation is not None:
        return cast(Node, match.operation.node["responses"])
    return cast(Node, api.document.get("x-other-method" if match.methods else "x-other-path", {}))


def problems(api: ApiContract, match: OperationMatch, response: Response) -> Iterator[ContractProblem]:
    """Everything in which the answer differs."""
    answers = answers_to(api, match)
    raw = answers.get(str(response.status))
    if raw is None:
        where: Node = match.operation.node if match.operation else api.document
        yield at(where, "status", {"one of": [int(status) for status in answers]}, response.status)
        return
    answer = resolved(api.document, cast(Node, raw))
    yield from _headers(api, answer, response)
    kinds = cast("dict[str, Node]", answer.get("content", {}))
    kind = media_type(response.headers)
    if kind not in kinds:
        yield at(answer, "header content-type", {"one of": list(kinds)}, kind or MISSING)
    media = kinds.get(kind) or kinds.get("application/json")
    if media is not None and len(response.body) < BODY_LIMIT:
        yield from _body(api, media, response, text=kind in kinds and not kind.endswith("json"))


def _headers(api: ApiContract, answer: Node, response: Response) -> Iterator[ContractProblem]:
    for name, raw in cast("dict[str, Node]", answer.get("headers", {})).items():
        known = resolved(api.document, raw)
        place, value = f"header {name.lower()}", header(response.headers, name, MISSING)
        if value == MISSING:
            if known.get("required"):
                yield at(known, place, str(known["description"]), MISSING)
            continue
        typed: Json = int(value) if known["schema"].get("type") == "integer" and value.strip().isdigit() else value
        for problem in api.check(known["schema"], typed, place):
            yield at(known, place, problem.expected, value)


def _body(api: ApiContract, media: Node, response: Response, *, text: bool) -> Iterator[ContractProblem]:
    schema: Node = media["schema"]
    if text:
        yield from api.check(schema, response.body, "body")
        return
    try:
        found: Any = json.loads(response.body)
    except (ValueError, RecursionError):
        yield at({}, "body", "JSON", quoted(response.body))
        return
    yield from api.check(schema, found, "body")
