"""The document's own examples, as requests; the links between operations, as what follows from an answer.

The one catalogue of what can be asked of an operation by one request: the contract suite asks for what the document has an answer to,
drift for that and for what it leaves open.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote, urlencode

from payproof.contracts.comparing import fields
from payproof.contracts.comparing.catalogue import CaseRequest
from payproof.contracts.contract.api import ApiContract
from payproof.contracts.contract.document import Node, resolved
from payproof.contracts.contract.operations import DocumentedOperation
from payproof.contracts.entries import Response
from payproof.contracts.model import Json

JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """``error``: the profile's error that answers it; empty when it goes well. ``is_varied``: it names its difference from the first one.
    ``decides``: knob -> answer -> the knob's value."""

    operation: DocumentedOperation
    name: str
    text: str = ""
    request: CaseRequest
    error: str = ""
    is_varied: bool = False
    decides: Mapping[str, Mapping[str, Json]] = field(default_factory=dict[str, Mapping[str, Json]])


def examples_of(api: ApiContract, operation: DocumentedOperation) -> Iterator[Example]:
    """Every named example of an operation's request. A body alone is none where the address needs a value of an earlier answer: a
    link leads there."""
    body: Node = {} if "{" in operation.path else resolved(api.document, operation.node.get("requestBody") or {})
    for media, content in cast("Mapping[str, Node]", body.get("content", {})).items():
        for name, example in cast("Mapping[str, Node]", content.get("examples", {})).items():
            yield _example(operation, name, example, _with_body(operation, media, example["value"]))
    for raw in cast("list[Node]", operation.node.get("parameters", ())):
        parameter = resolved(api.document, raw)
        for name, example in cast("Mapping[str, Node]", parameter.get("examples", {})).items():
            request = _with_parameter(operation, str(parameter["in"]), str(parameter["name"]), example["value"])
            yield _example(operation, name, example, request)


def named(api: ApiContract, word: str) -> Iterator[Example]:
    """The examples of all operations that payproof calls so."""
    for operation in api.operations:
        if operation.word == word:
            yield from examples_of(api, operation)


def good_example(api: ApiContract, word: str) -> Example | None:
    """The first example of an operation that should go well."""
    return next((each for each in named(api, word) if not each.error), None)


def _example(operation: DocumentedOperation, name: str, node: Node, request: CaseRequest) -> Example:
    return Example(
        operation=operation, name=name, text=str(node.get("summary", "")), request=request,
        error=str(node.get("x-error", "")), is_varied=not node.keys().isdisjoint(("x-but", "x-without")), decides=node.get("x-decides", {}),
    )  # fmt: skip


def _with_body(operation: DocumentedOperation, media: str, value: Mapping[str, Any]) -> CaseRequest:
    sent = {name: _worded(each) for name, each in value.items()}
    return _request(operation, operation.path, **{"form" if media == FORM else "json": sent})


def _worded(value: Any) -> Any:
    """``<client-id.unknown>`` as a request refers to it: ``{client_id.unknown}``."""
    match = re.fullmatch(r"<([a-z-]+)(\.[a-z]+)?>", value) if isinstance(value, str) else None
    return f"{{{match[1].replace('-', '_')}{match[2] or ''}}}" if match else value


def _with_parameter(operation: DocumentedOperation, place: str, name: str, value: object) -> CaseRequest:
    query = "?" + urlencode({name: value}) if place == "query" else ""
    return _request(operation, operation.path.replace(f"{{{name}}}", quote(str(value), safe="")) + query)


def _request(operation: DocumentedOperation, path: str, **body: Any) -> CaseRequest:
    headers = {"Accept": JSON}
    return CaseRequest(label="", operation=operation.word, method=operation.method, path=path, headers=headers, **body)


def linked(api: ApiContract, operation: DocumentedOperation, answer: Response | None) -> Iterator[Example]:
    """What an answer's links lead to; a link that hands over a header is followed by the access token that every call
    carries anyhow."""
    if answer is None or not 200 <= answer.status < 300 or str(answer.status) not in operation.node["responses"]:
        return
    described = resolved(api.document, operation.node["responses"][str(answer.status)])
    by_id = {each.id: each for each in api.operations}
    for name, link in cast("Mapping[str, Node]", described.get("links", {})).items():
        target = by_id[str(link["operationId"])]
        for where, expression in cast("Mapping[str, str]", link.get("parameters", {})).items():
            place, _, parameter = where.partition(".")
            if place != "header":
                value = evaluate(expression, answer)
                request = _with_parameter(target, place, parameter, value)
                yield Example(operation=target, name=name, request=request)
        if "requestBody" in link:
            sent = {key: evaluate(value, answer) for key, value in cast("Node", link["requestBody"]).items()}
            yield Example(operation=target, name=name, request=_with_body(target, JSON, sent))


def led_to(api: ApiContract, without: Collection[str] = ()) -> set[str]:
    """Ids of the operations that some answer's link leads to; ``without``: ids of operations whose answers do not count."""
    asked = (each for each in api.operations if each.id not in without)
    answers = [resolved(api.document, answer) for each in asked for answer in each.node["responses"].values()]
    return {str(link["operationId"]) for answer in answers for link in answer.get("links", {}).values()}


def evaluate(expression: str, answer: Response) -> Json:
    """``$response.body#/a/b``, alone or in braces within a text."""
    found = fields.of_body(answer.body, answer.headers) or {}

    def value(pointer: str) -> Json:
        return found[pointer.strip("/").replace("/", ".")]

    if match := re.fullmatch(r"\$response\.body#(/\S+)", expression):
        return value(match[1])
    return re.sub(r"\{\$response\.body#(/[^}]+)\}", lambda match: str(value(match[1])), expression)
