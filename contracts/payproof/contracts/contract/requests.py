"""A request against the contract: what should be otherwise, and what a server has to refuse."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from payproof.contracts.comparing.fields import media_type
from payproof.contracts.contract.api import ApiContract
from payproof.contracts.contract.document import Node, resolved
from payproof.contracts.contract.fields import Sent, sent, typed
from payproof.contracts.contract.operations import DocumentedOperation, OperationMatch
from payproof.contracts.contract.problems import MISSING, ContractProblem, at, quoted
from payproof.contracts.entries import Request, header

_SCHEMES = {"bearer": "Bearer and the access token", "basic": "Basic and the credentials"}
"""How a call may say who makes it, by the schemes that the document names."""


def problems(api: ApiContract, match: OperationMatch, request: Request) -> Iterator[ContractProblem]:
    """Everything that the integration should send otherwise; nothing for an address that is none of the gateway's."""
    operation = match.operation
    if operation is None:
        yield from _elsewhere(api, match, request)
        return
    fields = fields_of(api, operation, request)
    yield from _bearer(api, operation, request, fields)
    yield from _parameters(api, operation, match, request, fields)
    if (body := _body_of(api, operation)) is None:
        return
    kinds = list(body["content"])
    if fields.how == "foreign" or (fields.how == "read" and request.body and not _listed(request, kinds)):
        actual = header(request.headers, "content-type") or MISSING
        yield at(body, "header content-type", {"one of": kinds}, actual)
    elif fields.how == "broken":
        kind = media_type(request.headers)
        yield at(body, "body", f"an object, as {kind}", quoted(request.body))
    elif fields.how == "read":
        yield from _fields(api, body, fields)


def _listed(request: Request, kinds: list[str]) -> bool:
    """Whether the gateway reads a body of this content type."""
    kind = media_type(request.headers)
    return kind in kinds or (kind.endswith("+json") and "application/json" in kinds)


def refused(api: ApiContract, match: OperationMatch, request: Request) -> tuple[ContractProblem, ...]:
    """Why a server must refuse this request's fields. Between what should be sent and what must be refused lies what
    servers take all the same (``x-accepted``)."""
    api = api.taking
    operation = next((each for each in api.operations if match.operation and each.id == match.operation.id), None)
    body = None if operation is None else _body_of(api, operation)
    if operation is None or body is None:
        return ()
    fields = fields_of(api, operation, request)
    if fields.how == "cut":
        return ()
    return tuple(_fields(api, body, fields))


def fields_of(api: ApiContract, operation: DocumentedOperation, request: Request) -> Sent:
    """The request's fields as the gateway reads them."""
    wire: Node = api.document.get("x-wire", {})
    return sent(
        request,
        tidy=bool(wire.get("texts", {}).get("empty-is-null")),
        with_body="requestBody" in operation.node,
        with_query=operation.method == "GET" or bool(wire.get("query", {}).get("merged-into-fields")),
    )


def names_something(api: ApiContract, match: OperationMatch, request: Request) -> bool:
    """Whether a field of the request names something that the gateway keeps (``x-id``), which nobody can make up."""
    body = None if match.operation is None else _body_of(api, match.operation)
    if match.operation is None or body is None:
        return False
    sent_ = fields_of(api, match.operation, request).fields
    properties = cast("dict[str, Node]", resolved(api.document, _schema(body)).get("properties", {}))
    return any(name in sent_ and resolved(api.document, each).get("x-id") for name, each in properties.items())


def _elsewhere(api: ApiContract, match: OperationMatch, request: Request) -> Iterator[ContractProblem]:
    if match.methods and request.method.upper() != "OPTIONS":
        yield at(api.document, "method", {"one of": list(match.methods)}, request.method)
    elif match.near:
        yield at(api.document, "path", f"{api.bases[0]}{match.near}", match.rest)


def needs_bearer(api: ApiContract, operation: DocumentedOperation) -> bool:
    """Whether the operation has to come with an access token; false where it may."""
    options = _security(api, operation)
    return bool(options) and all(options)


def _security(api: ApiContract, operation: DocumentedOperation) -> list[Node]:
    """Ways in which the operation may be told who makes the call; one that is empty: by nothing."""
    return cast("list[Node]", operation.node.get("security", api.document.get("security", [])))


