"""The document's own examples, as requests; the links between operations, as what follows from an answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import quote, urlencode

from payproof.contracts.contract import Contract, Node, Operation
from payproof.contracts.contract.document import resolved
from payproof.contracts.entries import Response
from payproof.suites.conformance.contract.where import Where

JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Example:
    """A request of the document. ``error``: the profile's error that answers it; empty when it goes well. ``place``: ``body``,
    ``path`` or ``query``."""

    operation: Operation
    name: str
    error: str
    place: str
    value: Any
    media: str = ""
    parameter: str = ""


def examples_of(contract: Contract, operation: Operation) -> Iterator[Example]:
    """Every named example of an operation's request."""
    document = contract.document
    body: Node = resolved(document, operation.node.get("requestBody") or {})
    for media, content in cast("Mapping[str, Node]", body.get("content", {})).items():
        for name, example in cast("Mapping[str, Node]", content.get("examples", {})).items():
            yield Example(operation, name, str(example.get("x-error", "")), "body", example["value"], media)
    for raw in cast("list[Node]", operation.node.get("parameters", ())):
        parameter = resolved(document, raw)
        for name, example in cast("Mapping[str, Node]", parameter.get("examples", {})).items():
            place, own = str(parameter["in"]), str(parameter["name"])
            yield Example(operation, name, str(example.get("x-error", "")), place, example["value"], parameter=own)


@dataclass(frozen=True, slots=True)
class Written:
    """A request. ``target``: path and query, percent-encoded."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def written(example: Example, base_path: str, authorization: str) -> Written:
    """An example as a request, with an ``Authorization`` where that is not empty."""
    operation = example.operation
    headers = [("Accept", JSON)]
    if authorization:
        headers.append(("Authorization", authorization))
    path, body = f"{base_path}{operation.path}", b""
    if example.place == "path":
        path = path.replace(f"{{{example.parameter}}}", quote(str(example.value), safe=""))
    elif example.place == "query":
        path += "?" + urlencode({example.parameter: example.value})
    else:
        headers.append(("Content-Type", example.media))
        body = (urlencode(example.value) if example.media == FORM else json.dumps(example.value)).encode()
    return Written(operation.method, path, tuple(headers), body)


def good_example(contract: Contract, word: str) -> Example | None:
    """The first example of an operation that should go well."""
    for operation in contract.operations:
        if operation.word == word:
            return next((example for example in examples_of(contract, operation) if not example.error), None)
    return None


def credentials(example: Example, where: Where, client_id: str, secret_key: str) -> Example:
    """A token call's example as another merchant would make it."""
    ours = {where.client_id: client_id, where.secret_key: secret_key}
    fields = {name: ours.get(value, value) for name, value in example.value.items()}
    return replace(example, name=f"{example.name}, another merchant", value=fields)


def mislabelled(example: Example) -> Example | None:
    """The same JSON without saying that it is JSON: nothing that a server should read."""
    good = example.place == "body" and example.media == JSON and not example.error
    return replace(example, name=f"{example.name} as text/plain", media="text/plain") if good else None


def linked(contract: Contract, operation: Operation, answer: Response | None) -> Iterator[Example]:
    """What an answer's links lead to; a link that hands over a header is followed by the access token that every call
    carries anyhow."""
    if answer is None or not 200 <= answer.status < 300 or str(answer.status) not in operation.node["responses"]:
        return
    described = resolved(contract.document, operation.node["responses"][str(answer.status)])
    by_id = {each.id: each for each in contract.operations}
    for name, link in cast("Mapping[str, Node]", described.get("links", {})).items():
        target = by_id[str(link["operationId"])]
        for where, expression in cast("Mapping[str, str]", link.get("parameters", {})).items():
            place, _, parameter = where.partition(".")
            if place != "header":
                yield Example(target, name, "", place, evaluate(expression, answer), parameter=parameter)
        if "requestBody" in link:
            fields = {key: evaluate(value, answer) for key, value in cast("Node", link["requestBody"]).items()}
            yield Example(target, name, "", "body", fields, JSON)


def evaluate(expression: str, answer: Response) -> Any:
    """``$response.body#/a/b``, alone or in braces within a text."""
    body: Any = json.loads(answer.body)

    def value(pointer: str) -> Any:
        at: Any = body
        for part in pointer.strip("/").split("/"):
            at = at[part]
        return at

    if match := re.fullmatch(r"\$response\.body#(/\S+)", expression):
        return value(match[1])
    return re.sub(r"\{\$response\.body#(/[^}]+)\}", lambda match: str(value(match[1])), expression)
