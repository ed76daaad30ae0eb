"""Routes that the contract only assumes: asked for once, and left alone where a server does not have them."""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Any, cast

from payproof.contracts.contract import Contract, DocumentedOperation
from payproof.contracts.entries import Response
from payproof.contracts.profile import Profile
from payproof.suites.conformance.contract.rules import envelope_of

_NOT_THERE = (404, 405)


def is_assumed(operation: DocumentedOperation) -> bool:
    """Whether nobody has documented or seen this operation."""
    return str(operation.node.get("x-provenance", {}).get("weight", "")) == "assumed"


def is_missing(profile: Profile, response: Response | None) -> bool:
    """Whether an answer to a good request comes from before the operation: no such address, no such method."""
    return response is not None and response.status in _NOT_THERE and any(True for _ in envelope_of(profile)(response))


def absence_note(operation: DocumentedOperation, response: Response) -> str:
    """The line that says so."""
    source = operation.node.get("x-provenance", {}).get("source", "")
    words = " ".join(response.body.split())[:120]
    return (
        f"{operation.method} {operation.path} is not there (HTTP {response.status}: {words}); "
        f"the contract only assumes it ({source}), and it was not held to it"
    )


def without(contract: Contract, missing: Collection[str]) -> Contract:
    """The contract without these operations, and without the links to them."""
    document = copy.deepcopy(cast("dict[str, Any]", contract.document))
    for path, item in list(document["paths"].items()):
        for method, node in list(item.items()):
            if isinstance(node, dict) and cast("dict[str, Any]", node).get("operationId") in missing:
                del item[method]
        if not any(isinstance(node, dict) and "operationId" in node for node in item.values()):
            del document["paths"][path]
    _unlink(document, missing)
    return Contract(contract.gateway, base=contract.bases[0], document=document)


def _unlink(node: Any, missing: Collection[str]) -> None:
    if isinstance(node, list):
        for each in node:  # pyright: ignore[reportUnknownVariableType]
            _unlink(each, missing)
    if not isinstance(node, dict):
        return
    table = cast("dict[str, Any]", node)
    links = table.get("links")
    if isinstance(links, dict):
        for name, link in list(cast("dict[str, Any]", links).items()):
            if isinstance(link, dict) and cast("dict[str, Any]", link).get("operationId") in missing:
                del links[name]
    for each in table.values():
        _unlink(each, missing)
