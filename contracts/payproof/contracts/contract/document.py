"""A gateway's OpenAPI document: read, laid over the one that it extends, and walked.

A gateway's folder holds either ``openapi.yaml`` or ``openapi.overlay.yaml``: a JSON merge patch (RFC 7396) whose key
``x-extends`` names the gateway that it changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, TypeAlias, cast

from payproof.contracts.model import PayproofError
from payproof.contracts.profile import package_of

Node: TypeAlias = Mapping[str, Any]

WHOLE, OVERLAY = "openapi.yaml", "openapi.overlay.yaml"


@cache
def lineage(gateway: str) -> tuple[str, ...]:
    """The gateway and those whose documents it extends, the nearest first."""
    overlay = _folder(gateway) / OVERLAY
    if not overlay.is_file():
        return (gateway,)
    return (gateway, *lineage(str(_parsed(overlay)["x-extends"])))


@cache
def document_of(gateway: str) -> Node:
    """The gateway's whole document, its varied examples written out. Shared: copy it before a change.

    Raises:
        PayproofError: the gateway has no document.
    """
    document = _laid(gateway)
    for item in document["paths"].values():
        for operation in item.values():
            body: Node = resolved(document, operation["requestBody"]) if "requestBody" in operation else {}
            for content in body.get("content", {}).values():
                _write_out(list(content.get("examples", {}).values()))
    return document


def _write_out(examples: list[dict[str, Any]]) -> None:
    """An example that names its difference only (``x-but``, ``x-without``) differs so from the first one."""
    for each in examples:
        if "value" not in each:
            value = {**examples[0]["value"], **each.get("x-but", {})}
            each["value"] = {name: value[name] for name in value if name not in each.get("x-without", ())}


def _laid(gateway: str) -> Node:
    folder = _folder(gateway)
    if (whole := folder / WHOLE).is_file():
        return _parsed(whole)
    if (overlay := folder / OVERLAY).is_file():
        patch = dict(_parsed(overlay))
        return cast(Node, merge(_laid(str(patch.pop("x-extends"))), patch))
    raise PayproofError(
        f'"{gateway}" has no contract', place=f"gateways/{gateway}", remedy=f"write its {WHOLE}, see docs/contract.md"
    )


def _folder(gateway: str) -> Traversable:
    return files(package_of(gateway))


def _parsed(file: Traversable) -> Node:
    import yaml  # here, because most commands never read a contract

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return cast(Node, yaml.load(file.read_text(encoding="utf-8"), Loader=loader))
    except yaml.YAMLError as error:
        raise PayproofError(f"this contract is no YAML: {error}", place=str(file), remedy="mend it there") from None


def merge(below: Any, patch: Any) -> Any:
    """JSON merge patch: tables are merged key by key, null takes a key away, anything else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    changes = cast(Node, patch)
    merged: dict[str, Any] = dict(cast(Node, below)) if isinstance(below, Mapping) else {}
    for key, value in changes.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def resolved(document: Node, node: Node) -> Node:
    """The node itself, or what its ``$ref`` points at with the node's other keys laid over it."""
    if "$ref" not in node:
        return node
    target: Any = document
    for part in str(node["$ref"]).removeprefix("#/").split("/"):
        target = target[part.replace("~1", "/").replace("~0", "~")]
    return cast(Node, merge(resolved(document, target), {key: value for key, value in node.items() if key != "$ref"}))


def walk(document: Node, schema: Node, path: list[str | int]) -> Iterator[Node]:
    """The schemas that speak of the value at ``path``, from the outermost in; ends where none does."""
    here = resolved(document, schema)
    yield here
    for part in path:
        below: Any = here.get("items") if isinstance(part, int) else here.get("properties", {}).get(part)
        if not isinstance(below, Mapping):
            return
        here = resolved(document, cast(Node, below))
        yield here
