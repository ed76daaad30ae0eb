"""A gateway's document, ready to be asked: which operation a request is meant for, whether a value fits a schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from payproof.contracts.contract.document import Node, document_of
from payproof.contracts.contract.operations import DocumentedOperation, OperationMatch, bases_of, match, operations_of
from payproof.contracts.contract.problems import ContractProblem, of_schema
from payproof.contracts.entries import Request
from payproof.contracts.model import Json

if TYPE_CHECKING:
    import jsonschema_rs


def _taking(node: Any) -> Any:
    if isinstance(node, Mapping):
        table = cast(Node, node)
        return table["x-accepted"] if "x-accepted" in table else {key: _taking(each) for key, each in table.items()}
    return [_taking(each) for each in node] if isinstance(node, list) else node  # pyright: ignore


class ApiContract:
    """One gateway's API. ``bases``: the paths that it may lie below; ``base`` adds one. ``document`` stands in for the gateway's own."""

    def __init__(self, gateway: str, *, base: str = "", document: Node | None = None) -> None:
        self.gateway = gateway
        self.document: Node = document_of(gateway) if document is None else document
        self.operations: tuple[DocumentedOperation, ...] = operations_of(self.document)
        self.bases = tuple(dict.fromkeys((*((base.rstrip("/"),) if base else ()), *bases_of(self.document))))
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}

    @cached_property
    def taking(self) -> ApiContract:
        """The same with what servers take (``x-accepted``, at any depth) in place of what should be sent."""
        return ApiContract(self.gateway, document=cast(Node, _taking(self.document)))

    def match(self, request: Request) -> OperationMatch:
        """Which operation a request is meant for."""
        return match(self.operations, self.bases, request.method, request.url)

    def check(self, schema: Node, instance: Json, place: str) -> Iterator[ContractProblem]:
        """A value against a schema of the document."""
        errors = self._validator(schema).iter_errors(instance)
        return of_schema(self.document, schema, errors, instance, place)

    def _validator(self, schema: Node) -> jsonschema_rs.Draft202012Validator:
        key = json.dumps(schema, sort_keys=True, default=str)
        if key not in self._validators:
            import jsonschema_rs  # here, because most commands never read a contract

            whole = {**schema, "components": {"schemas": self.document["components"]["schemas"]}}
            self._validators[key] = jsonschema_rs.Draft202012Validator(whole)
        return self._validators[key]
