"""The v1 family's dialect: token, create, status and the hosted checkout. Knobs make it QuataPay's or QRPay's."""

from payproof.simulator.gateways.quatapay.dialect import QuataPay, dialect

__all__ = ["QuataPay", "dialect"]
