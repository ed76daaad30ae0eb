"""The document's own examples, told to the server one by one; the links between operations, followed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import quote, urlencode

from payproof.contracts.contract import Node, Operation
from payproof.contracts.contract.document import resolved
from payproof.suites.conformance.contract.channel import Channel, ContractExchange

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


def examples_of(channel: Channel, operation: Operation) -> Iterator[Example]:
    """Every named example of an operation's request."""
    document = channel.contract.document
    body: Node = resolved(document, operation.node.get("requestBody") or {})
    for media, content in cast("Mapping[str, Node]", body.get("content", {})).items():
        for name, example in cast("Mapping[str, Node]", content.get("examples", {})).items():
            yield Example(operation, name, str(example.get("x-error", "")), "body", example["value"], media)
    for raw in cast("list[Node]", operation.node.get("parameters", ())):
        parameter = resolved(document, raw)
        for name, example in cast("Mapping[str, Node]", parameter.get("examples", {})).items():
            place, own = str(parameter["in"]), str(parameter["name"])
            yield Example(operation, name, str(example.get("x-error", "")), place, example["value"], parameter=own)


def tell(
    channel: Channel, example: Example, *, token: str = "", merchant: tuple[str, str] | None = None
) -> ContractExchange:
    """Send an example, with an access token where the operation knows one; ``token``: another one than our own. ``merchant``: whose
    credentials, where they travel in a header."""
    operation = example.operation
    headers = [("Accept", JSON)]
    if operation.node.get("security") != []:
        headers.append(("Authorization", f"Bearer {token or channel.token()}"))
    elif basic := channel.where.basic(operation.word, merchant):
        headers.append(("Authorization", basic))
    path, body = f"{channel.where.path}{operation.path}", b""
    if example.place == "path":
        path = path.replace(f"{{{example.parameter}}}", quote(str(example.value), safe=""))
    elif example.place == "query":
        path += "?" + urlencode({example.parameter: example.value})
    else:
        headers.append(("Content-Type", example.media))
        body = (urlencode(example.value) if example.media == FORM else json.dumps(example.value)).encode()
    return channel.send(operation.method, path, headers, body)


def good_example(channel: Channel, word: str) -> Example | None:
    """The first example of an operation that should go well."""
    for operation in channel.contract.operations:
        if operation.word == word:
            return next((example for example in examples_of(channel, operation) if not example.error), None)
    return None


def first(channel: Channel, word: str) -> ContractExchange | None:
    """What the server says to it."""
    good = good_example(channel, word)
    return None if good is None else tell(channel, good)


def credentials(example: Example, channel: Channel, client_id: str, secret_key: str) -> Example:
    """A token call's example as another merchant would make it."""
    ours = {channel.where.client_id: client_id, channel.where.secret_key: secret_key}
    fields = {name: ours.get(value, value) for name, value in example.value.items()}
    return replace(example, name=f"{example.name}, another merchant", value=fields)


def mislabelled(example: Example) -> Example | None:
    """The same JSON without saying that it is JSON: nothing that a server should read."""
    good = example.place == "body" and example.media == JSON and not example.error
    return replace(example, name=f"{example.name} as text/plain", media="text/plain") if good else None


def linked(channel: Channel, operation: Operation, exchange: ContractExchange) -> Iterator[Example]:
    """What an answer's links lead to; a link that hands over a header is followed by the access token that every call
    carries anyhow."""
    status = exchange.response.status if exchange.response else 0
    if not 200 <= status < 300 or str(status) not in operation.node["responses"]:
        return
    answer = resolved(channel.contract.document, operation.node["responses"][str(status)])
    by_id = {each.id: each for each in channel.contract.operations}
    for name, link in cast("Mapping[str, Node]", answer.get("links", {})).items():
        target = by_id[str(link["operationId"])]
        for where, expression in cast("Mapping[str, str]", link.get("parameters", {})).items():
            place, _, parameter = where.partition(".")
            if place != "header":
                yield Example(target, name, "", place, evaluate(expression, exchange), parameter=parameter)
        if "requestBody" in link:
            fields = {key: evaluate(value, exchange) for key, value in cast("Node", link["requestBody"]).items()}
            yield Example(target, name, "", "body", fields, JSON)


def evaluate(expression: str, exchange: ContractExchange) -> Any:
    """``$response.body#/a/b``, alone or in braces within a text."""
    found = exchange.response
    body: Any = json.loads(found.body) if found else {}

    def value(pointer: str) -> Any:
        at: Any = body
        for part in pointer.strip("/").split("/"):
            at = at[part]
        return at

    if match := re.fullmatch(r"\$response\.body#(/\S+)", expression):
        return value(match[1])
    return re.sub(r"\{\$response\.body#(/[^}]+)\}", lambda match: str(value(match[1])), expression)
