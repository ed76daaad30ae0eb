"""The wire contract of a gateway (its OpenAPI document), and messages held against it.

``contract_of(profile)`` -> ``Contract``; what does not fit is a ``Problem``: a value that says where, what was expected, what was there,
and how well the expectation is known. Nothing here is imported, and no library loaded, before somebody asks for a contract.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from payproof.contracts.contract import requests, responses
from payproof.contracts.contract.document import Node, document_of
from payproof.contracts.contract.operations import Operation, OperationMatch, bases_of, match, operations_of
from payproof.contracts.contract.problems import MISSING, ContractProblem, of_schema
from payproof.contracts.entries import Request, Response
from payproof.contracts.model import Json
from payproof.contracts.profile import Profile

if TYPE_CHECKING:
    import jsonschema_rs

__all__ = ["MISSING", "Contract", "ContractProblem", "Node", "Operation", "OperationMatch", "contract_of"]


class Contract:
    """One gateway's contract. ``bases``: the paths that its API may lie below; ``base`` adds one. ``document`` stands in for the
    gateway's own."""

    def __init__(self, gateway: str, *, base: str = "", document: Node | None = None) -> None:
        self.gateway = gateway
        self.document: Node = document_of(gateway) if document is None else document
        self.operations: tuple[Operation, ...] = operations_of(self.document)
        self.bases = tuple(dict.fromkeys((*((base.rstrip("/"),) if base else ()), *bases_of(self.document))))
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def match(self, request: Request) -> OperationMatch:
        """Which operation a request is meant for."""
        return match(self.operations, self.bases, request.method, request.url)

    def request_problems(self, request: Request) -> tuple[ContractProblem, ...]:
        """What an integration should send otherwise. Empty for a request to an address that is none of the gateway's."""
        return tuple(requests.problems(self, self.match(request), request))

    def refused(self, request: Request) -> tuple[ContractProblem, ...]:
        """Why a server has to refuse this request's fields; empty when it may take them."""
        return requests.refused(self, self.match(request), request)

    def needs_bearer(self, operation: Operation) -> bool:
        return requests.needs_bearer(self, operation)

    def response_problems(self, request: Request, response: Response) -> tuple[ContractProblem, ...]:
        """In what an answer differs from what the contract has for this request."""
        return tuple(responses.problems(self, self.match(request), response))

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


@cache
def _contract(gateway: str, base: str) -> Contract:
    return Contract(gateway, base=base)


def contract_of(profile: Profile, *, base: str = "") -> Contract:
    """The contract of a profile's gateway. ``base``: a further path that its API lies below.

    Raises:
        PayproofError: the gateway has no contract.
    """
    return _contract(profile.name, base)
