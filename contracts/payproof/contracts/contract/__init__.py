"""The wire contract of a gateway (its OpenAPI document), and messages held against it.

``contract_of(profile)`` -> ``Contract``; what does not fit is a ``Problem``: a value that says where, what was expected, what was there,
and how well the expectation is known. Nothing here is imported, and no library loaded, before somebody asks for a contract.
"""

from __future__ import annotations

from functools import cache

from payproof.contracts.contract import requests, responses
from payproof.contracts.contract.api import ApiContract
from payproof.contracts.contract.document import Node
from payproof.contracts.contract.operations import DocumentedOperation, OperationMatch
from payproof.contracts.contract.problems import MISSING, ContractProblem
from payproof.contracts.entries import Request, Response
from payproof.contracts.profile import Profile

__all__ = ["MISSING", "Contract", "ContractProblem", "DocumentedOperation", "Node", "OperationMatch", "contract_of"]


class Contract(ApiContract):
    """One gateway's contract: its API, and what messages have to be like."""

    def request_problems(self, request: Request) -> tuple[ContractProblem, ...]:
        """What an integration should send otherwise. Empty for a request to an address that is none of the gateway's."""
        return tuple(requests.problems(self, self.match(request), request))

    def refused(self, request: Request) -> tuple[ContractProblem, ...]:
        """Why a server has to refuse this request's fields; empty when it may take them."""
        return requests.refused(self, self.match(request), request)

    def names_something(self, request: Request) -> bool:
        """Whether a field of the request names something that the gateway keeps, and a server may know none of that name."""
        return requests.names_something(self, self.match(request), request)

    def needs_bearer(self, operation: DocumentedOperation) -> bool:
        return requests.needs_bearer(self, operation)

    def response_problems(self, request: Request, response: Response) -> tuple[ContractProblem, ...]:
        """In what an answer differs from what the contract has for this request."""
        return tuple(responses.problems(self, self.match(request), response))


@cache
def _contract(gateway: str, base: str) -> Contract:
    return Contract(gateway, base=base)


def contract_of(profile: Profile, *, base: str = "") -> Contract:
    """The contract of a profile's gateway. ``base``: a further path that its API lies below.

    Raises:
        PayproofError: the gateway has no contract.
    """
    return _contract(profile.name, base)