def _bearer(
    api: ApiContract, operation: DocumentedOperation, request: Request, fields: Sent
) -> Iterator[ContractProblem]:
    given = header(request.headers, "authorization")
    named = {name for option in _security(api, operation) for name in option}
    schemes = cast("dict[str, Node]", api.document["components"].get("securitySchemes", {}))
    schemes = {name: each for name, each in schemes.items() if name in named} or schemes
    known = next(iter(schemes.values()), cast(Node, {}))
    words = [
        word for word in (str(each.get("scheme", "")).lower() for each in schemes.values()) if word in _SCHEMES
    ] or ["bearer"]
    expected = ", or ".join(_SCHEMES[word] for word in words)
    if (
        given
        and operation.node.get("security") != []
        and not re.fullmatch(rf"(?i:{'|'.join(words)}) +\S+", given.strip())
    ):
        yield at(known, "header authorization", expected, given)
    elif not given and needs_bearer(api, operation):
        yield at(known, "header authorization", expected, MISSING)
    elif not given and (body := _body_of(api, operation)) is not None:
        schema = resolved(api.document, _schema(body))
        instead = cast("list[str]", schema.get("x-without-bearer", []))
        if fields.how == "read" and any(fields.fields.get(name) is None for name in instead):
            yield at(known, "header authorization", f"{expected}, or the fields {' and '.join(instead)}", MISSING)


def _parameters(
    api: ApiContract, operation: DocumentedOperation, match: OperationMatch, request: Request, fields: Sent
) -> Iterator[ContractProblem]:
    in_path = dict(match.parameters)
    for raw in cast("list[Node]", operation.node.get("parameters", ())):
        parameter = resolved(api.document, raw)
        name, where = str(parameter["name"]), str(parameter["in"])
        value: Any = in_path.get(name) if where == "path" else fields.fields.get(name)
        if where == "header":
            value = header(request.headers, name) or None
        if value is None:
            if parameter.get("required"):
                yield at(parameter, f"{where} {name}", str(parameter["description"]), MISSING)
            continue
        schema = cast(Node, parameter["schema"])
        for problem in api.check(schema, typed(resolved(api.document, schema), value), f"{where} {name}"):
            yield at(parameter, f"{where} {name}", problem.expected, problem.actual)


def _body_of(api: ApiContract, operation: DocumentedOperation) -> Node | None:
    body: Node | None = operation.node.get("requestBody")
    return None if body is None else resolved(api.document, body)


def _schema(body: Node) -> Node:
    """Every media type of a request holds the same fields."""
    media: Node = next(iter(body["content"].values()))
    return cast(Node, media["schema"])


def _fields(api: ApiContract, body: Node, fields: Sent) -> Iterator[ContractProblem]:
    schema = _schema(body)
    properties = cast("dict[str, Node]", resolved(api.document, schema).get("properties", {}))
    # An optional field without a value was not sent; one that is required says itself whether null will do.
    given = {
        name: typed(resolved(api.document, properties[name]), value) if name in fields.texts else value
        for name, value in fields.fields.items()
        if name in properties
    }
    for problem in api.check(schema, given, "body"):
        name = problem.place.removeprefix("body /")
        if fields.fields.get(name) is None and name in fields.raw:
            yield ContractProblem(
                place=problem.place, expected=problem.expected, actual=quoted(fields.raw[name]),
                weight=problem.weight, source=problem.source,
            )  # fmt: skip
        else:
            yield problem
    if api.document.get("x-wire", {}).get("integers", {}).get("plain"):
        yield from _plain_integers(api, schema, given, "body ")


def _plain_integers(api: ApiContract, schema: Node, given: Mapping[str, Any], place: str) -> Iterator[ContractProblem]:
    """Integers with a decimal point, which are integers to a schema and not to the gateway."""
    for name, raw in cast("dict[str, Node]", resolved(api.document, schema).get("properties", {})).items():
        field, value = resolved(api.document, raw), given.get(name)
        if isinstance(value, dict):
            yield from _plain_integers(api, field, cast("dict[str, Any]", value), f"{place}/{name}")
        elif field.get("type") == "integer" and isinstance(value, float) and value.is_integer():
            yield at(
                field, f"{place}/{name}", str(field.get("x-expected", "an integer without a decimal point")), value
            )
