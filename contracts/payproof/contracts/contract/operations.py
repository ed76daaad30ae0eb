"""Which operation of a document a request is meant for."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import cast
from urllib.parse import unquote, urlsplit

from payproof.contracts.contract.document import Node

METHODS = ("get", "put", "post", "delete", "patch")
_SIMILAR = 0.85
"""Share of agreement from which an unknown path is a slip of the pen, and not another address altogether."""


@dataclass(frozen=True, slots=True)
class DocumentedOperation:
    """One operation. ``word``: what the rest of payproof calls it (token, create, status)."""

    id: str
    word: str
    method: str
    path: str
    node: Node


@dataclass(frozen=True, slots=True)
class OperationMatch:
    """What a request is meant for. ``methods``: those that its path has. ``near``: the path that it nearly is."""

    operation: DocumentedOperation | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    """Values in the path."""
    methods: tuple[str, ...] = ()
    word: str = ""
    near: str = ""
    rest: str = ""
    """The path below the API's base; the whole path when it is not below it."""


def operations_of(document: Node) -> tuple[DocumentedOperation, ...]:
    found: list[DocumentedOperation] = []
    for path, item in cast("dict[str, Node]", document["paths"]).items():
        for method in METHODS:
            if method in item:
                node: Node = item[method]
                id = str(node["operationId"])
                found.append(DocumentedOperation(id, str(node.get("x-operation", id)), method.upper(), path, node))
    return tuple(found)


def bases_of(document: Node) -> tuple[str, ...]:
    """Paths that the API's base URLs end in."""
    urls = (str(server["url"]) for server in cast("list[Node]", document.get("servers", ())))
    return tuple(dict.fromkeys(re.sub(r"^(\{[^}]*\}|https?://[^/]*)", "", url).rstrip("/") for url in urls))


def match(operations: tuple[DocumentedOperation, ...], bases: tuple[str, ...], method: str, url: str) -> OperationMatch:
    """HEAD is a GET without an answer's body, and a slash at the end changes nothing."""
    path = unquote(urlsplit(url).path)
    base = next((base for base in sorted(bases, key=len, reverse=True) if path.startswith(f"{base}/")), None)
    rest = path if base is None else path[len(base) :].rstrip("/") or "/"
    if base is None:
        return _near(operations, rest)
    asked = "GET" if method.upper() == "HEAD" else method.upper()
    fitting = [(operation, values) for operation in operations if (values := _values(operation.path, rest)) is not None]
    for operation, values in fitting:
        if operation.method == asked:
            return OperationMatch(operation, values, (asked,), operation.word, "", rest)
    if fitting:
        return OperationMatch(None, (), tuple(o.method for o, _ in fitting), fitting[0][0].word, "", rest)
    return _near(operations, rest)


def _values(template: str, path: str) -> tuple[tuple[str, str], ...] | None:
    names = re.findall(r"\{(\w+)\}", template)
    pattern = "".join(
        "([^/]+)" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", template)
    )
    found = re.fullmatch(pattern, path)
    return tuple(zip(names, found.groups(), strict=True)) if found else None


def _near(operations: tuple[DocumentedOperation, ...], rest: str) -> OperationMatch:
    """An unknown path that ends nearly like one of the gateway's: a missing base, a plural, two slashes."""
    for operation in operations:
        literal, parameter, _ = operation.path.partition("/{")
        length = literal.count("/")
        parts = [part for part in rest.split("/") if part]
        for end in (parts[-length:], parts[-length - 1 : -1]) if parameter else (parts[-length:],):
            path = "/" + "/".join(end)
            if len(end) == length and difflib.SequenceMatcher(None, path.lower(), literal).ratio() >= _SIMILAR:
                return OperationMatch(None, (), (), operation.word, operation.path, rest)
    return OperationMatch(rest=rest)
