"""The family's servers are asked the same."""

from payproof.contracts.gateways.quatapay.drift import CATALOGUE

__all__ = ["CATALOGUE"]
